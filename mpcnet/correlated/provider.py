"""Providers: where correlated randomness comes from. One step, `ensure`, once an evaluation, before its rounds.

`DealerProvider` asks a party of the job that does nothing else. Every computing party sends it the same request; it
answers when all of them have, each once (`Dealer`), with one correction to the first of them. Requests are keyed by
job, fork and operation: the labels of the streams hold all three, so that an answer fits no other question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from mpcnet.algebra import Streams
from mpcnet.correlated.dealing import DealerStreams, correction_bytes, shares_of
from mpcnet.correlated.items import Demand, Item, parse_item
from mpcnet.correlated.pool import Pool
from mpcnet.engine import Context, Round, Step
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = (
    "MAX_CORRECTION_BYTES",
    "MAX_DEALT_WORDS",
    "MAX_OPERATIONS",
    "MAX_REQUEST_BYTES",
    "DealerProvider",
    "Provider",
    "Request",
    "encode_request",
    "make_request",
    "read_request_untrusted",
)

MAX_REQUEST_BYTES: Final = 8192
"""A request lists item types and counts; there are a few dozen types at most."""
MAX_CORRECTION_BYTES: Final = 2**30
"""What one request may make the dealer send: 50 million comparisons of 64 bits."""
MAX_DEALT_WORDS: Final = 2**28
"""What one request may make the dealer hold, 2 GiB: some types have many more uniform words than corrected ones."""
MAX_OPERATIONS: Final = 2**33
"""What one request may make the dealer compute: a product of matrices has few words and many operations."""
_MAX_TYPES: Final = 256


@dataclass(frozen=True, slots=True)
class Request:
    """What one evaluation asks for.

    Args:
        node: number of the `ensure` operation.
        demand: units by type.
        encoded: both, as they go to the dealer and into the program's digest.
    """

    node: int
    demand: Demand
    encoded: bytes


class Provider(ABC):
    """Makes correlated randomness for the computing parties."""

    def makes(self, item: Item) -> bool:
        """Whether it makes items of this type; schemes choose their algorithms by it. By default all."""
        return True

    @abstractmethod
    def ensure(self, context: Context, pool: Pool, request: Request) -> Step[None]:
        """Fill the pool with what an evaluation takes. All parties of the program call it, with one request."""


class DealerProvider(Provider):
    """Asks a dealer.

    Args:
        dealer: its roster index.
        streams: of our pair with it in this job, under the name that the dealer knows our fork by.
    """

    def __init__(self, dealer: int, streams: Streams | None) -> None:
        self._dealer = dealer
        self._streams = streams

    def ensure(self, context: Context, pool: Pool, request: Request) -> Step[None]:
        """One round with the dealer: a request of some hundred bytes from everyone, one correction to the first."""
        parties = context.parties
        if not parties.computes or self._streams is None:
            yield Round()
            return
        is_first = parties.me == parties.computing[0]
        demand = request.demand
        inbox = yield Round(
            {self._dealer: request.encoded}, {self._dealer: correction_bytes(demand)} if is_first else {}
        )
        rest = inbox[self._dealer] if is_first else None
        draws = DealerStreams(self._streams, request.node, demand)
        for item, units in demand.items():
            arrays, used = shares_of(item, units, draws, rest)
            pool.put(item, units, arrays)
            rest = rest[used:] if rest is not None else None


def make_request(node: int, demand: Demand) -> Request:
    """The request of an evaluation.

    Raises:
        LocalError: a dealer would not answer, since one evaluation takes too much.
    """
    return Request(node, demand, encode_request(node, demand))


def encode_request(node: int, demand: Demand) -> bytes:
    """What a computing party sends to the dealer: the number of the operation, and units by type.

    Raises:
        LocalError: a dealer would not answer, since one evaluation takes too much.
    """
    wanted: list[Plain] = [[item.key, units] for item, units in demand.items()]
    if excess := _excess(demand):
        raise LocalError(f"this evaluation takes {excess}; evaluate in several steps")
    request = encode_canonical([node, wanted])
    if len(request) > MAX_REQUEST_BYTES:
        raise LocalError(
            f"this evaluation takes {len(wanted)} types of correlated randomness, too many for one request; "
            "evaluate in several steps"
        )
    return request


def _excess(demand: Demand) -> str:
    """What is too much about a demand, in words; empty if nothing is."""
    if len(demand) > _MAX_TYPES:
        return f"more than {_MAX_TYPES} types of correlated randomness"
    if correction_bytes(demand) > MAX_CORRECTION_BYTES:
        return f"more than {MAX_CORRECTION_BYTES} bytes of the dealer at once"
    if sum(item.words(units) for item, units in demand.items()) > MAX_DEALT_WORDS:
        return f"more than {MAX_DEALT_WORDS} words of correlated randomness at once"
    if sum(item.operations(units) for item, units in demand.items()) > MAX_OPERATIONS:
        return f"more than {MAX_OPERATIONS} operations of the dealer at once"
    return ""


def read_request_untrusted(request: bytes | memoryview, party: str) -> Request:
    """What a computing party asks the dealer for.

    Args:
        party: whom to name if it is malformed.

    Raises:
        PeerViolation: malformed, unknown types, or more than the cap.
    """
    match decode_canonical_untrusted(request, party, max_bytes=MAX_REQUEST_BYTES):
        case [int(node), [*wanted]] if type(node) is int and 0 <= node < 2**63 and wanted:
            demand = dict(_wanted_untrusted(entry, party) for entry in wanted)
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
    if len(demand) != len(wanted):
        raise PeerViolation(party, "asked the dealer for one type twice")
    if excess := _excess(demand):
        raise PeerViolation(party, f"asked for {excess}")
    return Request(node, demand, bytes(request))


def _wanted_untrusted(entry: Plain, party: str) -> tuple[Item, int]:
    match entry:
        case [str(key), int(units)] if type(units) is int and 0 < units < 2**40:
            try:
                return parse_item(key), units
            except ValueError:
                raise PeerViolation(party, "asked the dealer for a type that does not exist") from None
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
