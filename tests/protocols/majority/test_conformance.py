"""Majority, by the conformance kit."""

from __future__ import annotations

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.majority import Outcome, Rules, majority

pytestmark = pytest.mark.slow


def in_the_clear(case: Case[Rules]) -> Outcome:
    votes = case["vote"]
    needed = case.params.needed(len(votes))
    return Outcome(votes.count("yes") >= needed, needed, len(votes))


def test_majority_conforms() -> None:
    check_protocol(majority, in_the_clear, rounds=lambda case: 2 if case.owners_compute else 3, examples=2, pairs=2)


def test_more_votes_than_voters_are_refused() -> None:
    check_protocol(
        majority,
        in_the_clear,
        params=[Rules("2/3", votes=4)],
        counts=[{"voters": 4}, {"voters": 3}],
        outsiders=(0,),
        examples=1,
        pairs=1,
    )
