"""How each type of correlated randomness is made of oblivious transfers: one maker for each type in a tranche.

Every party draws its shares of an item's uniform arrays for itself. What depends on them is bilinear, so each party
computes the product of its own shares, and for each two parties one transfers its words under the other's bits:

    bits times bits       a_i b_j, with i choosing                              one for each bit and direction
    numbers times numbers a_i b_j = sum of 2^t (bit t of a_i) b_j, i choosing   64 for each direction [Gilboa99]
    a bit as a number     x + y - 2 x y, where x is shared and y party k's bit  one for each two parties, in a chain
    a bit times a number  p + y (a - 2 p), the same                             one for each direction, in a chain

A transfer gives the chooser the key of its bit c, and the holder both keys; the holder sends d = k_0 + m - k_1, and
the chooser has k_c + c d: together with -k_0 this is c m. All words of d are uniform to the chooser, who lacks one
key.

Transfers of one maker are numbered from 0 for each ordered pair, in whole words of 64; lots cut them anywhere
between words. In a chain the correction of a transfer waits for those before it: `stage` says at which it is sent,
0 for at once.

Semi-honest: a party that uses other bits or words towards others makes wrong items, and learns nothing by it.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Words
from mpcnet.algebra.bits import to_planes, unpack_bits, word_count
from mpcnet.correlated.items import (
    BitTimesWord,
    BitTriples,
    DaBits,
    Item,
    MatrixTriples,
    SharedTriples,
    Triples,
)
from mpcnet.errors import LocalError

__all__ = ("Maker", "Shape", "maker_of", "shape_of")

Draw = Callable[[int], Words]
"""A count to so many uniform words of our own."""
Range = tuple[int, int]
"""Transfers from the first to before the second; both are multiples of 64."""
Words8 = NDArray[np.uint8]


class Shape(ABC):
    """What all parties know of making an item: how many transfers, and what they carry.

    Args:
        item: what is made.
        units: how many.
        parties: how many computing parties there are.
    """

    key_blocks: int = 1
    """Blocks of 128 bits that each key has."""

    def __init__(self, item: Item, units: int, parties: int) -> None:
        self.item = item
        self.units = units
        self.parties = parties

    @abstractmethod
    def transfers(self, chooser: int, holder: int) -> int:
        """How many there are between two parties, by their places among the computing ones; a multiple of 64."""

    @abstractmethod
    def correction_bytes(self, part: Range) -> int:
        """Size of what the holder sends for some of them."""

    @property
    def stages(self) -> int:
        """How many stages there are: 1 if every correction is sent at once."""
        return 1

    def stage(self, chooser: int, holder: int) -> int:
        """At which stage the corrections between two parties are sent."""
        return 0


class Maker(ABC):
    """One party's part in making an item.

    Args:
        shape: what is made.
        me: our place among the computing parties.
        draw: uniform words of our own.
    """

    def __init__(self, shape: Shape, me: int, draw: Draw) -> None:
        self.shape = shape
        self.me = me
        self._randoms = {
            spec.name: draw(spec.rows * shape.units).reshape(spec.shape(shape.units)) for spec in shape.item.randoms
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape.item.key}, units={self.shape.units})"

    @abstractmethod
    def choices(self) -> Words:
        """Our bits as the chooser, packed, the same towards every holder."""

    @abstractmethod
    def hold(self, chooser: int, part: Range, zero: Words, one: Words) -> bytes:
        """Take both keys of some transfers as the holder.

        Args:
            zero, one: shape (transfers, 2 `key_blocks`).
        Returns:
            The correction if it is sent at once, else nothing.
        """

    @abstractmethod
    def choose(self, holder: int, part: Range, keys: Words, correction: Words8) -> None:
        """Take our keys and the correction of some transfers as the chooser."""

    def correct(self, chooser: int) -> bytes:
        """The corrections of a later stage, as the holder; its turn has come."""
        raise LocalError(f"{self} has one stage")

    def finish_stage(self, stage: int) -> None:
        """All corrections of a stage have come; makers without a chain have nothing to do then."""
        return

    @abstractmethod
    def dependents(self) -> tuple[Words, ...]:
        """Our shares of the dependent arrays, when everything has come."""

    def arrays(self) -> tuple[Words, ...]:
        """All arrays, in the order of `Item.arrays`."""
        return (*self._randoms.values(), *self.dependents())


def _packed(bits: Words) -> Words:
    """The lowest bit of each word, packed."""
    return np.packbits((bits & np.uint64(1)).astype(np.uint8), bitorder="little").view(np.uint64)


def _spread(bits: Words) -> Words:
    """Packed bits as words of all zeros or all ones."""
    return np.negative(unpack_bits(bits, 64 * len(bits)).astype(np.uint64))


# --- products of bits


class _BitShape(Shape):
    def transfers(self, chooser: int, holder: int) -> int:
        return 64 * self.units

    @property
    def width(self) -> int:
        """Products with one shared operand."""
        return len(self.item.dependents)

    def correction_bytes(self, part: Range) -> int:
        return (part[1] - part[0]) // 8 * self.width


class _BitMaker(Maker):
    """a AND b, and a AND b2 from a second bit of each key."""

    def __init__(self, shape: Shape, me: int, draw: Draw) -> None:
        super().__init__(shape, me, draw)
        self._a, *self._others = (array.reshape(-1) for array in self._randoms.values())
        self._products = [self._a & other for other in self._others]

    def choices(self) -> Words:
        return self._a

    def hold(self, chooser: int, part: Range, zero: Words, one: Words) -> bytes:
        where = slice(part[0] // 64, part[1] // 64)
        corrections: list[Words] = []
        for place, (other, product) in enumerate(zip(self._others, self._products, strict=True)):
            shift = np.uint64(place)
            first = _packed(zero[:, 0] >> shift)
            product[where] ^= first
            corrections.append(first ^ _packed(one[:, 0] >> shift) ^ other[where])
        return b"".join(correction.tobytes() for correction in corrections)

    def choose(self, holder: int, part: Range, keys: Words, correction: Words8) -> None:
        where = slice(part[0] // 64, part[1] // 64)
        corrections = correction.view(np.uint64).reshape(len(self._others), -1)
        for place, product in enumerate(self._products):
            product[where] ^= _packed(keys[:, 0] >> np.uint64(place)) ^ (self._a[where] & corrections[place])

    def dependents(self) -> tuple[Words, ...]:
        return tuple(product.reshape(1, -1) for product in self._products)


# --- products of numbers


class _NumberShape(Shape):
    """Numbers or matrices over Z/2^64: bit t of each left element chooses for a row of `columns` right elements."""

    def __init__(self, item: Item, units: int, parties: int) -> None:
        super().__init__(item, units, parties)
        matrix = item if isinstance(item, MatrixTriples) else MatrixTriples(1, 1, 1)
        self.rows, self.inner, self.columns = matrix.rows, matrix.inner, matrix.columns
        self.lefts = units * self.rows * self.inner
        self.padded = 64 * word_count(self.lefts)
        self.key_blocks = -(-self.columns // 2)

    def transfers(self, chooser: int, holder: int) -> int:
        return 64 * self.padded

    def pieces(self, part: Range) -> list[tuple[int, int, int]]:
        """A range as (bit, first left element, end)."""
        found: list[tuple[int, int, int]] = []
        start, stop = part
        while start < stop:
            bit, first = divmod(start, self.padded)
            end = min(self.padded, first + stop - start)
            found.append((bit, first, end))
            start += end - first
        return found

    def word_bytes(self, bit: int) -> int:
        """Bytes of a word that is multiplied by 2^bit: the others would leave the ring."""
        return -(-(64 - bit) // 8)

    def correction_bytes(self, part: Range) -> int:
        return sum((end - first) * self.columns * self.word_bytes(bit) for bit, first, end in self.pieces(part))


class _NumberMaker(Maker):
    """a b for numbers, A B for matrices."""

    def __init__(self, shape: _NumberShape, me: int, draw: Draw) -> None:
        super().__init__(shape, me, draw)
        self._numbers = shape
        left, right = (array.reshape(-1) for array in self._randoms.values())
        self._left = np.zeros(shape.padded, np.uint64)
        self._left[: shape.lefts] = left
        self._right = right.reshape(shape.units, shape.inner, shape.columns)
        matrices = left.reshape(shape.units, shape.rows, shape.inner)
        self._products = np.matmul(matrices, self._right).reshape(-1, shape.columns)

    def choices(self) -> Words:
        return to_planes(self._left, 64).reshape(-1)

    def _places(self, first: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """For left elements: which row of all right matrices they meet, and which of all products they add to."""
        shape = self._numbers
        elements = np.arange(first, min(end, shape.lefts), dtype=np.int64)
        units, within = np.divmod(elements, shape.rows * shape.inner)
        return units * shape.inner + within % shape.inner, elements // shape.inner, len(elements)

    def hold(self, chooser: int, part: Range, zero: Words, one: Words) -> bytes:
        shape, corrections, at = self._numbers, list[bytes](), 0
        rights = self._right.reshape(-1, shape.columns)
        for bit, first, end in shape.pieces(part):
            met, targets, used = self._places(first, end)
            keys = zero[at : at + end - first, : shape.columns]
            correction = keys - one[at : at + end - first, : shape.columns]
            correction[:used] += rights[met]
            np.subtract.at(self._products, targets, keys[:used] << np.uint64(bit))
            cut = np.ascontiguousarray(correction).view(np.uint8).reshape(-1, 8)[:, : shape.word_bytes(bit)]
            corrections.append(cut.tobytes())
            at += end - first
        return b"".join(corrections)

    def choose(self, holder: int, part: Range, keys: Words, correction: Words8) -> None:
        shape, at, position = self._numbers, 0, 0
        for bit, first, end in shape.pieces(part):
            _, targets, used = self._places(first, end)
            count, nbytes = (end - first) * shape.columns, shape.word_bytes(bit)
            wide = np.zeros((count, 8), np.uint8)
            wide[:, :nbytes] = correction[position : position + count * nbytes].reshape(count, nbytes)
            masks = np.negative((self._left[first:end] >> np.uint64(bit)) & np.uint64(1))[:, None]
            words = keys[at : at + end - first, : shape.columns] + (
                wide.view(np.uint64).reshape(-1, shape.columns) & masks
            )
            np.add.at(self._products, targets, words[:used] << np.uint64(bit))
            at, position = at + end - first, position + count * nbytes

    def dependents(self) -> tuple[Words, ...]:
        return (self._products.reshape(-1),)


# --- bits as numbers, in a chain


class _ChainShape(Shape):
    """Stage k is that in which party k's bit joins; `DaBits` begin with party 0's own bit, so with stage 1."""

    def __init__(self, item: Item, units: int, parties: int) -> None:
        super().__init__(item, units, parties)
        self.with_product = isinstance(item, BitTimesWord)

    def transfers(self, chooser: int, holder: int) -> int:
        return 64 * self.units if self.with_product or holder < chooser else 0

    def correction_bytes(self, part: Range) -> int:
        return (part[1] - part[0]) * (16 if self.with_product else 8)

    @property
    def stages(self) -> int:
        return self.parties if self.with_product else self.parties - 1

    def stage(self, chooser: int, holder: int) -> int:
        return chooser if self.with_product else chooser - 1


class _ChainMaker(Maker):
    """x = b_0, then x + y - 2 x y for the bit y of each further party; p = b_0 a, then p + y (a - 2 p)."""

    def __init__(self, shape: _ChainShape, me: int, draw: Draw) -> None:
        super().__init__(shape, me, draw)
        self._chain = shape
        count = 64 * shape.units
        self._bits = self._randoms["bit"].reshape(-1)
        self._mask = _spread(self._bits)
        # Column 0: the bit as a number. Column 1: the product.
        columns = 2 if shape.with_product else 1
        self._factor = self._randoms["a"] if shape.with_product else np.zeros(0, np.uint64)
        self._sums = np.zeros((count, columns), np.uint64)
        if me == 0:
            self._sums[:, 0] = self._mask & np.uint64(1)
            if shape.with_product:
                self._sums[:, 1] = self._mask & self._factor
        self._keys: dict[int, list[tuple[Range, Words, Words]]] = {}
        self._joining = np.zeros_like(self._sums)

    def choices(self) -> Words:
        return self._bits

    def _messages(self, where: slice, chooser: int) -> Words:
        """What the chooser's bit multiplies of our shares."""
        messages: Words = np.negative(self._sums[where] << np.uint64(1))
        if self._chain.with_product:
            messages[:, 1] += self._factor[where]
        return messages

    def hold(self, chooser: int, part: Range, zero: Words, one: Words) -> bytes:
        columns = self._sums.shape[1]
        self._keys.setdefault(chooser, []).append((part, zero[:, :columns].copy(), one[:, :columns].copy()))
        if self.shape.stage(chooser, self.me) == 0:
            return self._correction(chooser)
        return b""

    def correct(self, chooser: int) -> bytes:
        return self._correction(chooser)

    def _correction(self, chooser: int) -> bytes:
        made: list[bytes] = []
        for (start, stop), zero, one in self._keys.pop(chooser, []):
            where = slice(start, stop)
            made.append((zero - one + self._messages(where, chooser)).tobytes())
            self._joining[where] -= zero
        return b"".join(made)

    def choose(self, holder: int, part: Range, keys: Words, correction: Words8) -> None:
        where = slice(*part)
        columns = self._sums.shape[1]
        words = correction.view(np.uint64).reshape(-1, columns)
        self._joining[where] += keys[:, :columns] + (words & self._mask[where, None])

    def finish_stage(self, stage: int) -> None:
        chooser = stage if self._chain.with_product else stage + 1
        if self.me == chooser:
            # What our bit multiplies of our own share, and the bit itself.
            own = self._messages(slice(None), chooser) & self._mask[:, None]
            first_joins = self._chain.with_product and chooser == 0
            if first_joins:
                own = np.zeros_like(own)  # party 0 began with its own bit and product
            else:
                own[:, 0] += self._mask & np.uint64(1)
            self._sums += own
        self._sums += self._joining
        self._joining = np.zeros_like(self._sums)

    def dependents(self) -> tuple[Words, ...]:
        return tuple(column.copy() for column in self._sums.T)


_SHAPES: typing.Final[dict[type[Item], tuple[type[Shape], type[Maker]]]] = {
    BitTriples: (_BitShape, _BitMaker),
    SharedTriples: (_BitShape, _BitMaker),
    Triples: (_NumberShape, _NumberMaker),
    MatrixTriples: (_NumberShape, _NumberMaker),
    DaBits: (_ChainShape, _ChainMaker),
    BitTimesWord: (_ChainShape, _ChainMaker),
}


def shape_of(item: Item, units: int, parties: int) -> Shape:
    """How an item is made.

    Raises:
        LocalError: it is not made of oblivious transfers.
    """
    if type(item) not in _SHAPES:
        raise LocalError(f"no {item.key} are made of oblivious transfers")
    return _SHAPES[type(item)][0](item, units, parties)


def maker_of(shape: Shape, me: int, draw: Draw) -> Maker:
    """Our part in it."""
    return _SHAPES[type(shape.item)][1](shape, me, draw)
