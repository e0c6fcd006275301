"""Domains: where the arithmetic of shares takes place, and how their elements lie in memory.

All layers above work over a domain and never ask which: arithmetic, layout, sizes and bytes are its methods. There
are the integers modulo 2^64 here and packed bits in `mpcnet.algebra.bits`; prime fields and rings whose elements
take several words fit behind the same methods.
"""

from __future__ import annotations

import itertools
import math
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra.expand import expand
from mpcnet.errors import LocalError, PeerViolation

__all__ = ("Z64", "Buffer", "Domain", "Move", "Ring64", "Shape", "Words", "as_buffer")

Words = NDArray[np.uint64]
Buffer = bytes | memoryview
Shape = tuple[int, ...]
Move = Callable[..., NDArray[typing.Any]]
"""A function of numpy arrays, one entry to an element, that moves, repeats or leaves out entries, or puts zeros."""


_WIRE: typing.Final = np.dtype("<u8")


def as_buffer(array: NDArray[np.generic]) -> memoryview:
    """The array's bytes as a read-only view, without a copy when it is contiguous."""
    if array.size == 0:
        return memoryview(b"")
    return np.ascontiguousarray(array).data.cast("B").toreadonly()


class Domain(ABC):
    """A finite ring in which shares live.

    A shape counts elements. The numpy array that holds them has the shape `array_shape(shape)`: the shape itself
    where an element takes one word, one axis more behind it where an element takes several, something else where
    elements are packed. So no code outside of the domain computes sizes from a shape, or indexes an array of
    elements. Zero is the element whose words are all zero.

    Operands of arithmetic broadcast as numpy's do, unless the domain is packed: then they have one shape.

    Args:
        name: canonical; part of the agreement and of program digests.
        lowest, highest: the ends of what `decode` can return, zero between them; ranges are checked against both.
    """

    __slots__ = ()

    name: str
    lowest: int
    highest: int
    packed: typing.ClassVar[bool] = False
    """Whether several elements share a word: operands do not broadcast then, and matrices have no product."""

    # Numbers and bytes

    @abstractmethod
    def encode(self, values: NDArray[np.int64]) -> Words:
        """The elements that stand for integers; not necessarily a copy."""

    @abstractmethod
    def decode(self, elements: Words, shape: Shape) -> NDArray[np.int64]:
        """The integers, of `shape`, for which elements stand."""

    @abstractmethod
    def uniform(self, key: bytes, shape: Shape) -> Words:
        """Uniform elements expanded from a 16-byte key that is used for this array alone."""

    @abstractmethod
    def array_shape(self, shape: Shape) -> Shape:
        """The shape of the numpy array that holds so many elements."""

    def nbytes(self, shape: Shape) -> int:
        """Bytes of an array of this shape on the wire."""
        return 8 * math.prod(self.array_shape(shape))

    def to_bytes(self, elements: Words) -> Buffer:
        """The bytes of an array on the wire: its words, little-endian. Freezes the array."""
        return as_buffer(elements.astype("<u8", copy=False))

    def from_bytes_untrusted(self, data: Buffer, shape: Shape, party: str) -> Words:
        """Elements that a peer sent; read-only.

        Raises:
            PeerViolation: the length is not that of the shape, or the bytes are those of no elements.
        """
        if len(data) != self.nbytes(shape):
            raise PeerViolation(party, f"sent {len(data)} bytes where {self.nbytes(shape)} were expected")
        return np.frombuffer(data, _WIRE).astype(np.uint64, copy=False).reshape(self.array_shape(shape))

    # Arithmetic

    @abstractmethod
    def add(self, x: Words, y: Words) -> Words:
        """x + y, as a new array."""

    @abstractmethod
    def subtract(self, x: Words, y: Words) -> Words:
        """x - y, as a new array."""

    @abstractmethod
    def multiply(self, x: Words, y: Words) -> Words:
        """x y, as a new array."""

    @abstractmethod
    def negate(self, x: Words) -> Words:
        """-x, as a new array."""

    @abstractmethod
    def sum(self, x: Words, shape: Shape, axes: Shape) -> Words:
        """The sum over axes of an array of this shape; axes are counted from zero, each named once."""

    @abstractmethod
    def matmul(self, x: Words, y: Words) -> Words:
        """The product of matrices or vectors, as `numpy.matmul` for one and two dimensions."""

    @abstractmethod
    def add_into(self, total: Words, x: Words) -> None:
        """Add x to the array `total`."""

    @abstractmethod
    def subtract_into(self, total: Words, x: Words) -> None:
        """Subtract x from the array `total`."""

    # Layout

    @abstractmethod
    def rearrange(self, move: Move, shapes: Sequence[Shape], *arrays: Words) -> Words:
        """Apply a function that moves entries to arrays of elements: index, transpose, broadcast, stack.

        Args:
            move: takes one numpy array for each of ours, of the shapes given, and returns one. It sees entries that
                stand for elements, maybe several times, and must not look at them.
            shapes: of the arrays, in elements.
        """

    def zeros(self, shape: Shape) -> Words:
        """Zeros, writable."""
        return np.zeros(self.array_shape(shape), np.uint64)

    def reshape(self, x: Words, shape: Shape) -> Words:
        """The same elements in the same order as an array of another shape; not necessarily a copy."""
        return x.reshape(self.array_shape(shape))

    def join(self, arrays: Sequence[Words], shapes: Sequence[Shape]) -> Words:
        """The elements of arrays of these shapes one after the other, as a flat array."""
        return self.rearrange(_flattened, shapes, *arrays)

    def split(self, flat: Words, shapes: Sequence[Shape]) -> list[Words]:
        """The inverse of `join`."""
        ends = itertools.accumulate(math.prod(shape) for shape in shapes)
        return [
            self.reshape(flat[end - math.prod(shape) : end], shape) for end, shape in zip(ends, shapes, strict=True)
        ]

    def stack(self, rows: Sequence[Words], shape: Shape) -> Words:
        """Arrays of one shape side by side along a new first axis."""
        return self.reshape(self.join(rows, [shape] * len(rows)), (len(rows), *shape))

    def clear_padding(self, x: Words, shape: Shape) -> Words:
        """The same elements, and zeros in what lies beside them in the array: what no output declares."""
        return x


