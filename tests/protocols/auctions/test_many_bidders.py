"""Three computing parties serve many bidders, who send their bid and leave; whichever group the winner is in."""

from __future__ import annotations

from typing import Any

import pytest

from mpcnet import Job, find_protocol, simulate
from mpcnet_protocols.auctions.bidding import Rules
from mpcnet_protocols.auctions.uniform_price import ItemRules


@pytest.mark.slow
def test_a_thousand_bidders() -> None:
    auction = find_protocol("second-price-auction")
    bidders = tuple(f"bidder-{number}" for number in range(1000))
    bids = {name: (number * 7919) % 10_007 for number, name in enumerate(bidders)}
    roles = {role: bidders if role == "bidders" else ("seller",) for role in auction.roles}
    job = Job(
        auction,
        auction.make_params({}),
        roles,
        "many",
        compute=("one", "two", "three"),
        dealer="dealer",
        deadline_seconds=600,
    )
    simulation = simulate(job, {name: {"bid": bid} for name, bid in bids.items()})
    first, second = sorted(bids, key=bids.__getitem__, reverse=True)[:2]
    sale = simulation.outputs["bidder-0"]
    assert (sale.winner, sale.price) == (first, bids[second])
    assert {outcome for name, outcome in simulation.outputs.items() if name != "dealer"} == {sale}
    # what a bidder receives in the job is its output, from each computing party, and nothing else
    assert {entry.sender for entry in simulation.views["bidder-7"]} == {"one", "two", "three"}
    assert len(simulation.views["bidder-7"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("winner", [5, 138])
def test_the_winner_stands_in_any_group(winner: int) -> None:
    """139 bids and the seller's are compared in groups of 32, the last of which is smaller."""
    bidders = tuple(f"bidder-{number}" for number in range(139))
    bids = {name: {"bid": number % 50} for number, name in enumerate(bidders)}
    bids[bidders[winner]] = {"bid": 900}
    second = bidders[138 if winner != 138 else 137]
    bids[second] = {"bid": 800}

    def sold(name: str, rules: Rules) -> Any:
        auction = find_protocol(name)
        roles = {role: bidders if role == "bidders" else ("seller",) for role in auction.roles}
        job = Job(auction, rules, roles, "many", compute=("one", "two"), dealer="dealer")
        return simulate(job, bids).outputs["one"]

    for name, price in (("first-price-auction", 900), ("second-price-auction", 800)):
        sale = sold(name, Rules())
        assert (sale.winner, sale.price) == (bidders[winner], price), name
    sales = sold("k-price-auction", ItemRules(items=2))
    assert sales.price == 49
    assert set(sales.winners) == {bidders[winner], second}
