"""Three computing parties serve a thousand bidders, who send their bid and leave."""

from __future__ import annotations

import pytest

from mpcnet import Job, find_protocol, simulate


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
