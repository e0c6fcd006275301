"""Statistics, by the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from statistics import pvariance, variance

import pytest
from hypothesis import strategies as st

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.statistics import Group, Outcome, Rules, statistics

pytestmark = pytest.mark.slow

RULES = Rules(("men", "women"), high=9, minimum_group_size=3, max_rows=8)


def in_the_clear(case: Case[Rules]) -> Outcome:
    rules, found = case.params, dict[str, list[Fraction]]()
    for values, labels in zip(case["value"], case["group"], strict=True):
        for value, label in zip(values, labels, strict=True):
            found.setdefault(label, []).append(Fraction(value))
    groups: list[Group] = []
    for label in rules.groups:
        rows = found.get(label, [])
        if len(rows) < rules.minimum_group_size:
            groups.append(Group(label, len(rows)))
            continue
        mean = Fraction(sum(rows), len(rows))
        first = groups[0].mean if groups else mean
        gap = None if first is None else mean - first
        groups.append(
            Group(label, len(rows), int(sum(rows)), mean, pvariance(rows, mean), variance(rows, mean), gap)
        )
    return Outcome(tuple(groups), rules.minimum_group_size)


def rows(params: Rules, role: str) -> st.SearchStrategy[Mapping[str, object]]:
    """A value and a group for each row, so lists of one length."""
    row = st.tuples(st.integers(params.low, params.high), st.sampled_from(params.groups))
    return st.lists(row, max_size=params.max_rows).map(
        lambda drawn: {"value": [value for value, _ in drawn], "group": [group for _, group in drawn]}
    )


def test_statistics_conforms() -> None:
    check_protocol(statistics, in_the_clear, params=[RULES], inputs=rows, examples=2, pairs=1)
