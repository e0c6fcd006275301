"""Correlated randomness by type: what a computing party can take from its pool, and how the parts hang together.

Every item consists of arrays that are uniform and shared (`randoms`), and arrays that are a function of them and
shared too (`dependents`). The maker of an item draws the first and derives the second with `derive`; the
dealer does it in the clear, other providers obliviously. An array is shared additively over Z/2^64 or, packed, by
XOR. Items come in units; one that works on packed bits has 64 elements to a unit.
"""

from __future__ import annotations

import itertools
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mpcnet.algebra import Words
from mpcnet.algebra.bits import to_planes, unpack_bits

__all__ = (
    "ArraySpec",
    "BitTimesWord",
    "BitTriples",
    "DaBits",
    "Demand",
    "Item",
    "MaskedBits",
    "MatrixTriples",
    "SharedTriples",
    "Triples",
    "parse_item",
)

Arrays = Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of an item.

    Args:
        name: inside its item.
        rows: words to a unit.
        additive: shared over Z/2^64; otherwise packed bits, shared by XOR.
        planes: stored as (rows, units); otherwise flat, unit after unit.
    """

    name: str
    rows: int
    additive: bool
    planes: bool = True

    def shape(self, units: int) -> tuple[int, ...]:
        """The shape of the array for this many units."""
        return (self.rows, units) if self.planes else (self.rows * units,)

    def cut(self, array: Words, start: int, stop: int) -> Words:
        """The units from start to stop."""
        return array[:, start:stop] if self.planes else array[self.rows * start : self.rows * stop]


Parts = tuple[tuple[ArraySpec, ...], tuple[ArraySpec, ...]]
"""The uniform arrays of an item, and the dependent ones."""


class Item(ABC):
    """A type of correlated randomness; equal keys mean equal types."""

    name: typing.ClassVar[str]

    @property
    def key(self) -> str:
        """Canonical name, with parameters."""
        return self.name

    @property
    @abstractmethod
    def randoms(self) -> tuple[ArraySpec, ...]:
        """Uniform arrays."""

    @property
    @abstractmethod
    def dependents(self) -> tuple[ArraySpec, ...]:
        """Arrays that are functions of the uniform ones."""

    @abstractmethod
    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        """The dependent arrays from the uniform ones, in the clear."""

    @cached_property
    def arrays(self) -> tuple[ArraySpec, ...]:
        """All arrays, uniform ones first: the order in which `Pool.take` returns them."""
        return self.randoms + self.dependents

    def words(self, units: int) -> int:
        """Words of all arrays of so many units: what a maker in the clear holds."""
        return units * sum(spec.rows for spec in self.arrays)

    def operations(self, units: int) -> int:
        """Word operations, roughly, of deriving so many units."""
        return self.words(units)


class _Fixed(Item):
    """An item without parameters."""

    parts: typing.ClassVar[Parts]

    @property
    def randoms(self) -> tuple[ArraySpec, ...]:
        return self.parts[0]

    @property
    def dependents(self) -> tuple[ArraySpec, ...]:
        return self.parts[1]


@dataclass(frozen=True)
class Triples(_Fixed):
    """a, b, c = a b over Z/2^64; one to a unit [Beaver91]."""

    name = "triples"
    parts: typing.ClassVar[Parts] = (
        (ArraySpec("a", 1, True, False), ArraySpec("b", 1, True, False)),
        (ArraySpec("c", 1, True, False),),
    )

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        return (randoms["a"] * randoms["b"],)


@dataclass(frozen=True)
class BitTriples(_Fixed):
    """a, b, c = a AND b, packed; 64 to a unit."""

    name = "bit-triples"
    parts: typing.ClassVar[Parts] = (
        (ArraySpec("a", 1, False), ArraySpec("b", 1, False)),
        (ArraySpec("c", 1, False),),
    )

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        return (randoms["a"] & randoms["b"],)


@dataclass(frozen=True)
class SharedTriples(_Fixed):
    """a, b, b', c = a AND b, c' = a AND b', packed: two products with one operand opened once; 64 to a unit."""

    name = "shared-triples"
    parts: typing.ClassVar[Parts] = (
        (ArraySpec("a", 1, False), ArraySpec("b", 1, False), ArraySpec("b2", 1, False)),
        (ArraySpec("c", 1, False), ArraySpec("c2", 1, False)),
    )

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        return randoms["a"] & randoms["b"], randoms["a"] & randoms["b2"]


@dataclass(frozen=True)
class DaBits(_Fixed):
    """A bit shared twice: packed by XOR, and as a number over Z/2^64; 64 to a unit. [edaBits20] §3 for one bit."""

    name = "dabits"
    parts: typing.ClassVar[Parts] = (
        (ArraySpec("bit", 1, False),),
        (ArraySpec("number", 64, True, False),),
    )

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        return (unpack_bits(randoms["bit"].reshape(-1), 64 * units).astype(np.uint64),)


