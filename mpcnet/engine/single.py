"""One step that is driven like a whole evaluation: what `Party.run` gives to the links."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from mpcnet.engine.context import Parties
from mpcnet.engine.digest import ProgramDigest
from mpcnet.engine.rounds import Inbox, Step
from mpcnet.engine.scheduler import MergedRound, Scheduler
from mpcnet.engine.work import Outcome, Work
from mpcnet.errors import LocalError

__all__ = ("SingleStep",)

T = TypeVar("T")


class SingleStep(Generic[T]):
    """`start` a step, `take` a round or work and `feed` what came, until `take` gives None; then `result` is there.

    Args:
        job: the job id.
        digest: in which its beginning is written down.
        parties: who takes part, for errors.
        peers: with whom we may exchange messages.
    """

    def __init__(self, job: bytes, digest: ProgramDigest, parties: Parties, peers: frozenset[int]) -> None:
        self._scheduler = Scheduler(job, digest=digest)
        self._parties = parties
        self._peers = peers
        self._results: list[T] = []

    @property
    def result(self) -> T:
        """What the step returned.

        Raises:
            LocalError: it has not ended.
        """
        if not self._results:
            raise LocalError("the step has not ended")
        return self._results[0]

    def start(self, step: Step[T]) -> None:
        """Run the step up to its first round or work."""
        self._scheduler.start((0,), step, self._results.append)

    def take(self) -> MergedRound | Work[Any] | None:
        """See `Scheduler.take`.

        Raises:
            LocalError: the step talks to a party that it does not reach.
        """
        due = self._scheduler.take()
        if isinstance(due, MergedRound):
            for peer in (*due.to, *due.expect):
                if peer not in self._peers:
                    name = self._parties.names.get(peer, f"party {peer}")
                    raise LocalError(
                        f"a step exchanges messages with {name}, which is no other party of this job, or neither "
                        "of us computes"
                    )
        return due

    def feed(self, received: Inbox | Outcome) -> None:
        """See `Scheduler.feed`."""
        self._scheduler.feed(received)

    def close(self) -> None:
        """Give up, unless it has ended."""
        self._scheduler.close()
