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

from collections.abc import Callable

import numpy as np

from mpcnet.algebra import Z64, Buffer, Words
from mpcnet.algebra.bits import BITS, unpack_bits, word_count
from mpcnet.algebra.domain import as_buffer
from mpcnet.correlated.items import BitTimesWord, BitTriples, DaBits, MatrixTriples, SharedTriples, Triples
from mpcnet.engine import Context, Round, Step

__all__ = (
    "and_packed",
    "and_shared",
    "bit_times_number",
    "bit_to_number",
    "exchange",
    "matrix_product",
    "multiply",
)


_TRIPLES = Triples()


def exchange(context: Context, mine: Words, add_into: Callable[[Words, Words], None]) -> Step[Words]:
    """Open an array to all computing parties in one round.

    Args:
        mine: our share, contiguous; frozen from now on.
        add_into: adds its second operand to the first in place, as `Domain.add_into`.
    Returns:
        the opened array, our own to write.
    """
    parties = context.parties
    peers, shape = parties.peers, mine.shape
    payload: Buffer = as_buffer(mine)
    inbox = yield Round(dict.fromkeys(peers, payload), dict.fromkeys(peers, len(payload)))
    total = mine.copy()
    for peer in peers:
        add_into(total, Z64.from_bytes_untrusted(inbox[peer], shape, parties.names[peer]))
    return total


def multiply(context: Context, x: Words, y: Words) -> Step[Words]:
    """Shares of the products of flat arrays. One round, 16 bytes an element to each peer."""
    a, b, c = context.correlated.spend(_TRIPLES, x.size)
    masked = np.empty((2, x.size), np.uint64)
    np.subtract(x, a, out=masked[0])
    np.subtract(y, b, out=masked[1])
    d, e = yield from exchange(context, masked, Z64.add_into)
    # One product for the leader instead of two: d (b + e) = d b + d e.
    result: Words = np.multiply(d, b + e if _leads(context) else b)
    np.multiply(e, a, out=e)
    result += e
    result += c
    return result


def matrix_product(context: Context, x: Words, y: Words) -> Step[Words]:
    """A share of the matrix product. One round, 8 bytes an element of x and y to each peer."""
    (rows, inner), columns = x.shape, y.shape[1]
    a, b, c = context.correlated.spend(MatrixTriples(rows, inner, columns), 1)
    a, b, c = a.reshape(rows, inner), b.reshape(inner, columns), c.reshape(rows, columns)
    masked = np.concatenate([(x - a).reshape(-1), (y - b).reshape(-1)])
    opened = yield from exchange(context, masked, Z64.add_into)
    d, e = opened[: x.size].reshape(x.shape), opened[x.size :].reshape(y.shape)
    result: Words = np.matmul(d, b + e if _leads(context) else b)
    result += np.matmul(a, e)
    result += c
    return result


def and_packed(context: Context, x: Words, y: Words) -> Step[Words]:
    """Shares of x AND y, packed, of any shape. One round, 2 bits an element to each peer."""
    a, b, c = (array.reshape(x.shape) for array in context.correlated.spend(BitTriples(), x.size))
    masked = np.empty((2, *x.shape), np.uint64)
    np.bitwise_xor(x, a, out=masked[0])
    np.bitwise_xor(y, b, out=masked[1])
    d, e = yield from exchange(context, masked, BITS.add_into)
    return _and_opened(_leads(context), (d, e), (a, b, c))


def and_shared(context: Context, x: Words, y: Words, y2: Words) -> Step[tuple[Words, Words]]:
    """Shares of x AND y and of x AND y2. One round, 3 bits an element to each peer."""
    a, b, b2, c, c2 = (array.reshape(x.shape) for array in context.correlated.spend(SharedTriples(), x.size))
    masked = np.empty((3, *x.shape), np.uint64)
    for place, (secret, mask) in enumerate(((x, a), (y, b), (y2, b2))):
        np.bitwise_xor(secret, mask, out=masked[place])
    d, e, e2 = yield from exchange(context, masked, BITS.add_into)
    is_first = _leads(context)
    return _and_opened(is_first, (d, e), (a, b, c)), _and_opened(is_first, (d, e2), (a, b2, c2))


def _and_opened(is_first: bool, opened: tuple[Words, Words], triple: tuple[Words, Words, Words]) -> Words:
    """Our share of a product of bits from the opened d and e: (d AND b) + (e AND a) + c, and once d AND e."""
    (d, e), (a, b, c) = opened, triple
    result: Words = np.bitwise_and(d, b ^ e if is_first else b)
    result ^= e & a
    result ^= c
    return result


def bit_to_number(context: Context, bits: Words, count: int) -> Step[Words]:
    """Additive shares of `count` packed bits. One round, one bit an element to each peer."""
    mask, number = context.correlated.spend(DaBits(), word_count(count))
    opened = yield from exchange(context, bits ^ mask.reshape(-1), BITS.add_into)
    v = unpack_bits(opened, count).astype(np.uint64)
    result = _selected(v, number[:count])
    if _leads(context):
        result += v
    return result


def bit_times_number(context: Context, bits: Words, x: Words) -> Step[Words]:
    """Additive shares of bit * x, for flat x and as many packed bits. One round, 65 bits an element to a peer."""
    count = x.size
    mask, a, number, product = context.correlated.spend(BitTimesWord(), word_count(count))
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

    def add_both(total: Words, other: Words) -> None:
        BITS.add_into(total[:split], other[:split])
        Z64.add_into(total[split:], other[split:])

    opened = yield from exchange(context, np.concatenate([bits, numbers]), add_both)
    return opened[:split], opened[split:]


def _selected(v: Words, x: Words) -> Words:
    """(1 - 2 v) x: x where v is 0, -x where it is 1."""
    return np.where(v.astype(np.bool_), np.negative(x), x)


def _leads(context: Context) -> bool:
    """Whether we are the party that adds public values."""
    return context.me == context.parties.computing[0]
