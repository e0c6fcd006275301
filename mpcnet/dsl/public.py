"""Public operands: numbers that all parties know, brought into the form int64 / denominator.

What is accepted is exact: integers, fractions, decimals, and floats as the dyadic fractions that they are.
"""

from __future__ import annotations

import hashlib
import math
import numbers
import typing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, RangeError

__all__ = ("Public", "PublicLike", "to_public")

PublicLike = (
    int | float | Fraction | Decimal | NDArray[typing.Any] | np.generic | list[typing.Any] | tuple[typing.Any, ...]
)


@dataclass(frozen=True, slots=True)
class Public:
    """numerators / denominator."""

    numerators: NDArray[np.int64]
    denominator: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numerators.shape

    def digest(self) -> bytes:
        """Hash of the value, for the program digest."""
        head = f"{self.numerators.shape}/{self.denominator}:".encode()
        body = np.ascontiguousarray(self.numerators, "<i8")
        return hashlib.blake2b(head + body.tobytes(), digest_size=16, person=b"mpcnet.public").digest()

    def scaled_to(self, denominator: int) -> Public:
        """The same numbers over a multiple of our denominator."""
        factor = denominator // self.denominator
        return self if factor == 1 else Public(_multiplied(self.numerators, factor), denominator)


def to_public(value: object) -> Public:
    """Read a public operand.

    Raises:
        LocalError: it is no number or array of numbers.
        RangeError: an integer needs more than 64 bits, also after bringing fractions to one denominator.
    """
    if isinstance(value, int | np.integer):
        return Public(_int64(np.asarray(int(typing.cast("int", value)), np.object_)), 1)
    if isinstance(value, Fraction | Decimal | float | np.floating):
        number = typing.cast("Fraction", value)
        if not math.isfinite(number):
            raise LocalError("a public operand must be finite")
        exact = Fraction(number)
        return Public(_int64(np.asarray(exact.numerator, np.object_)), exact.denominator)
    if isinstance(value, list | tuple | np.ndarray | np.generic):
        return _array_to_public(np.asarray(typing.cast("object", value)))
    raise LocalError(
        f"a {type(value).__name__} is no public number; use int, Fraction, Decimal, float or an array of them"
    )


def _array_to_public(array: NDArray[typing.Any]) -> Public:
    match array.dtype.kind:
        case "b" | "i":
            return Public(array.astype(np.int64), 1)
        case "u":
            if array.size and int(array.max()) > 2**63 - 1:
                raise RangeError("a public number needs more than 64 bits with its sign")
            return Public(array.astype(np.int64), 1)
        case "f":
            return _dyadic(array.astype(np.float64))
        case "O":
            return _objects(array)
        case _:
            if array.size == 0:
                return Public(np.zeros(array.shape, np.int64), 1)
            raise LocalError(f"an array of {array.dtype} holds no public numbers")


def _objects(array: NDArray[np.object_]) -> Public:
    items = typing.cast("list[object]", array.reshape(-1).tolist())
    if not all(isinstance(item, numbers.Rational | Decimal | float) for item in items):
        raise LocalError("an array of objects must hold int, Fraction, Decimal or float")
    exact = [Fraction(typing.cast("Fraction", item)) for item in items]
    denominator = math.lcm(*(item.denominator for item in exact)) if exact else 1
    numerators = np.empty(array.shape, np.object_)
    numerators.reshape(-1)[:] = [int(item * denominator) for item in exact]
    return Public(_int64(numerators), denominator)


def _dyadic(values: NDArray[np.float64]) -> Public:
    if not np.isfinite(values).all():
        raise LocalError("public operands must be finite")
    for bits in range(63):
        scaled = np.ldexp(values, bits)
        if np.array_equal(scaled, np.rint(scaled)):
            if scaled.size and float(np.abs(scaled).max()) >= 2.0**63:
                break
            return Public(scaled.astype(np.int64), 2**bits)
    raise RangeError(
        "these floats are no fractions of 64 bits with one power of two below; round them, or use Fraction(1, 10)"
    )


def _int64(values: NDArray[np.object_]) -> NDArray[np.int64]:
    for item in typing.cast("list[int]", values.reshape(-1).tolist()):
        if not -(2**63) <= item < 2**63:
            raise RangeError("a public number needs more than 64 bits with its sign")
    return values.astype(np.int64)


def _multiplied(values: NDArray[np.int64], factor: int) -> NDArray[np.int64]:
    largest = max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0
    if largest * factor >= 2**63:
        raise RangeError("a public number needs more than 64 bits at the common denominator")
    return values * np.int64(factor)
