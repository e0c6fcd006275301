"""Additive sharing: x = x_1 + ... + x_n, each party holds one uniform summand.

    owner o computes:       share of j = PRG(seed of (o, j)),   share of o = x - sum          no message
    owner o only gives:     the same for all but the first;     first gets x - sum            one message
    linear operations:      on each summand                                                   no message
    reveal to receivers:    each sends x_i + z_i, with sum z_i = 0                            one round

Semi-honest, n >= 2 computing parties, any n - 1 of them may collude.
Source: [CDN15] §3 for additive sharing; pairwise-seed zero shares as in [Araki16] §2.2, generalised to n parties
as in [Bonawitz17] §4.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence

from mpcnet.algebra import Z64, Buffer, Domain, Words
from mpcnet.algebra.bits import BITS, word_count
from mpcnet.correlated.items import BitTimesWord, BitTriples, DaBits, Item, MatrixTriples, Triples
from mpcnet.engine import Context, Inbox, Parties, Round, Step
from mpcnet.errors import LocalError
from mpcnet.schemes import beaver, bitplanes
from mpcnet.schemes.base import Cost, Forecast, Kind, Owners, Primitive, Scheme, Share, Threat

__all__ = ("AdditiveScheme",)


LATENCY_COUNT: typing.Final = 4096
"""Up to so many comparisons a round costs more than the randomness that spares it."""


class AdditiveScheme(Scheme):
    """n-out-of-n additive sharing over a ring."""

    name = "additive"
    threat: typing.ClassVar[Threat] = Threat(
        model="semi-honest", corrupted="all but one of the computing parties", least=2
    )

    def setup(self, context: Context) -> Step[None]:
        """Nothing to prepare: the pairs' seeds are there before a job begins."""
        yield from ()

    def input(
        self, context: Context, domain: Domain, row_shape: tuple[int, ...], owners: Owners, mine: Words | None
    ) -> Step[Share]:
        """One round if an owner does not compute, and otherwise none. See `Scheme.input`."""
        parties = context.parties
        outsiders = [owner for owner in owners if owner not in parties.computing]
        row = self._own_row(context, domain, row_shape, owners, mine)
        first = parties.computing[0]
        inbox: Inbox = {}
        if outsiders:
            to: dict[int, Buffer] = {}
            if row is not None and not parties.computes:
                to[first] = domain.to_bytes(row)
            expect = dict.fromkeys(outsiders, domain.nbytes(row_shape)) if parties.me == first else {}
            inbox = yield Round(to, expect)
        if not parties.computes:
            return Share(domain, (len(owners), *row_shape), ())
        rows = domain.zeros((len(owners), *row_shape))
        for position, owner in enumerate(owners):
            if owner == parties.me and row is not None:
                rows[position] = row
            elif owner in inbox:
                rows[position] = domain.from_bytes_untrusted(inbox[owner], row_shape, parties.names[owner])
            else:
                rows[position] = context.pair_uniform(owner, domain, row_shape, purpose="input", owner=owner)
        return Share(domain, rows.shape, (rows,))

    def _own_row(
        self, context: Context, domain: Domain, row_shape: tuple[int, ...], owners: Owners, mine: Words | None
    ) -> Words | None:
        """What is left of our input when every other party's stream is taken off."""
        if context.me not in owners:
            return None
        if mine is None or mine.shape != row_shape:
            raise LocalError(f"our input has shape {None if mine is None else mine.shape}, declared is {row_shape}")
        parties = context.parties
        keeper = parties.me if parties.computes else parties.computing[0]
        rest = mine.copy()
        for peer in parties.computing:
            if peer != keeper:
                rest -= context.pair_uniform(peer, domain, row_shape, purpose="input", owner=parties.me)
        return rest

    def input_cost(self, parties: Parties, domain: Domain, row_shape: tuple[int, ...], owners: Owners) -> Cost:
        """One correction from each owner that does not compute."""
        first = parties.computing[0]
        sent = {(owner, first): domain.nbytes(row_shape) for owner in owners if owner not in parties.computing}
        return Cost(rounds=1 if sent else 0, sent_bytes=sent)

    def add_public(self, parties: Parties, x: Share, value: Words) -> Share:
        """The first computing party adds the value to its summand."""
        if parties.me != parties.computing[0]:
            return x
        return Share(x.domain, x.shape, (x.domain.add(x.parts[0], value),))

    def forecast(self, primitive: Primitive) -> Forecast:
        """What a product takes; see `mpcnet.schemes.beaver` and `mpcnet.schemes.bitplanes`."""
        count, words = primitive.count, word_count(primitive.count)
        if count == 0:
            return Forecast(rounds=0, peer_bytes=0, demand={})
        match primitive.kind:
            case Kind.SIGN:
                return bitplanes.sign_forecast(count, primitive.bits, _block(count))
            case Kind.IS_ZERO:
                return bitplanes.is_zero_forecast(count, primitive.bits, _block(count))
            case Kind.MATMUL:
                matrices = MatrixTriples(count // primitive.columns, primitive.inner, primitive.columns)
                return Forecast(1, 8 * matrices.inner * (matrices.rows + matrices.columns), {matrices: 1})
            case kind:
                item, element_bytes, word_bytes = _ELEMENTWISE[kind]
                units = count if kind is Kind.MULTIPLY else words
                return Forecast(1, element_bytes * count + word_bytes * words, {item: units})

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """See `Scheme.compute`."""
        kind, count = primitive.kind, primitive.count
        domain = BITS if kind in _TO_BITS else Z64
        shape = (count // primitive.columns, primitive.columns) if kind is Kind.MATMUL else (count,)
        if count == 0:
            return Share(domain, shape, (domain.zeros(shape),) if context.parties.computes else ())
        if not context.parties.computes:
            for _ in range(self.forecast(primitive).rounds):
                yield Round()
            return Share(domain, shape, ())
        step = _STEPS[kind](context, primitive, *[operand.parts[0] for operand in operands])
        return Share(domain, shape, ((yield from step),))

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """One round, 8 bytes an element from each computing party to each other. See `Scheme.open`."""
        return (yield from self._exchange(context, x, context.parties.computing))

    def open_cost(self, parties: Parties, domain: Domain, shape: tuple[int, ...]) -> Cost:
        """Everybody's summand to everybody."""
        return self.reveal_cost(parties, domain, shape, parties.computing)

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """One round, 8 bytes an element from each computing party to each receiver. See `Scheme.reveal`."""
        return (yield from self._exchange(context, self._rerandomise(context, x), receivers))

    def reveal_cost(
        self, parties: Parties, domain: Domain, shape: tuple[int, ...], receivers: Sequence[int]
    ) -> Cost:
        """Everybody's summand to the receivers."""
        nbytes = domain.nbytes(shape)
        pairs = [(sender, receiver) for sender in parties.computing for receiver in receivers if sender != receiver]
        return Cost(rounds=1 if pairs else 0, sent_bytes=dict.fromkeys(pairs, nbytes))

    def verify(self, context: Context) -> Step[None]:
        """Nothing to check: semi-honest."""
        yield from ()

    def _rerandomise(self, context: Context, x: Share) -> Share:
        """The same secret with fresh summands: what leaves us for an output goes through here, once."""
        if not context.parties.computes:
            return x
        zero = context.zero_share(x.domain, x.shape, purpose="zero")
        x.domain.add_into(zero, x.parts[0])
        return Share(x.domain, x.shape, (zero,))

    def _exchange(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        parties, domain = context.parties, x.domain
        to: dict[int, Buffer] = {}
        if parties.computes:
            payload = domain.to_bytes(x.parts[0])
            to = {receiver: payload for receiver in receivers if receiver != parties.me}
        receiving = parties.me in receivers
        expect = dict.fromkeys(parties.peers, domain.nbytes(x.shape)) if receiving else {}
        inbox = yield Round(to, expect)
        if not receiving:
            return None
        total = x.parts[0].copy() if parties.computes else domain.zeros(x.shape)
        for sender in expect:
            domain.add_into(total, domain.from_bytes_untrusted(inbox[sender], x.shape, parties.names[sender]))
        return total


def _block(count: int) -> int:
    """Planes to a block of masked bits: four save a round, two save three quarters of the randomness."""
    return 4 if count <= LATENCY_COUNT else 2


def _sign(context: Context, primitive: Primitive, x: Words) -> Step[Words]:
    return bitplanes.sign_bits(context, x, primitive.bits, _block(primitive.count))


def _is_zero(context: Context, primitive: Primitive, x: Words) -> Step[Words]:
    return bitplanes.is_zero(context, x, primitive.bits, _block(primitive.count))


def _to_number(context: Context, primitive: Primitive, bits: Words) -> Step[Words]:
    return beaver.bit_to_number(context, bits, primitive.count)


def _of_two(
    function: Callable[[Context, Words, Words], Step[Words]],
) -> Callable[[Context, Primitive, Words, Words], Step[Words]]:
    def step(context: Context, primitive: Primitive, x: Words, y: Words) -> Step[Words]:
        return function(context, x, y)

    return step


_ELEMENTWISE: dict[Kind, tuple[Item, int, int]] = {
    Kind.MULTIPLY: (Triples(), 16, 0),
    Kind.AND: (BitTriples(), 0, 16),
    Kind.TO_NUMBER: (DaBits(), 0, 8),
    Kind.SELECT: (BitTimesWord(), 8, 8),
}
"""By kind: what it takes, and the bytes to each peer for an element and for a word of 64 bits."""
_TO_BITS = frozenset({Kind.SIGN, Kind.IS_ZERO, Kind.AND})
_STEPS: dict[Kind, Callable[..., Step[Words]]] = {
    Kind.MULTIPLY: _of_two(beaver.multiply),
    Kind.AND: _of_two(beaver.and_packed),
    Kind.SELECT: _of_two(beaver.bit_times_number),
    Kind.MATMUL: _of_two(beaver.matrix_product),
    Kind.TO_NUMBER: _to_number,
    Kind.SIGN: _sign,
    Kind.IS_ZERO: _is_zero,
}


if typing.TYPE_CHECKING:
    _: type[Scheme] = AdditiveScheme
