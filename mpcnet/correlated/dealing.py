"""What the dealer computes: corrections that make pseudorandom shares consistent.

    party i >= 1    every share of every array is a stream of its pair with the dealer
    party 0         the same for the uniform arrays; the dependent ones come as one correction
    dealer          adds up everybody's streams, derives, and takes the others' shares off

So the dealer sends 8 bytes a dependent word to one party, whatever the number of parties. It neither computes nor
relays, learns nothing of the inputs, and must not collude: dealer plus one computing party learn everything.
Source: [BDOZ11] §1 for preprocessing from a dealer; the seeds are folklore, cf. [SecureNN18] §3.2 and [Beaver97].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mpcnet.algebra import Buffer, Label, Streams, Words
from mpcnet.algebra.domain import Z64, as_buffer
from mpcnet.correlated.items import ArraySpec, Demand, Item

__all__ = ("correction_bytes", "make_correction", "shares_of")

_PURPOSE = "correlated"


def correction_bytes(demand: Demand) -> int:
    """Bytes that party 0 receives."""
    return sum(8 * spec.rows * units for item, units in demand.items() for spec in item.dependents)


def make_correction(computing: Sequence[int], streams: Mapping[int, Streams], node: int, demand: Demand) -> Buffer:
    """The dealer's message to the first computing party.

    Args:
        computing: roster indices, in the order of the job.
        streams: by computing party, those of its pair with the dealer.
        node: number of the `ensure` operation.
        demand: what all of them asked for.
    """
    pieces = [
        piece for item, units in demand.items() for piece in _corrections(computing, streams, node, item, units)
    ]
    return as_buffer(np.concatenate([piece.reshape(-1) for piece in pieces])) if pieces else b""


def _corrections(
    computing: Sequence[int], streams: Mapping[int, Streams], node: int, item: Item, units: int
) -> Sequence[Words]:
    randoms = {spec.name: _total(computing, streams, node, item, spec, units) for spec in item.randoms}
    derived = item.derive(randoms, units)
    corrections: list[Words] = []
    for spec, plain in zip(item.dependents, derived, strict=True):
        others = _total(computing[1:], streams, node, item, spec, units)
        corrections.append(plain - others if spec.additive else plain ^ others)
    return corrections


def _total(
    parties: Sequence[int], streams: Mapping[int, Streams], node: int, item: Item, spec: ArraySpec, units: int
) -> Words:
    """The sum (or XOR) of the parties' streams for an array."""
    first, *others = parties
    total = _draw(streams[first], node, item, spec, units)
    for party in others:
        share = _draw(streams[party], node, item, spec, units)
        total = np.asarray(np.add(total, share) if spec.additive else np.bitwise_xor(total, share))
    return total


def _draw(streams: Streams, node: int, item: Item, spec: ArraySpec, units: int) -> Words:
    label = Label(f"{_PURPOSE}:{item.key}:{spec.name}", 0, streams.fork, node, 0)
    return streams.uniform(Z64, spec.shape(units), label)


def shares_of(
    item: Item, units: int, streams: Streams, node: int, correction: memoryview | None
) -> tuple[tuple[Words, ...], int]:
    """A computing party's shares of an item.

    Args:
        streams: of our pair with the dealer.
        node: number of the `ensure` operation.
        correction: what is left of the dealer's message, for the first computing party; None for others.
    Returns:
        the arrays in the order of `Item.arrays`, and how many bytes of the correction they took.
    """
    arrays = [_draw(streams, node, item, spec, units) for spec in item.randoms]
    position = 0
    for spec in item.dependents:
        if correction is None:
            arrays.append(_draw(streams, node, item, spec, units))
            continue
        nbytes = 8 * spec.rows * units
        piece = np.frombuffer(correction[position : position + nbytes], "<u8").astype(np.uint64, copy=False)
        arrays.append(piece.reshape(spec.shape(units)))
        position += nbytes
    return tuple(arrays), position
