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

import typing
from collections.abc import Sequence

import numpy as np

from mpcnet.algebra import Buffer, Words
from mpcnet.algebra.bits import to_planes, word_count
from mpcnet.algebra.domain import as_buffer
from mpcnet.correlated.items import BitTriples, Item, MaskedBits, SharedTriples
from mpcnet.engine import Context, Round, Step
from mpcnet.engine.scheduler import gather
from mpcnet.errors import PeerViolation
from mpcnet.schemes.base import Forecast
from mpcnet.schemes.beaver import and_packed, and_shared

__all__ = ("is_zero", "is_zero_forecast", "sign_bits", "sign_forecast", "tree_rounds")


def tree_rounds(block_count: int) -> int:
    """Rounds of the tree over so many blocks."""
    return max(0, block_count - 1).bit_length()


def sign_forecast(count: int, bits: int, block: int) -> Forecast:
    """What `sign_bits` takes."""
    item = MaskedBits(bits, block)
    units = word_count(count)
    demand: dict[Item, int] = {item: units}
    blocks = item.block_count
    opened_words = 0
    while blocks > 1:
        pairs = blocks // 2
        # The lowest pair needs no "equal".
        demand[BitTriples()] = demand.get(BitTriples(), 0) + units
        if pairs > 1:
            demand[SharedTriples()] = demand.get(SharedTriples(), 0) + (pairs - 1) * units
        opened_words += (3 * pairs - 1) * units
        blocks -= pairs
    peer_bytes = (bits + 7) // 8 * count + 8 * opened_words
    return Forecast(1 + tree_rounds(item.block_count), peer_bytes, demand)


def sign_bits(context: Context, x: Words, bits: int, block: int) -> Step[Words]:
    """Packed XOR shares of [x < 0].

    Args:
        x: flat additive share; every value lies in [-2^(bits-1), 2^(bits-1)).
        bits: 1 to 64.
        block: 1, 2 or 4 bits whose products are prepared.
    """
    item = MaskedBits(bits, block)
    opened, planes, products = yield from _open_masked(context, x, item)
    leads = context.me == context.parties.computing[0]
    sign: Words = planes[bits - 1].copy()
    if leads:
        sign ^= opened[bits - 1]
    if item.block_count:
        less, equal = _leaves(item, ~opened[: bits - 1], planes[: bits - 1], products, leads)
        sign ^= yield from _less_tree(context, less, equal)
    return sign


def is_zero_forecast(count: int, bits: int, block: int) -> Forecast:
    """What `is_zero` takes."""
    item = MaskedBits(bits, block, skip_top=False)
    units = word_count(count)
    ands = item.block_count - 1
    demand: dict[Item, int] = {item: units, BitTriples(): ands * units} if ands else {item: units}
    return Forecast(1 + tree_rounds(item.block_count), (bits + 7) // 8 * count + 16 * ands * units, demand)


def is_zero(context: Context, x: Words, bits: int, block: int) -> Step[Words]:
    """Packed XOR shares of [x = 0], for values that are congruent to 0 modulo 2^bits only if they are 0."""
    item = MaskedBits(bits, block, skip_top=False)
    opened, planes, products = yield from _open_masked(context, x, item)
    leads = context.me == context.parties.computing[0]
    _, equal = _leaves(item, ~opened, planes, products, leads)
    while len(equal) > 1:
        half = len(equal) // 2
        joined = yield from and_packed(context, equal[0 : 2 * half : 2], equal[1 : 2 * half : 2])
        equal = np.concatenate([joined, equal[2 * half :]])
    result: Words = equal[0]
    return result


def _open_masked(context: Context, x: Words, item: MaskedBits) -> Step[tuple[Words, Words, Words]]:
    """Planes of the opened x + r mod 2^k, and our shares of r's planes and their products."""
    parties = context.parties
    units = word_count(x.size)
    r, planes, *rest = context.correlated.take(item, units)
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
    return to_planes(total, item.bits), planes, products


def pack_low_bytes(values: Words, bits: int) -> Buffer:
    """The low bits of numbers, in whole bytes each; what is above them is cleared."""
    size = (bits + 7) // 8
    masked = values & np.uint64((1 << bits) - 1)
    if size == 8:
        return as_buffer(masked)
    return as_buffer(masked.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)[:, :size])


def unpack_low_bytes(data: Buffer, count: int, bits: int) -> Words:
    """The inverse of `pack_low_bytes`."""
    size = (bits + 7) // 8
    if size == 8:
        return np.frombuffer(data, "<u8").astype(np.uint64, copy=False)
    wide = np.zeros((count, 8), np.uint8)
    wide[:, :size] = np.frombuffer(data, np.uint8).reshape(count, size)
    return wide.view("<u8").astype(np.uint64, copy=False).reshape(-1)


def _leaves(item: MaskedBits, inverted: Words, planes: Words, products: Words, leads: bool) -> tuple[Words, Words]:
    """Shares of "less" and "equal" of each block, lowest first.

    Over a block with inverted public bits n_i and secret bits r_i (both lowest first):
        equal = prod_i (n_i + r_i)        less = sum_i n_i r_i prod_{j > i} (n_j + r_j)
    Multiplied out, every monomial in r is a plane, a prepared product, or public.

    Args:
        inverted: planes of NOT c.
        planes, products: our shares for r.
    """
    size, count, units = item.block, item.block_count, planes.shape[1]
    public = _padded(inverted, count * size, ~np.uint64(0)).reshape(count, size, units)
    secret = _padded(planes, count * size, np.uint64(0)).reshape(count, size, units)
    by_subset: dict[tuple[int, ...], Words] = {(i,): secret[:, i] for i in range(size)}
    shaped = products.reshape(-1, count, units)
    by_subset |= {subset: shaped[position] for position, subset in enumerate(item.subsets)}
    less = np.zeros((count, units), np.uint64)
    equal = np.zeros((count, units), np.uint64)
    if leads:
        equal ^= np.bitwise_and.reduce(public, axis=1)
    for subset, monomial in by_subset.items():
        outside = [i for i in range(size) if i not in subset]
        equal ^= _masked(monomial, public, outside)
        # r_S occurs in "less" once: with i the lowest of S, over the higher bits outside of S, and n_i.
        above = [i for i in outside if i > subset[0]]
        less ^= _masked(monomial, public, [subset[0], *above])
    return less, equal


def _masked(monomial: Words, public: Words, places: Sequence[int]) -> Words:
    result = monomial
    for place in places:
        result = result & public[:, place]
    return result


def _padded(planes: Words, rows: int, fill: np.uint64) -> Words:
    if len(planes) == rows:
        return planes
    padded = np.full((rows, planes.shape[1]), fill, np.uint64)
    padded[: len(planes)] = planes
    return padded


def _less_tree(context: Context, less: Words, equal: Words) -> Step[Words]:
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
