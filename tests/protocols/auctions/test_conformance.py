"""Auctions, by the conformance kit."""

from __future__ import annotations

from typing import Any

import pytest

from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.auctions import first_price_auction, k_price_auction, second_price_auction
from mpcnet_protocols.auctions.bidding import Rules, Sale
from mpcnet_protocols.auctions.uniform_price import ItemRules, Sales

pytestmark = pytest.mark.slow

SIZES = [{"bidders": count} for count in (2, 3, 5)]


def ordered(case: Case[Any]) -> list[tuple[int, str]]:
    """Bids at or over the reserve with their bidders, the best first; among equals in the order of the job."""
    bids = [bid for bid in zip(case["bid"], case.roles["bidders"], strict=True) if bid[0] >= case.params.reserve]
    return sorted(bids, key=lambda bid: -bid[0])


def first_price(case: Case[Rules]) -> Sale:
    count, bids = len(case["bid"]), ordered(case)
    return Sale(bids[0][1] if bids else None, bids[0][0] if bids else None, case.params.reserve, count)


def second_price(case: Case[Rules]) -> Sale:
    count, reserve, bids = len(case["bid"]), case.params.reserve, ordered(case)
    price = bids[1][0] if len(bids) > 1 else reserve
    return Sale(bids[0][1] if bids else None, price if bids else None, reserve, count)


def uniform_price(case: Case[ItemRules]) -> Sales:
    rules, bids = case.params, ordered(case)
    winners = {name for _, name in bids[: rules.items]}
    price = bids[rules.items][0] if len(bids) > rules.items else rules.reserve
    names = tuple(name for name in case.roles["bidders"] if name in winners)
    return Sales(names, price if names else None, rules.reserve, rules.items, len(case["bid"]))


# Three auctions of one construction: the first in full; of the others, what differs.


def test_second_price_conforms() -> None:
    check_protocol(second_price_auction, second_price, params=[Rules(0, 99, 50)], counts=SIZES, examples=1, pairs=2)


def test_first_price_conforms() -> None:
    """Parties that do not bid compute, as in the example."""
    check_protocol(
        first_price_auction,
        first_price,
        params=[Rules(0, 99, 50)],
        counts=SIZES[:2],
        outsiders=(2,),
        examples=2,
        pairs=1,
    )


def test_k_price_conforms() -> None:
    check_protocol(
        k_price_auction,
        uniform_price,
        params=[ItemRules(0, 99, 50, items=2)],
        counts=SIZES[1:],
        outsiders=(0,),
        examples=2,
        pairs=1,
    )
