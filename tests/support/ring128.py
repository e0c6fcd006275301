"""The integers modulo 2^128, two words to an element: the low word first, along a last axis of the array.

For tests: that elements may take several words is a promise of `Domain`, and no bundled domain has such elements.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Shape, Words
from mpcnet.algebra.domain import Move
from mpcnet.algebra.expand import expand
from mpcnet.schemes import AdditiveScheme, Kind

__all__ = ("Z128", "Ring128", "WideScheme")

_32 = np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)


def _element(low: Words, high: Words) -> Words:
    return np.stack(np.broadcast_arrays(low, high), axis=-1)


def _product(x: Words, y: Words) -> Words:
    """All 128 bits of the product of two words."""
    x_high, x_low, y_high, y_low = x >> _32, x & _LOW_32, y >> _32, y & _LOW_32
    low = np.asarray(np.multiply(x_low, y_low))
    one, other = np.asarray(np.multiply(x_high, y_low)), np.asarray(np.multiply(x_low, y_high))
    middle = np.asarray((low >> _32) + (one & _LOW_32) + (other & _LOW_32))
    high = np.asarray(np.multiply(x_high, y_high)) + (one >> _32) + (other >> _32) + (middle >> _32)
    return _element((low & _LOW_32) | (middle << _32), np.asarray(high))


@dataclass(frozen=True, slots=True)
class Ring128(Domain):
    """Signed integers in two's complement; what is declared and decoded are those of 64 bits."""

    name: str = "Z/2^128"
    lowest: int = -(2**63)
    highest: int = 2**63 - 1

    def encode(self, values: NDArray[np.int64]) -> Words:
        return _element(values.view(np.uint64), np.asarray(values >> 63).view(np.uint64))

    def decode(self, elements: Words, shape: Shape) -> NDArray[np.int64]:
        return np.ascontiguousarray(elements[..., 0]).view(np.int64).reshape(shape)

    def uniform(self, key: bytes, shape: Shape) -> Words:
        words = expand(key, self.nbytes(shape)).view("<u8").astype(np.uint64, copy=False)
        return words.reshape(self.array_shape(shape))

    def array_shape(self, shape: Shape) -> Shape:
        return (*shape, 2)

    def add(self, x: Words, y: Words) -> Words:
        low = np.asarray(np.add(x[..., 0], y[..., 0]))
        carry = np.asarray(low < x[..., 0]).astype(np.uint64)
        return _element(low, np.add(np.add(x[..., 1], y[..., 1]), carry))

    def subtract(self, x: Words, y: Words) -> Words:
        return self.add(x, self.negate(y))

    def negate(self, x: Words) -> Words:
        return self.add(~x, _element(np.asarray(np.uint64(1)), np.asarray(np.uint64(0))))

    def multiply(self, x: Words, y: Words) -> Words:
        product = _product(x[..., 0], y[..., 0])
        cross = np.add(np.multiply(x[..., 1], y[..., 0]), np.multiply(x[..., 0], y[..., 1]))
        product[..., 1] = np.add(product[..., 1], cross)
        return product

    def sum(self, x: Words, shape: Shape, axes: Shape) -> Words:
        low, high = x[..., 0], x[..., 1]
        # In halves: their sums do not overflow for fewer than 2^32 summands.
        lower = np.asarray(np.sum(low & _LOW_32, axis=axes, dtype=np.uint64))
        upper = np.asarray(np.sum(low >> _32, axis=axes, dtype=np.uint64))
        rest = np.asarray(np.sum(high, axis=axes, dtype=np.uint64))
        return self.add(_element(lower, rest), _element(upper << _32, np.asarray(upper >> _32)))

    def matmul(self, x: Words, y: Words) -> Words:
        rows, inner, columns = x.shape[:-2], x.shape[-2], y.shape[1:-1]
        left, right = x.reshape(math.prod(rows), inner, 1, 2), y.reshape(1, inner, math.prod(columns), 2)
        products = self.multiply(left, right)
        return self.sum(products, products.shape[:-1], (1,)).reshape(self.array_shape((*rows, *columns)))

    def add_into(self, total: Words, x: Words) -> None:
        total[...] = self.add(total, x)

    def subtract_into(self, total: Words, x: Words) -> None:
        total[...] = self.subtract(total, x)

    def rearrange(self, move: Move, shapes: Sequence[Shape], *arrays: Words) -> Words:
        return np.stack([move(*[array[..., word] for array in arrays]) for word in (0, 1)], axis=-1)


Z128: typing.Final[Domain] = Ring128()


class WideScheme(AdditiveScheme):
    """Additive sharing of numbers of 128 bits. It computes no products: what there is of triples has 64."""

    name = "wide"
    numbers = Z128
    kinds: typing.ClassVar[frozenset[Kind]] = frozenset()
