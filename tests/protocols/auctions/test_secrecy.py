"""What parties receive: shapes that the bids do not change, and openings that hold the declared outputs alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mpcnet import Job, Protocol, Simulation, simulate
from mpcnet_protocols.auctions import first_price_auction, k_price_auction, second_price_auction
from mpcnet_protocols.auctions.bidding import Rules
from mpcnet_protocols.auctions.uniform_price import ItemRules

ITEMS = ItemRules(0, 1000, 500, 2)
ONE = Rules(0, 1000, 500)

SAME_OUTPUTS = [
    (first_price_auction, ONE, [700, 999, 2, 3], [998, 999, 998, 500]),
    (second_price_auction, ONE, [700, 999, 2, 3], [700, 701, 700, 499]),
    (k_price_auction, ITEMS, [801, 800, 600, 3], [999, 1000, 598, 600]),
    # Not sold: the highest bid is one below the reserve, or the lowest that there is.
    (first_price_auction, ONE, [499, 499, 0, 0], [0, 0, 0, 0]),
    (second_price_auction, ONE, [499, 499, 0, 0], [0, 0, 0, 0]),
    (k_price_auction, ITEMS, [499, 499, 0, 0], [0, 0, 0, 0]),
]


def run(protocol: Protocol[Any, Any], bids: Sequence[int], rules: Rules, *, seed: int = 0) -> Simulation[Any]:
    names = [f"b{place}" for place in range(len(bids))]
    job = Job(protocol, rules, {"bidders": names}, "lot", compute=("b0", "c0", "c1"), dealer="dealer")
    return simulate(job, {name: {"bid": bid} for name, bid in zip(names, bids, strict=True)}, seed=seed)


def shapes(simulation: Simulation[Any]) -> dict[str, list[tuple[str, str, str, int, int]]]:
    """By party, who sent it what, how long; in order."""
    return {
        name: [(entry.sender, entry.kind, entry.fork, entry.round, len(entry.body)) for entry in entries]
        for name, entries in simulation.views.items()
    }


@pytest.mark.parametrize(("protocol", "rules", "these", "those"), SAME_OUTPUTS)
def test_losing_bids_change_no_message_s_shape(
    protocol: Protocol[Any, Any], rules: Rules, these: list[int], those: list[int]
) -> None:
    first, second = run(protocol, these, rules), run(protocol, those, rules)
    assert first.outputs == second.outputs
    assert shapes(first) == shapes(second)
    assert first.cost.rounds == second.cost.rounds
    # The dealer gets requests, which are the same to the last byte whatever the bids.
    assert [bytes(entry.body) for entry in first.views["dealer"]] == [
        bytes(entry.body) for entry in second.views["dealer"]
    ]


@pytest.mark.parametrize(("protocol", "rules", "these", "those"), SAME_OUTPUTS)
def test_what_a_bidder_gets_adds_up_to_the_outputs(
    protocol: Protocol[Any, Any], rules: Rules, these: list[int], those: list[int]
) -> None:
    """A bidder that does not compute gets a share of the two outputs from each who does, and nothing else."""
    opened: list[tuple[int, int]] = []
    for bids in (these, those):
        view = run(protocol, bids, rules).views["b1"]
        assert [(entry.sender, len(entry.body)) for entry in view] == [("b0", 16), ("c0", 16), ("c1", 16)]
        shares = [np.frombuffer(entry.body, "<u8") for entry in view]
        total, parity = shares[0] + shares[1] + shares[2], shares[0] ^ shares[1] ^ shares[2]
        # Bits are shared by XOR, numbers by addition; the winners' bits stand in front.
        first = parity if protocol is k_price_auction else total
        opened.append((int(first[0]), int(total[1])))
    assert opened[0] == opened[1]
    sold = max(these) >= 500
    if protocol is k_price_auction:
        assert opened[0] == ((0b11, 600) if sold else (0, 500))
    elif sold:
        assert opened[0] == (1, 999 if protocol is first_price_auction else 700)
    else:
        assert opened[0] == (4, 500)  # the seller stands behind four bidders


def test_openings_are_fresh_in_every_run() -> None:
    """Shares of one output under two seeds have nothing in common."""
    bodies = [
        bytes(entry.body)
        for seed in (1, 2)
        for entry in run(second_price_auction, [700, 999, 2, 3], ONE, seed=seed).views["b1"]
    ]
    assert len(set(bodies)) == len(bodies) == 6
