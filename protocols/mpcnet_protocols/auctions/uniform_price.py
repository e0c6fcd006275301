"""k equal items to the k highest bidders, all at the highest losing bid: the uniform-price auction, (k+1)-price.

    every bidder i                               every party
    bid_i  ──secret-shared──▶  bids, k + 1 times the reserve
                                 │ compared all with all
                               places 1, ..., k + 1
                                 one bit a bidder: in places 1 ... k  ──revealed──▶  winners, as a set
                                 value in place k + 1                 ──revealed──▶  price

The seller bids the reserve once for each item and once more, behind all others: items that no bid reaches go to the
seller, and the price is never a bid below the reserve. The places are joined to one bit a bidder before anything is
opened, so that the order of the winners stays secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpcnet import Example, LocalError, Many, Party, SecretBits, Top, protocol, top
from mpcnet_protocols.auctions.bidding import BID, Rules, with_seller

__all__ = ("ItemRules", "Sales", "k_price_auction")


@dataclass(frozen=True)
class ItemRules(Rules):
    """What the parties agree on.

    Args:
        low: the lowest bid that one may give.
        high: the highest. A comparison costs as many bits as the range needs.
        reserve: the lowest bid at which the seller sells; between low and high.
        items: how many equal items there are. Each bidder wants one.

    Raises:
        LocalError: the range is empty, the reserve lies outside of it, or there is no item.
    """

    items: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.items < 1:
            raise LocalError("parameter 'items' is at least 1")


@dataclass(frozen=True)
class Sales:
    """What every party learns.

    Args:
        winners: names of the bidders who get an item, in the order of the job; at most as many as there are items.
        price: what each of them pays; None with no winner.
        reserve: the agreed reserve.
        items: how many there were.
        bidders: how many bid.
    """

    winners: tuple[str, ...]
    price: int | None
    reserve: int
    items: int
    bidders: int


def _explain(sales: Sales) -> str:
    if sales.price is None:
        return f"not sold: none of {sales.bidders} bids reaches the reserve of {sales.reserve:,}"
    return f"{len(sales.winners)} of {sales.items} items at {sales.price:,} each: {', '.join(sales.winners)}"


def _in_places(best: Top, places: int, count: int) -> SecretBits:
    """One bit for each bidder: whether it is in one of the first places. Without a message up to 128 bids."""
    rows = best.one_hot[:, :count]
    among = rows[0]
    for place in range(1, places):
        among ^= rows[place]  # a bidder has one place: no two of its bits are set
    return among


@protocol(
    "k-price-auction",
    version=2,
    params=ItemRules,
    roles={"bidders": Many(2)},
    inputs={"bid": BID},
    outputs={"won": "everyone", "price": "everyone"},
    example=Example(
        params=ItemRules(reserve=2500, items=2),
        roles={"bidders": ("alice", "bob", "carol", "dave", "erin")},
        inputs={
            "alice": {"bid": ["3800"]},
            "bob": {"bid": ["2514"]},
            "carol": {"bid": ["2982"]},
            "dave": {"bid": ["3390"]},
            "erin": {"bid": ["2450"]},
        },
        compute=("alice", "bob", "carol"),
        dealer="dora",
    ),
    explain=_explain,
)
async def k_price_auction(party: Party[ItemRules]) -> Sales:
    """The k highest bidders get one of k equal items each, all at the highest losing bid.

    Only bids at or over the reserve win. If more than k of them reach it, the price is the highest losing bid, else
    the reserve; with one item this is `second-price-auction`. Ties go to the bidders who stand first in the job.
    Both outputs go to everyone who takes part: the winners cannot know the price by themselves, and the losers
    check that it is not below their bids. A seller that does not bid learns them by being one of the computing
    parties.

    Leaks:
        - Everyone learns the set of winners, without their order, and the price.
        - If nothing is sold, everyone learns that every bid is below the reserve, and nothing else.
        - It follows that each winner bid at least the price, and the others at most that.
        - A price over the reserve is the bid of one of the losers, and it is not said whose.
        - Fewer winners than items tell how many bids reach the reserve.
        - Number and names of the bidders are public.
        - Two runs whose bidders differ by one can tell about that bidder's bid.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer alone learns nothing of the bids; together with one computing party it learns all of them. A bid is
    what its bidder says, and nothing proves that it would pay.
    Rounds: 8 for 5 bidders who compute and 2 items, 10 for 100 bidders, 21 for 300 (compared in groups); one more
    if they do not compute: then they send their bids, 8 bytes each, and only wait for the outcome. Comparisons grow
    with the square of bidders and items together from 32 items on.

    Source: [Krishna09] §12.1, uniform-price auction with single-unit demand.
    """
    rules, bidders = party.params, party.roles["bidders"]
    count = len(bidders)
    places = min(rules.items, count)
    best = top(with_seller(party.share("bid"), rules.reserve, places + 1), places + 1)
    out = await party.reveal(won=_in_places(best, places, count), price=best.values[places])
    winners = tuple(bidder.name for bidder, wins in zip(bidders, out["won"], strict=True) if wins)
    return Sales(winners, int(out["price"]) if winners else None, rules.reserve, rules.items, count)
