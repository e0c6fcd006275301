"""The dealer's part of a job: answer when all computing parties ask for the same, each question once.

A question is one tranche (`mpcnet.correlated.tranches`) of one fork, asked in one round:

    open ──all computing parties have asked alike──▶ complete ──answer──▶ closed, with its round and operation
      ├── a party asks for something else, or under another digest ──▶ the job ends: their programs differ
      └── a party finishes without having asked                   ──▶ the job ends: its program has ended

The dealer does not run the program and has no inputs. It sees questions (types and counts, which the program
fixes), the rounds in which they come, and the digests of the program; nothing of the values. So it cannot know
whose program is the right one: where two parties differ it names both. Only two others who agree make one party the
odd one out.

Memory: the questions that are open, so many for each party (`MAX_OPEN_QUESTIONS`); and one tranche, since questions
are answered one after the other in the order in which they became complete. A large one is computed in a thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import trio

from mpcnet.algebra import Buffer, Streams
from mpcnet.correlated.dealing import SHORT_WORDS, dealer_path, make_correction
from mpcnet.correlated.tranches import MAX_REQUEST_BYTES, Tranche, read_tranche_untrusted, words_of
from mpcnet.errors import PeerViolation, ProgramMismatch
from mpcnet.session.offload import Offload
from mpcnet.wire.frames import Frame, Header

__all__ = ("MAX_OPEN_QUESTIONS", "DealerService")

MAX_OPEN_QUESTIONS: Final = 4096
"""Questions of one party that others have not asked yet: one for each fork that evaluates and is ahead of them."""

Send = Callable[[int, Frame], Awaitable[None]]
Question = tuple[bytes, int]
"""Fork and round."""


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
        self._open_by_party = dict.fromkeys(self._computing, 0)
        # By fork, the last round and the last operation that were answered.
        self._answered: dict[bytes, int] = {}
        self._operations: dict[bytes, int] = {}
        self._complete: deque[Question] = deque()
        self._changed = trio.Event()
        self._finished: set[int] = set()

    def admit(self, peer: int, nbytes: int) -> None:
        """Before memory is given to a request.

        Raises:
            PeerViolation: too long, or of a party that does not compute.
        """
        if peer not in self._computing or nbytes > MAX_REQUEST_BYTES:
            raise PeerViolation(self._names[peer], f"sent the dealer {nbytes} bytes that are no request")

    def deliver(self, peer: int, frame: Frame) -> None:
        """A question came.

        Raises:
            PeerViolation: asked before, out of order, or too many at once.
            ProgramMismatch: another party asked for something else in this round.
        """
        header, name = frame.header, self._names[peer]
        question = (header.fork, header.round)
        asked = self._open.get(question, {})
        if peer in asked or header.round <= self._answered.get(header.fork, -1):
            raise PeerViolation(name, f"asked the dealer twice in round {header.round}")
        if self._open_by_party[peer] >= MAX_OPEN_QUESTIONS:
            raise PeerViolation(
                name, f"asked the dealer {MAX_OPEN_QUESTIONS + 1} questions before any was answered"
            )
        self._open[question] = asked
        self._open_by_party[peer] += 1
        asked[peer] = frame
        self._check_alike(question, asked)
        if len(asked) == len(self._computing):
            self._complete.append(question)
            self._changed.set()
        elif self._finished:
            self._changed.set()

    def _check_alike(self, question: Question, asked: Mapping[int, Frame]) -> None:
        groups: dict[tuple[bytes, bytes], list[int]] = {}
        for party, frame in asked.items():
            groups.setdefault((frame.header.digest, bytes(frame.body)), []).append(party)
        if len(groups) == 1:
            return
        # At the first difference there are two groups, and one of them is a single party, who asked last or first.
        few, many = sorted(groups.values(), key=len)
        odd = self._names[few[0]]
        others = " and ".join(self._names[party] for party in many)
        if len(many) == 1:
            # Both are named, so that the others, who are told a party by its name alone, hear of neither.
            odd = f"{odd} and {others}"
            text = f"at round {question[1]} {odd} ask the dealer for different things"
        else:
            text = f"at round {question[1]} {odd} asks the dealer for something else than {others}"
        raise ProgramMismatch(odd, f"{text}: their programs differ")

    def peer_finished(self, peer: int) -> None:
        """A computing party's program has ended."""
        self._finished.add(peer)
        self._changed.set()

    @property
    def waiting_for(self) -> set[int]:
        """Who has not asked what others have; if nothing is open, those whose programs go on."""
        missing = {party for asked in self._open.values() for party in self._computing if party not in asked}
        return missing or set(self._computing) - self._finished

    async def next_question(self) -> Question | None:
        """The next question that all have asked; None when all computing parties have finished.

        Raises:
            ProgramMismatch: a party has finished without asking what others ask.
        """
        while not self._complete:
            self._check_finished()
            if self._finished >= set(self._computing):
                return None
            self._changed = trio.Event()
            await self._changed.wait()
        return self._complete.popleft()

    def _check_finished(self) -> None:
        if not self._finished:
            return
        for (_, number), asked in self._open.items():
            for party in self._finished:
                if party not in asked:
                    name = self._names[party]
                    others = " and ".join(self._names[other] for other in asked)
                    verb = "ask" if len(asked) > 1 else "asks"
                    text = f"the program of {name} has ended, and at round {number} {others} {verb} the dealer"
                    raise ProgramMismatch(name, f"{text}: their programs differ")

    def close(self, question: Question) -> tuple[Header, Tranche]:
        """Take a complete question off the desk, to be answered once: the answer's header, and what to make.

        Raises:
            PeerViolation: malformed, over a cap, or of an operation not newer than the last one of its fork.
        """
        asked = self._open.pop(question)
        for party in asked:
            self._open_by_party[party] -= 1
        fork, number = question
        self._answered[fork] = number
        first = asked[self._computing[0]]
        name = self._names[self._computing[0]]
        tranche = read_tranche_untrusted(first.body, name)
        # Job, fork and number of the operation are what the streams' keys hold: a number that came twice would give
        # two tranches one key. A program counts upwards, so to remember the last one is enough.
        if tranche.node <= self._operations.get(fork, -1):
            raise PeerViolation(name, f"asked the dealer again for operation {tranche.node} in round {number}")
        self._operations[fork] = tranche.node
        return first.header, tranche

    async def serve(self, job: bytes, seeds: Mapping[int, bytes], send: Send, offload: Offload) -> None:
        """Answer what all computing parties ask alike, until their programs have ended.

        Args:
            job: the job id.
            seeds: by computing party, the seed of its pair with us.
            send: gives a frame to a party's link.
            offload: computes what takes long, while the links are read.
        Raises:
            ProgramMismatch, PeerViolation: see `next_question` and `close`.
        """
        while (question := await self.next_question()) is not None:
            path = dealer_path(question[0])
            streams = {party: Streams(seeds[party], job, path) for party in self._computing}
            header, tranche = self.close(question)
            if words_of(tranche.demand) > SHORT_WORDS:
                correction: Buffer = await offload(make_correction, self._computing, streams, tranche)
            else:
                correction = make_correction(self._computing, streams, tranche)
            await send(self._computing[0], Frame(header, memoryview(correction)))
