"""Statistics per group equal those in the clear; of small groups nothing is opened but the count."""

from __future__ import annotations

import statistics as plain
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Simulation, simulate
from mpcnet.declare.plan import first_plan
from mpcnet_protocols.statistics import Group, Outcome, Rules, statistics

GROUPS = ("men", "women", "other")
Rows = Sequence[tuple[int, str]]


def run(tables: Sequence[Rows], rules: Rules, *, compute: int = 0, seed: int = 0) -> Simulation[Outcome]:
    names = [f"p{place}" for place in range(len(tables))]
    job = Job(statistics, rules, {"owners": names}, "pay", compute=names[:compute])
    inputs: Mapping[str, Mapping[str, object]] = {
        name: {"value": [value for value, _ in rows], "group": [group for _, group in rows]}
        for name, rows in zip(names, tables, strict=True)
    }
    return simulate(job, inputs, seed=seed)


def in_the_clear(tables: Sequence[Rows], rules: Rules) -> tuple[Group, ...]:
    """The obvious way, on all rows together."""
    found: list[Group] = []
    first: Fraction | None = None
    for label in rules.groups:
        values = [Fraction(value) for rows in tables for value, group in rows if group == label]
        if len(values) < rules.minimum_group_size:
            found.append(Group(label, len(values)))
            continue
        mean = plain.mean(values)
        first = mean if label == rules.groups[0] else first
        found.append(
            Group(
                label,
                len(values),
                int(sum(values)),
                mean,
                plain.pvariance(values),
                plain.variance(values),
                None if first is None else mean - first,
            )
        )
    return tuple(found)


def rows(low: int, high: int) -> st.SearchStrategy[list[tuple[int, str]]]:
    return st.lists(st.tuples(st.integers(low, high), st.sampled_from(GROUPS)), max_size=8)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(tables=st.lists(rows(-1000, 5000), min_size=3, max_size=5), seed=st.integers(0, 50))
def test_equals_the_statistics_in_the_clear(tables: list[Rows], seed: int) -> None:
    rules = Rules(GROUPS, low=-1000, high=5000, minimum_group_size=3)
    simulation = run(tables, rules, seed=seed)
    expected = Outcome(in_the_clear(tables, rules), 3)
    assert list(simulation.outputs.values()) == [expected] * len(tables)


@pytest.mark.parametrize("owners", [3, 5, 9])
@pytest.mark.parametrize("value", [-70_000, 0, 70_000])
def test_ends_of_the_range_and_zero(owners: int, value: int) -> None:
    rules = Rules(("all",), low=-70_000, high=70_000, max_rows=2)
    outcome = run([[(value, "all")] * 2] * owners, rules).outputs["p0"]
    group = outcome["all"]
    assert group.sum == 2 * owners * value
    assert group.mean == value
    assert group.population_variance == 0


def test_exactly_the_minimum_is_shown_and_one_below_is_not() -> None:
    rules = Rules(("exact", "below", "none"), minimum_group_size=5)
    tables: list[Rows] = [
        [(10, "exact"), (20, "exact"), (1, "below"), (2, "below")],
        [(30, "exact"), (40, "exact"), (3, "below")],
        [(50, "exact"), (4, "below")],
    ]
    simulation = run(tables, rules)
    outcome = simulation.outputs["p2"]
    assert outcome["exact"] == Group("exact", 5, 150, Fraction(30), Fraction(200), Fraction(250), Fraction(0))
    assert outcome["below"] == Group("below", 4)
    assert outcome["none"] == Group("none", 0)


def test_sums_of_suppressed_groups_are_in_no_view() -> None:
    """Two runs that differ in a suppressed group only: what is opened has the size and sum of the shown group."""
    rules = Rules(("shown", "hidden"), minimum_group_size=3, max_rows=4, high=2**20)
    canary = 777_001
    tables: list[Rows] = [[(7, "shown"), (canary, "hidden")], [(8, "shown"), (canary, "hidden")], [(9, "shown")]]
    simulation = run(tables, rules)
    assert simulation.outputs["p0"]["hidden"] == Group("hidden", 2)
    for view in simulation.views.values():
        by_round: dict[int, list[bytes]] = {}
        for entry in view:
            by_round.setdefault(entry.round, []).append(bytes(entry.body))
        # Two counts from each peer; then one sum and one sum of squares from each: the hidden group's are not sent.
        assert [[len(body) for body in bodies] for bodies in by_round.values()] == [[16, 16], [16, 16]]
        words = [np.frombuffer(body, "<u8") for bodies in by_round.values() for body in bodies]
        secrets = {canary, 2 * canary, canary**2, 2 * canary**2}
        assert not secrets & {int(word) for array in words for word in array}


def test_nothing_is_opened_but_counts_if_every_group_is_small() -> None:
    simulation = run([[(1, "men")], [(2, "women")], []], Rules(GROUPS))
    assert [group.count for group in simulation.outputs["p0"].groups] == [1, 1, 0]
    assert simulation.cost.rounds == 1


def test_gaps_against_a_suppressed_first_group_do_not_exist() -> None:
    tables: list[Rows] = [[(value, "women")] * 2 for value in (10, 20, 30)]
    outcome = run(tables, Rules(GROUPS)).outputs["p0"]
    assert outcome["women"].mean == 20
    assert outcome["women"].gap is None


