"""One side's step by itself: no job, no link, no thread."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mpcnet import Context, PeerViolation, Round, Step, Work
from mpcnet.engine import LockstepError, Transcript, run_inline
from mpcnet.sets import POINT_BYTES, tag_bytes
from mpcnet.testing.lockstep import make_programs, run_steps
from mpcnet_protocols.intersection import Matches, Side, match

JOB = b"j" * 32
SCALARS = (bytes(range(32)), bytes(range(1, 33)))
FIRST, SECOND = ([b"%d" % number for number in numbers] for numbers in (range(7), range(4, 9)))


def side(me: int, to: str = "both", *, cardinality: bool = False, max_items: int = 10) -> Side:
    learns = [to in {"both", name} for name in ("first", "second")]
    return Side(1 - me, learns[me], learns[1 - me], cardinality, max_items)


def of(context: Context, items: Sequence[bytes], mine: Side) -> Step[Matches]:
    return match(context, mine, items, JOB, SCALARS[context.me])


def run(to: str = "both", *, cardinality: bool = False, seed: int = 0) -> Transcript[Matches]:
    lists = (FIRST, SECOND)
    return run_steps(
        lambda context: of(context, lists[context.me], side(context.me, to, cardinality=cardinality)), seed=seed
    )


@pytest.mark.parametrize("cardinality", [False, True])
@pytest.mark.parametrize("to", ["first", "second", "both"])
def test_both_sides_in_a_loop(to: str, cardinality: bool) -> None:
    transcript = run(to, cardinality=cardinality)
    told = [Matches(5, 3, None), Matches(7, 3, None)] if cardinality else [matches(5, 4, 5, 6), matches(7, 0, 1, 2)]
    for me, name in enumerate(("first", "second")):
        assert transcript.results[me] == (told[me] if to in {"both", name} else Matches((5, 7)[me], None, None))


def matches(peer_size: int, *places: int) -> Matches:
    return Matches(peer_size, len(places), places)


def test_three_rounds_of_the_bytes_that_are_told() -> None:
    transcript = run()
    tag = tag_bytes(7, 5)
    assert transcript.rounds == 3
    assert transcript.sent_bytes == {(0, 1): 8 + 32 * 7 + tag * 5, (1, 0): 8 + 32 * 5 + tag * 7}
    assert [len(body) for _, body in transcript.views[0]] == [8, 32 * 5, tag * 7]
    silent = run("first")
    assert silent.messages == {(0, 1): 2, (1, 0): 3}


def test_only_the_scalar_and_the_job_are_random() -> None:
    """Two runs of other seeds are the same: the step draws nothing that its caller does not see."""
    assert run(seed=1).views == run(seed=2).views


@pytest.mark.parametrize("size", [11, 2**64 - 1])
def test_too_many_items_are_refused_before_anything_is_computed(size: int) -> None:
    context = make_programs(computing=2)[0].context(0)
    step = of(context, FIRST, side(0))
    assert isinstance(next(step), Round)
    with pytest.raises(PeerViolation, match=f"party1: announces {size} items, where at most 10"):
        step.send({1: memoryview(size.to_bytes(8, "little"))})


def after_points(points: bytes, count: int) -> Step[Matches]:
    """A side that has sent its points, and gets these."""
    step = of(make_programs(computing=2)[0].context(0), FIRST, side(0))
    assert isinstance(next(step), Round)
    found = step.send({1: memoryview(count.to_bytes(8, "little"))})
    while isinstance(found, Work):
        found = step.send(run_inline(found).value)
    assert found.expect == {1: POINT_BYTES * count}
    work = step.send({1: memoryview(points)})
    while isinstance(work, Work):
        outcome = run_inline(work)
        work = step.throw(outcome.error) if outcome.error is not None else step.send(outcome.value)
    return step


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (bytes(64), "sent a point of small order"),
        ((9).to_bytes(32, "little") * 2, "listed an item twice"),
    ],
)
def test_points_that_no_honest_peer_sends(points: bytes, reason: str) -> None:
    with pytest.raises(PeerViolation, match=f"party1: {reason}"):
        after_points(points, 2)


def test_sides_that_disagree_on_who_learns_do_not_fit() -> None:
    sides = (side(0, "first"), side(1, "both"))
    with pytest.raises(LockstepError):
        run_steps(lambda context: of(context, FIRST, sides[context.me]))


def test_lists_of_several_pieces() -> None:
    lists = ([b"%d" % number for number in range(1500)], [b"%d" % number for number in range(1400, 1500)])
    transcript = run_steps(lambda context: of(context, lists[context.me], side(context.me, max_items=2000)))
    assert transcript.results[0].places == tuple(range(1400, 1500))