def _flattened(*arrays: NDArray[typing.Any]) -> NDArray[typing.Any]:
    return np.concatenate([array.reshape(-1) for array in arrays])


@dataclass(frozen=True, slots=True)
class Ring64(Domain):
    """The integers modulo 2^64, one machine word to an element, little-endian on the wire.

    Signed integers are represented in two's complement: [-2^63, 2^63 - 1]. numpy's unsigned arithmetic wraps
    around, which is exactly the ring's.
    """

    # numpy turns results without dimensions into scalars, whose arithmetic warns where the ring wraps around:
    # hence `asarray`.

    name: str = "Z/2^64"
    lowest: int = -(2**63)
    highest: int = 2**63 - 1

    def encode(self, values: NDArray[np.int64]) -> Words:
        """See `Domain.encode`; shares memory with the values."""
        if values.dtype != np.int64:
            raise LocalError(f"a ring element is encoded from int64, not from {values.dtype}")
        return values.view(np.uint64)

    def decode(self, elements: Words, shape: Shape) -> NDArray[np.int64]:
        """See `Domain.decode`; shares memory with the elements."""
        return elements.view(np.int64).reshape(shape)

    def uniform(self, key: bytes, shape: Shape) -> Words:
        """See `Domain.uniform`."""
        return expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False).reshape(shape)

    def array_shape(self, shape: Shape) -> Shape:
        """The same: one word to an element."""
        return shape

    def nbytes(self, shape: Shape) -> int:
        """Eight for each element."""
        return 8 * math.prod(shape)

    def add(self, x: Words, y: Words) -> Words:
        """See `Domain.add`."""
        return np.asarray(np.add(x, y))

    def subtract(self, x: Words, y: Words) -> Words:
        """See `Domain.subtract`."""
        return np.asarray(np.subtract(x, y))

    def multiply(self, x: Words, y: Words) -> Words:
        """See `Domain.multiply`."""
        return np.asarray(np.multiply(x, y))

    def negate(self, x: Words) -> Words:
        """See `Domain.negate`."""
        return np.asarray(np.negative(x))

    def sum(self, x: Words, shape: Shape, axes: Shape) -> Words:
        """See `Domain.sum`."""
        return np.asarray(np.sum(x, axis=axes, dtype=np.uint64))

    def matmul(self, x: Words, y: Words) -> Words:
        """See `Domain.matmul`."""
        return np.asarray(np.matmul(x, y))

    def add_into(self, total: Words, x: Words) -> None:
        """See `Domain.add_into`."""
        np.add(total, x, out=total)

    def subtract_into(self, total: Words, x: Words) -> None:
        """See `Domain.subtract_into`."""
        np.subtract(total, x, out=total)

    def rearrange(self, move: Move, shapes: Sequence[Shape], *arrays: Words) -> Words:
        """The function as it is: entries are elements."""
        return np.asarray(move(*arrays))

    def reshape(self, x: Words, shape: Shape) -> Words:
        """See `Domain.reshape`."""
        return x.reshape(shape)


Z64: typing.Final[Domain] = Ring64()
