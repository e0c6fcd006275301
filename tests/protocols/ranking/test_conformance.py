"""Ranking, by the conformance kit."""

from __future__ import annotations

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.ranking import Outcome, Rules, ranking

pytestmark = pytest.mark.slow


def in_the_clear(case: Case[Rules]) -> Outcome:
    scores, owners, askers = case["score"], case.roles["owners"], case.roles["askers"]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    name = owners[order[case.params.place - 1]] if case.me in askers else None
    return Outcome(name, case.params.place, len(scores), tuple(askers))


def test_ranking_conforms() -> None:
    counts = [{"owners": owners, "askers": askers} for owners, askers in ((2, 1), (3, 2))]
    check_protocol(ranking, in_the_clear, params=[Rules(2, 0, 99)], counts=counts, examples=1, pairs=1)
