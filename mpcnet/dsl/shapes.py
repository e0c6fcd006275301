"""Shapes and axes as numpy has them, with errors that name both sides."""

from __future__ import annotations

import math
import operator
import typing
from collections.abc import Sequence

import numpy as np

from mpcnet.dsl import maps
from mpcnet.errors import LocalError

__all__ = (
    "Axis",
    "Shape",
    "broadcast_shapes",
    "dimensions",
    "integer",
    "joined_shape",
    "reduced_axes",
    "reshaped_shape",
)

Axis = typing.SupportsIndex | tuple[typing.SupportsIndex, ...] | None
Shape = tuple[int, ...]


def broadcast_shapes(first: Shape, second: Shape) -> Shape:
    """The shape in which both meet, as numpy's rules have it."""
    if first == second or not second:
        return first
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        raise LocalError(f"shapes {first} and {second} do not fit together") from None


def reduced_axes(axis: Axis, shape: Shape) -> tuple[Shape, int]:
    """The axes that a reduction removes, in order and from zero, and how many elements they hold."""
    ndim = len(shape)
    wanted = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes: set[int] = set()
    for item in wanted:
        number = integer(item, "an axis")
        if not -ndim <= number < ndim:
            raise LocalError(f"axis {number} does not exist in shape {shape}")
        if number % ndim in axes:
            raise LocalError(f"axis {number} is named twice")
        axes.add(number % ndim)
    return tuple(sorted(axes)), math.prod(shape[number] for number in axes)


def dimensions(wanted: tuple[int | Sequence[int], ...]) -> Sequence[int]:
    """What `reshape(*wanted)` was given: dimensions, or one sequence of them."""
    one_sequence = len(wanted) == 1 and isinstance(wanted[0], tuple | list)
    return typing.cast("Sequence[int]", wanted[0] if one_sequence else wanted)


def reshaped_shape(wanted: Sequence[int], shape: Shape) -> Shape:
    """The shape in which `reshape` leaves an array of this shape; one wanted dimension may be -1."""
    if isinstance(wanted, tuple) and math.prod(wanted) == math.prod(shape) and _are_lengths(wanted):
        return wanted
    try:
        return maps.shape_of(maps.reshaped(typing.cast("Shape", wanted)), shape)
    except (ValueError, TypeError):
        size = math.prod(shape)
        raise LocalError(f"{size} elements of shape {shape} do not fit into shape {wanted}") from None


def _are_lengths(wanted: tuple[object, ...]) -> bool:
    return all(type(length) is int and length >= 0 for length in wanted)


def joined_shape(kind: str, function: maps.Rearrangement, shapes: Sequence[Shape], axis: int) -> Shape:
    """The shape that a map of several arrays gives; `kind` names it in the error."""
    try:
        return maps.shape_of(function, *shapes)
    except ValueError:
        listed = ", ".join(map(str, shapes))
        raise LocalError(f"shapes {listed} do not fit for {kind} along axis {axis}") from None


def integer(value: object, what: str) -> int:
    """A public integer of any integer type."""
    try:
        return operator.index(typing.cast("typing.SupportsIndex", value))
    except TypeError:
        raise LocalError(f"{what} is an integer, not a {type(value).__name__}") from None
