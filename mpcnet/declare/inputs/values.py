"""Values as programs give them: a number, nested lists, arrays of numpy, columns of a data frame."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, RangeError

__all__ = ("column", "decimals", "each", "exact", "nested", "scaled", "scaled_down", "shaped", "whole_numbers")

T = TypeVar("T")
V = TypeVar("V")

_MAX_DIGITS = 30
"""More than 64 bits have, and few enough to compute with."""
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
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


def column(value: object) -> object:
    """A column of a data frame as an array; everything else as it is. No package of frames is imported for it.

    Raises:
        LocalError: it is a whole frame.
    """
    if hasattr(value, "columns") or hasattr(value, "column_names"):
        raise LocalError('a table was given where one column was expected: give one, such as frame["pay"]')
    to_numpy: Callable[[], object] | None = getattr(value, "to_numpy", None)
    return to_numpy() if callable(to_numpy) else value


def exact(number: int | float | str | Decimal) -> Decimal:
    """A number as it is written. A float means what it prints: 0.1 is one tenth.

    Raises:
        LocalError: it is no finite number.
    """
    try:
        found = Decimal(str(number).strip().replace("_", ""))
    except InvalidOperation:
        raise LocalError("a decimal number was expected") from None
    if not found.is_finite():
        raise LocalError("a decimal number was expected")
    return found


def scaled(number: Decimal, places: int) -> int:
    """The number times 10^places. Exact: nothing is ever rounded.

    Raises:
        LocalError: it has more decimal places.
        RangeError: it does not fit into 64 bits.
    """
    if not number:
        return 0
    if number.adjusted() > _MAX_DIGITS:
        raise RangeError("a value needs more than 64 bits")
    sign, digits, exponent = number.normalize(_EXACT).as_tuple()
    shift = int(exponent) + places
    if shift < 0:
        wanted = "no" if not places else f"at most {places}"
        raise LocalError(f"a number with {wanted} decimal places was expected")
    whole = int("".join(map(str, digits))) * int(10**shift)
    return -whole if sign else whole


def scaled_down(number: int, places: int) -> Decimal | int:
    """The number divided by 10^places; without places, itself."""
    return Decimal(number).scaleb(-places) if places else number


def decimals(value: object, places: int) -> NDArray[np.int64]:
    """Numbers of every kind, times 10^places, as an array of 64-bit integers.

    Raises:
        LocalError: some are no numbers, or have more decimal places.
        RangeError: one does not fit into 64 bits.
    """
    items = np.asarray(column(value), np.object_)
    whole = np.empty(items.shape, np.object_)
    whole.reshape(-1)[:] = each(items.reshape(-1).tolist(), lambda item: _scaled_item(item, places))
    return whole_numbers(whole)


def _scaled_item(item: object, places: int) -> int:
    if isinstance(item, np.integer | np.floating):
        item = typing.cast("Any", item).item()
    if isinstance(item, bool) or not isinstance(item, int | float | str | Decimal):
        raise LocalError(f"a decimal number was expected, not a {type(item).__name__}")
    return scaled(exact(item), places)


def whole_numbers(value: object) -> NDArray[np.int64]:
    """Whole numbers of every kind as an array of 64-bit integers.

    Raises:
        LocalError: some are not whole numbers; truth values and floats are none.
        RangeError: one does not fit into 64 bits.
    """
    value = column(value)
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
