"""Packed bits: 64 booleans to a word, and the step between numbers and their bit planes.

A bit array of n elements is stored as ceil(n / 64) words; bit j of word b is element 64 b + j, and the bits beyond
n are padding. The planes of n numbers are an array (k, ceil(n / 64)): plane i holds bit i of every number.

Plane-major words transpose several times faster in numpy than element-major ones, because every step of the
recursion works on long contiguous rows.
"""

from __future__ import annotations

import itertools
import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra.domain import Domain, Move, Shape, Words
from mpcnet.algebra.expand import expand
from mpcnet.errors import LocalError

__all__ = ("BITS", "Bits", "from_planes", "pack_bits", "to_planes", "transpose_planes", "unpack_bits", "word_count")

_CHUNK_BLOCKS = 1024
"""Blocks that are transposed at a time: 512 KiB, so that all six passes stay in the cache."""


def word_count(count: int) -> int:
    """How many words hold this many bits."""
    return (count + 63) // 64


@dataclass(frozen=True, slots=True)
class Bits(Domain):
    """Bits under XOR and AND. A shape counts bits; the array behind it is flat and packed."""

    name: str = "bits"
    lowest: int = 0
    highest: int = 1
    packed: typing.ClassVar[bool] = True

    def encode(self, values: NDArray[np.int64]) -> Words:
        """Zero for zero, one for all others."""
        return pack_bits(values.astype(np.bool_))

    def decode(self, elements: Words, shape: Shape) -> NDArray[np.int64]:
        """See `Domain.decode`."""
        return unpack_bits(elements, math.prod(shape)).astype(np.int64).reshape(shape)

    def uniform(self, key: bytes, shape: Shape) -> Words:
        """See `Domain.uniform`; the padding is uniform too."""
        return expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False)

    def array_shape(self, shape: Shape) -> Shape:
        """Flat words of 64 bits."""
        return (word_count(math.prod(shape)),)

    def add(self, x: Words, y: Words) -> Words:
        """XOR."""
        return np.asarray(np.bitwise_xor(x, y))

    def subtract(self, x: Words, y: Words) -> Words:
        """XOR: every bit is its own negative."""
        return np.asarray(np.bitwise_xor(x, y))

    def multiply(self, x: Words, y: Words) -> Words:
        """AND."""
        return np.asarray(np.bitwise_and(x, y))

    def negate(self, x: Words) -> Words:
        """A copy: every bit is its own negative."""
        return x.copy()

    def sum(self, x: Words, shape: Shape, axes: Shape) -> Words:
        """The parity over axes."""
        bits = unpack_bits(x, math.prod(shape)).reshape(shape)
        return pack_bits(np.asarray(np.bitwise_xor.reduce(bits, axis=axes)).astype(np.bool_))

    def matmul(self, x: Words, y: Words) -> Words:
        """Refuses: packed arrays do not tell how many rows they have."""
        raise LocalError("there is no matrix product of packed bits: take them as numbers")

    def add_into(self, total: Words, x: Words) -> None:
        """XOR in place."""
        np.bitwise_xor(total, x, out=total)

    def subtract_into(self, total: Words, x: Words) -> None:
        """XOR in place."""
        np.bitwise_xor(total, x, out=total)

    def rearrange(self, move: Move, shapes: Sequence[Shape], *arrays: Words) -> Words:
        """Unpacked, moved, and packed again; the padding is zero."""
        unpacked = [
            unpack_bits(array, math.prod(shape)).reshape(shape) for array, shape in zip(arrays, shapes, strict=True)
        ]
        return pack_bits(np.asarray(move(*unpacked)).astype(np.bool_))

    def reshape(self, x: Words, shape: Shape) -> Words:
        """As it is: packed in C order whatever the shape."""
        return x

    def split(self, flat: Words, shapes: Sequence[Shape]) -> list[Words]:
        """See `Domain.split`; unpacked once for all."""
        if len(shapes) == 1:
            return [flat]
        counts = [math.prod(shape) for shape in shapes]
        bits = unpack_bits(flat, sum(counts)).astype(np.bool_)
        ends = itertools.accumulate(counts)
        return [pack_bits(bits[end - count : end]) for end, count in zip(ends, counts, strict=True)]

    def clear_padding(self, x: Words, shape: Shape) -> Words:
        """A copy whose bits behind the last one are zero; as it is, if there are none."""
        used = math.prod(shape) % 64
        if not used:
            return x
        copy = x.copy()
        copy[-1] &= np.uint64((1 << used) - 1)
        return copy


