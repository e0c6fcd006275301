"""In the clear, behind the interface of a scheme: the oracle of all tests. Protects nothing.

Every computing party holds the value itself. It is never run over links: the session refuses it there.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence

import numpy as np

from mpcnet.algebra import Z64, Buffer, Domain, Shape, Words
from mpcnet.algebra.bits import BITS
from mpcnet.engine import Context, Inbox, Round, Setting, Step
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

__all__ = ("PlainScheme",)


class PlainScheme(Scheme):
    """No sharing at all; for tests and for finding out what a program computes.

    Args:
        numbers: where secret numbers live: that of the scheme whose results are checked.
    """

    name = "plain"
    threat: typing.ClassVar[Threat] = Threat("none", tolerates=lambda n: 0, least=1)
    private = False

    def __init__(self, numbers: Domain = Z64) -> None:
        self.numbers = numbers

    def setup(self, context: Context) -> Step[object]:
        """Nothing to prepare."""
        yield from ()
        return None

    def setup_cost(self, setting: Setting) -> Cost:
        """Nothing."""
        return FREE

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
    ) -> Step[Share]:
        """One round: each owner sends its row to every computing party. See `Scheme.input`."""
        parties = context.parties
        to: dict[int, Buffer] = {}
        own = checked_row(domain, row_shape, mine) if parties.me in owners else None
        if own is not None:
            to = dict.fromkeys(parties.peers, domain.to_bytes(own))
        others = [owner for owner in owners if owner != parties.me]
        shape = (len(owners), *row_shape)
        inbox: Inbox = {}
        if self.input_cost(context.setting, domain, row_shape, owners).rounds:
            inbox = yield Round(to, dict.fromkeys(others, domain.nbytes(row_shape)) if parties.computes else {})
        if not parties.computes:
            return Share(domain, shape, ())
        rows: list[Words] = []
        for owner in owners:
            if owner == parties.me and own is not None:
                rows.append(own)
            else:
                rows.append(domain.from_bytes_untrusted(inbox[owner], row_shape, parties.names[owner]))
        return Share(domain, shape, (domain.stack(rows, row_shape),))

    def input_cost(self, setting: Setting, domain: Domain, row_shape: Shape, owners: Owners) -> Cost:
        """Every owner's row to every computing party."""
        computing = setting.parties.computing
        if not bytes_between(owners, computing, 0):
            return FREE
        return Cost(1, {}, lambda: bytes_between(owners, computing, domain.nbytes(row_shape)))

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        """The row for every party."""
        return ((checked_row(domain, shape, row),),) * computing

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        """Every party adds."""
        return Share(x.domain, x.shape, tuple(x.domain.add(part, value) for part in x.parts))

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        """Nothing: it is computed in the clear."""
        return FREE

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """See `Scheme.compute`."""
        yield from ()
        domain = BITS if primitive.kind in (Kind.SIGN, Kind.IS_ZERO, Kind.AND) else self.numbers
        shape: Shape = (primitive.count,)
        if primitive.kind is Kind.MATMUL:
            shape = (operands[0].shape[0], operands[1].shape[1])
        if not context.parties.computes:
            return Share(domain, shape, ())
        return Share(domain, shape, (self._in_the_clear(primitive, *(operand.parts[0] for operand in operands)),))

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """No round: every party has it."""
        yield from ()
        return x.parts[0].copy() if x.parts else None

    def open_cost(self, setting: Setting, domain: Domain, shape: Shape) -> Cost:
        """Nothing."""
        return FREE

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """One round: the first computing party sends the value to receivers that do not compute."""
        parties, first = context.parties, context.parties.computing[0]
        outside = [receiver for receiver in receivers if receiver not in parties.computing]
        if outside:
            to: dict[int, Buffer] = {}
            if parties.me == first:
                to = dict.fromkeys(outside, x.domain.to_bytes(x.parts[0]))
            inbox = yield Round(to, {first: x.domain.nbytes(x.shape)} if parties.me in outside else {})
            if parties.me in outside:
                return x.domain.from_bytes_untrusted(inbox[first], x.shape, parties.names[first]).copy()
        return x.parts[0].copy() if parties.me in receivers else None

    def reveal_cost(self, setting: Setting, domain: Domain, shape: Shape, receivers: Sequence[int]) -> Cost:
        """The value from the first computing party to each receiver that does not compute."""
        computing = setting.parties.computing
        outside = [receiver for receiver in receivers if receiver not in computing]
        if not outside:
            return FREE
        return Cost(1, {}, lambda: bytes_between(computing[:1], outside, domain.nbytes(shape)))

    def verify(self, context: Context) -> Step[None]:
        """Nothing to check."""
        yield from ()

    def _in_the_clear(self, primitive: Primitive, *operands: Words) -> Words:
        """The obvious computation of a primitive."""
        numbers, flat, x, y = self.numbers, (primitive.count,), operands[0], operands[-1]
        obvious: dict[Kind, Callable[[], Words]] = {
            Kind.SIGN: lambda: BITS.encode((numbers.decode(x, flat) < 0).astype(np.int64)),
            Kind.IS_ZERO: lambda: BITS.encode((numbers.decode(x, flat) == 0).astype(np.int64)),
            Kind.TO_NUMBER: lambda: numbers.encode(BITS.decode(x, flat)),
            Kind.SELECT: lambda: numbers.multiply(numbers.encode(BITS.decode(x, flat)), y),
            Kind.AND: lambda: BITS.multiply(x, y),
            Kind.MULTIPLY: lambda: numbers.multiply(x, y),
            Kind.MATMUL: lambda: numbers.matmul(x, y),
        }
        return obvious[primitive.kind]()


if typing.TYPE_CHECKING:
    _: type[Scheme] = PlainScheme
