"""`Secret` and `SecretBits`: the operators and names of numpy, and nothing else. What they do stands in the core.

    Secret      a `Value` with operators: a lazy array of numbers, with a public range and a public denominator
    SecretBits  a `BitValue` with operators: a lazy array of booleans, which can do as numbers what a `Secret` can

Operators build nodes and compute nothing; `Party.reveal` and `Party.evaluate` do. The theory of operation is in
`mpcnet.dsl.values`. Rounds and bytes in docstrings are those of additive sharing: bytes for each element, from each
computing party to each other one, without what a dealer sends.
"""

from __future__ import annotations

import math
import typing
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain
from mpcnet.algebra.bits import BITS
from mpcnet.dsl import arithmetic, comparison, logic, selection, values
from mpcnet.dsl.logic import BitValue, Booleans
from mpcnet.dsl.nodes import Node
from mpcnet.dsl.opaque import PUBLIC_EXPONENT, Opaque
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, PublicLike, is_boolean, public_beside, to_booleans, to_public
from mpcnet.dsl.shapes import Axis, dimensions, integer
from mpcnet.dsl.values import Value
from mpcnet.errors import LocalError

__all__ = ("Logical", "Operand", "Secret", "SecretArray", "SecretBits", "domain_of")

Operand = typing.Union["Secret", "SecretBits", PublicLike]
"""What stands beside a secret as numbers."""

Logical = typing.Union["SecretBits", bool, np.bool_, NDArray[np.bool_]]
"""What stands beside secret bits as booleans."""

C = typing.TypeVar("C", Value, BitValue)


