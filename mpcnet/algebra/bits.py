"""Packed bits: 64 booleans to a word, and the step between numbers and their bit planes.

A bit array of n elements is stored as ceil(n / 64) words; bit j of word b is element 64 b + j, and the bits beyond
n are padding. The planes of n numbers are an array (k, ceil(n / 64)): plane i holds bit i of every number.

Plane-major words transpose several times faster in numpy than element-major ones, because every step of the
recursion works on long contiguous rows.
"""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra.domain import Buffer, Domain, Words, as_buffer
from mpcnet.algebra.expand import expand
from mpcnet.errors import PeerViolation

__all__ = ("BITS", "Bits", "from_planes", "pack_bits", "to_planes", "unpack_bits", "word_count")

_CHUNK_BLOCKS = 2048
"""Blocks that are transposed at a time: 1 MiB, so that all six passes stay in the cache."""


def word_count(count: int) -> int:
    """How many words hold this many bits."""
    return (count + 63) // 64


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits under XOR. A shape counts bits; the array behind it is flat and packed."""

    name: str = "bits"
    lowest: int = 0
    highest: int = 1

    def nbytes(self, shape: tuple[int, ...]) -> int:
        return 8 * word_count(math.prod(shape))

    def zeros(self, shape: tuple[int, ...]) -> Words:
        return np.zeros(word_count(math.prod(shape)), np.uint64)

    def uniform(self, key: bytes, shape: tuple[int, ...]) -> Words:
        return expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False)

    def add(self, x: Words, y: Words) -> Words:
        return np.asarray(np.bitwise_xor(x, y))

    def add_into(self, total: Words, x: Words) -> None:
        np.bitwise_xor(total, x, out=total)

    def subtract_into(self, total: Words, x: Words) -> None:
        np.bitwise_xor(total, x, out=total)

    def encode(self, values: NDArray[np.int64]) -> Words:
        return pack_bits(values.astype(np.bool_))

    def decode(self, elements: Words, shape: tuple[int, ...]) -> NDArray[np.int64]:
        return unpack_bits(elements, math.prod(shape)).astype(np.int64).reshape(shape)

    def to_bytes(self, elements: Words) -> Buffer:
        return as_buffer(elements.astype("<u8", copy=False))

    def from_bytes_untrusted(self, data: Buffer, shape: tuple[int, ...], party: str) -> Words:
        if len(data) != self.nbytes(shape):
            raise PeerViolation(party, f"sent {len(data)} bytes where {self.nbytes(shape)} were expected")
        return np.frombuffer(data, "<u8").astype(np.uint64, copy=False)


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
    for start in range(0, blocks, _CHUNK_BLOCKS):
        chunk = np.array(rows[start : start + _CHUNK_BLOCKS].T, order="C")  # a copy, also of one block
        _transpose(chunk)
        planes[:, start : start + _CHUNK_BLOCKS] = chunk[:bits]
    return planes


def from_planes(planes: Words, count: int) -> Words:
    """The inverse of `to_planes`: `count` numbers whose higher bits are zero."""
    bits, blocks = planes.shape
    values = np.empty((blocks, 64), np.uint64)
    for start in range(0, blocks, _CHUNK_BLOCKS):
        piece = planes[:, start : start + _CHUNK_BLOCKS]
        chunk = np.zeros((64, piece.shape[1]), np.uint64)
        chunk[:bits] = piece
        _transpose(chunk)
        values[start : start + _CHUNK_BLOCKS] = chunk.T
    return values.reshape(-1)[:count]


def _transpose(words: Words) -> None:
    """Transpose 64 x 64 bit blocks in place: word i of a block becomes bit i of each. [HD13] §7-3, plane-major."""
    mask = np.uint64(0x0000_0000_FFFF_FFFF)
    width = 32
    while width:
        shift = np.uint64(width)
        view = words.reshape(64 // (2 * width), 2, width, -1)
        low, high = view[:, 0], view[:, 1]
        swap = ((low >> shift) ^ high) & mask
        high ^= swap
        low ^= swap << shift
        width >>= 1
        if width:
            mask = mask ^ (mask << np.uint64(width))
