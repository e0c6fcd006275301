"""The scheduler: many steps of one evaluation, one merged round per turn.

    steps ──start──▶ [active, each at its next Round] ──take()──▶ MergedRound (one message per peer)
                          ▲                                             │
                          └────────── feed(inbox): pieces handed back ──┘

Rules:
1. A message goes to a peer only if some step has a piece for it, and is awaited only where some step expects it.
2. Pieces are ordered by the steps' order, which follows the program text: never by arrival or task timing.
3. Both sides know every size beforehand; a message of another size is refused before any step sees it.
4. When a step ends, its `done` runs at once and may start others; they join the very next round.
5. A work is as if it were computed where it stands. While one is due, no other step goes on or is started: what is
   asked meanwhile waits behind it, in the order in which it would have run. `take` then gives the work, `feed`
   takes its outcome, and the next round is merged when every step has come to its round or its end.

Rule 5 makes works invisible to the peers. Parties yield works as they need them: one has a list of a million items,
another none, a third has nothing to compare. Were another step resumed meanwhile, whatever steps have in common
(the pool of correlated randomness, the digest, what a step's end starts) would be used in an order that depends on
who computes what, or on how fast: the parties would take different triples, and open nonsense. So the rounds, their
numbers and their pieces are those of the same program without works, on every party. Nothing waits for a work but
its own evaluation: a merged round is one message for each peer, and has no part that could leave earlier. Forks and
steps of `Party.run` have schedulers of their own, and go on. To use several cores, one work holds several functions
(`Works`); steps that have nothing in common may be gathered as `independent`, and their works are due together.

It does no I/O and reads no clock. After an error in a step, or in what a step's end starts, every step is closed
and the scheduler with them, for good. After a mistake of the driver (`LocalError`) it is as it was before.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from mpcnet.algebra import Buffer
from mpcnet.engine.digest import ProgramDigest
from mpcnet.engine.rounds import Inbox, Round, Step
from mpcnet.engine.work import Outcome, Work, joined, outcome_of
from mpcnet.errors import JobEnded, LocalError

__all__ = ("MergedRound", "Scheduler", "as_step", "gather")

T = TypeVar("T")
Order = tuple[int, ...]


@dataclass(slots=True)
class MergedRound:
    """What one party sends and expects in one round, all steps together. Never changed.

    Args:
        region: that of its steps, if all of them are of one; else empty.
    """

    number: int
    to: Mapping[int, Buffer]
    expect: Mapping[int, int]
    digest: bytes
    region: str = ""


@dataclass(slots=True)
class _Active:
    order: Order
    step: Step[Any]
    done: Callable[[Any], None]
    round: Round


_by_order: Callable[[_Active], Order] = attrgetter("order")


@dataclass(slots=True)
class _Busy:
    order: Order
    step: Step[Any]
    done: Callable[[Any], None]
    work: Work[Any]


_Turn = tuple[Order, Step[Any], Callable[[Any], None], Inbox | None]
"""A step that is to go on: with the pieces of its round, or, if it has not begun, with nothing."""


class _Works:
    """The works that are due, and the turns that wait behind them. Made when a step yields the first one."""

    __slots__ = ("behind", "busy", "is_taken", "nested", "resuming")

    def __init__(self) -> None:
        self.busy: list[_Busy] = []
        self.is_taken = False
        # The next turn on the right.
        self.behind: deque[_Turn] = deque()
        # What a step's end has started while a work was due: it goes before all that waits already.
        self.nested: list[_Turn] = []
        self.resuming = False

    def take(self) -> Work[Any]:
        if self.is_taken:
            raise LocalError("the last work has not been fed yet")
        self.is_taken = True
        return self.busy[0].work if len(self.busy) == 1 else joined([busy.work for busy in self.busy])

    def next_turn(self) -> _Turn | None:
        self.behind.extend(reversed(self.nested))
        self.nested.clear()
        return self.behind.pop() if self.behind and not self.busy else None


class Scheduler:
    """Merges the rounds of the steps it is given.

    Args:
        job: job id, the key of a digest of its own if none is given.
        digest: the fork's digest; who starts steps writes the operations into it.
        first_round: number of the next round.
        independent: the steps have nothing in common, and their ends start none: works that are due at the same
            time are given together.
    """

    def __init__(
        self,
        job: bytes,
        *,
        digest: ProgramDigest | None = None,
        first_round: int = 0,
        independent: bool = False,
    ) -> None:
        self._active: list[_Active] = []
        self._digest = digest or ProgramDigest(job)
        self._next_round = first_round
        self._in_flight: list[_Active] | None = None
        self._expect: Mapping[int, int] = {}
        self._closed = False
        self._independent = independent
        self._works: _Works | None = None

    @property
    def next_round(self) -> int:
        """Number of the round that `take` gives next."""
        return self._next_round

    @property
    def closed(self) -> bool:
        """Whether it was closed, by its owner or by an error."""
        return self._closed

    @property
    def is_working(self) -> bool:
        """Whether a work is due: until its outcome is fed, no step goes on."""
        return self._works is not None and bool(self._works.busy)

    def start(self, order: Order, step: Step[T], done: Callable[[T], None]) -> None:
        """Run a step up to its first round; `done(result)` is called when it has returned.

        While a work is due the step waits behind it.

        Args:
            order: sorts its pieces among those of other steps; unique, and the same on every party.
        """
        try:
            self._check_open()
            if self._works is not None and self._is_held:
                self._put_behind(self._works, (order, step, done, None))
            else:
                self._advance(order, step, done, None)
        except BaseException:
            step.close()
            self.close()
            raise

    def take(self) -> MergedRound | Work[Any] | None:
        """The next round to exchange or work to do, or None when every step has ended.

        Raises:
            LocalError: the last round or work has not been fed.
            JobEnded: the scheduler was closed.
        """
        self._check_open()
        if self._in_flight is not None:
            raise LocalError("the last round has not been fed yet")
        if self._works is not None and self._works.busy:
            return self._works.take()
        if not self._active:
            return None
        rounds = [active.round for active in self._active]
        to, expect = _merged(rounds)
        region = rounds[0].region
        if region and any(one.region != region for one in rounds):
            region = ""
        merged = MergedRound(self._next_round, to, expect, self._digest.value(), region)
        self._next_round += 1
        self._in_flight, self._active = self._active, []
        self._expect = expect
        return merged

    def feed(self, received: Inbox | Outcome) -> None:
        """Hand the round's messages back to the steps, or a work's outcome, and run them up to their next round.

        Raises:
            LocalError: there is no round to feed, or the inbox is not what it expects; the same of a work.
            JobEnded: as for `take`.
        """
        self._check_open()
        if isinstance(received, Outcome):
            self._feed_outcome(received)
            return
        flight = self._in_flight
        if flight is None:
            raise LocalError("there is no round to feed")
        _check_sizes(self._expect, received)
        turns = zip(flight, [received] if len(flight) == 1 else _cut(flight, received), strict=True)
        try:
            for active, pieces in turns:
                self._advance(active.order, active.step, active.done, pieces)
                if self._works is not None and self._is_held:
                    self._works.behind.extendleft((one.order, one.step, one.done, part) for one, part in turns)
                    break
        except BaseException:
            self.close()
            raise
        # Not before: `close` finds here the steps that did not get their turn; to close others twice is harmless.
        self._in_flight = None

    def _feed_outcome(self, outcome: Outcome) -> None:
        works = self._works
        if works is None or not works.is_taken:
            raise LocalError("there is no work to feed")
        busy, works.busy, works.is_taken = works.busy, [], False
        outcomes: Iterable[Outcome] = [outcome] if len(busy) == 1 else outcome.value
        works.resuming = True
        try:
            for one, ended in zip(busy, outcomes, strict=True):
                self._advance(one.order, one.step, one.done, ended.value, ended.error)
            while (turn := works.next_turn()) is not None:
                self._advance(*turn)
        except BaseException:
            with ExitStack() as stack:
                for one in busy:
                    stack.callback(one.step.close)
                stack.callback(self.close)
            raise
        finally:
            works.resuming = False

    def close(self) -> None:
        """Close every step that has not ended, each even if another raises. May be called twice."""
        waiting = [active.step for active in (*(self._in_flight or ()), *self._active)]
        if self._works is not None:
            waiting += [busy.step for busy in self._works.busy]
            waiting += [turn[1] for turn in (*self._works.nested, *self._works.behind)]
        self._closed = True
        self._active = []
        self._in_flight = None
        self._works = None
        with ExitStack() as stack:
            for step in waiting:
                stack.callback(step.close)

    def _check_open(self) -> None:
        if self._closed:
            raise JobEnded("the evaluation is over")

    @property
    def _is_held(self) -> bool:
        return self.is_working and not self._independent

    def _put_behind(self, works: _Works, turn: _Turn) -> None:
        if self._in_flight is not None or works.resuming:
            works.nested.append(turn)
        else:
            works.behind.appendleft(turn)

    def _advance(
        self,
        order: Order,
        step: Step[T],
        done: Callable[[T], None],
        received: Any,  # None, an inbox, or what a work gave
        error: Exception | None = None,
    ) -> None:
        try:
            if error is not None:
                upcoming = step.throw(error)
            else:
                upcoming = next(step) if received is None else step.send(received)
        except StopIteration as stop:
            done(stop.value)
            return
        if isinstance(upcoming, Work):
            if self._works is None:
                self._works = _Works()
            self._works.busy.append(_Busy(order, step, done, upcoming))
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


def gather(steps: Sequence[Step[T]], *, independent: bool = False) -> Step[list[T]]:
    """Run several steps as one, their rounds side by side; results in the order of the steps.

    Args:
        independent: they take nothing from a common pool; then their works are done side by side too.
    """
    scheduler = Scheduler(b"", independent=independent)
    results: dict[int, T] = {}
    for position, step in enumerate(steps):
        scheduler.start((position,), step, partial(results.__setitem__, position))
    yield from as_step(scheduler)
    return [results[position] for position in range(len(steps))]


def as_step(scheduler: Scheduler) -> Generator[Round | Work[Any], Inbox, None]:
    """The whole scheduler as one step, for `lockstep`."""
    try:
        while (due := scheduler.take()) is not None:
            if isinstance(due, Work):
                scheduler.feed((yield from outcome_of(due)))
            else:
                scheduler.feed((yield Round(due.to, due.expect, due.region)))
    finally:
        scheduler.close()
