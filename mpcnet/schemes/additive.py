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

from mpcnet.algebra import Z64, Buffer, Domain, Shape, Words
from mpcnet.algebra.bits import BITS, word_count
from mpcnet.correlated.items import (
    BitTimesWord,
    BitTriples,
    DaBits,
    Demand,
    Item,
    MaskedBits,
    MatrixTriples,
    Triples,
)
from mpcnet.engine import Context, Inbox, Round, Setting, Step
from mpcnet.schemes import beaver, bitplanes, summands
from mpcnet.schemes.base import (
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

__all__ = ("AdditiveScheme",)


LATENCY_COUNT: typing.Final = 4096
"""Up to so many comparisons a round costs more than the randomness that spares it."""


class AdditiveScheme(Scheme):
    """n-out-of-n additive sharing over a ring."""

    name = "additive"
    threat: typing.ClassVar[Threat] = Threat("semi-honest", tolerates=lambda n: n - 1, least=2)

    def setup(self, context: Context) -> Step[object]:
        """Nothing to prepare: the pairs' seeds are there before a job begins."""
        yield from ()
        return None

    def setup_cost(self, setting: Setting) -> Cost:
        """Nothing."""
        return FREE

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
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
        shape = (len(owners), *row_shape)
        if not parties.computes:
            return Share(domain, shape, ())
        rows: list[Words] = []
        for owner in owners:
            if owner == parties.me and row is not None:
                rows.append(row)
            elif owner in inbox:
                rows.append(domain.from_bytes_untrusted(inbox[owner], row_shape, parties.names[owner]))
            else:
                rows.append(context.pair_uniform(owner, domain, row_shape, purpose="input", owner=owner))
        return Share(domain, shape, (domain.stack(rows, row_shape),))

    def _own_row(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
    ) -> Words | None:
        """What is left of our input when every other party's stream is taken off."""
        if context.me not in owners:
            return None
        parties = context.parties
        keeper = parties.me if parties.computes else parties.computing[0]
        rest = checked_row(domain, row_shape, mine).copy()
        for peer in parties.computing:
            if peer != keeper:
                stream = context.pair_uniform(peer, domain, row_shape, purpose="input", owner=parties.me)
                domain.subtract_into(rest, stream)
        return rest

    def input_cost(self, setting: Setting, domain: Domain, row_shape: Shape, owners: Owners) -> Cost:
        """One correction from each owner that does not compute."""
        computing = setting.parties.computing
        outsiders = [owner for owner in owners if owner not in computing]
        if not outsiders:
            return FREE
        return Cost(1, {}, lambda: bytes_between(outsiders, computing[:1], domain.nbytes(row_shape)))

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        """Uniform summands for all but the first party, which gets what is left. See `Scheme.split`."""
        rest = checked_row(domain, shape, row).copy()
        others = [domain.uniform(randomness(16), shape) for _ in range(computing - 1)]
        for part in others:
            domain.subtract_into(rest, part)
        return (rest,), *[(part,) for part in others]

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        """The first computing party adds the value to its summand."""
        if context.me != context.parties.computing[0]:
            return x
        return Share(x.domain, x.shape, (x.domain.add(x.parts[0], value),))

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        """What a product takes; see `mpcnet.schemes.beaver` and `mpcnet.schemes.bitplanes`."""
        count, words = primitive.count, word_count(primitive.count)
        parties = len(setting.parties.computing)
        demand: Demand
        if count == 0:
            return FREE
        match primitive.kind:
            case Kind.SIGN if _has_masked_bits(setting, primitive):
                rounds, demand, peer_bytes = bitplanes.sign_cost(count, primitive.bits, _block(count))
            case Kind.SIGN:
                rounds, demand, peer_bytes = summands.sign_cost(
                    count, primitive.bits, len(setting.parties.computing)
                )
            case Kind.IS_ZERO if _has_masked_bits(setting, primitive):
                rounds, demand, peer_bytes = bitplanes.is_zero_cost(count, primitive.bits, _block(count))
            case Kind.IS_ZERO:
                rounds, demand, peer_bytes = summands.is_zero_cost(count, primitive.bits, parties)
            case Kind.MATMUL:
                matrices = MatrixTriples(count // primitive.columns, primitive.inner, primitive.columns)
                rounds, demand = 1, {typing.cast("Item", matrices): 1}
                peer_bytes = 8 * matrices.inner * (matrices.rows + matrices.columns)
            case kind:
                item, element_bytes, word_bytes = _ELEMENTWISE[kind]
                rounds, demand = 1, {item: count if kind is Kind.MULTIPLY else words}
                peer_bytes = element_bytes * count + word_bytes * words
        computing = setting.parties.computing
        return Cost(rounds, demand, lambda: bytes_between(computing, computing, peer_bytes))

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """See `Scheme.compute`."""
        kind, count = primitive.kind, primitive.count
        domain = BITS if kind in _TO_BITS else Z64
        shape = (count // primitive.columns, primitive.columns) if kind is Kind.MATMUL else (count,)
        if count == 0:
            return Share(domain, shape, (domain.zeros(shape),) if context.parties.computes else ())
        if not context.parties.computes:
            for _ in range(self.compute_cost(context.setting, primitive).rounds):
                yield Round()
            return Share(domain, shape, ())
        step = _STEPS[kind](context, primitive, *[operand.parts[0] for operand in operands])
        return Share(domain, shape, ((yield from step),))

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """One round, 8 bytes an element from each computing party to each other. See `Scheme.open`."""
        return (yield from self._exchange(context, x, context.parties.computing))

    def open_cost(self, setting: Setting, domain: Domain, shape: Shape) -> Cost:
        """Every party's summand to every other."""
        return self.reveal_cost(setting, domain, shape, setting.parties.computing)

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """One round, 8 bytes an element from each computing party to each receiver. See `Scheme.reveal`."""
        return (yield from self._exchange(context, self._rerandomise(context, x), receivers))

    def reveal_cost(self, setting: Setting, domain: Domain, shape: Shape, receivers: Sequence[int]) -> Cost:
        """Every party's summand to the receivers."""
        if not receivers:
            return FREE
        computing = setting.parties.computing
        return Cost(1, {}, lambda: bytes_between(computing, receivers, domain.nbytes(shape)))

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
        if not receivers:
            return None
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


def _has_masked_bits(setting: Setting, primitive: Primitive) -> bool:
    """Whether comparisons may open a masked operand. Else they add the summands up, bit by bit."""
    skip_top = primitive.kind is Kind.SIGN
    return setting.makes(MaskedBits(primitive.bits, _block(primitive.count), skip_top=skip_top))


def _sign(context: Context, primitive: Primitive, x: Words) -> Step[Words]:
    if not _has_masked_bits(context.setting, primitive):
        return summands.sign_bits(context, x, primitive.bits)
    return bitplanes.sign_bits(context, x, primitive.bits, _block(primitive.count))


def _is_zero(context: Context, primitive: Primitive, x: Words) -> Step[Words]:
    if not _has_masked_bits(context.setting, primitive):
        return summands.is_zero(context, x, primitive.bits)
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
