"""Domains: where the arithmetic of shares takes place.

A scheme works over a domain and never asks which. Today there is one family, the integers modulo 2^64 in machine
words; wider rings (several limbs to an element) and prime fields fit behind the same operations.
"""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra.expand import expand
from mpcnet.errors import LocalError, PeerViolation

__all__ = ("Z64", "Buffer", "Domain", "Ring64", "Words", "as_buffer")

Words = NDArray[np.uint64]
Buffer = bytes | memoryview


_WIRE: typing.Final = np.dtype("<u8")


def as_buffer(array: NDArray[np.generic]) -> memoryview:
    """The array's bytes as a read-only view, without a copy when it is contiguous."""
    if array.size == 0:
        return memoryview(b"")
    return np.ascontiguousarray(array).data.cast("B").toreadonly()


class Domain(typing.Protocol):
    """A finite ring in which shares live.

    Elements are numpy arrays of `dtype`; an element may take several of them later, so sizes in bytes are asked
    for and never computed from a shape by others.
    """

    @property
    def name(self) -> str:
        """Canonical name; part of the agreement."""
        ...

    @property
    def lowest(self) -> int:
        """The lowest integer that `decode` can return."""
        ...

    @property
    def highest(self) -> int:
        """The highest integer that `decode` can return."""
        ...

    def nbytes(self, shape: tuple[int, ...]) -> int:
        """Bytes of an array of this shape on the wire."""
        ...

    def zeros(self, shape: tuple[int, ...]) -> Words: ...
    def uniform(self, key: bytes, shape: tuple[int, ...]) -> Words:
        """Uniform elements expanded from a 16-byte key that is used for this array alone."""
        ...

    def add(self, x: Words, y: Words) -> Words:
        """The sum, as a new array."""
        ...

    def add_into(self, total: Words, x: Words) -> None:
        """Add x to the array `total`."""
        ...

    def subtract_into(self, total: Words, x: Words) -> None:
        """Take x off the array `total`."""
        ...

    def encode(self, values: NDArray[np.int64]) -> Words: ...
    def decode(self, elements: Words, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """The integers of an array of this shape."""
        ...

    def to_bytes(self, elements: Words) -> Buffer: ...
    def from_bytes_untrusted(self, data: Buffer, shape: tuple[int, ...], party: str) -> Words:
        """Elements that a peer sent; read-only.

        Raises:
            PeerViolation: the length is not that of the shape.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ring64:
    """The integers modulo 2^64, one machine word to an element, little-endian on the wire.

    Signed integers are represented in two's complement: [-2^63, 2^63 - 1]. numpy's unsigned arithmetic wraps
    around, which is exactly the ring's.
    """

    name: str = "Z/2^64"
    lowest: int = -(2**63)
    highest: int = 2**63 - 1

    def nbytes(self, shape: tuple[int, ...]) -> int:
        return 8 * math.prod(shape)

    def zeros(self, shape: tuple[int, ...]) -> Words:
        return np.zeros(shape, np.uint64)

    def uniform(self, key: bytes, shape: tuple[int, ...]) -> Words:
        return expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False).reshape(shape)

    def add(self, x: Words, y: Words) -> Words:
        return np.asarray(np.add(x, y))

    def add_into(self, total: Words, x: Words) -> None:
        np.add(total, x, out=total)

    def subtract_into(self, total: Words, x: Words) -> None:
        np.subtract(total, x, out=total)

    def encode(self, values: NDArray[np.int64]) -> Words:
        if values.dtype != np.int64:
            raise LocalError(f"a ring element is encoded from int64, not from {values.dtype}")
        return values.view(np.uint64)

    def decode(self, elements: Words, shape: tuple[int, ...]) -> NDArray[np.int64]:
        return elements.view(np.int64).reshape(shape)

    def to_bytes(self, elements: Words) -> Buffer:
        return as_buffer(elements.astype("<u8", copy=False))

    def from_bytes_untrusted(self, data: Buffer, shape: tuple[int, ...], party: str) -> Words:
        if len(data) != 8 * math.prod(shape):
            raise PeerViolation(party, f"sent {len(data)} bytes where {self.nbytes(shape)} were expected")
        return np.frombuffer(data, _WIRE).astype(np.uint64, copy=False).reshape(shape)


Z64: typing.Final[Domain] = Ring64()
