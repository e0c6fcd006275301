"""Providers: where correlated randomness comes from. One step, `ensure`, once an evaluation, before its rounds.

`DealerProvider` asks a party of the job that does nothing else. Every computing party sends it the same request; it
answers when all of them have, each once (`Dealer`), with one correction to the first of them. Requests are keyed by
job, fork and operation: the labels of the streams hold all three, so that an answer fits no other question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from mpcnet.algebra import Buffer, Streams
from mpcnet.correlated.dealing import correction_bytes, make_correction, shares_of
from mpcnet.correlated.items import Demand, Item, parse_item
from mpcnet.correlated.pool import Pool
from mpcnet.engine import Context, Round, Step
from mpcnet.errors import PeerViolation
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = (
    "MAX_CORRECTION_BYTES",
    "MAX_REQUEST_BYTES",
    "DealerProvider",
    "Provider",
    "answer_untrusted",
    "encode_request",
)

MAX_REQUEST_BYTES: Final = 8192
"""A request lists item types and counts; there are a few dozen types at most."""
MAX_CORRECTION_BYTES: Final = 2**30
"""What one request may make the dealer compute and send: 16 million comparisons of 64 bits."""
_MAX_TYPES: Final = 256


class Provider(ABC):
    """Makes correlated randomness for the computing parties."""

    @abstractmethod
    def ensure(self, context: Context, pool: Pool, demand: Demand) -> Step[None]:
        """Fill the pool with what an evaluation takes. All parties of the program call it, with one demand."""


class DealerProvider(Provider):
    """Asks a dealer.

    Args:
        dealer: its roster index.
        streams: of our pair with it in this job, under the name that the dealer knows our fork by.
    """

    def __init__(self, dealer: int, streams: Streams | None) -> None:
        self._dealer = dealer
        self._streams = streams

    def ensure(self, context: Context, pool: Pool, demand: Demand) -> Step[None]:
        """One round with the dealer: a request of some hundred bytes from everyone, one correction to the first."""
        parties = context.parties
        if not parties.computes or self._streams is None:
            yield Round()
            return
        leads = parties.me == parties.computing[0]
        request = encode_request(context.node, demand)
        inbox = yield Round({self._dealer: request}, {self._dealer: correction_bytes(demand)} if leads else {})
        rest = inbox[self._dealer] if leads else None
        for item, units in demand.items():
            arrays, used = shares_of(item, units, self._streams, context.node, rest)
            pool.put(item, units, arrays)
            rest = rest[used:] if rest is not None else None


def encode_request(node: int, demand: Demand) -> bytes:
    """What a computing party sends to the dealer: the number of the operation, and units by type."""
    wanted: list[Plain] = [[item.key, units] for item, units in demand.items()]
    return encode_canonical([node, wanted])


def answer_untrusted(
    request: bytes | memoryview, party: str, computing: Sequence[int], streams: Mapping[int, Streams]
) -> Buffer:
    """The dealer's correction for a request that all computing parties have sent alike.

    Args:
        party: whom to name if it is malformed.
        computing: the computing parties in the order of the job.
        streams: by computing party, those of its pair with the dealer.

    Raises:
        PeerViolation: malformed, unknown types, or more than the cap.
    """
    match decode_canonical_untrusted(request, party, max_bytes=MAX_REQUEST_BYTES):
        case [int(node), [*wanted]] if 0 <= node < 2**63 and len(wanted) <= _MAX_TYPES:
            demand = dict(_wanted_untrusted(entry, party) for entry in wanted)
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
    if len(demand) != len(wanted):
        raise PeerViolation(party, "asked the dealer for one type twice")
    if correction_bytes(demand) > MAX_CORRECTION_BYTES:
        raise PeerViolation(party, f"asked the dealer for more than {MAX_CORRECTION_BYTES} bytes at once")
    return make_correction(computing, streams, node, demand)


def _wanted_untrusted(entry: Plain, party: str) -> tuple[Item, int]:
    match entry:
        case [str(key), int(units)] if 0 < units < 2**40 and not isinstance(units, bool):
            try:
                return parse_item(key), units
            except ValueError:
                raise PeerViolation(party, "asked the dealer for a type that does not exist") from None
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
