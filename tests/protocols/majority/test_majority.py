"""Enough yeses or not, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Simulation, simulate
from mpcnet_protocols.majority import Outcome, Rules, majority


def run(
    votes: Sequence[bool], rules: Rules | None = None, *, compute: int = 0, scheme: str = "additive"
) -> Simulation[Outcome]:
    names = [f"p{place}" for place in range(len(votes))]
    computing = [f"c{place}" for place in range(compute)]
    job = Job(
        majority, rules or Rules(), {"voters": names}, "vote", compute=computing, dealer="dealer", scheme=scheme
    )
    inputs = {name: {"vote": "yes" if vote else "no"} for name, vote in zip(names, votes, strict=True)}
    return simulate(job, inputs)


@settings(max_examples=15, deadline=None, derandomize=True)
@example(votes=[True, True, False, False], compute=2, threshold=(1, 2))  # exactly half
@example(votes=[True, False, False, False], compute=2, threshold=(1, 2))
@example(votes=[True, True, False], compute=0, threshold=(2, 3))  # exactly two thirds
@example(votes=[True, True, False, False], compute=0, threshold=(2, 3))
@example(votes=[True] * 5, compute=0, threshold=(1, 1))
@example(votes=[True] * 4 + [False], compute=3, threshold=(1, 1))
@example(votes=[False] * 3, compute=2, threshold=(1, 1000))
@given(
    votes=st.lists(st.booleans(), min_size=3, max_size=7),
    compute=st.sampled_from([0, 2, 3, 6]),
    threshold=st.tuples(st.integers(1, 4), st.integers(4, 7)),
)
def test_equals_counting(votes: list[bool], compute: int, threshold: tuple[int, int]) -> None:
    simulation = run(votes, Rules(threshold=f"{threshold[0]}/{threshold[1]}"), compute=compute)
    assert simulation.outputs.pop("dealer") is None
    for outcome in simulation.outputs.values():
        assert outcome.passed == (sum(votes) >= Fraction(*threshold) * len(votes))
        assert outcome.voters == len(votes)


@pytest.mark.parametrize("yeses", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("needed", [1, 3, 4])
def test_a_number_of_votes(yeses: int, needed: int) -> None:
    votes = [place < yeses for place in range(4)]
    assert run(votes, Rules(votes=needed), compute=2).outputs["p0"] == Outcome(yeses >= needed, needed, 4)


def test_as_in_the_plain_scheme() -> None:
    for votes in ([True, False, False], [True, True, False]):
        assert run(votes, scheme="plain").outputs == run(votes).outputs


def test_who_does_not_compute_gets_shares_of_one_bit() -> None:
    """Counts of 3 and 5 of 5 leave messages of one shape, and the openings add up to one bit."""
    views = [run([place < yeses for place in range(5)], compute=2).views for yeses in (3, 5)]
    shapes = [
        {name: [(entry.sender, entry.round, len(entry.body)) for entry in view] for name, view in found.items()}
        for found in views
    ]
    assert shapes[0] == shapes[1]
    for found in views:
        first, second = (np.frombuffer(entry.body, "<u8") for entry in found["p4"])
        assert (first ^ second).tolist() == [1]


def test_the_rounds_that_the_docstring_says() -> None:
    assert run([True, False, True, False, True]).cost.rounds == 2
    assert run([True, False, True, False, True], compute=3).cost.rounds == 3


def test_what_people_read() -> None:
    assert majority.explain is not None
    assert majority.explain(Outcome(True, 3, 5)) == "yes: at least 3 of 5 voters said yes"
    assert majority.explain(Outcome(False, 3, 5)) == "no: fewer than 3 of 5 voters said yes"


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"threshold": "0/2"}, "above 0/1"),
        ({"threshold": "3/2"}, "at most 1/1"),
        ({"threshold": "half"}, "such as 1/2"),
        ({"threshold": "1/0"}, "such as 1/2"),
        ({"votes": 0}, "'votes' is at least 1"),
        ({"minimum_voters": 2}, "'minimum_voters' is at least 3"),
    ],
)
def test_rules_that_make_no_sense(rules: dict[str, object], text: str) -> None:
    with pytest.raises(LocalError, match=text):
        majority.make_params(rules)


def test_votes_that_cannot_be_had_and_voters_that_are_too_few() -> None:
    with pytest.raises(LocalError, match="5 votes of 3 voters"):
        run([True, True, True], Rules(votes=5))
    with pytest.raises(LocalError, match="the minimum is 4"):
        run([True, True, True], Rules(minimum_voters=4))
    with pytest.raises(LocalError, match="at least 3"):
        run([True, True])
