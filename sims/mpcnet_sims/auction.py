"""Twelve bidders, three parties who compute, and a dealer sell one item over a WAN at the second price."""

from __future__ import annotations

from mpcnet import WAN, Job, Scenario, find_protocol

__all__ = ("auction",)

_BIDS = {
    "ann": 410,
    "ben": 385,
    "cem": 0,
    "dai": 455,
    "eva": 470,
    "fee": 120,
    "gus": 455,
    "hal": 300,
    "ida": 468,
    "jon": 90,
    "kim": 350,
    "lou": 415,
}

_second_price = find_protocol("second-price-auction")

auction: Scenario = Scenario(
    name="auction",
    description=(
        "Twelve bidders send their sealed bids over a WAN (100 ms there and back) to three parties who compute; "
        "all learn who gets the item, and the second highest bid."
    ),
    job=Job(
        _second_price,
        _second_price.make_params({"high": 1000, "reserve": 250}),
        {"bidders": tuple(_BIDS)},
        "auction",
        compute=("seller", "house", "notary"),
        dealer="dora",
    ),
    inputs={name: {"bid": bid} for name, bid in _BIDS.items()},
    network=WAN,
)
