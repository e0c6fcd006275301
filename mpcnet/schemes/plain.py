"""In the clear, behind the interface of a scheme: the oracle of all tests. Protects nothing.

Every computing party holds the value itself. It is never run over links: the session refuses it there.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence

import numpy as np

from mpcnet.algebra import Z64, Buffer, Domain, Words
from mpcnet.algebra.bits import BITS, pack_bits, unpack_bits
from mpcnet.engine import Context, Parties, Round, Step
from mpcnet.errors import LocalError
from mpcnet.schemes.base import Cost, Forecast, Kind, Owners, Primitive, Scheme, Share, Threat

__all__ = ("PlainScheme",)


class PlainScheme(Scheme):
    """No sharing at all; for tests and for finding out what a program computes."""

    name = "plain"
    threat: typing.ClassVar[Threat] = Threat(
        model="none", corrupted="none: every computing party sees every input", least=1
    )
    private = False

    def setup(self, context: Context) -> Step[None]:
        """Nothing to prepare."""
        yield from ()

    def input(
        self, context: Context, domain: Domain, row_shape: tuple[int, ...], owners: Owners, mine: Words | None
    ) -> Step[Share]:
        """One round: each owner sends its row to every computing party. See `Scheme.input`."""
        parties = context.parties
        to: dict[int, Buffer] = {}
        if parties.me in owners:
            if mine is None or mine.shape != row_shape:
                raise LocalError(
                    f"our input has shape {None if mine is None else mine.shape}, declared is {row_shape}"
                )
            to = dict.fromkeys(parties.peers, domain.to_bytes(mine))
        others = [owner for owner in owners if owner != parties.me]
        inbox = yield Round(to, dict.fromkeys(others, domain.nbytes(row_shape)) if parties.computes else {})
        shape = (len(owners), *row_shape)
        if not parties.computes:
            return Share(domain, shape, ())
        rows = domain.zeros(shape)
        for position, owner in enumerate(owners):
            if owner == parties.me and mine is not None:
                rows[position] = mine
            else:
                rows[position] = domain.from_bytes_untrusted(inbox[owner], row_shape, parties.names[owner])
        return Share(domain, shape, (rows,))

    def input_cost(self, parties: Parties, domain: Domain, row_shape: tuple[int, ...], owners: Owners) -> Cost:
        """Every owner's row to every computing party."""
        pairs = [(owner, party) for owner in owners for party in parties.computing if owner != party]
        return Cost(rounds=1 if pairs else 0, sent_bytes=dict.fromkeys(pairs, domain.nbytes(row_shape)))

    def add_public(self, parties: Parties, x: Share, value: Words) -> Share:
        """Everybody adds."""
        return Share(x.domain, x.shape, tuple(x.domain.add(part, value) for part in x.parts))

    def forecast(self, primitive: Primitive) -> Forecast:
        """Nothing: it is computed in the clear."""
        return Forecast(rounds=0, peer_bytes=0, demand={})

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """See `Scheme.compute`."""
        yield from ()
        domain = BITS if primitive.kind in (Kind.SIGN, Kind.IS_ZERO, Kind.AND) else Z64
        shape: tuple[int, ...] = (primitive.count,)
        if primitive.kind is Kind.MATMUL:
            shape = (operands[0].shape[0], operands[1].shape[1])
        if not context.parties.computes:
            return Share(domain, shape, ())
        return Share(domain, shape, (_in_the_clear(primitive, *(operand.parts[0] for operand in operands)),))

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """No round: everybody has it."""
        yield from ()
        return x.parts[0].copy() if x.parts else None

    def open_cost(self, parties: Parties, domain: Domain, shape: tuple[int, ...]) -> Cost:
        """Nothing."""
        return Cost(rounds=0, sent_bytes={})

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """One round: the first computing party sends the value to receivers that do not compute."""
        parties, first = context.parties, context.parties.computing[0]
        outside = [receiver for receiver in receivers if receiver not in parties.computing]
        to: dict[int, Buffer] = dict.fromkeys(outside, x.domain.to_bytes(x.parts[0])) if parties.me == first else {}
        inbox = yield Round(to, {first: x.domain.nbytes(x.shape)} if parties.me in outside else {})
        if parties.me in outside:
            return x.domain.from_bytes_untrusted(inbox[first], x.shape, parties.names[first]).copy()
        return x.parts[0].copy() if parties.me in receivers else None

    def reveal_cost(
        self, parties: Parties, domain: Domain, shape: tuple[int, ...], receivers: Sequence[int]
    ) -> Cost:
        """The value from the first computing party to each receiver that does not compute."""
        first = parties.computing[0]
        sent = {
            (first, receiver): domain.nbytes(shape) for receiver in receivers if receiver not in parties.computing
        }
        return Cost(rounds=1 if sent else 0, sent_bytes=sent)

    def verify(self, context: Context) -> Step[None]:
        """Nothing to check."""
        yield from ()


def _in_the_clear(primitive: Primitive, *operands: Words) -> Words:
    """The obvious computation of a primitive."""
    spare, count, x, y = np.uint64(64 - primitive.bits), primitive.count, operands[0], operands[-1]
    obvious: dict[Kind, Callable[[], Words]] = {
        Kind.SIGN: lambda: pack_bits((x << spare).view(np.int64) < 0),
        Kind.IS_ZERO: lambda: pack_bits(x << spare == 0),
        Kind.TO_NUMBER: lambda: unpack_bits(x, count).astype(np.uint64),
        Kind.SELECT: lambda: unpack_bits(x, count) * y,
        Kind.AND: lambda: np.bitwise_and(x, y),
        Kind.MULTIPLY: lambda: np.multiply(x, y),
        Kind.MATMUL: lambda: np.asarray(np.matmul(x, y)),
    }
    return obvious[primitive.kind]()


if typing.TYPE_CHECKING:
    _: type[Scheme] = PlainScheme
