"""Sealed-bid auctions: one item at the first or the second price, k equal items at one price.

    first_price.py     `first-price-auction`     the highest bidder pays its bid
    second_price.py    `second-price-auction`    the highest bidder pays the next bid
    uniform_price.py   `k-price-auction`         the k highest bidders pay the highest losing bid
    bidding.py         what they have in common: rules, the bid, and the seller's bids at the reserve

All of them share the bids, let the seller bid the reserve behind the bidders, and open places of the order.
"""

from mpcnet_protocols.auctions.first_price import first_price_auction as first_price_auction
from mpcnet_protocols.auctions.second_price import second_price_auction as second_price_auction
from mpcnet_protocols.auctions.uniform_price import k_price_auction as k_price_auction

__all__ = ("first_price_auction", "k_price_auction", "second_price_auction")
