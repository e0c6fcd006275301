"""What sealed-bid auctions have in common: rules, the bid, and the seller's bids at the reserve.

A reserve is a bid of the seller behind all others: a bidder that bids exactly the reserve comes before it, since
among equals the lowest index is first. An item that no bidder wants at this price goes to the seller, and nothing
has to be decided about it in secret. With one more seller's bid than there are items, the price is never a bid
below the reserve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpcnet import Ints, LocalError, Member, Secret, concatenate

__all__ = ("BID", "EXAMPLE_BIDS", "Rules", "Sale", "explain_sale", "sale_of", "with_seller")


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        low: the lowest bid that one may give.
        high: the highest. A comparison costs as many bits as the range needs.
        reserve: the lowest bid at which the seller sells; between low and high.

    Raises:
        LocalError: the range is empty, or the reserve lies outside of it.
    """

    low: int = 0
    high: int = 10_000_000
    reserve: int = 0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise LocalError("parameter 'low' is above parameter 'high'")
        if not self.low <= self.reserve <= self.high:
            raise LocalError("parameter 'reserve' lies between 'low' and 'high'; at 'low' everything is sold")


BID = Ints(by="bidders", range=("low", "high"), help="what you bid at most")

EXAMPLE_BIDS = {
    "alice": {"bid": ["3800"]},
    "bob": {"bid": ["2514"]},
    "carol": {"bid": ["2982"]},
    "dave": {"bid": ["3390"]},
}
"""The bids of the worked examples of one item."""


@dataclass(frozen=True)
class Sale:
    """What every party learns of an auction of one item.

    Args:
        winner: name of the bidder who gets the item; None if no bid reaches the reserve.
        price: what it pays; None with no winner.
        reserve: the agreed reserve.
        bidders: how many bid.
    """

    winner: str | None
    price: int | None
    reserve: int
    bidders: int


def with_seller(bids: Secret, reserve: int, count: int) -> Secret:
    """The bids, and behind them `count` bids of the seller at the reserve. Without a message."""
    return concatenate([bids, bids[0] * 0 + np.full(count, reserve)])


def sale_of(bidders: Sequence[Member], rules: Rules, index: int, price: int) -> Sale:
    """The sale that an opened index and price mean; an index behind the bidders is the seller's."""
    if index >= len(bidders):
        return Sale(None, None, rules.reserve, len(bidders))
    return Sale(bidders[index].name, price, rules.reserve, len(bidders))


def explain_sale(sale: Sale) -> str:
    """A line for people."""
    if sale.price is None:
        return f"not sold: none of {sale.bidders} bids reaches the reserve of {sale.reserve:,}"
    return f"sold to {sale.winner} for {sale.price:,}  ({sale.bidders} bids)"
