"""Works of steps: what they give, and that no peer can tell whether there were any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.engine import (
    MergedRound,
    Outcome,
    Round,
    Scheduler,
    Step,
    Work,
    Works,
    as_step,
    gather,
    lockstep,
    run_inline,
)
from mpcnet.errors import JobEnded, LocalError


def one() -> int:
    return 1


def fails() -> int:
    raise KeyError("broken")


def length(data: memoryview | bytes) -> int:
    return len(data)


def talker(me: int, nbytes: int) -> Step[int]:
    """Works for what it sends, and on what it gets."""
    message = yield from Work(partial(bytes, nbytes))
    inbox = yield Round({1 - me: message}, {1 - me: nbytes})
    parts: list[int] = yield from Works([partial(length, inbox[1 - me]), partial(one)])
    return sum(parts)


def ignore(_: object) -> None:
    pass


def due(scheduler: Scheduler) -> Work[Any]:
    found = scheduler.take()
    assert isinstance(found, Work)
    return found


def test_a_step_is_resumed_with_what_its_work_gives() -> None:
    transcript = lockstep({me: talker(me, 4) for me in (0, 1)})
    assert transcript.results == {0: 5, 1: 5}
    assert transcript.rounds == 1


def test_a_bare_yield_gives_the_same() -> None:
    def step() -> Step[object]:
        return (yield Work(partial(len, b"abc")))

    assert lockstep({0: step()}).results == {0: 3}


def test_works_give_a_list_however_many_they_are() -> None:
    def step(count: int) -> Step[list[int]]:
        return (yield from Works([partial(int, number) for number in range(count)]))

    assert [lockstep({0: step(count)}).results[0] for count in (0, 1, 3)] == [[], [0], [0, 1, 2]]


def test_what_a_work_raises_is_raised_in_its_step() -> None:
    def step() -> Step[str]:
        try:
            yield from Works([one, fails])
        except KeyError as error:
            return str(error)
        return "nothing"

    def careless() -> Step[None]:
        yield from Work(fails)

    assert lockstep({0: step()}).results == {0: "'broken'"}
    with pytest.raises(KeyError, match="broken"):
        lockstep({0: careless()})
    scheduler, closed = Scheduler(b"job"), list[str]()
    scheduler.start((0,), careless(), ignore)
    scheduler.start((1,), watched("behind", closed), ignore)
    with pytest.raises(KeyError, match="broken"):
        scheduler.feed(run_inline(due(scheduler)))
    assert closed == [], "it had not begun"
    with pytest.raises(JobEnded):
        scheduler.take()


def watched(name: str, closed: list[str]) -> Step[None]:
    try:
        yield Round({1: name.encode()}, {1: 1})
        yield from Work(partial(int, 0))
        yield Round()
    finally:
        closed.append(name)


def test_closing_reaches_steps_that_work_and_those_behind_them() -> None:
    scheduler, closed = Scheduler(b"job"), list[str]()
    for number in range(3):
        scheduler.start((number,), watched(f"{number}", closed), ignore)
    assert isinstance(scheduler.take(), MergedRound)
    scheduler.feed({1: memoryview(bytes(3))})
    assert scheduler.is_working
    late = watched("late", closed)
    scheduler.start((3,), late, ignore)
    scheduler.close()
    assert sorted(closed) == ["0", "1", "2"]
    with pytest.raises(StopIteration):
        next(late)


def test_misuse_is_refused_and_harms_nothing() -> None:
    scheduler, results = Scheduler(b"job"), list[int]()
    with pytest.raises(LocalError, match="no work to feed"):
        scheduler.feed(Outcome())
    scheduler.start((0,), talker(0, 2), results.append)
    with pytest.raises(LocalError, match="no work to feed"):
        scheduler.feed(Outcome())  # it was not taken
    outcome = run_inline(due(scheduler))
    with pytest.raises(LocalError, match="not been fed"):
        scheduler.take()
    with pytest.raises(LocalError, match="no round to feed"):
        scheduler.feed({})
    scheduler.feed(outcome)
    assert isinstance(scheduler.take(), MergedRound)
    with pytest.raises(LocalError, match="no work to feed"):
        scheduler.feed(Outcome())
    scheduler.feed({1: memoryview(b"ab")})
    scheduler.feed(run_inline(due(scheduler)))
    assert scheduler.take() is None
    assert results == [3]


def test_a_round_waits_for_the_works_of_its_evaluation() -> None:
    scheduler = Scheduler(b"job")
    scheduler.start((0,), ready(b"a"), ignore)
    scheduler.start((1,), talker(0, 1), ignore)
    scheduler.start((2,), ready(b"c"), ignore)
    scheduler.feed(run_inline(due(scheduler)))
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert bytes(merged.to[1]) == b"a\0c"


def ready(message: bytes) -> Step[None]:
    yield Round({1: message})


# That nobody can tell whether there were any


@dataclass(frozen=True)
class Script:
    """What a step does: `r` a round, `t` to take from what all steps share; then its end starts others."""

    actions: str
    children: tuple[Script, ...] = ()


scripts = st.recursive(
    st.builds(Script, st.text("rt", max_size=5)),
    lambda inner: st.builds(Script, st.text("rt", max_size=4), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


@dataclass
class Play:
    """One party's run of some scripts, with works wherever its tape has a one."""

    tape: Iterator[int]
    log: list[tuple[tuple[int, ...], int]] = field(default_factory=list[tuple[tuple[int, ...], int]])
    rounds: list[bytes] = field(default_factory=list[bytes])
    works: int = 0

    def step(self, order: tuple[int, ...], script: Script) -> Step[int]:
        for number, action in enumerate([*script.actions, ""]):
            while next(self.tape, 0):
                assert (yield from Work(partial(int, number))) == number
                self.works += 1
            if action == "t":
                self.log.append((order, number))
            if action == "r":
                name = f"{order}{number};".encode()
                inbox = yield Round({1: name}, {1: len(name)})
                assert bytes(inbox[1]) == name
        return len(script.actions)

    def start(self, scheduler: Scheduler, order: tuple[int, ...], script: Script) -> None:
        def ended(result: int) -> None:
            self.log.append((order, -result))
            for number, child in enumerate(script.children):
                self.start(scheduler, (*order, number), child)

        scheduler.start(order, self.step(order, script), ended)

    def play(self, forest: list[Script]) -> Play:
        scheduler = Scheduler(b"job")
        for number, script in enumerate(forest):
            self.start(scheduler, (number,), script)
        while (found := scheduler.take()) is not None:
            if isinstance(found, Work):
                scheduler.feed(run_inline(found))
                continue
            assert found.number == len(self.rounds)
            self.rounds.append(bytes(found.to.get(1, b"")))
            scheduler.feed({peer: memoryview(bytes(body)) for peer, body in found.to.items()})
        return self


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(scripts, max_size=4), st.lists(st.integers(0, 1), max_size=60))
def test_nobody_can_tell_whether_a_party_works(forest: list[Script], tape: list[int]) -> None:
    """Same rounds, same pieces, and what steps have in common is used in the same order."""
    without, worked = Play(iter([])).play(forest), Play(iter(tape)).play(forest)
    assert worked.rounds == without.rounds
    assert worked.log == without.log