class SecretArray(Opaque, typing.Generic[C]):
    """What numbers and bits have in common: a shape, and all that they do as numbers."""

    __slots__ = ("core",)

    def __init__(self, core: C) -> None:
        self.core: C = core

    @abstractmethod
    def _value(self) -> Value:
        """Ourselves as numbers."""

    # What is public about it

    @property
    def shape(self) -> tuple[int, ...]:
        return self.core.node.shape

    @property
    def ndim(self) -> int:
        return len(self.core.node.shape)

    @property
    def size(self) -> int:
        return math.prod(self.core.node.shape)

    @property
    def node(self) -> Node:
        """The graph node, for those who extend the DSL."""
        return self.core.node

    @property
    def program(self) -> Program:
        """The fork's program, for those who extend the DSL."""
        return self.core.program

    def __len__(self) -> int:
        if not self.shape:
            raise LocalError("a secret of shape () has no length")
        return self.shape[0]

    # Arithmetic

    def __neg__(self) -> Secret:
        """Without a message."""
        return Secret(arithmetic.negate(self._value()))

    def __pos__(self) -> Secret:
        """Without a message."""
        return Secret(self._value())

    def __add__(self, other: Operand) -> Secret:
        """Without a message."""
        return Secret(arithmetic.add(self._value(), _operand(other, "'+' with")))

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Secret:
        """Without a message."""
        return Secret(arithmetic.subtract(self._value(), _operand(other, "'-' with")))

    def __rsub__(self, other: PublicLike) -> Secret:
        """Without a message."""
        return Secret(arithmetic.subtract_from(public_beside(other, "'-' with"), self._value()))

    def __mul__(self, other: Operand) -> Secret:
        """With public numbers without a message. One round with secrets, 16 bytes; with bits, 8 bytes and a bit."""
        if isinstance(other, SecretBits):
            return Secret(logic.select(other.core, self._value()))
        x, y = self._value(), _operand(other, "'*' with")
        return Secret(values.scale(x, y) if isinstance(y, Public) else arithmetic.multiply(x, y))

    def __rmul__(self, other: PublicLike) -> Secret:
        """Without a message."""
        return self * other

    def __pow__(self, exponent: int) -> Secret:
        """By a public exponent of at least 1: products by squaring, log2(exponent) rounds or one more."""
        if isinstance(exponent, SecretArray):
            raise LocalError(PUBLIC_EXPONENT)
        return Secret(arithmetic.power(self._value(), integer(exponent, "an exponent")))

    def __truediv__(self, other: PublicLike) -> Secret:
        """By one public number, exact. Without a message."""
        if isinstance(other, SecretArray):
            raise LocalError("division by a secret is not an operation of a secret")
        return Secret(arithmetic.divide(self._value(), public_beside(other, "'/' with")))

    def __rtruediv__(self, other: object) -> typing.NoReturn:
        raise LocalError("division by a secret is not an operation of a secret")

    def __matmul__(self, other: Operand) -> Secret:
        """As `dot`."""
        return self.dot(other)

    def __rmatmul__(self, other: PublicLike) -> Secret:
        """Without a message."""
        return Secret(arithmetic.matmul_public(self._value(), public_beside(other, "'@' with"), on_the_left=True))

    def dot(self, other: Operand) -> Secret:
        """The matrix product, as numpy's `matmul` for one and two dimensions.

        With public numbers without a message. With a secret one round, 8 bytes for each element of both operands.
        """
        x, y = self._value(), _operand(other, "'@' with")
        return Secret(arithmetic.matmul_public(x, y) if isinstance(y, Public) else arithmetic.matmul(x, y))

    def sum(self, axis: Axis = None) -> Secret:
        """The sum over an axis or several, or over everything. Without a message."""
        return Secret(arithmetic.total(self._value(), axis))

    def mean(self, axis: Axis = None) -> Secret:
        """The exact mean over an axis or several, or over everything. Without a message."""
        return Secret(arithmetic.mean(self._value(), axis))

    # Comparisons and order

    def __lt__(self, other: Operand) -> SecretBits:
        """6 rounds and 19 bytes for differences of 64 bits, 5 and 10 of 32; a round less up to 4096 elements.

        The fewer bits the range of the difference needs, the less; where it needs more than 64, a round more and
        three times the bytes.
        """
        return SecretBits(comparison.less(self._value(), _operand(other, "beside")))

    def __gt__(self, other: Operand) -> SecretBits:
        """Costs what < costs."""
        return SecretBits(comparison.greater(self._value(), _operand(other, "beside")))

    def __le__(self, other: Operand) -> SecretBits:
        """Costs what < costs."""
        return ~(self > other)

    def __ge__(self, other: Operand) -> SecretBits:
        """Costs what < costs."""
        return ~(self < other)

    def __eq__(self, other: Operand) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """6 rounds and 16 bytes for differences of 64 bits, 5 and 8 of 32; a round less up to 4096 elements."""
        return SecretBits(comparison.equal(self._value(), _operand(other, "beside")))

    def __ne__(self, other: Operand) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Costs what == costs."""
        return ~(self == other)

    __hash__: typing.ClassVar[None] = None  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    def one_hot(self, size: int) -> SecretBits:
        """Bits of shape (*shape, size): one at the index that this secret is, none if it is no such index.

        Costs what == costs, for each of the bits.
        """
        return SecretBits(comparison.one_hot(self._value(), integer(size, "a size")))

    def max(self) -> Secret:
        """The largest element of a one-dimensional secret.

        Up to 128 elements are compared all with all: a comparison, a test for equality and two rounds. More go in
        groups of 32, whose best go on, with as many rounds again for each level.
        """
        return self.kth_largest(1)

    def min(self) -> Secret:
        """The smallest element of a one-dimensional secret; costs what `max` costs."""
        return Secret(selection.smallest(self._value()))

    def kth_largest(self, place: int) -> Secret:
        """The element at a place of the order from the largest, counted from 1; costs as `max`, or more."""
        return Secret(selection.at_place(self._value(), integer(place, "a place")))

    def argmax(self) -> Secret:
        """Where the largest element stands; among equals the lowest index. Costs what `max` costs."""
        return Secret(selection.place_of_largest(self._value()))

    def argmin(self) -> Secret:
        """Where the smallest element stands; among equals the lowest index. Costs what `max` costs."""
        return Secret(selection.place_of_smallest(self._value()))

    def abs(self) -> Secret:
        """The absolute value. A comparison, one round, 8 bytes and a bit; nothing, if the range shows the sign."""
        return Secret(comparison.absolute(self._value()))

    def __abs__(self) -> Secret:
        """As `abs`."""
        return self.abs()

    def clip(self, low: PublicLike, high: PublicLike) -> Secret:
        """At least low and at most high, which are public.

        Two comparisons at once, one round and twice 8 bytes and a bit; half of it or nothing, if the range shows
        that one or both ends are kept.
        """
        return Secret(comparison.clip(self._value(), to_public(low), to_public(high)))


class Secret(SecretArray[Value]):
    """A shared array of numbers.

    Without a message: + and - with secrets and public numbers, * with public numbers, / by one public number,
    negation, `sum`, `mean`, `dot` and @ with public arrays, indexing, slicing, `reshape`, `transpose`. With
    correlated randomness: * and @ with secrets, comparisons (which give `SecretBits`), `abs`, `clip`, `min`,
    `max`, `argmin`, `argmax`, `one_hot`, `kth_largest`. Public operands are int, Fraction, Decimal, float (taken
    as the exact fraction that it is) and arrays of them. They must not come from secrets.

    Args:
        core: the value, for those who extend the DSL.

    Raises:
        LocalError: shapes do not fit, or an operation is not one of a secret.
        RangeError: the result's range leaves the domain.
    """

    __slots__ = ()

    def _value(self) -> Value:
        return self.core

    @property
    def denominator(self) -> int:
        """The public number by which the shared integers are divided."""
        return self.core.denominator

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """Lowest and highest value that it can have, known to all."""
        bounds, denominator = self.core.range, self.core.denominator
        return Fraction(bounds.low, denominator), Fraction(bounds.high, denominator)

    def __repr__(self) -> str:
        low, high = self.range
        return f"Secret(shape={self.shape}, range=[{low}, {high}])"

    def __getitem__(self, key: object) -> Secret:
        """By a public key, as in numpy. Without a message."""
        return Secret(values.index(self.core, key))

    def reshape(self, *shape: int | Sequence[int]) -> Secret:
        """The same elements in another shape; one dimension may be -1. Without a message."""
        return Secret(values.reshape(self.core, dimensions(shape)))

    def transpose(self) -> Secret:
        """The axes in reverse order. Without a message."""
        return Secret(values.transpose(self.core))

    @property
    def T(self) -> Secret:  # noqa: N802 -- numpy's name
        """The same as `transpose`."""
        return self.transpose()

    def in_fork(self, program: Program) -> Secret:
        """The same value in another fork of the job; for those who extend the DSL.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        return Secret(self.core.in_fork(program))