def test_which_says_what_is_opened() -> None:
    tables: list[Rows] = [[(10, "men"), (20, "men"), (30, "women")]] * 3
    counts = run(tables, Rules(GROUPS, minimum_group_size=3, which=()))
    assert counts.cost.rounds == 1
    assert counts.outputs["p0"]["men"] == Group("men", 6)
    means = run(tables, Rules(GROUPS, minimum_group_size=3, which=("mean",))).outputs["p0"]
    assert means["women"] == Group("women", 3, 90, Fraction(30), gap=Fraction(15))


def test_two_rounds_if_the_owners_compute_else_four() -> None:
    tables: list[Rows] = [[(10, "men"), (20, "women")]] * 5
    assert run(tables, Rules(GROUPS)).cost.rounds == 2
    few = run(tables, Rules(GROUPS), compute=2)
    assert few.cost.rounds == 4
    assert few.outputs["p4"]["women"].mean == 20


def test_ranges_that_could_leave_64_bits() -> None:
    tables: list[Rows] = [[(1, "men")]] * 3
    with pytest.raises(LocalError, match="leaves 64 bits"):
        run(tables, Rules(GROUPS, high=2**31, max_rows=10_000))
    # Each owner's squares fit, and those of three together do not: found out before anybody is met.
    job = Job(statistics, Rules(GROUPS, high=2**31, max_rows=1), {"owners": ["a", "b", "c"]}, "pay")
    with pytest.raises(LocalError, match="the sums of squares of 3 owners could leave 64 bits"):
        first_plan(job)
    first_plan(Job(statistics, Rules(GROUPS), {"owners": [f"p{place}" for place in range(9)]}, "pay"))
    with pytest.raises(LocalError, match="the sums of squares of 10 owners could leave 64 bits: lower 'high'"):
        first_plan(Job(statistics, Rules(GROUPS), {"owners": [f"p{place}" for place in range(10)]}, "pay"))
    rules = Rules(GROUPS, high=2**31, max_rows=10_000, which=("mean",), minimum_group_size=3)
    assert run(tables, rules).outputs["p0"]["men"].sum == 3


def test_decimal_places_are_exact() -> None:
    tables = [[("38.50", "men"), ("-0.25", "women")], [("7", "men"), ("2.75", "women")], [("1.01", "men")]]
    rules = Rules(GROUPS, low=-10, high=1000, places=2, minimum_group_size=3)
    names = ("a", "b", "c")
    inputs = {
        name: {"value": [value for value, _ in table], "group": [group for _, group in table]}
        for name, table in zip(names, tables, strict=True)
    }
    men = simulate(Job(statistics, rules, {"owners": names}, "pay"), inputs).outputs["a"]["men"]
    values = [Fraction("38.50"), Fraction(7), Fraction("1.01")]
    assert (men.sum, men.mean) == (sum(values), plain.mean(values))
    assert (men.population_variance, men.sample_variance) == (plain.pvariance(values), plain.variance(values))


def test_rows_of_another_length_are_refused_before_anybody_is_met() -> None:
    job = Job(statistics, Rules(GROUPS), {"owners": ("a", "b", "c")}, "pay")
    good: dict[str, object] = {"value": [1], "group": ["men"]}
    with pytest.raises(LocalError, match="they have 2 and 1"):
        simulate(job, {"a": {"value": [1, 2], "group": ["men"]}, "b": good, "c": good})


def test_largest_values_are_exact() -> None:
    top = 2**30 - 1
    tables: list[Rows] = [[(top, "men"), (top - 1, "men")]] * 3
    rules = Rules(GROUPS, high=top, max_rows=2)
    assert run(tables, rules).outputs["p0"].groups == in_the_clear(tables, rules)


def test_values_without_groups() -> None:
    job = Job(statistics, Rules(GROUPS), {"owners": ["a", "b", "c"]}, "pay")
    rows: dict[str, object] = {"value": [1, 2], "group": ["men", "men"]}
    with pytest.raises(LocalError, match="one of each for every row"):
        simulate(job, {"a": {"value": [1, 2], "group": ["men"]}, "b": rows, "c": rows})


def test_more_rows_than_agreed_and_unknown_groups() -> None:
    with pytest.raises(LocalError, match="at most 1 numbers"):
        run([[(1, "men")] * 2, [], []], Rules(GROUPS, max_rows=1))
    with pytest.raises(LocalError, match="men, women, other") as caught:
        run([[(1, "martians")], [], []], Rules(GROUPS))
    assert "martians" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"groups": ()}, "1 to"),
        ({"groups": ("a", "a")}, "twice"),
        ({"groups": ("a", " b")}, "blank"),
        ({"groups": ("a",), "low": 2, "high": 1}, "'low' is above"),
        ({"groups": ("a",), "minimum_group_size": 2}, "'minimum_group_size' is at least 3"),
        ({"groups": ("a",), "max_rows": 0}, "'max_rows' is at least 1"),
        ({"groups": ("a",), "which": ("median",)}, "not 'median'"),
    ],
)
def test_rules_that_make_no_sense(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(LocalError, match=text):
        statistics.make_params(arguments)


def test_what_people_read() -> None:
    tables: list[Rows] = [[(1000, "men"), (2000, "men"), (1200, "women"), (900, "women"), (5, "other")]] * 3
    outcome = run(tables, Rules(GROUPS)).outputs["p0"]
    assert statistics.explain is not None
    assert statistics.explain(outcome).splitlines() == [
        "group  count      mean  std dev      gap",
        "men        6  1,500.00   547.72     0.00",
        "women      6  1,050.00   164.32  -450.00",
        "other      3         -        -        -",
        "- under 5 rows; std dev of a sample; gap to men",
    ]
    with pytest.raises(KeyError):
        outcome["nobody"]