def test_the_scripts_do_work() -> None:
    forest = [Script("tr", (Script("t"), Script("rt"))), Script("rtr")]
    played = Play(iter([1, 1, 0] * 20)).play(forest)
    assert played.works > 10
    assert len(played.rounds) == 2


# Side by side


def unequal(works: list[Callable[[], int]]) -> Step[list[int]]:
    found: list[int] = []
    for work in works:
        try:
            found.append((yield from Work(work)))
        except KeyError:
            found.append(-1)
    return found


def test_works_of_independent_steps_are_due_together_each_with_its_own_outcome() -> None:
    steps = [unequal([partial(int, 1), partial(int, 2)]), unequal([fails]), unequal([]), unequal([partial(int, 4)])]
    gathered = gather(steps, independent=True)
    counts: list[int] = []
    assert lockstep({0: counting(gathered, counts)}).results[0] == [[1, 2], [-1], [], [4]]
    assert counts == [3, 1]


def test_gathered_steps_take_their_turns_otherwise() -> None:
    steps = [unequal([partial(int, 1), fails]), unequal([partial(int, 3)])]
    gathered, counts = gather(steps), list[int]()
    assert lockstep({0: counting(gathered, counts)}).results[0] == [[1, -1], [3]]
    assert counts == [1, 1, 1]


def counting(step: Step[Any], counts: list[int]) -> Step[Any]:
    """Passes everything on, and notes how many functions each work has."""
    try:
        found = next(step)
        while True:
            assert isinstance(found, Work)
            counts.append(len(found.functions))
            outcome = run_inline(found)
            yield from Work(partial(int, 0))
            found = step.throw(outcome.error) if outcome.error is not None else step.send(outcome.value)
    except StopIteration as stop:
        return stop.value


def test_a_scheduler_as_a_step_hands_works_on() -> None:
    scheduler, results = Scheduler(b"job"), list[int]()
    scheduler.start((0,), talker(0, 3), results.append)
    lockstep({0: as_step(scheduler), 1: talker(1, 3)})
    assert results == [4]
