"""Comparison on packed bit planes: the sign of a shared number, and whether it is zero.

    1. open c = x + r mod 2^k, where r has shared bits; k bits hold every value of x
    2. sign(x) = c_top + r_top + [c' < r'] over the k - 1 lower bits,  [x = 0] = [c = r] over all k
    3. blocks of b bits: "less" and "equal" are polynomials in the bits of r with public coefficients: local
    4. a tree joins neighbouring blocks: less = less_hi + equal_hi less_lo,  equal = equal_hi equal_lo

With b = 2, 64 bits: 6 rounds, 19 bytes to each peer; 32 bits: 5 rounds. With b = 4 one round and a third of the
bytes less, for more correlated randomness. c is uniform in k bits whatever x is, since r is.

Semi-honest, any n - 1 of n parties may collude. Source: [edaBits20] §5, [Rabbit21] §3 for the comparison with a
masked opening; [ABY21] and [IKMOP13] for products that are prepared.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Buffer, Words
from mpcnet.algebra.bits import to_planes, word_count
from mpcnet.algebra.domain import as_buffer
from mpcnet.correlated.items import BitTriples, Demand, Item, MaskedBits, SharedTriples
from mpcnet.engine import Context, Round, Step
from mpcnet.engine.scheduler import gather
from mpcnet.errors import PeerViolation
from mpcnet.schemes.beaver import and_packed, and_shared

__all__ = ("is_zero", "is_zero_cost", "less_tree", "sign_bits", "sign_cost", "tree_ands", "tree_rounds")


_CHUNK_UNITS: typing.Final = 512
"""Blocks of 64 comparisons whose leaves are computed at a time: 256 KiB of planes."""


def tree_rounds(block_count: int) -> int:
    """Rounds of the tree over so many blocks."""
    return max(0, block_count - 1).bit_length()


def sign_cost(count: int, bits: int, block: int) -> tuple[int, Demand, int]:
    """What `sign_bits` takes: rounds, correlated randomness, and bytes from each party to each other."""
    item = MaskedBits(bits, block)
    units = word_count(count)
    tree, opened_words = tree_ands(item.block_count, units)
    rounds = 1 + tree_rounds(item.block_count)
    return rounds, {item: units, **tree}, (bits + 7) // 8 * count + 8 * opened_words


def tree_ands(block_count: int, units: int) -> tuple[dict[Item, int], int]:
    """What `less_tree` takes: triples, and the words that each party opens."""
    demand: dict[Item, int] = {}
    blocks, opened_words = block_count, 0
    while blocks > 1:
        pairs = blocks // 2
        # The lowest pair needs no "equal".
        demand[BitTriples()] = demand.get(BitTriples(), 0) + units
        if pairs > 1:
            demand[SharedTriples()] = demand.get(SharedTriples(), 0) + (pairs - 1) * units
        opened_words += (3 * pairs - 1) * units
        blocks -= pairs
    return demand, opened_words


def sign_bits(context: Context, x: Words, bits: int, block: int) -> Step[Words]:
    """Packed XOR shares of [x < 0].

    Args:
        x: flat additive share; every value lies in [-2^(bits-1), 2^(bits-1)).
        bits: 1 to 64.
        block: 1, 2 or 4 bits whose products are prepared.
    """
    item = MaskedBits(bits, block)
    total, planes, products = yield from _open_masked(context, x, item)
    leaves = _Leaves(item, planes[: bits - 1], products, context.me == context.parties.computing[0])
    sign: Words = planes[bits - 1].copy()
    for units, opened in _opened_planes(total, bits):
        if leaves.is_first:
            sign[units] ^= opened[bits - 1]
        leaves.fill(units, opened[: bits - 1])
    if item.block_count:
        sign ^= yield from less_tree(context, leaves.less, leaves.equal)
    return sign


def is_zero_cost(count: int, bits: int, block: int) -> tuple[int, Demand, int]:
    """What `is_zero` takes; see `sign_cost`."""
    item = MaskedBits(bits, block, skip_top=False)
    units = word_count(count)
    ands = item.block_count - 1
    demand: dict[Item, int] = {item: units, BitTriples(): ands * units} if ands else {item: units}
    return 1 + tree_rounds(item.block_count), demand, (bits + 7) // 8 * count + 16 * ands * units


def is_zero(context: Context, x: Words, bits: int, block: int) -> Step[Words]:
    """Packed XOR shares of [x = 0], for values that are congruent to 0 modulo 2^bits only if they are 0."""
    item = MaskedBits(bits, block, skip_top=False)
    total, planes, products = yield from _open_masked(context, x, item)
    leaves = _Leaves(item, planes, products, context.me == context.parties.computing[0])
    for units, opened in _opened_planes(total, bits):
        leaves.fill(units, opened)
    equal = leaves.equal
    while len(equal) > 1:
        half = len(equal) // 2
        joined = yield from and_packed(context, equal[0 : 2 * half : 2], equal[1 : 2 * half : 2])
        equal = np.concatenate([joined, equal[2 * half :]])
    result: Words = equal[0]
    return result


def _open_masked(context: Context, x: Words, item: MaskedBits) -> Step[tuple[Words, Words, Words]]:
    """The opened x + r, whose low k bits count, and our shares of r's planes and their products."""
    parties = context.parties
    units = word_count(x.size)
    r, planes, *rest = context.correlated.spend(item, units)
    # Reduced before it is sent: higher bits would tell about carries.
    total = x + r[: x.size]
    payload = pack_low_bytes(total, item.bits)
    nbytes = len(payload)
    inbox = yield Round(dict.fromkeys(parties.peers, payload), dict.fromkeys(parties.peers, nbytes))
    for peer in parties.peers:
        if len(inbox[peer]) != nbytes:
            raise PeerViolation(parties.names[peer], f"sent {len(inbox[peer])} bytes where {nbytes} were expected")
        total += unpack_low_bytes(inbox[peer], x.size, item.bits)
    products = rest[0] if rest else np.empty((0, units), np.uint64)
    return total, planes, products