class SecretBits(SecretArray[BitValue]):
    """A shared array of booleans.

    Supported: `~ & | ^ ==` with each other and with public booleans; `any`, `all`; indexing, `reshape`,
    `transpose`; and all that `Secret` can do, as the numbers 0 and 1.

    Args:
        core: the bits, for those who extend the DSL.

    Raises:
        LocalError: shapes do not fit, or an operation is not one of secret bits.
    """

    __slots__ = ()

    def _value(self) -> Value:
        return self.core.number()

    def number(self) -> Secret:
        """The same as numbers 0 and 1. One round and one bit; computed once, whatever uses it."""
        return Secret(self.core.number())

    @property
    def denominator(self) -> int:
        """One: bits are whole."""
        return 1

    def __repr__(self) -> str:
        return f"SecretBits(shape={self.shape})"

    def __bool__(self) -> bool:
        raise LocalError(
            "a secret bit has no value here: 'if' and 'and' would have to know it; use & | ~ and `where`"
        )

    def __invert__(self) -> SecretBits:
        """Without a message."""
        return SecretBits(logic.invert(self.core))

    def __xor__(self, other: Logical) -> SecretBits:
        """Without a message."""
        return SecretBits(logic.exclusive_or(self.core, _logical(other)))

    __rxor__ = __xor__

    def __and__(self, other: Logical) -> SecretBits:
        """One round and 2 bits; with public booleans without a message."""
        return SecretBits(logic.conjunction(self.core, _logical(other)))

    __rand__ = __and__

    def __or__(self, other: Logical) -> SecretBits:
        """Costs what & costs."""
        return SecretBits(logic.disjunction(self.core, _logical(other)))

    __ror__ = __or__

    def __eq__(self, other: Operand) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """With bits and booleans without a message."""
        if isinstance(other, SecretBits):
            return ~(self ^ other)
        return self ^ ~to_booleans(other) if is_boolean(other) else super().__eq__(other)

    __hash__: typing.ClassVar[None] = None  # pyright: ignore[reportIncompatibleMethodOverride]

    def all(self, axis: Axis = None) -> SecretBits:
        """Whether all are one, over an axis or several, or over everything. log2(n) rounds and 2 bits."""
        return SecretBits(logic.every(self.core, axis))

    def any(self, axis: Axis = None) -> SecretBits:
        """Whether one at least is one; costs what `all` costs."""
        return SecretBits(logic.some(self.core, axis))

    def __rsub__(self, other: PublicLike) -> Secret:
        """One round and one bit, as numbers."""
        return -self + other

    def __mul__(self, other: Operand) -> Secret:
        """One round: with a secret 8 bytes and a bit, with public numbers one bit. With bits two, and 3 bits."""
        if isinstance(other, SecretBits):
            return (self & other).number()
        return self.select(other) if isinstance(other, Secret) else self.number() * other

    def select(self, numbers: Secret) -> Secret:
        """The number where the bit is one, zero elsewhere. One round, 8 bytes and a bit."""
        return Secret(logic.select(self.core, numbers.core))

    def __getitem__(self, key: object) -> SecretBits:
        """By a public key, as in numpy. Without a message."""
        return SecretBits(logic.index(self.core, key))

    def reshape(self, *shape: int | Sequence[int]) -> SecretBits:
        """The same elements in another shape; one dimension may be -1. Without a message."""
        return SecretBits(logic.reshape(self.core, dimensions(shape)))

    def transpose(self) -> SecretBits:
        """The axes in reverse order. Without a message."""
        return SecretBits(logic.transpose(self.core))

    @property
    def T(self) -> SecretBits:  # noqa: N802 -- numpy's name
        """The same as `transpose`."""
        return self.transpose()

    def in_fork(self, program: Program) -> SecretBits:
        """The same bits in another fork of the job; for those who extend the DSL.

        Raises:
            LocalError: they have not been evaluated, or belong to another job.
        """
        return SecretBits(self.core.in_fork(program))


def domain_of(value: Secret | SecretBits) -> Domain:
    """Where its shares live."""
    return BITS if isinstance(value, SecretBits) else value.program.domain


def _operand(value: Operand, beside: str) -> Value | Public:
    """The other side of an operator, as numbers."""
    if isinstance(value, Secret):
        return value.core
    return value.core.number() if isinstance(value, SecretBits) else public_beside(value, beside)


def _logical(value: Logical) -> BitValue | Booleans:
    """The other side of logic."""
    return value.core if isinstance(value, SecretBits) else to_booleans(value)
