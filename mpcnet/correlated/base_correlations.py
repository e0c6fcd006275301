"""What outlives a job between two parties: the base correlations from which a provider makes all others.

A provider without a dealer begins with a few public-key operations for each pair of parties, whose result serves
any number of jobs. Two parties keep such a result for as long as both of them run: it belongs to their pair of
incarnations, lives in memory, and is never copied or restored, since what is made from it twice is no secret.

    job 1   A and B make one, and each keeps its part under the name of the fork of the job that made it
    job 2   with its confirmation each tells the other what it holds; both use the newest that both hold
    job 3   was confirmed before job 1 had made its own: they have nothing in common, and it makes another

Whether the other side has kept one is known from what it tells and never assumed: a job may fail between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mpcnet.errors import LocalError
from mpcnet.primitives import blake2b

__all__ = ("MAX_KEPT", "NAME_BYTES", "BaseCorrelations", "ForkPair", "base_name")

MAX_KEPT: Final = 4
"""Base correlations that are kept for one pair and provider; beyond that the oldest goes."""
NAME_BYTES: Final = 16


def base_name(job: bytes, fork: bytes) -> bytes:
    """The name of what a fork of a job makes.

    Args:
        job: the job id.
        fork: the fork's id, as frames name it.
    """
    return blake2b(job + fork, size=NAME_BYTES, person=b"mpcnet.base")


class BaseCorrelations:
    """The base correlations of one provider between us and one incarnation of one peer."""

    def __init__(self) -> None:
        self._kept: dict[bytes, object] = {}

    def __repr__(self) -> str:
        return f"BaseCorrelations({len(self._kept)} kept)"

    @property
    def names(self) -> tuple[bytes, ...]:
        """What we hold, the newest first: what our confirmation tells the peer."""
        return tuple(reversed(self._kept))

    def keep(self, name: bytes, value: object) -> None:
        """Our part of what a fork of a job has made.

        Raises:
            LocalError: there is one of this name: what was made once is not replaced.
        """
        if name in self._kept:
            raise LocalError("a fork of a job makes one base correlation with each peer")
        self._kept[name] = value
        while len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]

    def discard(self, name: bytes) -> None:
        """Never use it again: a check of something that was made from it has failed."""
        self._kept.pop(name, None)

    def find(self, name: bytes) -> object | None:
        """Our part of it, if we hold it."""
        return self._kept.get(name)

    def newest_common(self, theirs: Sequence[bytes], *, ours_first: bool) -> bytes | None:
        """The name of the one to use, the same on both sides; None if nothing is in common.

        Args:
            theirs: what the peer told us that it holds.
            ours_first: whether our order counts where the two differ: on the party with the lower roster index.
        """
        first, second = (self.names, theirs) if ours_first else (theirs, self.names)
        return next((name for name in first if name in second), None)


@dataclass(frozen=True, slots=True, repr=False)
class ForkPair:
    """What we have in common with one peer when a fork of a job begins.

    Args:
        seed: of the pair of incarnations; what is drawn from it is labelled with job and fork.
        kept: our parts of the base correlations of this pair and provider.
        common: the name of the one that this job uses, as both sides' confirmations settled it; None if they have
            none in common.
        name: under which this fork keeps what it makes; see `base_name`.
    """

    seed: bytes
    kept: BaseCorrelations = field(default_factory=BaseCorrelations)
    common: bytes | None = None
    name: bytes = b""

    @property
    def base(self) -> object | None:
        """Our part of the base correlation that this job uses, or None: then the fork has to make one."""
        return None if self.common is None else self.kept.find(self.common)

    def keep(self, value: object) -> None:
        """Keep our part of the one that this fork has made, for later jobs."""
        self.kept.keep(self.name, value)

    def discard(self) -> None:
        """No job uses `base` again: a check of something that was made from it has failed."""
        if self.common is not None:
            self.kept.discard(self.common)