def _opened_planes(total: Words, bits: int) -> Iterator[tuple[slice, Words]]:
    """Planes of opened numbers in pieces that stay in the cache while they are used, and which units they are."""
    for start in range(0, word_count(total.size), _CHUNK_UNITS):
        yield slice(start, start + _CHUNK_UNITS), to_planes(total[64 * start : 64 * (start + _CHUNK_UNITS)], bits)


def pack_low_bytes(values: Words, bits: int) -> Buffer:
    """The low bits of numbers in whole bytes; what is above them is cleared.

    First the lowest four bytes of all numbers if there are so many, then two, then one: numpy copies whole narrow
    words fast, and three bytes of each number slowly.
    """
    packed = np.empty((bits + 7) // 8 * values.size, np.uint8)
    wide = values.astype("<u8", copy=False)
    for narrow, place, top in _pieces(packed, wide, bits):
        narrow[:] = place
        if top:
            np.bitwise_and(narrow, top, out=narrow)
    return as_buffer(packed)


def unpack_low_bytes(data: Buffer, count: int, bits: int) -> Words:
    """The inverse of `pack_low_bytes`."""
    wide = np.zeros(count, "<u8")
    for narrow, place, _ in _pieces(np.frombuffer(data, np.uint8), wide, bits):
        place[:] = narrow
    return wide.astype(np.uint64, copy=False)


Narrow = NDArray[np.unsignedinteger]


def _pieces(packed: NDArray[np.uint8], wide: Words, bits: int) -> Iterator[tuple[Narrow, Narrow, int]]:
    """Views of the same bytes, packed and in little-endian words; for the last one, the mask of its bits."""
    size, count = (bits + 7) // 8, wide.size
    position = 0
    for width in (8, 4, 2, 1):
        if size & width:
            stop = position + width
            narrow = packed[position * count : stop * count].view(f"<u{width}")
            top = (1 << bits - 8 * position) - 1 if stop == size else 0
            yield narrow, wide.view(f"<u{width}")[position // width :: 8 // width], top
            position = stop


class _Leaves:
    """Shares of "less" and "equal" of each block, lowest first.

    Over a block with inverted public bits n_i and secret bits r_i, bit by bit from the lowest:
        equal_i = (n_i + r_i) equal_(i-1)        less_i = n_i r_i + (n_i + r_i) less_(i-1)
    To stay linear we keep each of them multiplied by every product r_T of bits above i too:
        equal_i r_T = n_i (equal_(i-1) r_T) + equal_(i-1) r_(T+i)
        less_i  r_T = n_i (r_(T+i) + less_(i-1) r_T) + less_(i-1) r_(T+i)
    They begin with equal r_T = r_T, which is a plane, a prepared product, or for the empty T one; and less = 0.

    Args:
        item: the type of masked bits.
        planes, products: our shares for r.
        is_first: whether we are the party that adds public values.
    """

    def __init__(self, item: MaskedBits, planes: Words, products: Words, is_first: bool) -> None:
        self.is_first = is_first
        self._item = item
        self._planes = planes
        shape = (item.block_count, planes.shape[1])
        self._products = products.reshape(-1, *shape) if products.size else products
        self.less = np.empty(shape, np.uint64)
        self.equal = np.empty(shape, np.uint64)

    def fill(self, units: slice, opened: Words) -> None:
        """Compute these units, from the planes of c there."""
        size, count = self._item.block, self._item.block_count
        if not count:
            return
        planes = self._planes[:, units]
        equal: dict[tuple[int, ...], Words] = {(i,): _every(planes, i, size, count) for i in range(size)}
        equal |= {subset: self._products[place, :, units] for place, subset in enumerate(self._item.subsets)}
        secret = dict(equal)
        less: dict[tuple[int, ...], Words] = {}
        for i in range(size):
            inverted = ~_every(opened, i, size, count)
            for subset in _subsets(range(i + 1, size)):
                joined = (i, *subset)
                if subset in less:
                    less[subset] = (inverted & (secret[joined] ^ less[subset])) ^ less[joined]
                else:
                    less[subset] = inverted & secret[joined]
                if subset in equal:
                    equal[subset] = (inverted & equal[subset]) ^ equal[joined]
                else:  # the empty product: one, of which the first party holds all
                    equal[subset] = inverted ^ equal[joined] if self.is_first else equal[joined]
        self.less[:, units] = less[()]
        self.equal[:, units] = equal[()]


def _subsets(members: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(members, size) for size in range(len(members) + 1))


def _every(planes: Words, first: int, step: int, count: int) -> Words:
    """One plane of each block; zeros where the last block ends before it."""
    chosen = planes[first::step]
    if len(chosen) == count:
        return chosen
    return np.concatenate([chosen, np.zeros((1, planes.shape[1]), np.uint64)])


def less_tree(context: Context, less: Words, equal: Words) -> Step[Words]:
    """Join blocks until one is left. Each level: one round, 3 bits a pair (2 for the lowest) to each peer."""
    while len(less) > 1:
        pairs = len(less) // 2
        high, low = slice(1, 2 * pairs, 2), slice(0, 2 * pairs, 2)
        lowest = and_packed(context, equal[1], less[0])
        if pairs == 1:
            products = yield from lowest
            joined_less = (less[1] ^ products)[np.newaxis]
            joined_equal = equal[1:1]
        else:
            others = and_shared(context, equal[high][1:], less[low][1:], equal[low][1:])
            first, rest = yield from _both(lowest, others)
            joined_less = less[high] ^ np.concatenate([first[np.newaxis], rest[0]])
            joined_equal = rest[1]
        # The lowest block's "equal" is never needed again: its place is filled to keep the numbering.
        joined_equal = np.concatenate([equal[:1], joined_equal, equal[2 * pairs :]])
        less = np.concatenate([joined_less, less[2 * pairs :]])
        equal = joined_equal
    result: Words = less[0]
    return result


def _both(first: Step[Words], second: Step[tuple[Words, Words]]) -> Step[tuple[Words, tuple[Words, Words]]]:
    """Two steps side by side, their messages joined."""
    steps = typing.cast("list[Step[object]]", [first, second])
    results = yield from gather(steps)
    return typing.cast("Words", results[0]), typing.cast("tuple[Words, Words]", results[1])
