"""Comparison straight from the summands, for providers that make no masked bits: the sign of x = x_1 + ... + x_n.

    1. party i's bits are XOR-shared as they stand: it holds them, the others hold zeros           no message
    2. carry-save adders take three numbers to two, until two are left: a sum without a message,
       carries by one AND for each bit, in one round a level [Wallace64]
    3. sign = a_top + b_top + carry, and the carry of a + b over the lower bits is a tree:
       generate = a b, propagate = a + b; generate = generate_hi + propagate_hi generate_lo, ...   one round a level
    [x = 0]: two parties compare x_1 with -x_2 bit by bit. More of them: a + b = 0 exactly if a XOR b is a OR b,
       shifted by one bit; then a tree of ANDs joins the bits

With two parties and 64 bits: 7 rounds; with three: 8. Semi-honest, any n - 1 of n parties may collude: everything
that is opened is masked by triples. Source: [CrypTFlow20] §3.1 for the tree, [Araki16] §4 for comparing by an
adder; deviates: n parties.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcnet.algebra import Words
from mpcnet.algebra.bits import to_planes, word_count
from mpcnet.correlated.items import BitTriples, Demand, Item
from mpcnet.engine import Context, Step
from mpcnet.schemes.beaver import and_packed
from mpcnet.schemes.bitplanes import less_tree, tree_ands, tree_rounds

__all__ = ("is_zero", "is_zero_cost", "sign_bits", "sign_cost")


def sign_cost(count: int, bits: int, parties: int) -> tuple[int, Demand, int]:
    """What `sign_bits` takes: rounds, correlated randomness, and bytes from each party to each other."""
    units, levels = word_count(count), _levels(parties)
    ands = (bits - 1) * sum(levels)
    if bits == 1:
        return 0, {}, 0
    demand, words = tree_ands(bits - 1, units)
    single = demand.pop(BitTriples(), 0) + (ands + bits - 1) * units
    found: dict[Item, int] = {BitTriples(): single, **demand}
    rounds = len(levels) + 1 + tree_rounds(bits - 1)
    return rounds, found, 8 * (2 * (ands + bits - 1) * units + words)


def sign_bits(context: Context, x: Words, bits: int) -> Step[Words]:
    """Packed XOR shares of [x < 0].

    Args:
        x: flat additive share; every value lies in [-2^(bits-1), 2^(bits-1)).
        bits: 1 to 64.
    """
    first, second = yield from _two_numbers(context, _own_planes(context, x, bits))
    sign: Words = first[-1] ^ second[-1]
    if bits > 1:
        low, other = first[:-1], second[:-1]
        generate = yield from and_packed(context, low, other)
        sign ^= yield from less_tree(context, generate, low ^ other)
    return sign


def is_zero_cost(count: int, bits: int, parties: int) -> tuple[int, Demand, int]:
    """What `is_zero` takes; see `sign_cost`."""
    units, levels = word_count(count), _levels(parties)
    ands = (bits - 1) * sum(levels) + (bits - 1)
    rounds = len(levels) + tree_rounds(bits)
    if parties > 2 and bits > 1:
        ands += bits - 1
        rounds += 1
    if not ands:
        return 0, {}, 0
    return rounds, {BitTriples(): ands * units}, 16 * ands * units


def is_zero(context: Context, x: Words, bits: int) -> Step[Words]:
    """Packed XOR shares of [x = 0], for values that are congruent to 0 modulo 2^bits only if they are 0."""
    parties = context.parties
    is_first = context.me == parties.computing[0]
    if len(parties.computing) == 2:
        own = x if is_first else np.asarray(np.negative(x))
        equal = to_planes(own, bits)
    else:
        first, second = yield from _two_numbers(context, _own_planes(context, x, bits))
        equal = first ^ second
        if bits > 1:
            low, other = first[:-1], second[:-1]
            both = yield from and_packed(context, low, other)
            equal[1:] ^= low ^ other ^ both
    if is_first:
        equal = ~equal
    while len(equal) > 1:
        half = len(equal) // 2
        joined = yield from and_packed(context, equal[0 : 2 * half : 2], equal[1 : 2 * half : 2])
        equal = np.concatenate([joined, equal[2 * half :]])
    result: Words = equal[0]
    return result


def _levels(parties: int) -> list[int]:
    """Adders in each level, until two numbers are left."""
    found: list[int] = []
    while parties > 2:
        found.append(parties // 3)
        parties -= parties // 3
    return found


def _own_planes(context: Context, x: Words, bits: int) -> list[Words]:
    """Our shares of the planes of every party's summand."""
    own = to_planes(x, bits)
    return [own if party == context.me else np.zeros_like(own) for party in context.parties.computing]


def _two_numbers(context: Context, numbers: Sequence[Words]) -> Step[tuple[Words, Words]]:
    """Two numbers of the same sum modulo 2^bits."""
    left = list(numbers)
    while len(left) > 2:
        groups = [left[start : start + 3] for start in range(0, len(left) - 2, 3)]
        rest = left[3 * len(groups) :]
        carries = yield from _carries(context, groups)
        left = [number for group, carry in zip(groups, carries, strict=True) for number in (_added(group), carry)]
        left += rest
    return left[0], left[1]


def _added(group: Sequence[Words]) -> Words:
    a, b, c = group
    return np.asarray(a ^ b ^ c)


def _carries(context: Context, groups: Sequence[Sequence[Words]]) -> Step[list[Words]]:
    """The carries of each three numbers, shifted to where they belong: maj(a, b, c) = (a + c)(b + c) + c."""
    if len(groups[0][0]) == 1:
        return [np.zeros_like(group[0]) for group in groups]
    left = np.stack([(a ^ c)[:-1] for a, _, c in groups])
    right = np.stack([(b ^ c)[:-1] for _, b, c in groups])
    products = yield from and_packed(context, left, right)
    made: list[Words] = []
    for (_, _, c), product in zip(groups, products, strict=True):
        carry = np.zeros_like(c)
        carry[1:] = product ^ c[:-1]
        made.append(carry)
    return made
