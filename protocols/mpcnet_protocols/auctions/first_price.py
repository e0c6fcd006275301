"""One item to the highest bidder, at its bid.

    every bidder i                               every party
    bid_i  ──secret-shared──▶  bids, reserve
                                 │ compared all with all
                               first place
                                 index  ──revealed──▶  winner (the seller: not sold)
                                 value  ──revealed──▶  price

The seller bids the reserve, behind all others: if no bid reaches it, what is opened is the seller's own bid.
"""

from __future__ import annotations

from mpcnet import Example, Many, Party, protocol, top
from mpcnet_protocols.auctions.bidding import BID, EXAMPLE_BIDS, Rules, Sale, explain_sale, sale_of, with_seller

__all__ = ("first_price_auction",)


@protocol(
    "first-price-auction",
    version=1,
    params=Rules,
    roles={"bidders": Many(2)},
    inputs={"bid": BID},
    outputs={"winner": "everyone", "price": "everyone"},
    example=Example(
        params=Rules(reserve=2500),
        roles={"bidders": tuple(EXAMPLE_BIDS)},
        inputs=EXAMPLE_BIDS,
        compute=("seller", "notary"),
        dealer="dora",
    ),
    explain=explain_sale,
)
async def first_price_auction(party: Party[Rules]) -> Sale:
    """The highest bidder gets the item at its bid; all lower bids stay secret.

    Ties go to the bidder who stands first in the job. The reserve counts as a bid of the seller behind all others:
    a bid of exactly the reserve wins against it. Both outputs go to everyone who takes part, so that each loser can
    check the price against its own bid. A seller that does not bid learns them by being one of the computing
    parties.

    Leaks:
        - Everyone learns the winner and the price.
        - If the item is not sold, everyone learns that every bid is below the reserve, and nothing else.
        - It follows that the other bids are at most the price, and those of bidders who stand before the winner
          below it. No party learns how far below, or in which order, and neither does the winner.
        - Number and names of the bidders are public.
        - Two runs whose bidders differ by one can tell about that bidder's bid.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer alone learns nothing of the bids; together with one computing party it learns all of them. A bid is
    what its bidder says, and nothing proves that it would pay.
    Rounds: 8 for 4 bidders who compute, 10 for 100, 17 for 300 (compared in groups); one more if they do not
    compute: then they send their bids, 8 bytes each, and only wait for the outcome.

    Source: [Krishna09] §2.3; the order as in `mpcnet.dsl.selection`.
    """
    rules, bidders = party.params, party.roles["bidders"]
    best = top(with_seller(party.share("bid"), rules.reserve, 1), 1)
    out = await party.reveal(winner=best.indices[0], price=best.values[0])
    return sale_of(bidders, rules, int(out["winner"]), int(out["price"]))
