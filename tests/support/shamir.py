"""A scheme that is none of the bundled ones: Shamir's, with three parties over the field of 2^61 - 1 elements.

    share of party i        f(i) of f(x) = secret + a x, with uniform a
    owner o, helper k       f(k) = PRG(seed of (o, k)); o sends f(j) to the others                  one round
    multiplication          f(i) g(i), of degree 2, shared anew and added up with Lagrange's
                            coefficients                                                            one round
    open                    two shares are enough: each party gets one, from the next               one round
    reveal                  each sends its weighted share plus a share of zero                      one round

It computes sums, products and products of matrices, and no comparisons. For tests: what holds for it holds because
the interfaces hold, and not because a scheme resembles additive sharing over Z/2^64.

Semi-honest, one of three parties may be corrupted. Source: [Shamir79]; [BGW88] §2.2 and [GRR98] §3 for
multiplication.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Buffer, Domain, Shape, Words
from mpcnet.algebra.domain import Move
from mpcnet.algebra.expand import expand
from mpcnet.engine import Context, Round, Setting, Step
from mpcnet.errors import PeerViolation
from mpcnet.schemes import (
    FREE,
    Cost,
    Kind,
    Owners,
    Parts,
    Primitive,
    Scheme,
    Share,
    Threat,
    bytes_between,
    checked_row,
)

__all__ = ("F61", "Field61", "ShamirScheme")

P: typing.Final = 2**61 - 1
_P = np.uint64(P)
_61, _32, _29, _3 = (np.uint64(bits) for bits in (61, 32, 29, 3))
_LOW_32, _LOW_29 = np.uint64(2**32 - 1), np.uint64(2**29 - 1)


def _reduced(x: Words) -> Words:
    """Any words modulo p: 2^61 is 1."""
    folded = np.asarray((x & _P) + (x >> _61))  # at most p + 7
    return np.asarray(np.where(folded >= _P, folded - _P, folded))


@dataclass(frozen=True, slots=True)
class Field61(Domain):
    """The integers modulo the prime 2^61 - 1, one word to an element. Integers are those nearest to zero."""

    name: str = "F(2^61-1)"
    lowest: int = -(P // 2)
    highest: int = P // 2

    def encode(self, values: NDArray[np.int64]) -> Words:
        return np.asarray(np.mod(values, P)).astype(np.uint64)

    def decode(self, elements: Words, shape: Shape) -> NDArray[np.int64]:
        signed = elements.astype(np.int64)
        return np.asarray(np.where(signed > self.highest, signed - P, signed)).reshape(shape)

    def uniform(self, key: bytes, shape: Shape) -> Words:
        # 61 bits are all zeros or all ones, which are one element, with a probability of 2^-60: far below σ.
        words = expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False)
        return _reduced(words & _P).reshape(shape)

    def array_shape(self, shape: Shape) -> Shape:
        return shape

    def from_bytes_untrusted(self, data: Buffer, shape: Shape, party: str) -> Words:
        # `super()` without arguments does not find the class that a dataclass with slots becomes.
        elements = Domain.from_bytes_untrusted(self, data, shape, party)
        if np.any(elements >= _P):
            raise PeerViolation(party, "sent words that are no elements of the field")
        return elements

    def add(self, x: Words, y: Words) -> Words:
        return _reduced(np.asarray(np.add(x, y)))

    def subtract(self, x: Words, y: Words) -> Words:
        return _reduced(np.asarray(np.add(x, np.subtract(_P, y))))

    def multiply(self, x: Words, y: Words) -> Words:
        # In halves of 32 bits: x y = high 2^64 + middle 2^32 + low, and 2^64 is 8.
        x_high, x_low, y_high, y_low = x >> _32, x & _LOW_32, y >> _32, y & _LOW_32
        high = np.asarray(np.multiply(x_high, y_high)) << _3
        middle = np.asarray(np.multiply(x_high, y_low)) + np.asarray(np.multiply(x_low, y_high))
        middle = (middle >> _29) + ((middle & _LOW_29) << _32)
        return _reduced(np.asarray(high + middle + _reduced(np.asarray(np.multiply(x_low, y_low)))))

    def negate(self, x: Words) -> Words:
        return _reduced(np.asarray(np.subtract(_P, x)))

    def sum(self, x: Words, shape: Shape, axes: Shape) -> Words:
        high = np.asarray(np.sum(x >> _32, axis=axes, dtype=np.uint64))
        low = np.asarray(np.sum(x & _LOW_32, axis=axes, dtype=np.uint64))
        return self.add(self.multiply(_reduced(high), np.asarray(np.uint64(2**32))), _reduced(low))

    def matmul(self, x: Words, y: Words) -> Words:
        inner = x.shape[-1]
        left, right = x.reshape(math.prod(x.shape[:-1]), inner), y.reshape(inner, math.prod(y.shape[1:]))
        products = self.multiply(left[:, :, np.newaxis], right[np.newaxis])
        return self.sum(products, products.shape, (1,)).reshape(x.shape[:-1] + y.shape[1:])

    def add_into(self, total: Words, x: Words) -> None:
        total[...] = self.add(total, x)

    def subtract_into(self, total: Words, x: Words) -> None:
        total[...] = self.subtract(total, x)

    def rearrange(self, move: Move, shapes: Sequence[Shape], *arrays: Words) -> Words:
        return np.asarray(move(*arrays))


F61: typing.Final[Domain] = Field61()


def _constant(value: int) -> Words:
    return np.asarray(np.uint64(value % P))


_AT_ZERO = tuple(_constant(value) for value in (3, -3, 1))
"""f(0) = 3 f(1) - 3 f(2) + f(3) for polynomials of degree 2."""


class ShamirScheme(Scheme):
    """Shamir's sharing of degree 1 among three parties; the one at position i holds f(i + 1)."""

    name = "shamir"
    threat: typing.ClassVar[Threat] = Threat("semi-honest", tolerates=lambda n: 1, least=3, most=3)
    kinds = frozenset({Kind.MULTIPLY, Kind.MATMUL})
    numbers = F61

    def setup(self, context: Context) -> Step[object]:
        yield from ()
        return None

    def setup_cost(self, setting: Setting) -> Cost:
        return FREE

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
    ) -> Step[Share]:
        parties, shape = context.parties, (len(owners), *row_shape)
        to: dict[int, Buffer] = {}
        own: Words | None = None
        if parties.me in owners:
            row = checked_row(domain, row_shape, mine)
            helper = _helper(parties.me, parties.computing)
            stream = context.pair_uniform(helper, domain, row_shape, purpose="input", owner=parties.me)
            slope = _slope(domain, row, stream, parties.computing.index(helper) + 1)
            for position, party in enumerate(parties.computing):
                share = _at(domain, row, slope, position + 1)
                if party == parties.me:
                    own = share
                elif party != helper:
                    to[party] = domain.to_bytes(share)
        helped = {owner: _helper(owner, parties.computing) for owner in owners}
        senders = [owner for owner, helper in helped.items() if parties.me not in (owner, helper)]
        expect = dict.fromkeys(senders, domain.nbytes(row_shape)) if parties.computes else {}
        inbox = yield Round(to, expect)
        if not parties.computes:
            return Share(domain, shape, ())
        rows: list[Words] = []
        for owner, helper in helped.items():
            if owner == parties.me and own is not None:
                rows.append(own)
            elif helper == parties.me:
                rows.append(context.pair_uniform(owner, domain, row_shape, purpose="input", owner=owner))
            else:
                rows.append(domain.from_bytes_untrusted(inbox[owner], row_shape, parties.names[owner]))
        return Share(domain, shape, (domain.stack(rows, row_shape),))

    def input_cost(self, setting: Setting, domain: Domain, row_shape: Shape, owners: Owners) -> Cost:
        computing, nbytes = setting.parties.computing, domain.nbytes(row_shape)

        def sent() -> dict[tuple[int, int], int]:
            pairs = ((owner, party) for owner in owners for party in computing)
            return {pair: nbytes for pair in pairs if pair[1] not in (pair[0], _helper(pair[0], computing))}

        return Cost(1, {}, sent)

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        secret, slope = checked_row(domain, shape, row), domain.uniform(randomness(16), shape)
        return tuple((_at(domain, secret, slope, position + 1),) for position in range(computing))

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        return Share(x.domain, x.shape, tuple(x.domain.add(part, value) for part in x.parts))

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        if not primitive.count:
            return FREE
        computing, nbytes = setting.parties.computing, self.numbers.nbytes((primitive.count,))
        return Cost(1, {}, lambda: bytes_between(computing, computing, nbytes))

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        parties, domain, count = context.parties, self.numbers, primitive.count
        shape = (count // primitive.columns, primitive.columns) if primitive.kind is Kind.MATMUL else (count,)
        if not parties.computes:
            if count:
                yield Round()
            return Share(domain, shape, ())
        product = domain.matmul if primitive.kind is Kind.MATMUL else domain.multiply
        (x,), (y,) = (operand.parts for operand in operands)
        of_degree_two = product(x, y)
        if not count:
            return Share(domain, shape, (of_degree_two,))
        slope = domain.uniform(context.randomness(16), shape)
        to: dict[int, Buffer] = {}
        total = domain.zeros(shape)
        for position, party in enumerate(parties.computing):
            again = _at(domain, of_degree_two, slope, position + 1)
            if party == parties.me:
                domain.add_into(total, domain.multiply(again, _AT_ZERO[position]))
            else:
                to[party] = domain.to_bytes(again)
        inbox = yield Round(to, dict.fromkeys(parties.peers, domain.nbytes(shape)))
        for position, party in enumerate(parties.computing):
            if party != parties.me:
                share = domain.from_bytes_untrusted(inbox[party], shape, parties.names[party])
                domain.add_into(total, domain.multiply(share, _AT_ZERO[position]))
        return Share(domain, shape, (total,))

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        parties, domain = context.parties, x.domain
        if not parties.computes:
            yield Round()
            return None
        (part,) = x.parts
        position = parties.computing.index(parties.me)
        after = (position + 1) % 3
        to = {parties.computing[(position + 2) % 3]: domain.to_bytes(part)}
        next_party = parties.computing[after]
        inbox = yield Round(to, {next_party: domain.nbytes(x.shape)})
        other = domain.from_bytes_untrusted(inbox[next_party], x.shape, parties.names[next_party])
        # The line through (i, f(i)) and (j, f(j)) at zero: (j f(i) - i f(j)) / (j - i).
        i, j = position + 1, after + 1
        scaled = domain.subtract(domain.multiply(part, _constant(j)), domain.multiply(other, _constant(i)))
        return domain.multiply(scaled, _constant(pow(j - i, -1, P)))

    def open_cost(self, setting: Setting, domain: Domain, shape: Shape) -> Cost:
        first, second, third = setting.parties.computing
        pairs = [(second, first), (third, second), (first, third)]
        return Cost(1, {}, lambda: dict.fromkeys(pairs, domain.nbytes(shape)))

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        parties, domain = context.parties, x.domain
        if not receivers:
            return None
        mine = domain.zeros(x.shape)
        to: dict[int, Buffer] = {}
        if parties.computes:
            weight = _AT_ZERO[parties.computing.index(parties.me)]
            zero = context.zero_share(domain, x.shape, purpose="zero")
            mine = domain.add(domain.multiply(x.parts[0], weight), zero)
            payload = domain.to_bytes(mine)
            to = {receiver: payload for receiver in receivers if receiver != parties.me}
        receiving = parties.me in receivers
        inbox = yield Round(to, dict.fromkeys(parties.peers, domain.nbytes(x.shape)) if receiving else {})
        if not receiving:
            return None
        total = mine.copy()
        for peer in parties.peers:
            domain.add_into(total, domain.from_bytes_untrusted(inbox[peer], x.shape, parties.names[peer]))
        return total

    def reveal_cost(self, setting: Setting, domain: Domain, shape: Shape, receivers: Sequence[int]) -> Cost:
        if not receivers:
            return FREE
        computing = setting.parties.computing
        return Cost(1, {}, lambda: bytes_between(computing, receivers, domain.nbytes(shape)))

    def verify(self, context: Context) -> Step[None]:
        yield from ()


def _helper(owner: int, computing: Sequence[int]) -> int:
    """The computing party whose share of an owner's row is the stream that both know."""
    return computing[0] if computing[0] != owner else computing[1]


def _at(domain: Domain, secret: Words, slope: Words, x: int) -> Words:
    return domain.add(secret, domain.multiply(slope, _constant(x)))


def _slope(domain: Domain, secret: Words, share: Words, x: int) -> Words:
    """Of the line through the secret at zero and the share at x."""
    return domain.multiply(domain.subtract(share, secret), _constant(pow(x, -1, P)))


if typing.TYPE_CHECKING:
    _: type[Scheme] = ShamirScheme
