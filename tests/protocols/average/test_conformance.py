"""Average, by the conformance kit."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.average import Outcome, Rules, average

pytestmark = pytest.mark.slow


def in_the_clear(case: Case[Rules]) -> Outcome:
    values = case["value"]
    return Outcome(sum(values), Fraction(sum(values), len(values)), len(values))


def test_average_conforms() -> None:
    check_protocol(
        average,
        in_the_clear,
        params=[Rules(), Rules(-(2**60), 2**60, minimum_count=3)],
        rounds=lambda case: 1 if case.owners_compute else 2,
        examples=1,
        pairs=2,
    )
