"""The dealer's part of a job: answer when all computing parties ask for the same, each question once.

The dealer does not run the program and has no inputs. It sees requests (types and counts, which the program fixes),
the rounds in which they come, and the digests of the program; nothing of the values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import trio

from mpcnet.algebra import Buffer, Streams
from mpcnet.correlated.dealing import make_correction
from mpcnet.correlated.provider import MAX_REQUEST_BYTES, read_request_untrusted
from mpcnet.errors import PeerViolation, ProgramMismatch
from mpcnet.wire.frames import Frame, Header

__all__ = ("DealerService", "dealer_path")

_MAX_OPEN_QUESTIONS = 4096
"""Questions that some have asked and others not yet: one for each fork that evaluates."""

Send = Callable[[int, Frame], Awaitable[None]]
Question = tuple[bytes, int]
"""Fork and round."""


def dealer_path(fork: bytes) -> tuple[str, ...]:
    """The path that labels of a fork's correlated randomness carry: the dealer knows forks by id, not by name."""
    return ("dealer", fork.hex())


class DealerService:
    """What the dealer has been asked.

    Args:
        computing: the computing parties, in the order of the job.
        names: by roster index.
    """

    def __init__(self, computing: Sequence[int], names: Mapping[int, str]) -> None:
        self._computing = tuple(computing)
        self._names = names
        self._open: dict[Question, dict[int, Frame]] = {}
        # By fork, the last round and the last operation that were answered.
        self._answered: dict[bytes, int] = {}
        self._operations: dict[bytes, int] = {}
        self._complete: list[Question] = []
        self._arrived = trio.Event()
        self._finished: set[int] = set()

    def admit(self, peer: int, nbytes: int) -> None:
        """Before memory is given to a request.

        Raises:
            PeerViolation: too long, or of a party that does not compute.
        """
        if peer not in self._computing or nbytes > MAX_REQUEST_BYTES:
            raise PeerViolation(self._names[peer], f"sent the dealer {nbytes} bytes that are no request")

    def deliver(self, peer: int, frame: Frame) -> None:
        """A request came.

        Raises:
            PeerViolation: asked before, out of order, or too many at once.
            ProgramMismatch: another party asked for something else in this round.
        """
        header = frame.header
        question = (header.fork, header.round)
        asked = self._open.setdefault(question, {})
        if peer in asked or header.round <= self._answered.get(header.fork, -1):
            raise PeerViolation(self._names[peer], f"asked the dealer twice in round {header.round}")
        if len(self._open) > _MAX_OPEN_QUESTIONS:
            raise PeerViolation(self._names[peer], "asked the dealer more than it keeps")
        for other, known in asked.items():
            if known.header.digest != header.digest or known.body != frame.body:
                name = self._names[peer]
                text = (
                    f"at round {header.round} {name} asks the dealer for something else than {self._names[other]}"
                )
                raise ProgramMismatch(name, text)
        asked[peer] = frame
        if len(asked) == len(self._computing):
            self._complete.append(question)
            self._arrived.set()

    def peer_finished(self, peer: int) -> None:
        """A computing party's program has ended."""
        self._finished.add(peer)
        self._arrived.set()

    @property
    def waiting_for(self) -> set[int]:
        """Who has not asked what others have; if nothing is open, those whose programs go on."""
        missing = {party for asked in self._open.values() for party in self._computing if party not in asked}
        return missing or set(self._computing) - self._finished

    async def next_question(self) -> Question | None:
        """The next question that all have asked; None when all computing parties have finished."""
        while not self._complete:
            if self._finished >= set(self._computing):
                return None
            self._arrived = trio.Event()
            await self._arrived.wait()
        return self._complete.pop(0)

    def answer(self, question: Question, streams: Mapping[int, Streams]) -> tuple[Header, Buffer]:
        """The header and body for the first computing party; the question is closed then.

        Args:
            streams: by computing party, those of its pair with us, for this fork.
        Raises:
            PeerViolation: malformed, over a cap, or of an operation not newer than the last one of its fork.
        """
        asked = self._open.pop(question)
        fork, number = question
        self._answered[fork] = number
        first = asked[self._computing[0]]
        name = self._names[self._computing[0]]
        request = read_request_untrusted(first.body, name)
        # Fork and number of the operation are what the streams' keys hold: a number that came twice would give two
        # requests one key. A program counts upwards, so to remember the last one is enough.
        if request.node <= self._operations.get(fork, -1):
            raise PeerViolation(name, f"asked the dealer again for operation {request.node} in round {number}")
        self._operations[fork] = request.node
        return first.header, make_correction(self._computing, streams, request.node, request.demand)

    async def serve(self, job: bytes, seeds: Mapping[int, bytes], send: Send) -> None:
        """Answer what all computing parties ask alike, until their programs have ended.

        Args:
            job: the job id.
            seeds: by computing party, the seed of its pair with us.
            send: gives a frame to a party's link.
        """
        while (question := await self.next_question()) is not None:
            path = dealer_path(question[0])
            streams = {party: Streams(seeds[party], job, path) for party in self._computing}
            header, correction = self.answer(question, streams)
            await send(self._computing[0], Frame(header, memoryview(correction)))
