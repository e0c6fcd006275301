"""What a step takes, known before it runs and the same on all parties: rounds, bytes, correlated randomness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mpcnet.correlated.items import Demand

__all__ = ("FREE", "Cost", "SentBytes", "bytes_between")

SentBytes = Mapping[tuple[int, int], int]
"""Payload bytes by (sender, receiver), roster indices; only pairs that exchange a message."""


# Made for every operation that is planned, and never changed; a frozen dataclass would say so, and take three times
# as long to make.
@dataclass(slots=True, eq=False)
class Cost:
    """What an operation takes, the same on all parties. Never changed.

    Args:
        rounds: how many rounds its step yields, on every party of the program.
        demand: correlated randomness.
        count_bytes: what `sent_bytes` returns. A function, since plans of programs ask for it seldom.
    """

    rounds: int
    demand: Demand
    count_bytes: Callable[[], SentBytes]

    @property
    def sent_bytes(self) -> SentBytes:
        """Payload by sender and receiver; an empty message counts as zero bytes."""
        return self.count_bytes()


FREE: Final = Cost(0, {}, dict[tuple[int, int], int])
"""The cost of what every party does for itself."""


def bytes_between(senders: Iterable[int], receivers: Sequence[int], nbytes: int) -> SentBytes:
    """One message of this size from each sender to each receiver but itself."""
    return {(sender, receiver): nbytes for sender in senders for receiver in receivers if sender != receiver}
