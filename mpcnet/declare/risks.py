"""What a party should consider before it agrees to a job, as data: a class for each kind, its fields the facts.

The words are those of their tellers: `mpcnet explain`, `mpcnet doctor`, the pages of protocols.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

from mpcnet.declare.plan import Plan

__all__ = (
    "FewGivers",
    "IdleDealer",
    "OneMachine",
    "Outsourced",
    "Risk",
    "ShortDeadline",
    "Unprotected",
    "givers_of",
    "risks_of",
)

_FEW = 3
"""So many or fewer who give inputs: a result tells much about each."""
_SHORT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Unprotected:
    """The scheme hides nothing from those who compute."""

    kind: ClassVar[str] = "unprotected"
    scheme: str


@dataclass(frozen=True, slots=True)
class FewGivers:
    """So few parties give inputs that a result tells much about each."""

    kind: ClassVar[str] = "few-givers"
    count: int


@dataclass(frozen=True, slots=True)
class Outsourced:
    """None of the parties that give inputs computes: they trust the computing parties not to collude all."""

    kind: ClassVar[str] = "outsourced"
    computing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShortDeadline:
    """All parties must start within this time."""

    kind: ClassVar[str] = "short-deadline"
    seconds: float


@dataclass(frozen=True, slots=True)
class OneMachine:
    """Parties that must not collude have one address.

    Args:
        host: the address.
        parties: their names, sorted.
        dealer: the dealer, if it is one of them.
    """

    kind: ClassVar[str] = "one-machine"
    host: str
    parties: tuple[str, ...]
    dealer: str | None


@dataclass(frozen=True, slots=True)
class IdleDealer:
    """The job names a dealer, and a dry run asked it for nothing."""

    kind: ClassVar[str] = "idle-dealer"
    dealer: str


Risk = Unprotected | FewGivers | Outsourced | ShortDeadline | OneMachine | IdleDealer


def risks_of(plan: Plan[Any, Any], *, of_roster: bool) -> tuple[Risk, ...]:
    """The risks that a job's plan shows.

    Args:
        of_roster: the plan's roster is the real one, whose addresses mean something.
    """
    names, job = plan.parties.names, plan.job
    found: list[Risk] = []
    if not plan.scheme.private:
        found.append(Unprotected(plan.scheme.name))
    givers = givers_of(plan)
    if job.protocol.shares_secrets and job.protocol.outputs and len(givers) <= _FEW:
        found.append(FewGivers(len(givers)))
    computing = sorted(plan.parties.computing)
    if job.protocol.shares_secrets and plan.scheme.private and givers.isdisjoint(computing):
        found.append(Outsourced(tuple(names[index] for index in computing)))
    if job.deadline_seconds < _SHORT_SECONDS:
        found.append(ShortDeadline(job.deadline_seconds))
    return (*found, *(_neighbours(plan) if of_roster else ()))


def givers_of(plan: Plan[Any, Any]) -> set[int]:
    """Roster indices of the parties that give inputs."""
    return {member.index for item in plan.job.protocol.inputs.values() for member in plan.roles[item.by]}


def _neighbours(plan: Plan[Any, Any]) -> list[OneMachine]:
    """Parties that must not collude, on one machine: its owner sees what they see."""
    at: dict[str, list[str]] = defaultdict(list)
    dealer = None if plan.dealer is None else plan.roster.by_index(plan.dealer)
    for index in {*plan.parties.computing, *(() if dealer is None else (dealer.index,))}:
        member = plan.roster.by_index(index)
        at[member.host].append(member.name)
    return [
        OneMachine(host, tuple(sorted(found)), dealer.name if dealer is not None and dealer.name in found else None)
        for host, found in sorted(at.items())
        if len(found) > 1 and not _is_trial(host)
    ]


def _is_trial(host: str) -> bool:
    """Whether all parties are one: a trial on this machine, where nothing is to be kept apart."""
    return host == "localhost" or host.startswith("127.") or host == "::1"
