"""Votes per option, as a count in the clear gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Simulation, simulate
from mpcnet_protocols.tally import Outcome, Rules, tally

OPTIONS = ("pizza", "ramen", "tacos")


def run(votes: Sequence[str], rules: Rules | None = None, *, compute: int = 0) -> Simulation[Outcome]:
    names = [f"p{place}" for place in range(len(votes))]
    job = Job(tally, rules or Rules(OPTIONS), {"voters": names}, "lunch", compute=names[:compute])
    return simulate(job, {name: {"vote": vote} for name, vote in zip(names, votes, strict=True)})


@settings(max_examples=10, deadline=None, derandomize=True)
@given(votes=st.lists(st.sampled_from(OPTIONS), min_size=3, max_size=9))
def test_equals_a_count_in_the_clear(votes: list[str]) -> None:
    simulation = run(votes)
    expected = {option: Counter(votes)[option] for option in OPTIONS}
    for outcome in simulation.outputs.values():
        assert outcome.votes == expected
        assert list(outcome.votes) == list(OPTIONS)
        assert outcome.voters == len(votes)
    assert len(simulation.outputs) == len(votes)


@pytest.mark.parametrize("voters", [3, 5, 9])
def test_a_unanimous_vote(voters: int) -> None:
    outcome = run(["tacos"] * voters).outputs["p0"]
    assert outcome.votes == {"pizza": 0, "ramen": 0, "tacos": voters}
    assert outcome.leaders == ("tacos",)


def test_what_people_read() -> None:
    assert tally.explain is not None
    outcome = run(["ramen", "pizza", "ramen"]).outputs["p0"]
    lines = tally.explain(outcome).splitlines()
    assert lines == ["pizza  1", "ramen  2", "tacos  0", "most votes: ramen  (3 voters)"]
    tie = run(["ramen", "pizza", "tacos"]).outputs["p0"]
    assert tally.explain(tie).splitlines()[-1] == "tie: pizza, ramen, tacos  (3 voters)"


def test_one_round_and_eight_bytes_an_option_and_peer() -> None:
    cost = run(["ramen", "pizza", "ramen"]).cost
    assert (cost.rounds, cost.messages, cost.sent_bytes) == (1, 6, 6 * 8 * len(OPTIONS))
    assert run(["ramen", "pizza", "ramen", "ramen"], compute=2).cost.rounds == 2


def test_a_vote_for_nothing_is_refused_without_telling_it() -> None:
    with pytest.raises(LocalError, match="pizza, ramen, tacos") as caught:
        run(["ramen", "kale", "pizza"])
    assert "kale" not in str(caught.value)


def test_too_few_voters() -> None:
    with pytest.raises(LocalError, match="at least 3"):
        run(["ramen", "pizza"])
    with pytest.raises(LocalError, match="minimum is 4"):
        run(["ramen", "pizza", "ramen"], Rules(OPTIONS, minimum_voters=4))


@pytest.mark.parametrize(
    ("options", "minimum", "text"),
    [
        (("one",), 3, "2 to"),
        (("a", "a"), 3, "twice"),
        (("a", ""), 3, "empty"),
        (("a", " b"), 3, "blank"),
        (("a", "b\nc"), 3, "printable"),
        (("a", "b"), 2, "'minimum_voters' is at least 3"),
    ],
)
def test_rules_that_make_no_sense(options: tuple[str, ...], minimum: int, text: str) -> None:
    with pytest.raises(LocalError, match=text):
        Rules(options, minimum)
