"""Products of additively shared values with correlated randomness: each is one round.

    multiply            d = x - a, e = y - b opened;      x y = c + d b + e a + d e
    AND, packed         the same over bits
    AND, one operand for two products: d, e, e' opened;   3 bits instead of 4
    bit to number       v = s + b opened (one bit);       s = b + v - 2 v b
    bit times number    v = s + b, d = x - a opened;      s x = v x + (1 - 2 v) (d b + a b)

The opened values are uniform whatever the secrets: each is masked by a fresh random one, used once.
Semi-honest, any n - 1 of n parties may collude. Source: [Beaver91] §2; [edaBits20] §3 for the bit conversions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mpcnet.algebra import Buffer, Words
from mpcnet.algebra.bits import unpack_bits, word_count
from mpcnet.algebra.domain import as_buffer
from mpcnet.correlated.items import BitTimesWord, BitTriples, DaBits, MatrixTriples, SharedTriples, Triples
from mpcnet.engine import Context, Round, Step
from mpcnet.errors import PeerViolation

__all__ = (
    "and_packed",
    "and_shared",
    "bit_times_number",
    "bit_to_number",
    "exchange",
    "matrix_product",
    "multiply",
)


def exchange(
    context: Context, mine: Sequence[Words], combine: Callable[[Words, Words], Words]
) -> Step[list[Words]]:
    """Open several arrays to all computing parties in one round.

    Args:
        mine: our shares.
        combine: in-place addition or XOR, as `np.add` with `out`.
    Returns:
        the opened arrays.
    """
    parties = context.parties
    flat = np.concatenate([array.reshape(-1) for array in mine]) if len(mine) > 1 else mine[0].reshape(-1)
    payload: Buffer = as_buffer(flat)
    nbytes = len(payload)
    inbox = yield Round(dict.fromkeys(parties.peers, payload), dict.fromkeys(parties.peers, nbytes))
    total = flat.copy()
    for peer in parties.peers:
        if len(inbox[peer]) != nbytes:
            raise PeerViolation(parties.names[peer], f"sent {len(inbox[peer])} bytes where {nbytes} were expected")
        combine(total, np.frombuffer(inbox[peer], "<u8"))
    sizes = np.cumsum([array.size for array in mine])[:-1]
    return [piece.reshape(array.shape) for piece, array in zip(np.split(total, sizes), mine, strict=True)]


def add_into(total: Words, other: Words) -> Words:
    """For `exchange` over Z/2^64."""
    return np.add(total, other, out=total)


def xor_into(total: Words, other: Words) -> Words:
    """For `exchange` over bits."""
    return np.bitwise_xor(total, other, out=total)


def multiply(context: Context, x: Words, y: Words) -> Step[Words]:
    """Shares of the products of flat arrays. One round, 16 bytes an element to each peer."""
    a, b, c = context.correlated.take(Triples(), x.size)
    d, e = yield from exchange(context, [x - a, y - b], add_into)
    result = d * b
    result += e * a
    result += c
    if _leads(context):
        result += d * e
    return result


def matrix_product(context: Context, x: Words, y: Words) -> Step[Words]:
    """A share of the matrix product. One round, 8 bytes an element of x and y to each peer."""
    (rows, inner), columns = x.shape, y.shape[1]
    a, b, c = context.correlated.take(MatrixTriples(rows, inner, columns), 1)
    a, b, c = a.reshape(rows, inner), b.reshape(inner, columns), c.reshape(rows, columns)
    d, e = yield from exchange(context, [x - a, y - b], add_into)
    # One product for the leader instead of two: d (b + e) = d b + d e.
    result: Words = np.matmul(d, b + e if _leads(context) else b)
    result += np.matmul(a, e)
    result += c
    return result


def and_packed(context: Context, x: Words, y: Words) -> Step[Words]:
    """Shares of x AND y, packed, of any shape. One round, 2 bits an element to each peer."""
    a, b, c = (array.reshape(x.shape) for array in context.correlated.take(BitTriples(), x.size))
    d, e = yield from exchange(context, [x ^ a, y ^ b], xor_into)
    result = (d & b) ^ (e & a) ^ c
    if _leads(context):
        result ^= d & e
    return result


def and_shared(context: Context, x: Words, y: Words, y2: Words) -> Step[tuple[Words, Words]]:
    """Shares of x AND y and of x AND y2. One round, 3 bits an element to each peer."""
    a, b, b2, c, c2 = (array.reshape(x.shape) for array in context.correlated.take(SharedTriples(), x.size))
    d, e, e2 = yield from exchange(context, [x ^ a, y ^ b, y2 ^ b2], xor_into)
    first, second = (d & b) ^ (e & a) ^ c, (d & b2) ^ (e2 & a) ^ c2
    if _leads(context):
        first ^= d & e
        second ^= d & e2
    return first, second


def bit_to_number(context: Context, bits: Words, count: int) -> Step[Words]:
    """Additive shares of `count` packed bits. One round, one bit an element to each peer."""
    mask, number = context.correlated.take(DaBits(), word_count(count))
    (opened,) = yield from exchange(context, [bits ^ mask.reshape(-1)], xor_into)
    v = unpack_bits(opened, count).astype(np.uint64)
    result = _selected(v, number[:count])
    if _leads(context):
        result += v
    return result


def bit_times_number(context: Context, bits: Words, x: Words) -> Step[Words]:
    """Additive shares of bit * x, for flat x and as many packed bits. One round, 65 bits an element to a peer."""
    count = x.size
    mask, a, number, product = context.correlated.take(BitTimesWord(), word_count(count))
    opened_bits, d = yield from _exchange_mixed(context, bits ^ mask.reshape(-1), x - a[:count])
    v = unpack_bits(opened_bits, count).astype(np.uint64)
    inner = d * number[:count]
    inner += product[:count]
    result = _selected(v, inner)
    result += v * x
    return result


def _exchange_mixed(context: Context, bits: Words, numbers: Words) -> Step[tuple[Words, Words]]:
    """One round for packed bits (XOR) and numbers (addition)."""
    split = bits.size

    def combine(total: Words, other: Words) -> Words:
        total[:split] ^= other[:split]
        total[split:] += other[split:]
        return total

    opened_bits, opened_numbers = yield from exchange(context, [bits, numbers], combine)
    return opened_bits, opened_numbers


def _selected(v: Words, x: Words) -> Words:
    """(1 - 2 v) x: x where v is 0, -x where it is 1."""
    return np.where(v.astype(np.bool_), np.negative(x), x)


def _leads(context: Context) -> bool:
    """Whether we are the party that adds public values."""
    return context.me == context.parties.computing[0]
