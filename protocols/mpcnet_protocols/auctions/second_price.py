"""One item to the highest bidder, at the price of the next bid [Vickrey61].

    every bidder i                              every party
    bid_i  ──secret-shared──▶  bids, reserve, reserve
                                 │ compared all with all
                               first and second place
                                 index of the first  ──revealed──▶  winner (the seller: not sold)
                                 value of the second ──revealed──▶  price

The seller bids the reserve twice, behind all others. If one bid reaches it, the second place is the seller's, and
the price is the reserve; if none does, both places are, and neither index nor price tells about a bid.
"""

from __future__ import annotations

from mpcnet import Example, Many, Party, protocol, top
from mpcnet_protocols.auctions.bidding import BID, EXAMPLE_BIDS, Rules, Sale, explain_sale, sale_of, with_seller

__all__ = ("second_price_auction",)


@protocol(
    "second-price-auction",
    version=1,
    params=Rules,
    roles={"bidders": Many(2)},
    inputs={"bid": BID},
    outputs={"winner": "everyone", "price": "everyone"},
    example=Example(
        params=Rules(reserve=2500),
        roles={"bidders": tuple(EXAMPLE_BIDS)},
        inputs=EXAMPLE_BIDS,
        dealer="dora",
    ),
    explain=explain_sale,
)
async def second_price_auction(party: Party[Rules]) -> Sale:
    """The highest bidder gets the item at the second highest bid; its own bid, and all lower ones, stay secret.

    Ties go to the bidder who stands first in the job, who then pays its own bid. The reserve counts as a bid of the
    seller behind all others: if a single bid reaches it, the price is the reserve. Both outputs go to everyone who
    takes part: the winner cannot know the price by itself, and the losers check that it is not below their bids. A
    seller that does not bid learns them by being one of the computing parties.

    Leaks:
        - Everyone learns the winner and the price.
        - If the item is not sold, everyone learns that every bid is below the reserve, and nothing else: the price
          is then a bid of the seller's, never the highest bid.
        - It follows that the winner bid at least the price, and the others at most that.
        - A price over the reserve is the bid of one of the losers. With two bidders all know whose, with more they
          do not.
        - Number and names of the bidders are public.
        - Two runs whose bidders differ by one can tell about that bidder's bid.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer alone learns nothing of the bids; together with one computing party it learns all of them. A bid is
    what its bidder says, and nothing proves that it would pay.
    Rounds: 8 for 4 bidders who compute, 10 for 100, 18 for 300 (compared in groups); one more if they do not
    compute: then they send their bids, 8 bytes each, and only wait for the outcome.

    Source: [Vickrey61]; the order as in `mpcnet.dsl.selection`.
    """
    rules, bidders = party.params, party.roles["bidders"]
    best = top(with_seller(party.share("bid"), rules.reserve, 2), 2)
    out = await party.reveal(winner=best.indices[0], price=best.values[1])
    return sale_of(bidders, rules, int(out["winner"]), int(out["price"]))
