"""The sum and the mean of what the owners gave, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, PeerAborted, RangeError, Simulation, simulate
from mpcnet.declare.plan import first_plan
from mpcnet_protocols.average import Outcome, Rules, average


def run(
    values: Sequence[int], rules: Rules | None = None, *, compute: int = 0, seed: int = 0
) -> Simulation[Outcome]:
    names = [f"p{place}" for place in range(len(values))]
    job = Job(average, rules or Rules(), {"owners": names}, "raises", compute=names[:compute])
    inputs = {name: {"value": value} for name, value in zip(names, values, strict=True)}
    return simulate(job, inputs, seed=seed)


def test_the_engineers_raises() -> None:
    simulation = run([3800, 2514, 2982, 3390])
    assert set(simulation.outputs.values()) == {Outcome(12_686, Fraction(6343, 2), 4)}
    assert len(simulation.outputs) == 4
    outcome = simulation.outputs["p0"]
    assert average.explain is not None
    assert average.explain(outcome) == "sum 12,686  average 3,171.50  of 4 values"


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    values=st.lists(st.integers(-(2**40), 2**40), min_size=3, max_size=9),
    seed=st.integers(0, 100),
)
def test_equals_the_sum_in_the_clear(values: list[int], seed: int) -> None:
    outcome = run(values, Rules(low=-(2**40), high=2**40), seed=seed).outputs["p0"]
    assert outcome == Outcome(sum(values), Fraction(sum(values), len(values)), len(values))


@pytest.mark.parametrize("parties", [3, 5, 9])
@pytest.mark.parametrize("value", [-500, 0, 500])
def test_ends_of_the_range_and_zero(parties: int, value: int) -> None:
    outcome = run([value] * parties, Rules(low=-500, high=500)).outputs["p1"]
    assert outcome == Outcome(parties * value, Fraction(value), parties)


@pytest.mark.parametrize("value", [-501, 501])
def test_outside_of_the_range_is_refused_and_nothing_is_sent(value: int) -> None:
    names = ["ann", "ben", "cem"]
    job = Job(average, Rules(low=-500, high=500), {"owners": names}, "raises")
    inputs = {"ann": {"value": value}, "ben": {"value": 1}, "cem": {"value": 2}}
    simulation = simulate(job, inputs, allow_errors=True)
    assert isinstance(simulation.errors["ann"], RangeError)
    assert str(value) not in str(simulation.errors["ann"])
    for other in ("ben", "cem"):
        error = simulation.errors[other]
        assert isinstance(error, PeerAborted)
        assert error.party == "ann"
    assert simulation.cost.messages == 0


def test_one_round_if_the_owners_compute_else_two() -> None:
    assert run([1, 2, 3, 4]).cost.rounds == 1
    few = run([1, 2, 3, 4], compute=2)
    assert few.cost.rounds == 2
    assert few.outputs["p3"].sum == 10


def test_fewer_than_the_minimum_count_are_refused() -> None:
    with pytest.raises(LocalError, match="minimum is 5"):
        run([1, 2, 3, 4], Rules(minimum_count=5))
    assert run([1, 2, 3, 4, 5], Rules(minimum_count=5)).outputs["p0"].sum == 15
    with pytest.raises(LocalError, match="at least 3"):
        run([1, 2])


def test_rules_that_make_no_sense() -> None:
    with pytest.raises(LocalError, match="'minimum_count' is at least 3"):
        Rules(minimum_count=2)
    with pytest.raises(LocalError, match="'low' is above"):
        Rules(low=2, high=1)


@pytest.mark.parametrize("rules", [Rules(high=2**62), Rules(high=2**42, places=6), Rules(low=-(2**62))])
def test_a_sum_that_could_leave_64_bits_is_refused_before_anybody_is_met(rules: Rules) -> None:
    with pytest.raises(LocalError, match="the sum of 3 values could leave 64 bits"):
        first_plan(Job(average, rules, {"owners": ("ann", "ben", "cem")}, "raises"))


def test_decimal_places_are_exact() -> None:
    names = ("ann", "ben", "cem")
    job = Job(average, Rules(places=2), {"owners": names}, "raises")
    given = [Decimal("3800.50"), 2514.1, "2982.35"]
    found = simulate(job, {name: {"value": value} for name, value in zip(names, given, strict=True)})
    outcome = found.outputs["ann"]
    assert outcome == Outcome(Fraction(929695, 100), Fraction(929695, 300), 3)
    assert average.explain is not None
    assert average.explain(outcome) == "sum 9,296.95  average 3,098.98  of 3 values"


@pytest.mark.parametrize("value", [Decimal("1.005"), 0.001, "1.000000000000000000000000000000001"])
def test_more_decimal_places_than_agreed_are_refused_and_never_rounded(value: object) -> None:
    inputs: dict[str, dict[str, object]] = {"ann": {"value": value}, "ben": {"value": 1}, "cem": {"value": 2}}
    with pytest.raises(LocalError, match="a number with at most 2 decimal places was expected"):
        simulate(Job(average, Rules(places=2), {"owners": tuple(inputs)}, "raises"), inputs)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(values=st.lists(st.decimals(-100, 100, places=3), min_size=3, max_size=5))
def test_equals_the_sum_of_decimals_in_the_clear(values: list[Decimal]) -> None:
    names = [f"p{place}" for place in range(len(values))]
    job = Job(average, Rules(low=-100, high=100, places=3), {"owners": names}, "raises")
    found = simulate(job, {name: {"value": value} for name, value in zip(names, values, strict=True)})
    assert found.outputs["p0"].sum == sum(map(Fraction, values))