BITS: typing.Final[Domain] = Bits()


def pack_bits(values: NDArray[np.bool_]) -> Words:
    """Booleans of any shape as words, in C order; padding is zero."""
    packed = np.zeros(8 * word_count(values.size), np.uint8)
    data = np.packbits(values.reshape(-1), bitorder="little")
    packed[: data.size] = data
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack_bits(words: Words, count: int) -> NDArray[np.uint8]:
    """The first `count` bits as zeros and ones."""
    return np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), count=count, bitorder="little")


def to_planes(values: Words, bits: int) -> Words:
    """Planes 0 to bits - 1 of numbers.

    Args:
        values: shape (n,).
        bits: 1 to 64.
    Returns:
        Shape (bits, ceil(n / 64)).
    """
    blocks = word_count(values.size)
    padded = values
    if values.size != 64 * blocks:
        padded = np.zeros(64 * blocks, np.uint64)
        padded[: values.size] = values
    rows = padded.reshape(blocks, 64)
    planes = np.empty((bits, blocks), np.uint64)
    width = min(blocks, _CHUNK_BLOCKS)
    chunk, spare = np.empty((64, width), np.uint64), np.empty((32, width), np.uint64)
    for start in range(0, blocks, _CHUNK_BLOCKS):
        piece = chunk[:, : min(width, blocks - start)]
        piece[:] = rows[start : start + width].T
        _transpose(piece, spare, bits)
        planes[:, start : start + width] = piece[:bits]
    return planes


def from_planes(planes: Words, count: int) -> Words:
    """The inverse of `to_planes`: `count` numbers whose higher bits are zero."""
    bits, blocks = planes.shape
    values = np.empty((blocks, 64), np.uint64)
    width = min(blocks, _CHUNK_BLOCKS)
    chunk, spare = np.empty((64, width), np.uint64), np.empty((32, width), np.uint64)
    for start in range(0, blocks, _CHUNK_BLOCKS):
        piece = chunk[:, : min(width, blocks - start)]
        piece[:bits] = planes[:, start : start + width]
        piece[bits:] = 0
        _transpose(piece, spare, 64)
        values[start : start + width] = piece.T
    return values.reshape(-1)[:count]


def transpose_planes(planes: Words) -> Words:
    """Rows from planes: bit b of row n is bit n of plane b.

    Args:
        planes: shape (64 m, w).
    Returns:
        Shape (64 w, m).
    """
    groups, blocks = len(planes) // 64, planes.shape[1]
    rows = np.empty((blocks, 64, groups), np.uint64)
    width = min(blocks, _CHUNK_BLOCKS)
    chunk, spare = np.empty((64, width), np.uint64), np.empty((32, width), np.uint64)
    for group in range(groups):
        for start in range(0, blocks, _CHUNK_BLOCKS):
            piece = chunk[:, : min(width, blocks - start)]
            piece[:] = planes[64 * group : 64 * (group + 1), start : start + width]
            _transpose(piece, spare, 64)
            rows[start : start + width, :, group] = piece.T
    return rows.reshape(64 * blocks, groups)


def _transpose(words: Words, spare: Words, rows: int) -> None:
    """Transpose 64 x 64 bit blocks in place: word i of a block becomes bit i of each. [HD13] §7-3, plane-major.

    Args:
        words: shape (64, blocks).
        spare: room for 32 x blocks words or more; without it every step would ask for fresh memory.
        rows: how many of the results are wanted, from the lowest; the others are left half done.
    """
    mask = 0x0000_0000_FFFF_FFFF
    width = 32
    while width:
        wanted = -(-rows // (2 * width))
        shift = np.uint64(width)
        pairs = words.reshape(64 // (2 * width), 2, width, -1)[:wanted]
        low, high = pairs[:, 0], pairs[:, 1]
        swap = spare.reshape(-1)[: low.size].reshape(low.shape)
        np.right_shift(low, shift, out=swap)
        swap ^= high
        swap &= np.uint64(mask)
        high ^= swap
        swap <<= shift
        low ^= swap
        width >>= 1
        mask ^= (mask << width) & 0xFFFF_FFFF_FFFF_FFFF
