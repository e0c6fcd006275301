"""A job: which protocol, which parameters, who takes which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mpcnet.declare.protocol import Protocol
from mpcnet.errors import LocalError

__all__ = ("MAX_LABEL", "Job")

P = TypeVar("P")
T = TypeVar("T")

MAX_LABEL = 64


@dataclass(frozen=True, slots=True)
class Job(Generic[P, T]):
    """One run of a protocol.

    Args:
        protocol: what to run.
        params: its parameters.
        roles: by role, the names of its members; row i of a role's input is that of its member i.
        label: what the parties call this run; unique among the running jobs of a mesh.
        compute: names of the computing parties; by default the parties with inputs.
        dealer: name of the party that deals correlated randomness, for the provider of that name.
        scheme: how secrets are shared.
        provider: what makes correlated randomness; by default the dealer, if the job names one.
        deadline_seconds: how long the whole job may take, waiting for stragglers included.
    """

    protocol: Protocol[P, T]
    params: P
    roles: Mapping[str, Sequence[str]]
    label: str
    compute: Sequence[str] = ()
    dealer: str | None = None
    scheme: str = "additive"
    provider: str = ""
    deadline_seconds: float = 60

    def __post_init__(self) -> None:
        # A text is a sequence too: of its letters.
        if text := [role for role, names in self.roles.items() if isinstance(names, str)]:
            raise LocalError(f"role '{text[0]}' takes a list of names")
        if isinstance(self.compute, str):
            raise LocalError("'compute' takes a list of names")

    @property
    def names(self) -> tuple[str, ...]:
        """All who take part, each once: in the roles, then who else computes, then the dealer."""
        named = [*(name for members in self.roles.values() for name in members), *self.compute]
        return tuple(dict.fromkeys(named if self.dealer is None else [*named, self.dealer]))
