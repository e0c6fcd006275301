"""The scheduler: pieces in order, misuse refused without harm, errors that close everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mpcnet.engine import (
    Inbox,
    MergedRound,
    Round,
    Scheduler,
    Step,
    Work,
    as_step,
    gather,
    in_region,
    lockstep,
    run_inline,
)
from mpcnet.errors import JobEnded, LocalError

Record = list[str]


def talker(me: int, texts: list[bytes]) -> Step[list[bytes]]:
    """Exchanges texts of equal length with the other of two parties, one per round."""
    peer = 1 - me
    got: list[bytes] = []
    for text in texts:
        inbox = yield Round({peer: text}, {peer: len(text)})
        got.append(bytes(inbox[peer]))
    return got


def watched(name: str, record: Record, rounds: int = 2, fail: BaseException | None = None) -> Step[str]:
    """Sends its name each round; says when it is closed; raises in its last round if told to."""
    try:
        for number in range(rounds):
            if fail is not None and number == rounds - 1:
                raise fail
            yield Round({1: name.encode()}, {1: len(name)})
    finally:
        record.append(name)
    return name


def ignore(_: object) -> None:
    pass


def reply(scheduler: Scheduler) -> Inbox:
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    return {peer: memoryview(bytes(nbytes)) for peer, nbytes in merged.expect.items()}


def test_pieces_follow_the_order_and_not_the_start() -> None:
    scheduler = Scheduler(b"job")
    for name, order in (("c", (3,)), ("a", (1,)), ("b", (2, 5)), ("d", (10,))):
        scheduler.start(order, watched(name, []), ignore)
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert bytes(merged.to[1]) == b"abcd"
    assert merged.expect == {1: 4}
    assert merged.number == 0


def test_a_step_started_by_another_joins_the_next_round_in_order() -> None:
    scheduler = Scheduler(b"job")
    results: list[str] = []

    def follow(result: str) -> None:
        results.append(result)
        scheduler.start((1,), watched("new", []), results.append)

    scheduler.start((0,), watched("old", [], rounds=1), follow)
    scheduler.start((2,), watched("last", []), results.append)
    scheduler.feed(reply(scheduler))
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert bytes(merged.to[1]) == b"newlast"
    assert results == ["old"]


def test_every_step_gets_its_own_bytes() -> None:
    def both(me: int) -> Step[list[list[bytes]]]:
        return (yield from gather([talker(me, [b"%d" % me, b"bb"]), talker(me, [b"", b"ccc%d" % me])]))

    transcript = lockstep({0: both(0), 1: both(1)})
    assert transcript.results == {0: [[b"1", b"bb"], [b"", b"ccc1"]], 1: [[b"0", b"bb"], [b"", b"ccc0"]]}
    assert transcript.rounds == 2
    assert transcript.messages == {(0, 1): 2, (1, 0): 2}


def test_an_empty_message_is_a_message() -> None:
    transcript = lockstep({0: talker(0, [b""]), 1: talker(1, [b""])})
    assert transcript.messages == {(0, 1): 1, (1, 0): 1}
    assert transcript.rounds == 1
    scheduler = Scheduler(b"job")
    scheduler.start((0,), talker(0, [b""]), ignore)
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert dict(merged.to) == {1: b""}
    assert merged.expect == {1: 0}


def test_nobody_hears_from_us_where_no_step_speaks() -> None:
    def silent() -> Step[None]:
        yield Round()

    scheduler = Scheduler(b"job")
    scheduler.start((0,), silent(), ignore)
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert (dict(merged.to), merged.expect) == ({}, {})
    scheduler.feed({})
    assert scheduler.take() is None
    assert scheduler.next_round == 1


def test_take_twice_and_feed_twice_are_refused_and_harm_nothing() -> None:
    scheduler = Scheduler(b"job")
    results: list[str] = []
    scheduler.start((0,), watched("x", [], rounds=1), results.append)
    with pytest.raises(LocalError, match="no round to feed"):
        scheduler.feed({})
    inbox = reply(scheduler)
    with pytest.raises(LocalError, match="not been fed"):
        scheduler.take()
    scheduler.feed(inbox)
    with pytest.raises(LocalError, match="no round to feed"):
        scheduler.feed(inbox)
    assert results == ["x"]
    assert scheduler.take() is None


@pytest.mark.parametrize("wrong", [{}, {1: b""}, {1: b"toolong"}, {1: b"x", 2: b""}])
def test_a_wrong_inbox_is_refused_and_the_round_can_still_be_fed(wrong: dict[int, bytes]) -> None:
    scheduler = Scheduler(b"job")
    results: list[str] = []
    scheduler.start((0,), watched("x", [], rounds=1), results.append)
    inbox = reply(scheduler)
    with pytest.raises(LocalError, match="inbox"):
        scheduler.feed({peer: memoryview(data) for peer, data in wrong.items()})
    scheduler.feed(inbox)
    assert results == ["x"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_step_that_raises_closes_all_others(position: int) -> None:
    scheduler, closed = Scheduler(b"job"), Record()
    for number, name in enumerate("abc"):
        failure = ValueError("broken") if number == position else None
        scheduler.start((number,), watched(name, closed, rounds=2, fail=failure), ignore)
    inbox = reply(scheduler)
    with pytest.raises(ValueError, match="broken"):
        scheduler.feed(inbox)
    assert sorted(closed) == ["a", "b", "c"]
    with pytest.raises(JobEnded):
        scheduler.take()
    with pytest.raises(JobEnded):
        scheduler.feed({})


def test_a_step_that_raises_at_once_closes_all_others() -> None:
    scheduler, closed = Scheduler(b"job"), Record()
    scheduler.start((0,), watched("a", closed), ignore)
    with pytest.raises(ValueError, match="broken"):
        scheduler.start((1,), watched("b", closed, rounds=1, fail=ValueError("broken")), ignore)
    assert sorted(closed) == ["a", "b"]
    with pytest.raises(JobEnded):
        scheduler.take()


def test_a_callback_that_raises_closes_all_steps() -> None:
    scheduler, closed = Scheduler(b"job"), Record()

    def refuse(_: str) -> None:
        raise ValueError("refused")

    scheduler.start((0,), watched("a", closed, rounds=1), refuse)
    scheduler.start((1,), watched("b", closed), ignore)
    inbox = reply(scheduler)
    with pytest.raises(ValueError, match="refused"):
        scheduler.feed(inbox)
    assert sorted(closed) == ["a", "b"]


def test_close_reaches_every_step_even_if_one_refuses_to_end() -> None:
    closed = Record()

    def stubborn() -> Step[None]:
        try:
            yield Round()
        finally:
            raise ValueError("not now")

    scheduler = Scheduler(b"job")
    scheduler.start((0,), watched("a", closed), ignore)
    scheduler.start((1,), stubborn(), ignore)
    scheduler.start((2,), watched("c", closed), ignore)
    with pytest.raises(ValueError, match="not now"):
        scheduler.close()
    assert sorted(closed) == ["a", "c"]
    scheduler.close()


def test_after_close_nothing_starts() -> None:
    scheduler, closed = Scheduler(b"job"), Record()
    scheduler.start((0,), watched("a", closed), ignore)
    scheduler.close()
    scheduler.close()
    assert closed == ["a"]
    late = watched("b", closed)
    with pytest.raises(JobEnded):
        scheduler.start((1,), late, ignore)
    with pytest.raises(StopIteration):
        next(late)


def _closing(drive: Callable[[list[Step[str]]], Step[object]]) -> Record:
    closed = Record()
    step = drive([watched("a", closed), watched("b", closed)])
    next(step)
    step.close()
    return sorted(closed)


def test_a_driver_that_is_closed_closes_its_steps() -> None:
    def scheduled(steps: list[Step[str]]) -> Step[object]:
        scheduler = Scheduler(b"job")
        for number, step in enumerate(steps):
            scheduler.start((number,), step, ignore)
        return as_step(scheduler)

    assert _closing(gather) == ["a", "b"]
    assert _closing(scheduled) == ["a", "b"]


def test_gather_keeps_the_order_of_its_steps() -> None:
    def echo(rounds: int) -> Step[list[str]]:
        for nbytes in (len("slow" + "quick"), len("slow"), len("slow"))[:rounds]:
            yield Round({0: bytes(nbytes)}, {0: nbytes})
        return []

    steps = [watched("slow", [], rounds=3), watched("quick", [], rounds=1), watched("at once", [], rounds=0)]
    assert lockstep({0: gather(steps), 1: echo(3)}).results[0] == ["slow", "quick", "at once"]


# Regions


def rounds_of(count: int) -> Step[int]:
    for _ in range(count):
        yield Round({1: b"x"}, {1: 1})
    return count


def regions_of(*steps: Step[int]) -> list[str]:
    scheduler = Scheduler(b"job")
    for place, step in enumerate(steps):
        scheduler.start((place,), step, lambda _: None)
    found: list[str] = []
    while (due := scheduler.take()) is not None:
        assert isinstance(due, MergedRound)
        found.append(due.region)
        scheduler.feed({peer: memoryview(bytes(nbytes)) for peer, nbytes in due.expect.items()})
    return found


def test_a_round_is_counted_under_the_region_of_its_steps() -> None:
    assert regions_of(rounds_of(2)) == ["", ""]
    assert regions_of(in_region(rounds_of(2), "apart")) == ["apart", "apart"]
    # What several regions have in common is counted where the caller is.
    assert regions_of(in_region(rounds_of(3), "apart"), rounds_of(1), in_region(rounds_of(2), "apart")) == [
        "",
        "apart",
        "apart",
    ]
    assert regions_of(in_region(rounds_of(1), "one"), in_region(rounds_of(2), "other")) == ["", "other"]


def test_a_step_in_a_region_works_fails_and_ends_as_it_would_alone() -> None:
    closed: list[str] = []

    def works() -> Step[str]:
        try:
            value = yield from Work(lambda: 3)
            with pytest.raises(ZeroDivisionError):
                yield from Work(lambda: 1 // 0)
            inbox = yield Round({1: b"x" * value}, {1: 1})
            return bytes(inbox[1]).hex()
        finally:
            closed.append("closed")

    results: list[str] = []
    scheduler = Scheduler(b"job")
    scheduler.start((0,), in_region(works(), "apart"), results.append)
    for _ in range(2):
        work = scheduler.take()
        assert isinstance(work, Work)
        scheduler.feed(run_inline(work))
    merged = scheduler.take()
    assert isinstance(merged, MergedRound)
    assert (merged.region, dict(merged.to)) == ("apart", {1: b"xxx"})
    scheduler.feed({1: memoryview(b"!")})
    assert (results, closed) == (["21"], ["closed"])
    step = in_region(works(), "apart")
    next(step)
    step.close()
    assert closed == ["closed", "closed"]
