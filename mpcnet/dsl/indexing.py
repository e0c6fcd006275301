"""Indices of secrets: public, checked while the program is built, frozen, and part of the program digest."""

from __future__ import annotations

import hashlib
import operator
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.dsl import maps
from mpcnet.errors import LocalError

__all__ = ("Index", "read_index")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A public index: the key for numpy, the shape that it selects, and the key's canonical encoding."""

    key: tuple[typing.Any, ...]
    shape: Shape
    description: bytes


def read_index(key: object, shape: Shape) -> Index:
    """What `x[key]` means for an x of this shape. Arrays are copied: the caller may change theirs.

    Raises:
        LocalError: the key is out of bounds, or no public index.
    """
    items = typing.cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,)
    if _are_integers_within(items, shape):  # a scalar program does this a thousand times
        return Index(items, shape[len(items) :], repr(items).encode())
    frozen = tuple(_frozen(item) for item in items)
    try:
        selected = maps.shape_of(maps.indexed(frozen), shape)
    except IndexError as error:
        raise LocalError(f"index into a secret of shape {shape}: {error}") from None
    if _are_integers_within(frozen, shape):
        return Index(frozen, selected, repr(frozen).encode())
    return Index(frozen, selected, b",".join(map(_described, frozen)))


def _are_integers_within(items: tuple[object, ...], shape: Shape) -> bool:
    if len(items) > len(shape):
        return False
    for item, length in zip(items, shape, strict=False):
        if type(item) is not int or not -length <= item < length:
            return False
    return True


def _frozen(item: object) -> typing.Any:
    if item is None or item is Ellipsis or type(item) is int:
        return item
    if isinstance(item, bool | np.bool_):
        return bool(typing.cast("bool", item))
    if isinstance(item, slice):
        parts = typing.cast("slice[object, object, object]", item)
        ends = (parts.start, parts.stop, parts.step)
        return slice(*(None if end is None else _integer(end) for end in ends))
    if isinstance(item, list | np.ndarray):
        return _frozen_array(np.array(typing.cast("typing.Any", item)))
    return _integer(item)


def _integer(item: object) -> int:
    try:
        return operator.index(typing.cast("typing.SupportsIndex", item))
    except TypeError:
        raise LocalError(f"a {type(item).__name__} is no public index of a secret") from None


def _frozen_array(array: NDArray[typing.Any]) -> NDArray[typing.Any]:
    if array.size == 0 and array.dtype.kind == "f":  # what numpy makes of an empty list
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise LocalError(f"an array of {array.dtype} is no public index of a secret")
    if array.dtype.kind != "b":
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            raise LocalError("an index of more than 63 bits is out of bounds")
        array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def _described(item: typing.Any) -> bytes:
    if type(item) is int:
        return b"%d" % item
    if isinstance(item, np.ndarray):
        array = typing.cast("NDArray[typing.Any]", item)
        head = f"{array.dtype.kind}{array.shape}".encode()
        return hashlib.blake2b(head + array.astype("<i8").tobytes(), digest_size=16).digest()
    return repr(item).encode()
