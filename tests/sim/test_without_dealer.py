"""Jobs whose parties make their correlated randomness by oblivious transfer, in the simulator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcnet import Job, LocalError, find_protocol, simulate

BIDS = {"ann": {"bid": 300}, "ben": {"bid": 417}, "cem": {"bid": 416}, "dan": {"bid": 0}}


@pytest.mark.parametrize("count", [2, 4])
def test_an_auction_without_a_dealer_is_the_one_with_a_dealer(count: int) -> None:
    auction = find_protocol("second-price-auction")
    bidders = list(BIDS)[:count]
    bids = {name: BIDS[name] for name in bidders}
    job = Job(auction, auction.make_params({}), {"bidders": bidders}, "auction", provider="ot")
    ours, theirs = simulate(job, bids), simulate(replace(job, provider="", dealer="eve"), bids)
    assert [ours.outputs[name] for name in bidders] == [theirs.outputs[name] for name in bidders]


def test_the_same_seed_gives_the_same_bytes() -> None:
    auction = find_protocol("first-price-auction")
    bidders = list(BIDS)[:2]
    job = Job(auction, auction.make_params({}), {"bidders": bidders}, "auction", provider="ot")
    bids = {name: BIDS[name] for name in bidders}
    runs = [simulate(job, bids, seed=5).views["ann"] for _ in range(2)]
    assert [bytes(entry.body) for entry in runs[0]] == [bytes(entry.body) for entry in runs[1]]


def test_a_dealer_and_oblivious_transfer_are_not_named_together() -> None:
    auction = find_protocol("first-price-auction")
    job = Job(auction, auction.make_params({}), {"bidders": list(BIDS)}, "auction", provider="ot", dealer="eve")
    with pytest.raises(LocalError, match="provider 'ot' works without a dealer: leave eve out"):
        simulate(job, BIDS)
