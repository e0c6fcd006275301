"""Tally, by the conformance kit."""

from __future__ import annotations

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.tally import Outcome, Rules, tally

pytestmark = pytest.mark.slow


def in_the_clear(case: Case[Rules]) -> Outcome:
    votes = case["vote"]
    return Outcome({option: votes.count(option) for option in case.params.options}, len(votes))


def test_tally_conforms() -> None:
    check_protocol(tally, in_the_clear, rounds=lambda case: 1 if case.owners_compute else 2, examples=1, pairs=2)
