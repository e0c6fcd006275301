"""The scheduler: many steps of one evaluation, one merged round per turn.

    steps ──start──▶ [active, each at its next Round] ──take()──▶ MergedRound (one message per peer)
                          ▲                                             │
                          └────────── feed(inbox): pieces handed back ──┘

Rules:
1. A message goes to a peer only if some step has a piece for it, and is awaited only where some step expects it.
2. Pieces are ordered by the steps' order, which follows the program text: never by arrival or task timing.
3. Both sides know every size beforehand; a message of another size is refused before any step sees it.
4. When a step ends, its `done` runs at once and may start others; they join the very next round.

It does no I/O and reads no clock. After an error in a step, or in what a step's end starts, every step is closed
and the scheduler with them, for good. After a mistake of the driver (`LocalError`) it is as it was before.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from mpcnet.algebra import Buffer
from mpcnet.engine.digest import ProgramDigest
from mpcnet.engine.rounds import Inbox, Round, Step
from mpcnet.errors import JobEnded, LocalError

__all__ = ("MergedRound", "Scheduler", "as_step", "gather")

T = TypeVar("T")
Order = tuple[int, ...]


@dataclass(slots=True)
class MergedRound:
    """What one party sends and expects in one round, all steps together. Never changed."""

    number: int
    to: Mapping[int, Buffer]
    expect: Mapping[int, int]
    digest: bytes


@dataclass(slots=True)
class _Active:
    order: Order
    step: Step[Any]
    done: Callable[[Any], None]
    round: Round


_by_order: Callable[[_Active], Order] = attrgetter("order")


class Scheduler:
    """Merges the rounds of the steps it is given.

    Args:
        job: job id, the key of a digest of its own if none is given.
        digest: the fork's digest; who starts steps writes the operations into it.
        first_round: number of the next round.
    """

    def __init__(self, job: bytes, *, digest: ProgramDigest | None = None, first_round: int = 0) -> None:
        self._active: list[_Active] = []
        self._digest = digest or ProgramDigest(job)
        self._next_round = first_round
        self._in_flight: list[_Active] | None = None
        self._expect: Mapping[int, int] = {}
        self._closed = False

    @property
    def next_round(self) -> int:
        """Number of the round that `take` gives next."""
        return self._next_round

    @property
    def closed(self) -> bool:
        """Whether it was closed, by its owner or by an error."""
        return self._closed

    def start(self, order: Order, step: Step[T], done: Callable[[T], None]) -> None:
        """Run a step up to its first round; `done(result)` is called when it has returned.

        Args:
            order: sorts its pieces among those of other steps; unique, and the same on every party.
        """
        try:
            self._check_open()
            self._advance(order, step, done, None)
        except BaseException:
            step.close()
            self.close()
            raise

    def take(self) -> MergedRound | None:
        """The next round to exchange, or None when every step has ended.

        Raises:
            LocalError: the last round has not been fed.
            JobEnded: the scheduler was closed.
        """
        self._check_open()
        if self._in_flight is not None:
            raise LocalError("the last round has not been fed yet")
        if not self._active:
            return None
        to, expect = _merged([active.round for active in self._active])
        merged = MergedRound(self._next_round, to, expect, self._digest.value())
        self._next_round += 1
        self._in_flight, self._active = self._active, []
        self._expect = expect
        return merged

    def feed(self, inbox: Inbox) -> None:
        """Hand the round's messages back to the steps and run them up to their next round.

        Raises:
            LocalError: there is no round to feed, or the inbox is not what it expects.
            JobEnded: as for `take`.
        """
        self._check_open()
        flight = self._in_flight
        if flight is None:
            raise LocalError("there is no round to feed")
        _check_sizes(self._expect, inbox)
        cut = [inbox] if len(flight) == 1 else _cut(flight, inbox)
        try:
            for active, pieces in zip(flight, cut, strict=True):
                self._advance(active.order, active.step, active.done, pieces)
        except BaseException:
            self.close()
            raise
        # Not before: `close` finds here the steps that did not get their turn; to close others twice is harmless.
        self._in_flight = None

    def close(self) -> None:
        """Close every step that has not ended, each even if another raises. May be called twice."""
        waiting = [*(self._in_flight or ()), *self._active]
        self._closed = True
        self._active = []
        self._in_flight = None
        with ExitStack() as stack:
            for active in waiting:
                stack.callback(active.step.close)

    def _check_open(self) -> None:
        if self._closed:
            raise JobEnded("the evaluation is over")

    def _advance(self, order: Order, step: Step[T], done: Callable[[T], None], inbox: Inbox | None) -> None:
        try:
            upcoming = next(step) if inbox is None else step.send(inbox)
        except StopIteration as stop:
            done(stop.value)
            return
        active = _Active(order, step, done, upcoming)
        if self._active:
            insort(self._active, active, key=_by_order)
        else:
            self._active.append(active)


def _merged(rounds: Sequence[Round]) -> tuple[Mapping[int, Buffer], Mapping[int, int]]:
    """What several rounds send and expect together; one alone is taken as it is."""
    if len(rounds) == 1:
        return rounds[0].to, rounds[0].expect
    to: dict[int, list[Buffer]] = {}
    expect: dict[int, int] = {}
    for one in rounds:
        for peer, piece in one.to.items():
            to.setdefault(peer, []).append(piece)
        for peer, nbytes in one.expect.items():
            expect[peer] = expect.get(peer, 0) + nbytes
    return {peer: _join(pieces) for peer, pieces in to.items()}, expect


def _join(pieces: list[Buffer]) -> Buffer:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _cut(flight: list[_Active], inbox: Inbox) -> list[Inbox]:
    """Each step's part of the messages. All of it before any step runs: a step may start others."""
    position = dict.fromkeys(inbox, 0)
    cut: list[Inbox] = []
    for active in flight:
        mine: dict[int, memoryview] = {}
        for peer, nbytes in active.round.expect.items():
            mine[peer] = inbox[peer][position[peer] : position[peer] + nbytes]
            position[peer] += nbytes
        cut.append(mine)
    return cut


def _check_sizes(expect: Mapping[int, int], inbox: Inbox) -> None:
    if {peer: len(data) for peer, data in inbox.items()} != expect:
        # The driver has judged peers' sizes already and named them; this is its own mistake.
        raise LocalError("the inbox does not hold what the round expects")


def gather(steps: Sequence[Step[T]]) -> Step[list[T]]:
    """Run several steps as one, their rounds side by side; results in the order of the steps."""
    scheduler = Scheduler(b"")
    results: dict[int, T] = {}
    for position, step in enumerate(steps):
        scheduler.start((position,), step, partial(results.__setitem__, position))
    yield from as_step(scheduler)
    return [results[position] for position in range(len(steps))]


def as_step(scheduler: Scheduler) -> Generator[Round, Inbox, None]:
    """The whole scheduler as one step, for `lockstep`."""
    try:
        while (merged := scheduler.take()) is not None:
            inbox = yield Round(merged.to, merged.expect)
            scheduler.feed(inbox)
    finally:
        scheduler.close()
