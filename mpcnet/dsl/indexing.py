"""Indices of secrets: public, checked while the program is built, and part of the program digest."""

from __future__ import annotations

import hashlib
import typing

import numpy as np

from mpcnet.errors import LocalError

__all__ = ("describe_index",)


def describe_index(key: typing.Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], bytes]:
    """What `x[key]` gives for an x of this shape.

    Returns:
        the shape of the result, and a canonical encoding of the key.
    Raises:
        LocalError: the key is out of bounds, or no public index.
    """
    items = typing.cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,)
    description = b",".join(_describe(item) for item in items)
    try:
        # A view without memory of its own: only shapes matter here.
        return np.broadcast_to(np.False_, shape)[key].shape, description
    except IndexError as error:
        raise LocalError(f"index into a secret of shape {shape}: {error}") from None


def _describe(item: object) -> bytes:
    public: typing.Any = item  # pyright cannot name the element types of what isinstance finds
    if item is None or item is Ellipsis or isinstance(item, int | slice | np.integer):
        return repr(public).encode()
    if isinstance(item, list | np.ndarray):
        array = np.asarray(public)
        if array.dtype.kind in "iub":
            head = f"{array.dtype.kind}{array.shape}".encode()
            return hashlib.blake2b(head + array.astype("<i8").tobytes(), digest_size=16).digest()
    raise LocalError(f"a {type(public).__name__} is no public index of a secret")
