"""The linear maps of the language, each f with f(x + y) = f(x) + f(y) over any ring of numpy words.

A map takes one array per operand and returns one array. It holds its public operands and nothing else: no
`Secret` and no node, so that it keeps no share in memory.
"""

from __future__ import annotations

import typing
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Words

__all__ = (
    "LinearMap",
    "added",
    "broadcast",
    "concatenated",
    "indexed",
    "matrix_on_the_left",
    "matrix_on_the_right",
    "negated",
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
Shape = tuple[int, ...]


def added(a: Words, b: Words) -> Words:
    """a + b."""
    return np.add(a, b)


def subtracted(a: Words, b: Words) -> Words:
    """a - b."""
    return np.subtract(a, b)


def same(a: Words) -> Words:
    """a."""
    return a


def negated(a: Words) -> Words:
    """-a."""
    return np.negative(a)


def transposed(a: Words) -> Words:
    """The axes in reverse order."""
    return np.transpose(a)


def permuted(order: Shape) -> LinearMap:
    """The axes in another order."""

    def permute(a: Words) -> Words:
        return np.transpose(a, order)

    return permute


def zeros(shape: Shape) -> LinearMap:
    """Nothing, whatever comes."""

    def forget(*_: Words) -> Words:
        return np.zeros(shape, np.uint64)

    return forget


def scaled(factor: Words) -> LinearMap:
    """Multiply elementwise by public numbers."""

    def scale(a: Words) -> Words:
        return np.multiply(a, factor)

    return scale


def matrix_on_the_right(matrix: Words) -> LinearMap:
    """a @ matrix."""

    def multiply(a: Words) -> Words:
        return np.asarray(np.matmul(a, matrix))

    return multiply


def matrix_on_the_left(matrix: Words) -> LinearMap:
    """matrix @ a."""

    def multiply(a: Words) -> Words:
        return np.asarray(np.matmul(matrix, a))

    return multiply


def summed(axes: Shape) -> LinearMap:
    """Sum over axes."""

    def add_up(a: Words) -> Words:
        return np.asarray(np.sum(a, axis=axes, dtype=np.uint64))

    return add_up


def indexed(key: typing.Any) -> LinearMap:
    """a[key]."""

    def index(a: Words) -> Words:
        return np.asarray(a[key])

    return index


def reshaped(shape: Shape) -> LinearMap:
    """The same elements in another shape."""

    def reshape(a: Words) -> Words:
        return a.reshape(shape)

    return reshape


def broadcast(shape: Shape) -> LinearMap:
    """The same elements repeated, as numpy's rules have it."""

    def repeat(a: Words) -> Words:
        return np.broadcast_to(a, shape)

    return repeat


def concatenated(axis: int) -> LinearMap:
    """One after the other along an axis."""

    def concatenate(*arrays: Words) -> Words:
        return np.concatenate(arrays, axis=axis)

    return concatenate


def stacked(axis: int) -> LinearMap:
    """Side by side along a new axis."""

    def stack(*arrays: Words) -> Words:
        return np.stack(arrays, axis=axis)

    return stack


def shape_of(function: Callable[..., NDArray[typing.Any]], *shapes: Shape) -> Shape:
    """The shape that a map gives for operands of these shapes; takes no memory for them.

    Raises:
        ValueError, IndexError, TypeError: numpy's own, if they do not fit.
    """
    return function(*(np.broadcast_to(np.uint64(0), shape) for shape in shapes)).shape
