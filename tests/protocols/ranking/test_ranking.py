"""Who is at a place, told to those who ask, and to nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Simulation, simulate
from mpcnet_protocols.ranking import Outcome, Rules, ranking


def run(
    scores: Sequence[int],
    rules: Rules,
    *,
    askers: Sequence[str] = ("board",),
    compute: int = 0,
    scheme: str = "additive",
) -> Simulation[Outcome]:
    names = [f"p{place}" for place in range(len(scores))]
    job = Job(
        ranking,
        rules,
        {"owners": names, "askers": askers},
        "rank",
        compute=[f"c{place}" for place in range(compute)],
        dealer="dealer",
        scheme=scheme,
    )
    return simulate(job, {name: {"score": score} for name, score in zip(names, scores, strict=True)})


@settings(max_examples=15, deadline=None, derandomize=True)
@example(scores=[4, 4, 4, 4], place=3, compute=0)
@example(scores=[4, 4, 4, 4, 4], place=3, compute=2)
@example(scores=[-9, 9], place=2, compute=2)
@example(scores=[9, -9, 9, -9, 0, 0], place=6, compute=3)
@example(scores=[9, -9, 9, -9, 0, 0], place=5, compute=0)
@given(
    scores=st.lists(st.integers(-9, 9), min_size=2, max_size=6),
    place=st.integers(1, 6),
    compute=st.sampled_from([0, 2, 3, 6]),
)
def test_equals_sorting(scores: list[int], place: int, compute: int) -> None:
    place = min(place, len(scores))
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    simulation = run(scores, Rules(place, -9, 9), compute=compute)
    told = Outcome(f"p{order[place - 1]}", place, len(scores), ("board",))
    assert simulation.outputs.pop("board") == told
    assert simulation.outputs.pop("dealer") is None
    assert {outcome.name for outcome in simulation.outputs.values()} == {None}


def test_as_in_the_plain_scheme() -> None:
    for place in (1, 2, 3):
        rules = Rules(place, 0, 9)
        assert run([7, 3, 7], rules).outputs == run([7, 3, 7], rules, scheme="plain").outputs


def test_an_owner_or_everyone_may_ask() -> None:
    owner = run([5, 8, 6], Rules(2), askers=("p0",)).outputs
    assert [owner[name].name for name in ("p0", "p1", "p2")] == ["p2", None, None]
    everyone = run([5, 8, 6], Rules(2), askers=("p0", "p1", "p2")).outputs
    assert [everyone[name].name for name in ("p0", "p1", "p2")] == ["p2", "p2", "p2"]


def test_who_neither_asks_nor_computes_receives_nothing() -> None:
    simulation = run([5, 8, 6], Rules(2), compute=2)
    assert [simulation.views[name] for name in ("p0", "p1", "p2")] == [[], [], []]
    assert [(entry.sender, len(entry.body)) for entry in simulation.views["board"]] == [("c0", 8), ("c1", 8)]
    # And those who compute get no opening: the last round goes to the asker alone.
    last = simulation.views["board"][0].round
    assert all(entry.round < last for name in ("c0", "c1") for entry in simulation.views[name])


def test_scores_change_no_message_s_shape() -> None:
    shapes = [
        {
            name: [(entry.sender, entry.round, len(entry.body)) for entry in view]
            for name, view in run(scores, Rules(2, 0, 9), compute=2).views.items()
        }
        for scores in ([0, 5, 1, 9], [4, 4, 3, 4])
    ]
    assert shapes[0] == shapes[1]


def test_the_rounds_that_the_docstring_says() -> None:
    assert run([38, 25, 29, 33], Rules(2)).cost.rounds == 8
    assert run([38, 25, 29, 33], Rules(4), compute=3).cost.rounds == 9


def test_what_people_read() -> None:
    assert ranking.explain is not None
    assert ranking.explain(Outcome("carol", 2, 5, ("erin",))) == "place 2 of 5: carol"
    told = ranking.explain(Outcome(None, 2, 5, ("erin", "ann")))
    assert told == "nothing: place 2 of 5 is told to erin, ann"


def test_rules_that_make_no_sense() -> None:
    with pytest.raises(LocalError, match="counts from 1"):
        Rules(0)
    with pytest.raises(LocalError, match="'low' is above"):
        Rules(1, 2, 1)
    with pytest.raises(LocalError, match="no place 4 among 3 owners"):
        run([1, 2, 3], Rules(4))
