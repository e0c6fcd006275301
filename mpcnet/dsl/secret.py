"""`Secret`: a lazy array whose value nobody knows, with numpy's names and a public range.

Operators build nodes and compute nothing; `Party.reveal` and `Party.evaluate` do. A secret stands for
share / denominator with a public denominator, so `mean` and division by public numbers are exact.
"""

from __future__ import annotations

import functools
import math
import operator
import typing
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from mpcnet.algebra import Words
from mpcnet.dsl import maps, ranges
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import AddPublic, Linear, Node, SubtractFrom
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, PublicLike, to_public
from mpcnet.dsl.ranges import Range
from mpcnet.errors import LocalError

__all__ = ("Secret", "concatenate", "stack")

_NO_PRODUCT = "the product of two secrets needs correlated randomness, which this version does not make"
_NO_COMPARISON = "a comparison of secrets needs correlated randomness, which this version does not make"

Axis = typing.SupportsIndex | tuple[typing.SupportsIndex, ...] | None

_TEACH = (
    "a secret has no value here: {what} would have to know it. "
    "Compute on it with operators, and learn what was agreed with 'await party.reveal(...)'"
)


class Secret:
    """A shared array.

    Supported: + and - with secrets and public numbers; * with public numbers; / by one public number; negation;
    `sum`, `mean`, `dot` and @ with public arrays; indexing, slicing, `reshape`, `transpose`. Public operands are
    int, Fraction, Decimal, float (taken as the exact fraction that it is) and arrays of them. They must not come
    from secrets.

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
        """The graph node, for those who extend the DSL."""
        return self._node

    @property
    def program(self) -> Program:
        """The fork's program, for those who extend the DSL."""
        return self._program

    def __len__(self) -> int:
        if not self.shape:
            raise LocalError("a secret of shape () has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        low, high = self.range
        return f"Secret(shape={self.shape}, range=[{low}, {high}])"

    # What would need its value

    def __bool__(self) -> bool:
        raise LocalError(_TEACH.format(what="'if' or 'and'"))

    def __int__(self) -> int:
        raise LocalError(_TEACH.format(what="int()"))

    def __float__(self) -> float:
        raise LocalError(_TEACH.format(what="float()"))

    def __index__(self) -> int:
        raise LocalError(_TEACH.format(what="indexing with it"))

    def __iter__(self) -> Iterator[Secret]:
        raise LocalError(
            "a secret is not iterated: operate on the whole array, or take x[i] for i in range(len(x))"
        )

    def __array__(self, dtype: object = None, copy: object = None) -> typing.NoReturn:
        raise LocalError(_TEACH.format(what="a numpy array of it"))

    def __array_function__(self, function: Callable[..., object], *rest: object) -> typing.NoReturn:
        raise LocalError(
            f"numpy.{function.__name__} does not take secrets: use the secret's own methods, as x.sum(), "
            "or mpcnet's concatenate and stack"
        )

    # `==` and its kin must not fall back to identity: `if bid == 0` would silently be false.

    def __eq__(self, other: object) -> typing.NoReturn:
        raise LocalError(_NO_COMPARISON)

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__: typing.ClassVar[None]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    # Arithmetic

    def __neg__(self) -> Secret:
        return self._linear("negate", maps.negated, self.shape, -self._node.range)

    def __pos__(self) -> Secret:
        return self

    def __add__(self, other: Secret | PublicLike) -> Secret:
        if isinstance(other, Secret):
            return _combine("add", maps.added, operator.add, self, other)
        base, value = self._met_by(_operand(other, "+"))
        bound = base.node.range + ranges.of_values(value.numerators)
        return base._shifted(AddPublic(base._encoded(value), value.digest()), bound)

    __radd__ = __add__

    def __sub__(self, other: Secret | PublicLike) -> Secret:
        if isinstance(other, Secret):
            return _combine("subtract", maps.subtracted, operator.sub, self, other)
        base, value = self._met_by(_operand(other, "-"))
        bound = base.node.range - ranges.of_values(value.numerators)
        # Negated in the ring, where -2^63 has a negative too: only the result's range counts.
        negative = np.asarray(np.negative(base._encoded(value)))
        return base._shifted(AddPublic(negative, value.digest(), "subtract-public"), bound)

    def __rsub__(self, other: PublicLike) -> Secret:
        base, value = self._met_by(_operand(other, "-"))
        bound = ranges.of_values(value.numerators) - base.node.range
        return base._shifted(SubtractFrom(base._encoded(value), value.digest()), bound)

    def __mul__(self, other: PublicLike) -> Secret:
        if isinstance(other, Secret):
            raise LocalError(_NO_PRODUCT)
        factor = _operand(other, "*")
        if factor.shape == () and int(factor.numerators) == 1 == factor.denominator:
            return self
        shape = _broadcast(self.shape, factor.shape)
        words = self._program.domain.encode(factor.numerators)
        bound = self._node.range.times(ranges.of_values(factor.numerators))
        return self._linear("scale", maps.scaled(words), shape, bound, factor)

    __rmul__ = __mul__

    def __truediv__(self, other: PublicLike) -> Secret:
        if isinstance(other, Secret):
            raise LocalError("division by a secret is not an operation of a secret")
        divisor = _operand(other, "/")
        if divisor.shape != ():
            raise LocalError("divide by one public number; for an array of them multiply by an array of Fractions")
        if int(divisor.numerators) == 0:
            raise LocalError("division by zero")
        return self * Fraction(divisor.denominator, int(divisor.numerators))

    def __rtruediv__(self, other: object) -> typing.NoReturn:
        raise LocalError("division by a secret is not an operation of a secret")

    def __matmul__(self, other: PublicLike) -> Secret:
        return self.dot(other)

    def __rmatmul__(self, other: PublicLike) -> Secret:
        matrix = _operand(other, "@")
        return self._product("dot-left", matrix, (matrix.shape, self.shape), maps.matrix_on_the_left, axis=-1)

    def dot(self, other: PublicLike) -> Secret:
        """The matrix product with a public array, as numpy's `matmul` for one and two dimensions."""
        if isinstance(other, Secret):
            raise LocalError(_NO_PRODUCT)
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
        axes, count = self._reduced(axis)
        shape = tuple(length for number, length in enumerate(self.shape) if number not in axes)
        bound = self._node.range.summed(count)
        return self._linear("sum", maps.summed(axes), shape, bound, parameters=repr(axes).encode())

    def mean(self, axis: Axis = None) -> Secret:
        """The exact mean over an axis or several, or over everything."""
        _, count = self._reduced(axis)
        if count == 0:
            raise LocalError("the mean of nothing is not defined")
        return self.sum(axis) / count

    def _reduced(self, axis: Axis) -> tuple[tuple[int, ...], int]:
        """The axes that a reduction removes, in order and from zero, and how many elements they hold."""
        wanted = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes: set[int] = set()
        for item in wanted:
            number = _integer(item, "an axis")
            if not -self.ndim <= number < self.ndim:
                raise LocalError(f"axis {number} does not exist in shape {self.shape}")
            if number % self.ndim in axes:
                raise LocalError(f"axis {number} is named twice")
            axes.add(number % self.ndim)
        return tuple(sorted(axes)), math.prod(self.shape[number] for number in axes)

    # Structure

    def __getitem__(self, key: object) -> Secret:
        index = read_index(key, self.shape)
        return self._linear(
            "index", maps.indexed(index.key), index.shape, self._node.range, parameters=index.description
        )

    def reshape(self, *shape: int | Sequence[int]) -> Secret:
        """The same elements in another shape; one dimension may be -1."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        try:
            result = maps.shape_of(maps.reshaped(typing.cast("tuple[int, ...]", wanted)), self.shape)
        except (ValueError, TypeError):
            raise LocalError(f"{self.size} elements of shape {self.shape} do not fit into shape {wanted}") from None
        return self._linear("reshape", maps.reshaped(result), result, self._node.range)

    def transpose(self) -> Secret:
        """The axes in reverse order."""
        return self._linear("transpose", maps.transposed, self.shape[::-1], self._node.range)

    @property
    def T(self) -> Secret:  # noqa: N802 -- numpy's name
        """The same as `transpose`."""
        return self.transpose()

    # Inner workings

    def _met_by(self, value: Public) -> tuple[Secret, Public]:
        """Ourselves in the shape of a sum with the value, and the value, both over the common denominator."""
        denominator = math.lcm(self._denominator, value.denominator)
        base = self.over(denominator)
        shape = _broadcast(self.shape, value.shape)
        if shape != self.shape:
            base = base._linear("broadcast", maps.broadcast(shape), shape, base.node.range)
        return base, value.scaled_to(denominator)

    def _encoded(self, value: Public) -> Words:
        return self._program.domain.encode(value.numerators)

    def _shifted(self, operation: AddPublic | SubtractFrom, bound: Range) -> Secret:
        node = self._program.add(operation, (self._node,), self.shape, bound)
        return Secret(self._program, node, self._denominator)

    def over(self, denominator: int) -> Secret:
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

    def within(self, program: Program) -> Secret:
        """The same value in another fork of the job; for those who extend the DSL.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        if program is self._program:
            return self
        if self._program.job != program.job:
            raise LocalError("values of two jobs do not meet")
        if self._node.share is None:
            raise LocalError("a value of another fork must be evaluated there before it is used here")
        node = program.add(Linear("use", maps.same), (self._node,), self.shape, self._node.range)
        return Secret(program, node, self._denominator)

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


def _joined(kind: str, function: maps.LinearMap, values: Sequence[Secret], axis: int) -> Secret:
    if isinstance(values, Secret) or not values or not all(isinstance(value, Secret) for value in values):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise LocalError(f"{kind} takes a sequence of at least one secret")
    aligned = _aligned(values)
    try:
        shape = maps.shape_of(function, *(value.shape for value in aligned))
    except ValueError:
        shapes = ", ".join(str(value.shape) for value in values)
        raise LocalError(f"shapes {shapes} do not fit for {kind} along axis {axis}") from None
    bound = functools.reduce(Range.union, (value.node.range for value in aligned))
    operation = Linear(kind, function, repr(axis).encode())
    return _result(operation, aligned, shape, bound)


def _combine(
    kind: str, function: maps.LinearMap, bound: Callable[[Range, Range], Range], x: Secret, y: Secret
) -> Secret:
    left, right = _aligned([x, y])
    shape = _broadcast(x.shape, y.shape)
    return _result(Linear(kind, function), [left, right], shape, bound(left.node.range, right.node.range))


def _result(operation: Linear, operands: Sequence[Secret], shape: tuple[int, ...], bound: Range) -> Secret:
    program = operands[0].program
    node = program.add(operation, tuple(operand.node for operand in operands), shape, bound)
    return Secret(program, node, operands[0].denominator)


def _aligned(values: Sequence[Secret]) -> list[Secret]:
    """The values in one fork and over one denominator."""
    first = values[0]
    if all(value.program is first.program and value.denominator == first.denominator for value in values):
        return list(values)
    program = _common_program(values)
    denominator = math.lcm(*(value.denominator for value in values))
    return [value.within(program).over(denominator) for value in values]


def _common_program(values: Sequence[Secret]) -> Program:
    """The fork in which values meet: the deepest one, whose ancestors must hold the others, evaluated."""
    program = max((value.program for value in values), key=lambda program: len(program.fork))
    for other in (value.program for value in values):
        if other.job != program.job or other.fork != program.fork[: len(other.fork)]:
            raise LocalError("values of two forks, or of two jobs, do not meet; reveal them, or use `within`")
    return program


def _integer(value: object, what: str) -> int:
    try:
        return operator.index(typing.cast("typing.SupportsIndex", value))
    except TypeError:
        raise LocalError(f"{what} is an integer, not a {type(value).__name__}") from None


def _operand(value: object, sign: str) -> Public:
    try:
        return to_public(value)
    except LocalError as error:
        raise type(error)(f"'{sign}' with a secret: {error}") from None


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    if first == second or not second:
        return first
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        raise LocalError(f"shapes {first} and {second} do not fit together") from None
