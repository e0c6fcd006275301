"""Arithmetic of values: sums and products, with each other and with public numbers.

The theory of operation is in `mpcnet.dsl.values`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from mpcnet.algebra import Words
from mpcnet.dsl import facts, maps
from mpcnet.dsl.compute import Compute, MatrixProduct
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.nodes import AddPublic, Linear, Operation, SubtractFrom
from mpcnet.dsl.public import Public, to_public, with_cause
from mpcnet.dsl.shapes import Axis, broadcast_shapes, reduced_axes
from mpcnet.dsl.values import Value, aligned, common_program, make, repeat, reshape, scale
from mpcnet.errors import LocalError, RangeError
from mpcnet.schemes import Kind

__all__ = (
    "add",
    "divide",
    "matmul",
    "matmul_public",
    "mean",
    "multiply",
    "negate",
    "power",
    "subtract",
    "subtract_from",
    "total",
)

_ADD: Final = Linear("add", maps.added)
_SUBTRACT: Final = Linear("subtract", maps.subtracted)
_NEGATE: Final = Linear("negate", maps.negated)
_MULTIPLY: Final = Compute(Kind.MULTIPLY)


def negate(x: Value) -> Value:
    """-x. Without a message."""
    return make(x.program, _NEGATE, (x.node,), x.shape, facts.negate(x.facts), x.denominator)


def add(x: Value, y: Value | Public) -> Value:
    """x + y. Without a message."""
    if isinstance(y, Public):
        base, numbers, words = _with_public(x, y)
        known = facts.add_public(base.facts, numbers.numerators)
        return _shifted(base, AddPublic(words, numbers.digest()), known)
    left, right = aligned(x, y)
    return _combined(_ADD, left, right, facts.add(left.facts, right.facts))


def subtract(x: Value, y: Value | Public) -> Value:
    """x - y. Without a message."""
    if isinstance(y, Public):
        base, numbers, words = _with_public(x, y)
        known = facts.subtract_public(base.facts, numbers.numerators)
        # Negated in the ring, where -2^63 has a negative too: only the result's range counts.
        negative = base.program.domain.negate(words)
        return _shifted(base, AddPublic(negative, numbers.digest(), "subtract-public"), known)
    left, right = aligned(x, y)
    return _combined(_SUBTRACT, left, right, facts.subtract(left.facts, right.facts))


def subtract_from(y: Public, x: Value) -> Value:
    """y - x. Without a message."""
    base, numbers, words = _with_public(x, y)
    known = facts.subtract_from_public(numbers.numerators, base.facts)
    return _shifted(base, SubtractFrom(words, numbers.digest()), known)


def _shifted(base: Value, operation: AddPublic | SubtractFrom, known: Facts) -> Value:
    return make(base.program, operation, (base.node,), base.shape, known, base.denominator)


def _combined(operation: Linear, left: Value, right: Value, known: Facts) -> Value:
    shape = broadcast_shapes(left.shape, right.shape)
    return make(left.program, operation, (left.node, right.node), shape, known, left.denominator)


def divide(x: Value, divisor: Public) -> Value:
    """x / divisor, exact: the same integers over another denominator, if the divisor is whole. Without a message.

    Raises:
        LocalError: the divisor is an array, or zero.
        RangeError: the result could leave the domain.
    """
    if divisor.shape != ():
        raise LocalError("divide by one public number; for an array of them multiply by an array of Fractions")
    if int(divisor.numerators) == 0:
        raise LocalError("division by zero")
    try:
        return scale(x, to_public(Fraction(divisor.denominator, int(divisor.numerators))))
    except RangeError as error:
        raise RangeError(with_cause(str(error), divisor.denominator)) from None


def multiply(x: Value, y: Value) -> Value:
    """x * y, element by element. One round, 16 bytes an element to each peer."""
    program = common_program(x.program, y.program)
    shape = broadcast_shapes(x.shape, y.shape)
    left, right = repeat(x.in_fork(program), shape), repeat(y.in_fork(program), shape)
    known = facts.multiply(left.facts, right.facts)
    return make(program, _MULTIPLY, (left.node, right.node), shape, known, x.denominator * y.denominator)


def power(x: Value, exponent: int) -> Value:
    """A power with a public exponent of at least 1, by squaring: at most 2 log2(exponent) products.

    Raises:
        LocalError: the exponent is less than 1.
    """
    if exponent < 1:
        raise LocalError(f"an exponent of a secret is at least 1, not {exponent}")
    square, rest = x, exponent
    while not rest & 1:
        square, rest = multiply(square, square), rest >> 1
    result = square
    while rest := rest >> 1:
        square = multiply(square, square)
        result = multiply(result, square) if rest & 1 else result
    return result


def matmul(x: Value, y: Value) -> Value:
    """The product of shared vectors or matrices. One round, 8 bytes for each element of both to each peer.

    Raises:
        LocalError: more than two dimensions, none, or inner dimensions that differ.
    """
    if not (1 <= len(x.shape) <= 2 and 1 <= len(y.shape) <= 2) or x.shape[-1] != y.shape[0]:
        raise LocalError(
            f"shapes {x.shape} and {y.shape} do not fit for @: it takes one or two dimensions, the inner ones equal"
        )
    program = common_program(x.program, y.program)
    inner, shape = y.shape[0], x.shape[:-1] + y.shape[1:]
    rows, columns = math.prod(x.shape[:-1]), math.prod(y.shape[1:])
    left, right = reshape(x.in_fork(program), (rows, inner)), reshape(y.in_fork(program), (inner, columns))
    operation: Operation
    if 0 in (rows, inner, columns):
        operation, known = Linear("matmul-empty", maps.zeros((rows, columns))), facts.zero()
    else:
        operation, known = MatrixProduct(inner), facts.matmul(left.facts, right.facts, inner)
    denominator = x.denominator * y.denominator
    product = make(program, operation, (left.node, right.node), (rows, columns), known, denominator)
    return reshape(product, shape)


def matmul_public(x: Value, matrix: Public, *, on_the_left: bool = False) -> Value:
    """x @ matrix, or matrix @ x, for a public matrix. Without a message.

    Raises:
        LocalError: more than two dimensions, none, or inner dimensions that differ.
    """
    first, second = (matrix.shape, x.shape) if on_the_left else (x.shape, matrix.shape)
    if not (1 <= len(first) <= 2 and 1 <= len(second) <= 2):
        raise LocalError(f"@ takes arrays of one or two dimensions, not {first} @ {second}")
    if first[-1] != second[0]:
        raise LocalError(f"shapes {first} and {second} do not fit for @: {first[-1]} is not {second[0]}")
    words = x.program.domain.encode(np.ascontiguousarray(matrix.numerators))
    if on_the_left:
        kind, function, axis = "dot-left", maps.matrix_on_the_left(words), -1
    else:
        kind, function, axis = "dot", maps.matrix_on_the_right(words), 0 if len(second) == 1 else -2
    known = facts.matmul_public(x.facts, matrix.numerators, axis)
    operation, denominator = Linear(kind, function, matrix.digest()), x.denominator * matrix.denominator
    return make(x.program, operation, (x.node,), first[:-1] + second[1:], known, denominator)


def total(x: Value, axis: Axis = None) -> Value:
    """The sum over an axis or several, or over everything. Without a message."""
    axes, count = reduced_axes(axis, x.shape)
    shape = tuple(length for number, length in enumerate(x.shape) if number not in axes)
    operation = Linear("sum", maps.summed(axes), repr(axes).encode())
    return make(x.program, operation, (x.node,), shape, facts.total(x.facts, count), x.denominator)


def mean(x: Value, axis: Axis = None) -> Value:
    """The exact mean over an axis or several, or over everything. Without a message.

    Raises:
        LocalError: it would be the mean of nothing.
    """
    _, count = reduced_axes(axis, x.shape)
    if count == 0:
        raise LocalError("the mean of nothing is not defined")
    return divide(total(x, axis), to_public(count))


def _with_public(x: Value, y: Public) -> tuple[Value, Public, Words]:
    """Ourselves in the shape of a sum with public numbers; the numbers over the common denominator; and encoded."""
    denominator = math.lcm(x.denominator, y.denominator)
    base = repeat(x.with_denominator(denominator), broadcast_shapes(x.shape, y.shape))
    numbers = y.scaled_to(denominator)
    return base, numbers, base.program.domain.encode(numbers.numerators)
