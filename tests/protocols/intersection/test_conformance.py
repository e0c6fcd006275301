"""Intersection, by the conformance kit."""

from __future__ import annotations

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.intersection import Outcome, Rules, intersection

pytestmark = pytest.mark.slow


def in_the_clear(case: Case[Rules]) -> Outcome:
    rules, owners = case.params, tuple(case.roles["owners"])
    first, second = (set(case.protocol.inputs["items"].check(items, rules)) for items in case["items"])
    common = sorted(first & second)
    receivers = tuple(name for place, name in enumerate(owners) if rules.learns(place))
    told = case.me in receivers
    items = tuple(common) if told and rules.reveal == "items" else None
    return Outcome(
        len(common) if told else None, items, dict(zip(owners, (len(first), len(second)), strict=True)), receivers
    )


@pytest.mark.parametrize("rules", [Rules(), Rules(to="first", reveal="cardinality")], ids=["items", "cardinality"])
def test_intersection_conforms(rules: Rules) -> None:
    check_protocol(intersection, in_the_clear, params=[rules], outsiders=(0,))
