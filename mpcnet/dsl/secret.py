"""`Secret`: a lazy array whose value nobody knows, with numpy's names and a public range.

Operators build nodes and compute nothing; `Party.reveal` and `Party.evaluate` do. A secret stands for
share / denominator with a public denominator, so `mean` and division by public numbers are exact.
"""

from __future__ import annotations

import functools
import math
import operator
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from mpcnet.algebra import Words
from mpcnet.dsl import maps, ranges
from mpcnet.dsl.compute import Compute, MatrixProduct
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import AddPublic, Linear, Node, SubtractFrom
from mpcnet.dsl.opaque import Opaque
from mpcnet.dsl.ordered import Ordered
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, PublicLike, to_public
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.shapes import Axis, broadcast_shapes, integer, reduced_axes, reshaped_shape
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind

__all__ = ("Secret", "concatenate", "stack")


class Placed(typing.Protocol):
    """What belongs to a fork."""

    @property
    def program(self) -> Program:
        """The fork's program."""
        ...


class Convertible(ABC):
    """Secrets of another kind that can become numbers."""

    __slots__ = ()

    @abstractmethod
    def number(self) -> Secret:
        """The same as numbers."""


Operand = typing.Union["Secret", Convertible, PublicLike]


class Secret(Opaque, Ordered):
    """A shared array.

    Without a message: + and - with secrets and public numbers, * with public numbers, / by one public number,
    negation, `sum`, `mean`, `dot` and @ with public arrays, indexing, slicing, `reshape`, `transpose`. With
    correlated randomness: * and @ with secrets, comparisons (which give `SecretBits`), `abs`, `clip`, `min`,
    `max`, `argmin`, `argmax`, `one_hot`, `kth_largest`. Public operands are int, Fraction, Decimal, float (taken
    as the exact fraction that it is) and arrays of them. They must not come from secrets.

    Raises:
        LocalError: shapes do not fit, or an operation is not one of a secret.
        RangeError: the result's range leaves the domain.
    """

    __slots__ = ("_denominator", "_node", "_program")
    __array_ufunc__ = None  # numpy leaves ndarray + Secret to us

    def __init__(self, program: Program, node: Node, denominator: int = 1) -> None:
        self._program = program
        self._node = node
        self._denominator = denominator

    # What is public about it

    @property
    def shape(self) -> tuple[int, ...]:
        return self._node.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def denominator(self) -> int:
        """The public number by which the shared integers are divided."""
        return self._denominator

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """Lowest and highest value that it can have, known to all."""
        low, high = self._node.range.low, self._node.range.high
        return Fraction(low, self._denominator), Fraction(high, self._denominator)

    @property
    def node(self) -> Node:
        """The graph node, for those who extend the language."""
        return self._node

    @property
    def program(self) -> Program:
        """The fork's program, for those who extend the language."""
        return self._program

    def __len__(self) -> int:
        if not self.shape:
            raise LocalError("a secret of shape () has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        low, high = self.range
        return f"Secret(shape={self.shape}, range=[{low}, {high}])"

    # Arithmetic

    def __neg__(self) -> Secret:
        return self._linear("negate", maps.negated, self.shape, -self._node.range)

    def __pos__(self) -> Secret:
        return self

    def __add__(self, other: Operand) -> Secret:
        other = number_of(other)
        if isinstance(other, Secret):
            return _combine("add", maps.added, operator.add, self, other)
        base, value = self._broadcast_with(_operand(other, "+"))
        bound = base.node.range + ranges.of_values(value.numerators)
        return base._shifted(AddPublic(base._encoded(value), value.digest()), bound)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Secret:
        other = number_of(other)
        if isinstance(other, Secret):
            return _combine("subtract", maps.subtracted, operator.sub, self, other)
        base, value = self._broadcast_with(_operand(other, "-"))
        bound = base.node.range - ranges.of_values(value.numerators)
        # Negated in the ring, where -2^63 has a negative too: only the result's range counts.
        negative = self._program.domain.negate(base._encoded(value))
        return base._shifted(AddPublic(negative, value.digest(), "subtract-public"), bound)

    def __rsub__(self, other: Operand) -> Secret:
        base, value = self._broadcast_with(_operand(other, "-"))
        bound = ranges.of_values(value.numerators) - base.node.range
        return base._shifted(SubtractFrom(base._encoded(value), value.digest()), bound)

    def __mul__(self, other: Operand) -> Secret:
        if isinstance(other, Convertible):
            return NotImplemented  # a bit times a number is cheaper than two numbers
        if isinstance(other, Secret):
            return _times(self, other)
        factor = _operand(other, "*")
        if factor.shape == () and int(factor.numerators) == 1 == factor.denominator:
            return self
        shape = broadcast_shapes(self.shape, factor.shape)
        words = self._program.domain.encode(factor.numerators)
        bound = self._node.range.times(ranges.of_values(factor.numerators))
        return self._linear("scale", maps.scaled(words), shape, bound, factor)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Secret:
        """A power with a public exponent of at least 1, by squaring: at most 2 log2(exponent) products."""
        rest = integer(exponent, "an exponent")
        if rest < 1:
            raise LocalError(f"an exponent of a secret is at least 1, not {rest}")
        square: Secret = self
        while not rest & 1:
            square, rest = square * square, rest >> 1
        power = square
        while rest := rest >> 1:
            square = square * square
            power = power * square if rest & 1 else power
        return power

    def __truediv__(self, other: Operand) -> Secret:
        if isinstance(other, Secret | Convertible):
            raise LocalError("division by a secret is not an operation of a secret")
        divisor = _operand(other, "/")
        if divisor.shape != ():
            raise LocalError("divide by one public number; for an array of them multiply by an array of Fractions")
        if int(divisor.numerators) == 0:
            raise LocalError("division by zero")
        return self * Fraction(divisor.denominator, int(divisor.numerators))

    def __rtruediv__(self, other: object) -> typing.NoReturn:
        raise LocalError("division by a secret is not an operation of a secret")

    def __matmul__(self, other: Operand) -> Secret:
        return self.dot(other)

    def __rmatmul__(self, other: Operand) -> Secret:
        matrix = _operand(other, "@")
        return self._product("dot-left", matrix, (matrix.shape, self.shape), maps.matrix_on_the_left, axis=-1)

    def dot(self, other: Operand) -> Secret:
        """The matrix product, as numpy's `matmul` for one and two dimensions."""
        other = number_of(other)
        if isinstance(other, Secret):
            return _matrix_product(self, other)
        matrix = _operand(other, "@")
        axis = 0 if matrix.numerators.ndim == 1 else -2
        return self._product("dot", matrix, (self.shape, matrix.shape), maps.matrix_on_the_right, axis=axis)

    def _product(
        self,
        kind: str,
        matrix: Public,
        shapes: tuple[tuple[int, ...], tuple[int, ...]],
        of_matrix: Callable[[Words], maps.LinearMap],
        axis: int,
    ) -> Secret:
        if not all(1 <= len(shape) <= 2 for shape in shapes):
            raise LocalError(f"@ takes arrays of one or two dimensions, not {shapes[0]} @ {shapes[1]}")
        if shapes[0][-1] != shapes[1][0]:
            raise LocalError(
                f"shapes {shapes[0]} and {shapes[1]} do not fit for @: {shapes[0][-1]} is not {shapes[1][0]}"
            )
        shape = shapes[0][:-1] + shapes[1][1:]
        words = self._program.domain.encode(np.ascontiguousarray(matrix.numerators))
        bound = ranges.of_dot(self._node.range, matrix.numerators, axis)
        return self._linear(kind, of_matrix(words), shape, bound, matrix)

    def sum(self, axis: Axis = None) -> Secret:
        """The sum over an axis or several, or over everything."""
        axes, count = reduced_axes(axis, self.shape)
        shape = tuple(length for number, length in enumerate(self.shape) if number not in axes)
        bound = self._node.range.summed(count)
        return self._linear("sum", maps.summed(axes), shape, bound, parameters=repr(axes).encode())

    def mean(self, axis: Axis = None) -> Secret:
        """The exact mean over an axis or several, or over everything."""
        _, count = reduced_axes(axis, self.shape)
        if count == 0:
            raise LocalError("the mean of nothing is not defined")
        return self.sum(axis) / count

    # Structure

    def __getitem__(self, key: object) -> Secret:
        index = read_index(key, self.shape)
        return self._linear(
            "index", maps.indexed(index.key), index.shape, self._node.range, parameters=index.description
        )

    def reshape(self, *shape: int | Sequence[int]) -> Secret:
        """The same elements in another shape; one dimension may be -1."""
        result = reshaped_shape(shape, self.shape)
        return self._linear("reshape", maps.reshaped(result), result, self._node.range)

    def transpose(self) -> Secret:
        """The axes in reverse order."""
        return self._linear("transpose", maps.transposed, self.shape[::-1], self._node.range)

    @property
    def T(self) -> Secret:  # noqa: N802 -- numpy's name
        """The same as `transpose`."""
        return self.transpose()

    # Inner workings

    def _secret(self) -> Secret:
        return self

    def repeated(self, shape: tuple[int, ...]) -> Secret:
        """The same elements repeated to a shape, as numpy's rules have it; for those who extend the language."""
        if shape == self.shape:
            return self
        return self._linear("broadcast", maps.broadcast(shape), shape, self._node.range)

    def bounded(self, bound: Range) -> Secret:
        """The same with a range that its construction is known to keep; for those who extend the language."""
        if bound == self._node.range:
            return self
        return self._linear("bound", maps.same, self.shape, bound)

    def _broadcast_with(self, value: Public) -> tuple[Secret, Public]:
        """Ourselves in the shape of a sum with the value, and the value, both over the common denominator."""
        denominator = math.lcm(self._denominator, value.denominator)
        base = self.with_denominator(denominator)
        shape = broadcast_shapes(self.shape, value.shape)
        if shape != self.shape:
            base = base._linear("broadcast", maps.broadcast(shape), shape, base.node.range)
        return base, value.scaled_to(denominator)

    def _encoded(self, value: Public) -> Words:
        return self._program.domain.encode(value.numerators)

    def _shifted(self, operation: AddPublic | SubtractFrom, bound: Range) -> Secret:
        node = self._program.add(operation, (self._node,), self.shape, bound)
        return Secret(self._program, node, self._denominator)

    def with_denominator(self, denominator: int) -> Secret:
        """The same numbers over another denominator, a multiple of ours; for those who extend the DSL.

        Raises:
            RangeError: the shared integers would leave the domain.
        """
        factor, rest = divmod(denominator, self._denominator)
        if rest:
            raise LocalError(f"{denominator} is no multiple of the denominator {self._denominator}")
        if factor == 1:
            return self
        domain = self._program.domain
        what = "bringing fractions to a common denominator"
        Range(factor, factor).check(domain, what)
        self._node.range.times(Range(factor, factor)).check(domain, what)
        return Secret(self._program, (self * factor).node, denominator)

    def in_fork(self, program: Program) -> Secret:
        """The same value in another fork of the job; for those who extend the DSL.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        if program is self._program:
            return self
        return Secret(program, program.use(self._node), self._denominator)

    def _linear(
        self,
        kind: str,
        function: maps.LinearMap,
        shape: tuple[int, ...],
        bound: Range,
        factor: Public | None = None,
        parameters: bytes = b"",
    ) -> Secret:
        details = factor.digest() if factor else parameters
        node = self._program.add(Linear(kind, function, details), (self._node,), shape, bound)
        return Secret(self._program, node, self._denominator * (factor.denominator if factor else 1))


def concatenate(values: Sequence[Secret], axis: int = 0) -> Secret:
    """Secrets one after the other along an axis, as `numpy.concatenate`."""
    return _joined("concatenate", maps.concatenated(axis), values, axis)


def stack(values: Sequence[Secret], axis: int = 0) -> Secret:
    """Secrets of one shape side by side along a new axis, as `numpy.stack`."""
    return _joined("stack", maps.stacked(axis), values, axis)


def _joined(kind: str, function: maps.Rearrangement, values: Sequence[Secret], axis: int) -> Secret:
    if isinstance(values, Secret) or not values or not all(isinstance(value, Secret) for value in values):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise LocalError(f"{kind} takes a sequence of at least one secret")
    sides = aligned(values)
    try:
        shape = maps.shape_of(function, *(value.shape for value in sides))
    except ValueError:
        shapes = ", ".join(str(value.shape) for value in values)
        raise LocalError(f"shapes {shapes} do not fit for {kind} along axis {axis}") from None
    bound = functools.reduce(Range.union, (value.node.range for value in sides))
    operation = Linear(kind, function, repr(axis).encode())
    return _result(operation, sides, shape, bound)


def _combine(
    kind: str, function: maps.LinearMap, bound: Callable[[Range, Range], Range], x: Secret, y: Secret
) -> Secret:
    left, right = aligned([x, y])
    shape = broadcast_shapes(x.shape, y.shape)
    return _result(Linear(kind, function), [left, right], shape, bound(left.node.range, right.node.range))


def _result(operation: Linear, operands: Sequence[Secret], shape: tuple[int, ...], bound: Range) -> Secret:
    program = operands[0].program
    node = program.add(operation, tuple(operand.node for operand in operands), shape, bound)
    return Secret(program, node, operands[0].denominator)


def aligned(values: Sequence[Secret]) -> list[Secret]:
    """The values in one fork and over one denominator."""
    first = values[0]
    if all(value.program is first.program and value.denominator == first.denominator for value in values):
        return list(values)
    program = common_program(values)
    denominator = math.lcm(*(value.denominator for value in values))
    return [value.in_fork(program).with_denominator(denominator) for value in values]


def common_program(values: Sequence[Placed]) -> Program:
    """The fork in which values meet: the deepest one, whose ancestors must hold the others, evaluated."""
    program = max((value.program for value in values), key=lambda program: len(program.fork))
    for other in (value.program for value in values):
        if other.job != program.job or other.fork != program.fork[: len(other.fork)]:
            raise LocalError("values of two forks, or of two jobs, do not meet; reveal them, or use `in_fork`")
    return program


def number_of(value: Secret | Convertible | PublicLike) -> Secret | PublicLike:
    """Bits as numbers; everything else as it is."""
    return value.number() if isinstance(value, Convertible) else value


def _times(x: Secret, y: Secret) -> Secret:
    """Elementwise product. One round, 16 bytes an element to each peer."""
    program = common_program([x, y])
    shape = broadcast_shapes(x.shape, y.shape)
    left, right = x.in_fork(program).repeated(shape), y.in_fork(program).repeated(shape)
    bound = left.node.range.times(right.node.range)
    node = program.add(Compute(Kind.MULTIPLY), (left.node, right.node), shape, bound)
    return Secret(program, node, x.denominator * y.denominator)


def _matrix_product(x: Secret, y: Secret) -> Secret:
    """Product of shared vectors or matrices. One round, 8 bytes an element of both to each peer."""
    if not (1 <= x.ndim <= 2 and 1 <= y.ndim <= 2) or x.shape[-1] != y.shape[0]:
        raise LocalError(
            f"shapes {x.shape} and {y.shape} do not fit for @: it takes one or two dimensions, the inner ones equal"
        )
    program = common_program([x, y])
    inner, shape = y.shape[0], x.shape[:-1] + y.shape[1:]
    rows, columns = math.prod(x.shape[:-1]), math.prod(y.shape[1:])
    left, right = x.in_fork(program).reshape(rows, inner), y.in_fork(program).reshape(inner, columns)
    bound = left.node.range.times(right.node.range).summed(inner)
    if 0 in (rows, inner, columns):
        zeros = Linear("matmul-empty", maps.zeros((rows, columns)))
        node = program.add(zeros, (left.node, right.node), (rows, columns), Range(0, 0))
    else:
        node = program.add(MatrixProduct(inner), (left.node, right.node), (rows, columns), bound)
    return Secret(program, node, x.denominator * y.denominator).reshape(*shape)


def _operand(value: object, sign: str) -> Public:
    try:
        return to_public(value)
    except LocalError as error:
        raise type(error)(f"'{sign}' with a secret: {error}") from None
