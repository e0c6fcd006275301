"""The linear maps of the language, each f with f(x + y) = f(x) + f(y) over any domain.

A map is called as `f(domain, shapes, *arrays)`, with an array of elements and its shape for each operand, and
returns one array of elements. Arithmetic is the domain's. What only moves elements is a `Rearrangement`: a function
of numpy arrays that the domain applies to arrays of its own layout. A map holds its public operands and nothing
else: no `Secret` and no node, so that it keeps no share in memory.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Shape, Words
from mpcnet.algebra.domain import Move

__all__ = (
    "LinearMap",
    "Rearrangement",
    "added",
    "broadcast",
    "concatenated",
    "indexed",
    "last_axis_at",
    "less_twice",
    "matrix_on_the_left",
    "matrix_on_the_right",
    "negated",
    "pair_differences",
    "permuted",
    "reshaped",
    "same",
    "scaled",
    "shape_of",
    "stacked",
    "subtracted",
    "summed",
    "transposed",
    "zeros",
)

LinearMap = Callable[..., Words]
"""`f(domain, shapes, *arrays)`."""
Shapes = Sequence[Shape]
Entries = NDArray[typing.Any]
"""What a rearrangement moves: an array with one entry to an element."""


# Arithmetic


def added(domain: Domain, shapes: Shapes, a: Words, b: Words) -> Words:
    """a + b; of bits, XOR."""
    return domain.add(a, b)


def subtracted(domain: Domain, shapes: Shapes, a: Words, b: Words) -> Words:
    """a - b."""
    return domain.subtract(a, b)


def less_twice(domain: Domain, shapes: Shapes, a: Words, b: Words) -> Words:
    """a - 2 b."""
    return domain.subtract(a, domain.add(b, b))


def same(domain: Domain, shapes: Shapes, a: Words) -> Words:
    """a; of packed bits in any shape, since packing follows C order."""
    return a


def negated(domain: Domain, shapes: Shapes, a: Words) -> Words:
    """-a."""
    return domain.negate(a)


def zeros(shape: Shape) -> LinearMap:
    """The zero map: zeros of this shape, whatever the operands."""

    def forget(domain: Domain, shapes: Shapes, *arrays: Words) -> Words:
        return domain.zeros(shape)

    return forget


def scaled(factor: Words) -> LinearMap:
    """Multiply elementwise by public elements; of bits, AND."""

    def scale(domain: Domain, shapes: Shapes, a: Words) -> Words:
        return domain.multiply(a, factor)

    return scale


def matrix_on_the_right(matrix: Words) -> LinearMap:
    """a @ matrix."""

    def multiply(domain: Domain, shapes: Shapes, a: Words) -> Words:
        return domain.matmul(a, matrix)

    return multiply


def matrix_on_the_left(matrix: Words) -> LinearMap:
    """matrix @ a."""

    def multiply(domain: Domain, shapes: Shapes, a: Words) -> Words:
        return domain.matmul(matrix, a)

    return multiply


def summed(axes: Shape) -> LinearMap:
    """Sum over axes, counted from zero."""

    def add_up(domain: Domain, shapes: Shapes, a: Words) -> Words:
        return domain.sum(a, shapes[0], axes)

    return add_up


def pair_differences(size: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> LinearMap:
    """Of a value for each pair of positions: for each position, the sum over pairs where it is first, less the sum
    over those where it is second.

    Args:
        size: how many positions; the result has this last axis.
        first, second: the positions of each pair; the operand's last axis counts pairs.
    """

    def place(a: Entries) -> Entries:
        table = np.zeros((*a.shape[:-1], size, size), a.dtype)
        table[..., first, second] = a
        return table

    def count(domain: Domain, shapes: Shapes, a: Words) -> Words:
        (shape,) = shapes
        table, outer = domain.rearrange(place, shapes, a), len(shape) - 1
        square = (*shape[:-1], size, size)
        return domain.subtract(domain.sum(table, square, (outer + 1,)), domain.sum(table, square, (outer,)))

    return count


# Layout


@dataclass(frozen=True, slots=True, eq=False)
class Rearrangement:
    """A map that moves or repeats elements.

    Args:
        move: the same for numpy arrays with one entry to an element.
    """

    move: Move

    def __call__(self, domain: Domain, shapes: Shapes, *arrays: Words) -> Words:
        """See `Domain.rearrange`."""
        return domain.rearrange(self.move, shapes, *arrays)


transposed: typing.Final = Rearrangement(np.transpose)
"""The axes in reverse order."""


def permuted(order: Shape) -> Rearrangement:
    """The axes in another order."""

    def permute(a: Entries) -> Entries:
        return np.transpose(a, order)

    return Rearrangement(permute)


def indexed(key: typing.Any) -> Rearrangement:
    """a[key]."""

    def index(a: Entries) -> Entries:
        return np.asarray(a[key])

    return Rearrangement(index)


def last_axis_at(positions: NDArray[np.int64]) -> Rearrangement:
    """a[..., positions]."""

    def take(a: Entries) -> Entries:
        return a[..., positions]

    return Rearrangement(take)


def reshaped(shape: Shape) -> Rearrangement:
    """The same elements in another shape."""

    def reshape(a: Entries) -> Entries:
        return a.reshape(shape)

    return Rearrangement(reshape)


def broadcast(shape: Shape) -> Rearrangement:
    """The same elements repeated, as numpy's rules have it."""

    def repeat(a: Entries) -> Entries:
        return np.broadcast_to(a, shape)

    return Rearrangement(repeat)


def concatenated(axis: int) -> Rearrangement:
    """One after the other along an axis."""

    def concatenate(*arrays: Entries) -> Entries:
        return np.concatenate(arrays, axis=axis)

    return Rearrangement(concatenate)


def stacked(axis: int) -> Rearrangement:
    """Side by side along a new axis."""

    def stack(*arrays: Entries) -> Entries:
        return np.stack(arrays, axis=axis)

    return Rearrangement(stack)


def shape_of(rearrangement: Rearrangement, *shapes: Shape) -> Shape:
    """The shape that a rearrangement gives for operands of these shapes; takes no memory for them.

    Raises:
        ValueError, IndexError, TypeError: numpy's own, if they do not fit.
    """
    return np.shape(rearrangement.move(*(np.broadcast_to(np.uint64(0), shape) for shape in shapes)))
