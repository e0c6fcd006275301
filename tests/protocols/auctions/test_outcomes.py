"""Who wins and what is paid: as sorting in the clear says, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Protocol, RangeError, Simulation, simulate
from mpcnet_protocols.auctions import first_price_auction, k_price_auction, second_price_auction
from mpcnet_protocols.auctions.bidding import Rules, Sale
from mpcnet_protocols.auctions.uniform_price import ItemRules, Sales

LOW, HIGH, RESERVE = -6, 9, 2


def run(
    protocol: Protocol[Any, Any], bids: Sequence[int], rules: Rules, *, compute: int = 0, scheme: str = "additive"
) -> Simulation[Any]:
    """Bidders b0, b1, ...; they compute, or so many others do."""
    names = [f"b{place}" for place in range(len(bids))]
    computing = [f"c{place}" for place in range(compute)]
    job = Job(protocol, rules, {"bidders": names}, "lot", compute=computing, dealer="dealer", scheme=scheme)
    return simulate(job, {name: {"bid": bid} for name, bid in zip(names, bids, strict=True)})


def outcome(protocol: Protocol[Any, Any], bids: Sequence[int], rules: Rules, **options: Any) -> Any:
    """What everybody learns; the dealer learns nothing."""
    outputs = run(protocol, bids, rules, **options).outputs
    assert outputs.pop("dealer") is None
    assert len(set(outputs.values())) == 1
    return outputs["b0"]


def in_the_clear(bids: Sequence[int], reserve: int, items: int) -> tuple[list[int], int]:
    """The winners, best first, and the highest losing bid or the reserve."""
    order = sorted(range(len(bids)), key=lambda place: (-bids[place], place))
    reaching = [place for place in order if bids[place] >= reserve]
    return reaching[:items], max([reserve, *(bids[place] for place in reaching[items:])])


def expected_first(bids: Sequence[int], reserve: int = RESERVE) -> Sale:
    winners, _ = in_the_clear(bids, reserve, 1)
    if not winners:
        return Sale(None, None, reserve, len(bids))
    return Sale(f"b{winners[0]}", bids[winners[0]], reserve, len(bids))


def expected_second(bids: Sequence[int], reserve: int = RESERVE) -> Sale:
    winners, price = in_the_clear(bids, reserve, 1)
    return Sale(f"b{winners[0]}" if winners else None, price if winners else None, reserve, len(bids))


def expected_several(bids: Sequence[int], items: int, reserve: int = RESERVE) -> Sales:
    winners, price = in_the_clear(bids, reserve, items)
    names = tuple(f"b{place}" for place in sorted(winners))
    return Sales(names, price if winners else None, reserve, items, len(bids))


SEALED = st.lists(st.integers(LOW, HIGH), min_size=2, max_size=6)
INSIDE_OR_NOT = st.sampled_from([0, 2, 3, 6])


# Ties, all equal, exactly the reserve, one under it, the ends of the range.
def corners(test: Callable[..., None]) -> Callable[..., None]:
    for bids in ([9, 9], [2, 2, 2], [1, 1, 1], [-6, 2], [2, -6], [-6, 9, 9, 8], [1, -6, 0], [9, 3, 3, 3, 2]):
        test = example(bids=bids, compute=2)(test)
    return test


@settings(max_examples=8, deadline=None, derandomize=True)
@corners
@given(bids=SEALED, compute=INSIDE_OR_NOT)
def test_first_price(bids: list[int], compute: int) -> None:
    found = outcome(first_price_auction, bids, Rules(LOW, HIGH, RESERVE), compute=compute)
    assert found == expected_first(bids)


@settings(max_examples=8, deadline=None, derandomize=True)
@corners
@given(bids=SEALED, compute=INSIDE_OR_NOT)
def test_second_price(bids: list[int], compute: int) -> None:
    found = outcome(second_price_auction, bids, Rules(LOW, HIGH, RESERVE), compute=compute)
    assert found == expected_second(bids)


@settings(max_examples=12, deadline=None, derandomize=True)
@example(bids=[3, 3, 3, 3], compute=2, items=2)
@example(bids=[5, 4, 3], compute=2, items=3)  # as many items as bidders
@example(bids=[5, 1, 3], compute=2, items=7)  # more
@example(bids=[5, 1, 1, 1], compute=2, items=2)  # fewer reach the reserve than there are items
@example(bids=[5, 6, 1, 1], compute=2, items=2)  # exactly as many
@example(bids=[5, 6, 2, 1], compute=2, items=2)  # the highest losing bid is the reserve
@example(bids=[1, 0, -6], compute=2, items=2)
@given(bids=SEALED, compute=INSIDE_OR_NOT, items=st.integers(1, 4))
def test_k_price(bids: list[int], compute: int, items: int) -> None:
    found = outcome(k_price_auction, bids, ItemRules(LOW, HIGH, RESERVE, items), compute=compute)
    assert found == expected_several(bids, items)


@pytest.mark.parametrize("computing", [2, 3, 4, 5, 6])
def test_any_number_of_parties_computes(computing: int) -> None:
    bids = [3, 9, 5, 9, 2, 7][:computing]
    inside = outcome(second_price_auction, bids, Rules(LOW, HIGH, RESERVE))
    outside = outcome(second_price_auction, bids, Rules(LOW, HIGH, RESERVE), compute=computing)
    assert inside == outside == expected_second(bids)


@pytest.mark.parametrize("bids", [[4, 9, 9, 1], [1, 1], [2, 0, 0]])
def test_as_in_the_plain_scheme(bids: list[int]) -> None:
    for protocol, rules in (
        (first_price_auction, Rules(LOW, HIGH, RESERVE)),
        (second_price_auction, Rules(LOW, HIGH, RESERVE)),
        (k_price_auction, ItemRules(LOW, HIGH, RESERVE, 2)),
    ):
        assert outcome(protocol, bids, rules) == outcome(protocol, bids, rules, scheme="plain")


def test_one_item_at_the_k_price_is_the_second_price() -> None:
    for bids in ([4, 9, 8, 1], [1, 0], [2, 2, 2]):
        one = outcome(k_price_auction, bids, ItemRules(LOW, HIGH, RESERVE, 1))
        sale = outcome(second_price_auction, bids, Rules(LOW, HIGH, RESERVE))
        assert (one.winners, one.price) == (() if sale.winner is None else (sale.winner,), sale.price)


@pytest.mark.parametrize("high", [2**31, 2**62, 2**63 - 1])
def test_wide_ranges(high: int) -> None:
    low = -high - 1
    bids = [high, low, high - 1, 0]
    rules = Rules(low, high, low)
    assert outcome(second_price_auction, bids, rules, compute=2) == Sale("b0", high - 1, low, 4)
    assert outcome(first_price_auction, bids[1:], rules, compute=2) == Sale("b1", high - 1, low, 3)


def test_bidders_of_whom_some_compute() -> None:
    names = ["b0", "b1", "b2", "b3"]
    job = Job(k_price_auction, ItemRules(), {"bidders": names}, "lot", compute=("b2", "b0"), dealer="dealer")
    inputs = {name: {"bid": bid} for name, bid in zip(names, [7, 5, 6, 4], strict=True)}
    found = simulate(job, inputs).outputs["b1"]
    assert found == Sales(("b0", "b2"), 5, 0, 2, 4)


@pytest.mark.slow
def test_a_hundred_bids_take_at_most_fourteen_rounds() -> None:
    bids = [7919 * place % 100_003 for place in range(100)]
    simulation = run(first_price_auction, bids, Rules(reserve=2500), compute=3)
    assert simulation.outputs["b99"] == expected_first(bids, 2500)
    assert simulation.cost.rounds <= 14
    # Bidders send one message of 8 bytes, to the first of those who compute, and get one from each of them.
    sent = {link: cost for link, cost in simulation.cost.links.items() if link[0] == "b7"}
    assert {link: (cost.messages, cost.bytes) for link, cost in sent.items()} == {("b7", "c0"): (1, 8)}
    assert [len(entry.body) for entry in simulation.views["b7"]] == [16, 16, 16]


def test_the_rounds_that_the_docstrings_say() -> None:
    bids = [38, 25, 29, 33]
    for protocol, rules in ((first_price_auction, Rules()), (second_price_auction, Rules())):
        assert run(protocol, bids, rules).cost.rounds == 8
        assert run(protocol, bids, rules, compute=3).cost.rounds == 9
    assert run(k_price_auction, [*bids, 24], ItemRules()).cost.rounds == 8


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"low": 2, "high": 1}, "'low' is above"),
        ({"low": 0, "high": 9, "reserve": 10}, "'reserve' lies between"),
        ({"low": 5, "high": 9}, "'reserve' lies between"),
        ({"items": 0}, "'items' is at least 1"),
    ],
)
def test_rules_that_make_no_sense(values: dict[str, int], text: str) -> None:
    with pytest.raises(LocalError, match=text):
        k_price_auction.make_params(values)
    if "items" not in values:
        with pytest.raises(LocalError, match=text):
            second_price_auction.make_params(values)


def test_a_bid_out_of_range_is_refused_without_telling_it() -> None:
    with pytest.raises(RangeError) as caught:
        run(first_price_auction, [4, 77], Rules(LOW, HIGH, RESERVE))
    assert "77" not in str(caught.value)


def test_what_people_read() -> None:
    explain, explain_several = first_price_auction.explain, k_price_auction.explain
    assert explain is not None
    assert explain_several is not None
    assert explain(Sale("dave", 3390, 2500, 4)) == "sold to dave for 3,390  (4 bids)"
    unsold = "not sold: none of 4 bids reaches the reserve of 2,500"
    assert explain(Sale(None, None, 2500, 4)) == unsold
    assert explain_several(Sales(("ann", "dave"), 2982, 2500, 3, 4)) == "2 of 3 items at 2,982 each: ann, dave"
    assert explain_several(Sales((), None, 2500, 3, 4)) == unsold
