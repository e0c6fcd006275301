"""Values as programs give them: a number, nested lists, arrays of numpy, columns of a data frame."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, RangeError

__all__ = ("each", "nested", "shaped", "whole_numbers")

T = TypeVar("T")
V = TypeVar("V")

_KINDS = {"U": "text", "T": "text", "S": "bytes", "b": "truth values", "f": "floats", "M": "dates"}


def each(items: Sequence[T], convert: Callable[[T], V]) -> list[V]:
    """Convert all items; the error of one that does not fit says which."""
    found: list[V] = []
    for row, item in enumerate(items):
        try:
            found.append(convert(item))
        except LocalError as error:
            raise type(error)(str(error), row=row) from None
    return found


def whole_numbers(value: object) -> NDArray[np.int64]:
    """Whole numbers of every kind as an array of 64-bit integers.

    Raises:
        LocalError: some are not whole numbers; truth values and floats are none.
        RangeError: one does not fit into 64 bits.
    """
    array: NDArray[Any] = (
        np.asarray(value, np.object_) if isinstance(value, int | list | tuple) else np.asarray(value)
    )
    if array.dtype.kind == "O":
        each(array.reshape(-1).tolist(), _check_whole)
        return array.astype(np.int64)
    if array.dtype.kind not in "iu" and array.size:
        raise LocalError(f"whole numbers were expected, not {_KINDS.get(array.dtype.kind, 'others')}")
    if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
        raise RangeError("a value needs more than 64 bits", row=int(np.argmax(array.reshape(-1) >= 2**63)))
    return array.astype(np.int64)


def _check_whole(item: object) -> None:
    if not isinstance(item, int | np.integer) or isinstance(item, bool):
        raise LocalError("whole numbers were expected")
    if not -(2**63) <= int(typing.cast("int", item)) < 2**63:
        raise RangeError("a value needs more than 64 bits")


def nested(items: Sequence[Any], shape: tuple[int, ...]) -> object:
    """Items in order as nested lists of a shape; for shape () the one item itself."""
    return _array(items).reshape(shape).tolist()


def shaped(items: Sequence[Any], shape: tuple[int, ...]) -> object:
    """Items in order as an array of a shape; for shape () an array that holds the one item.

    Raises:
        LocalError: there are more or fewer than the shape has.
    """
    count = math.prod(shape)
    if len(items) != count:
        wanted = "one value was" if count == 1 else f"{count:,} values were"
        raise LocalError(f"{wanted} expected, not {len(items):,}")
    return _array(items).reshape(shape)


def _array(items: Sequence[Any]) -> NDArray[np.object_]:
    array = np.empty(len(items), np.object_)
    array[:] = items
    return array