@dataclass(frozen=True)
class BitTimesWord(_Fixed):
    """A bit b (packed by XOR, and as a number), a number a, and the number b a; 64 to a unit."""

    name = "bit-times-word"
    parts: typing.ClassVar[Parts] = (
        (ArraySpec("bit", 1, False), ArraySpec("a", 64, True, False)),
        (ArraySpec("number", 64, True, False), ArraySpec("product", 64, True, False)),
    )

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        number = unpack_bits(randoms["bit"].reshape(-1), 64 * units).astype(np.uint64)
        return number, number * randoms["a"]


@dataclass(frozen=True)
class MatrixTriples(Item):
    """Matrices A, B and A B over Z/2^64; one product to a unit. [Beaver91], for matrices as in [SecureML17] §4.1.

    Args:
        rows, inner, columns: A is rows x inner, B is inner x columns.
    """

    rows: int
    inner: int
    columns: int
    name = "matrix-triples"

    @property
    def key(self) -> str:
        return f"{self.name}/{self.rows}/{self.inner}/{self.columns}"

    @property
    def randoms(self) -> tuple[ArraySpec, ...]:
        left = ArraySpec("a", self.rows * self.inner, True, False)
        return left, ArraySpec("b", self.inner * self.columns, True, False)

    @property
    def dependents(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec("c", self.rows * self.columns, True, False),)

    def operations(self, units: int) -> int:
        return units * self.rows * self.inner * self.columns

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        left = randoms["a"].reshape(units, self.rows, self.inner)
        right = randoms["b"].reshape(units, self.inner, self.columns)
        return (np.matmul(left, right).reshape(-1),)


@dataclass(frozen=True)
class MaskedBits(Item):
    """r over Z/2^64, the planes of its low bits, and in each block of planes the products of every two and more.

    64 numbers to a unit. Without products these are edaBits [edaBits20] §3; the products make the first levels of
    a comparison tree local, cf. [ABY21] and [IKMOP13].

    Args:
        bits: how many low bits of r have planes, 1 to 64.
        block: planes to a block: 1 (no products), 2 or 4.
        skip_top: whether the top plane stays out of the blocks, as for comparisons.
    """

    bits: int
    block: int
    skip_top: bool = True
    name = "masked-bits"

    @property
    def key(self) -> str:
        return f"{self.name}/{self.bits}/{self.block}/{int(self.skip_top)}"

    @property
    def blocked_bits(self) -> int:
        """How many planes, from the lowest, lie in blocks."""
        return self.bits - 1 if self.skip_top else self.bits

    @property
    def block_count(self) -> int:
        """How many blocks; the last one may have fewer planes."""
        return -(-self.blocked_bits // self.block)

    @cached_property
    def subsets(self) -> tuple[tuple[int, ...], ...]:
        """The subsets of a block that have a product, each with its members ascending."""
        members = range(self.block)
        return tuple(s for size in range(2, self.block + 1) for s in itertools.combinations(members, size))

    @property
    def randoms(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec("r", 64, True, False),)

    @property
    def dependents(self) -> tuple[ArraySpec, ...]:
        return self._dependents

    # Asked for several times in each evaluation.
    @cached_property
    def _dependents(self) -> tuple[ArraySpec, ...]:
        planes = ArraySpec("planes", self.bits, False)
        products = ArraySpec("products", self.block_count * len(self.subsets), False)
        return (planes, products) if products.rows else (planes,)

    def derive(self, randoms: Arrays, units: int) -> tuple[Words, ...]:
        planes = to_planes(randoms["r"], self.bits)
        if not self.subsets or not self.block_count:
            return (planes,)
        # Blocks are padded with planes of zeros, whose products are zero.
        padded = np.zeros((self.block_count * self.block, units), np.uint64)
        padded[: self.blocked_bits] = planes[: self.blocked_bits]
        blocks = padded.reshape(self.block_count, self.block, units)
        products = np.empty((len(self.subsets), self.block_count, units), np.uint64)
        for position, subset in enumerate(self.subsets):
            np.bitwise_and.reduce(blocks[:, list(subset)], axis=1, out=products[position])
        return planes, products.reshape(-1, units)


Demand = Mapping[Item, int]
"""How many units of each type an evaluation takes."""


def parse_item(key: str) -> Item:
    """The item type with this key.

    Raises:
        ValueError: there is none.
    """
    simple: dict[str, Item] = {
        item.name: item for item in (Triples(), BitTriples(), SharedTriples(), DaBits(), BitTimesWord())
    }
    if key in simple:
        return simple[key]
    name, *numbers = key.split("/")
    if len(numbers) == 3 and all(word.isdecimal() and len(word) < 8 for word in numbers):
        first, second, third = (int(word) for word in numbers)
        item: Item | None = None
        if name == MaskedBits.name and 1 <= first <= 64 and second in (1, 2, 4) and third in (0, 1):
            item = MaskedBits(first, second, bool(third))
        elif name == MatrixTriples.name and min(first, second, third) > 0:
            item = MatrixTriples(first, second, third)
        if item is not None and item.key == key:
            return item
    raise ValueError("no such item")
