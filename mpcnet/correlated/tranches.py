"""Tranches: the parts of bounded size in which the correlated randomness of an evaluation is made and used.

    plan ──▶ stage 0: make tranche 0, use it up ──▶ stage 1: make tranche 1, use it up ──▶ ...

An evaluation of ten million comparisons takes gigabytes of correlated randomness, and holds one tranche of it. All
parties cut alike, since the cuts follow from the program; the encoding of each tranche goes into the program's
digest and, if a dealer makes it, is the question that the dealer is asked.

To make a tranche is an operation of its own, with a number that no other operation of its fork has. Job, fork and
this number name the tranche. Labels of the streams that it is made from hold all three, so that nothing is drawn
twice: not by two tranches of an evaluation, not by two evaluations, not by two forks or jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mpcnet.correlated.items import Demand, Item, parse_item
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = (
    "MAX_REQUEST_BYTES",
    "MAX_TRANCHE_TYPES",
    "MAX_TRANCHE_WORDS",
    "MAX_UNIT_OPERATIONS",
    "MAX_UNIT_WORDS",
    "Tranche",
    "make_tranche",
    "read_tranche_untrusted",
    "words_of",
)

MAX_TRANCHE_WORDS: Final = 2**22
"""Words of all arrays of a tranche, 32 MiB: what a party holds of correlated randomness at a time."""
MAX_TRANCHE_TYPES: Final = 128
"""Types of items in a tranche. Programs have a few, or one for each shape of their matrix products."""
MAX_UNIT_WORDS: Final = 2**28
"""Words of a single unit that is larger than a tranche, 2 GiB: matrices are not made piece by piece."""
MAX_UNIT_OPERATIONS: Final = 2**33
"""Word operations of deriving a tranche: a product of matrices has few words and many operations."""
MAX_REQUEST_BYTES: Final = 8192
"""An encoded tranche: `MAX_TRANCHE_TYPES` keys of up to 40 characters, and their counts."""


@dataclass(frozen=True, slots=True)
class Tranche:
    """What is made at once.

    Args:
        node: number of the operation that makes it; unique in its fork, and higher than that of the tranche before.
        demand: units by type, in the order in which they are made.
        encoded: both, in their one encoding.
    """

    node: int
    demand: Demand
    encoded: bytes


def words_of(demand: Demand) -> int:
    """Words of all arrays of a demand: what one party holds of it."""
    return sum([item.words(units) for item, units in demand.items()])


def make_tranche(node: int, demand: Demand) -> Tranche:
    """A tranche of this demand.

    Raises:
        LocalError: it is too large to be made at once.
    """
    if excess := _excess(demand):
        raise LocalError(f"one operation takes {excess}; cut its operands into smaller ones")
    wanted: list[Plain] = [[item.key, units] for item, units in demand.items()]
    return Tranche(node, demand, encode_canonical([node, wanted]))


def _excess(demand: Demand) -> str:
    """What is too much about a demand, in words; empty if nothing is."""
    if len(demand) > MAX_TRANCHE_TYPES:
        return f"more than {MAX_TRANCHE_TYPES} types of correlated randomness"
    words = words_of(demand)
    if words > MAX_UNIT_WORDS:
        return f"{words} words of correlated randomness, where {MAX_UNIT_WORDS} are made at once"
    if words > MAX_TRANCHE_WORDS and list(demand.values()) != [1]:
        return f"{words} words of correlated randomness, where {MAX_TRANCHE_WORDS} are made at once"
    if sum([item.operations(units) for item, units in demand.items()]) > MAX_UNIT_OPERATIONS:
        return f"more than {MAX_UNIT_OPERATIONS} word operations to make its correlated randomness"
    return ""


def read_tranche_untrusted(encoded: bytes | memoryview, party: str) -> Tranche:
    """The tranche that a computing party asks a dealer for.

    Args:
        party: whom to name if it is malformed.

    Raises:
        PeerViolation: malformed, unknown types, or more than is made at once.
    """
    match decode_canonical_untrusted(encoded, party, max_bytes=MAX_REQUEST_BYTES):
        case [int(node), [*wanted]] if type(node) is int and 0 <= node < 2**63 and wanted:
            demand = dict(_wanted_untrusted(entry, party) for entry in wanted)
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
    if len(demand) != len(wanted):
        raise PeerViolation(party, "asked the dealer for one type twice")
    if excess := _excess(demand):
        raise PeerViolation(party, f"asked the dealer for {excess}")
    return Tranche(node, demand, bytes(encoded))


def _wanted_untrusted(entry: Plain, party: str) -> tuple[Item, int]:
    match entry:
        case [str(key), int(units)] if type(units) is int and 0 < units < 2**40:
            try:
                return parse_item(key), units
            except ValueError:
                raise PeerViolation(party, "asked the dealer for a type that does not exist") from None
        case _:
            raise PeerViolation(party, "sent the dealer a request of the wrong form")
