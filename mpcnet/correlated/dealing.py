"""What the dealer computes: corrections that make pseudorandom shares consistent.

    party i >= 1    every share of every array is a stream of its pair with the dealer
    party 0         the same for the uniform arrays; the dependent ones come as one correction
    dealer          adds up the streams of all parties, derives, and takes the others' shares off

So the dealer sends 8 bytes a dependent word to one party, whatever the number of parties. It neither computes nor
relays, learns nothing of the inputs, and must not collude: dealer plus one computing party learn everything.
Source: [BDOZ11] §1 for preprocessing from a dealer; the seeds are folklore, cf. [SecureNN18] §3.2 and [Beaver97].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mpcnet.algebra import Buffer, Label, Streams, Words
from mpcnet.algebra.domain import Z64, as_buffer
from mpcnet.correlated.items import ArraySpec, Demand, Item
from mpcnet.correlated.tranches import Tranche, words_of

__all__ = ("SHORT_WORDS", "DealerStreams", "correction_bytes", "dealer_path", "make_correction", "shares_of")

SHORT_WORDS: Final = 2**17
"""Up to so many words, 1 MiB, a tranche is cut from one stream of each pair: what stays in a core's cache."""
_PURPOSE = "correlated"


def dealer_path(fork: bytes) -> tuple[str, ...]:
    """The path that labels of a fork's correlated randomness carry: the dealer knows forks by id, not by name."""
    return ("dealer", fork.hex())


def correction_bytes(demand: Demand) -> int:
    """Bytes that party 0 receives."""
    return sum(8 * spec.rows * units for item, units in demand.items() for spec in item.dependents)


class DealerStreams:
    """The arrays that one pair's streams give to one tranche, each drawn once, in the order of the demand.

    A tranche is short or long by its words, which both sides know. A short one is cut from a single stream: most
    of the time of a small array is the key and the cipher that it takes. The arrays of a long one have streams of
    their own, so that no party holds them all at once.

    Args:
        streams: of the pair, under the name that the dealer knows the fork by.
        tranche: what all computing parties asked for.
    """

    def __init__(self, streams: Streams, tranche: Tranche) -> None:
        self._streams = streams
        self._tranche = tranche
        self._offset = 0
        self._flat: Words | None = None
        words = words_of(tranche.demand)
        if words <= SHORT_WORDS:
            self._flat = streams.uniform(Z64, (words,), self._label(_PURPOSE))

    def _label(self, purpose: str) -> Label:
        # The streams hold job and fork; the number of the operation is the tranche's own.
        return Label(purpose, 0, self._streams.fork, self._tranche.node, 0)

    def draw(self, item: Item, spec: ArraySpec, units: int) -> Words:
        """The next array."""
        if self._flat is None:
            return self._streams.uniform(Z64, spec.shape(units), self._label(f"{_PURPOSE}:{item.key}:{spec.name}"))
        start = self._offset
        self._offset = start + spec.rows * units
        return self._flat[start : self._offset].reshape(spec.shape(units))

    def skip(self, spec: ArraySpec, units: int) -> None:
        """Leave the next array out: it comes as a correction."""
        self._offset += spec.rows * units


def make_correction(computing: Sequence[int], streams: Mapping[int, Streams], tranche: Tranche) -> Buffer:
    """The dealer's message to the first computing party.

    Args:
        computing: roster indices, in the order of the job.
        streams: by computing party, those of its pair with the dealer.
        tranche: what all of them asked for.
    """
    demand = tranche.demand
    draws = [DealerStreams(streams[party], tranche) for party in computing]
    # Written into one array piece by piece: joining large ones afterwards would touch all of it once more.
    corrections = np.empty(correction_bytes(demand) // 8, np.uint64)
    rest = corrections
    for item, units in demand.items():
        randoms = {spec.name: _total(draws, item, spec, units) for spec in item.randoms}
        derived = item.derive(randoms, units)
        for spec, plain in zip(item.dependents, derived, strict=True):
            draws[0].skip(spec, units)
            others = _total(draws[1:], item, spec, units)
            out, rest = rest[: plain.size].reshape(plain.shape), rest[plain.size :]
            (np.subtract if spec.additive else np.bitwise_xor)(plain, others, out=out)
    return as_buffer(corrections.astype("<u8", copy=False))


def _total(draws: Sequence[DealerStreams], item: Item, spec: ArraySpec, units: int) -> Words:
    """The sum (or XOR) of the parties' streams for an array."""
    first, *others = draws
    total = first.draw(item, spec, units)
    if not total.flags.writeable:
        total = total.copy()
    add = np.add if spec.additive else np.bitwise_xor
    for draw in others:
        add(total, draw.draw(item, spec, units), out=total)
    return total


def shares_of(
    item: Item, units: int, draws: DealerStreams, correction: memoryview | None
) -> tuple[tuple[Words, ...], int]:
    """A computing party's shares of an item.

    Args:
        draws: of our pair with the dealer, for this tranche.
        correction: what is left of the dealer's message, for the first computing party; None for others.
    Returns:
        the arrays in the order of `Item.arrays`, and how many bytes of the correction they took.
    """
    arrays = [draws.draw(item, spec, units) for spec in item.randoms]
    position = 0
    for spec in item.dependents:
        if correction is None:
            arrays.append(draws.draw(item, spec, units))
            continue
        draws.skip(spec, units)
        nbytes = 8 * spec.rows * units
        piece = np.frombuffer(correction[position : position + nbytes], "<u8").astype(np.uint64, copy=False)
        arrays.append(piece.reshape(spec.shape(units)))
        position += nbytes
    return tuple(arrays), position
