"""Public operands: numbers that all parties know, brought into the form int64 / denominator.

What is accepted is exact: integers, fractions, decimals, and floats as the dyadic fractions that they are.
"""

from __future__ import annotations

import hashlib
import math
import numbers
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, RangeError

__all__ = ("Public", "PublicLike", "is_boolean", "public_beside", "to_booleans", "to_public", "with_cause")

_TOO_WIDE = "a public number needs more than 64 bits with its sign"
_NOT_FINITE = "a public operand must be finite"
_MOST_DIGITS = 1100
"""Of a decimal: more than any float has, few enough that no party waits for a fraction of a billion digits."""
_TWOS = 20
"""Denominators with so many more factors 2 than 5 come from floats which were meant as decimal numbers."""
_FLOATS = (
    "floats are taken as the binary fractions that they are, 0.1 as 3602879701896397 / 2^55: "
    'write Decimal("0.1") or Fraction(1, 10) where a decimal number is meant'
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
        """The same numbers over a multiple of their denominator.

        Raises:
            RangeError: a numerator would need more than 64 bits.
        """
        factor = denominator // self.denominator
        if factor == 1:
            return self
        low, high = (int(self.numerators.min()), int(self.numerators.max())) if self.numerators.size else (0, 0)
        if low == high == 0:
            return Public(self.numerators, denominator)
        if low * factor < -(2**63) or high * factor >= 2**63:
            message = "a public number needs more than 64 bits at the common denominator"
            raise RangeError(with_cause(message, denominator))
        return Public(self.numerators * np.int64(factor), denominator)


PublicLike = (
    int
    | float
    | Fraction
    | Decimal
    | NDArray[typing.Any]
    | np.generic
    | list[typing.Any]
    | tuple[typing.Any, ...]
    | Public
)


def to_public(value: object) -> Public:
    """Read a public operand, and copy it: the caller may change its array afterwards.

    Raises:
        LocalError: it is no number or array of numbers.
        RangeError: an integer needs more than 64 bits, also after bringing fractions to one denominator.
    """
    if isinstance(value, Public):
        return value
    if isinstance(value, np.ndarray):
        return _array_to_public(typing.cast("NDArray[typing.Any]", value))
    if isinstance(value, list | tuple):
        return _list_to_public(typing.cast("Sequence[object]", value))
    exact = _exact(value)
    return Public(_int64([exact.numerator], (), exact.denominator), exact.denominator)


def public_beside(value: object, beside: str) -> Public:
    """The same, of what stands beside a secret; an error begins with `beside`, as in "'+' with a secret"."""
    try:
        return to_public(value)
    except LocalError as error:
        raise type(error)(f"{beside} a secret: {error}") from None


def is_boolean(value: object) -> bool:
    """Whether it is public booleans."""
    return np.asarray(value).dtype == np.bool_


def to_booleans(value: object) -> NDArray[np.bool_]:
    """Read the public side of secret bits.

    Raises:
        LocalError: it is not of booleans; numbers do not become booleans in silence.
    """
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise LocalError(
            f"secret bits meet public booleans here, not {array.dtype}: write x != 0, or take number()"
        )
    return array


def with_cause(message: str, denominator: int) -> str:
    """A message about numbers that became too large, and the cause if the denominator shows that it was floats."""
    twos = (denominator & -denominator).bit_length() - 1
    from_floats = twos >= _TWOS and denominator % 5 ** (twos - _TWOS + 1) != 0
    return f"{message}; {_FLOATS}" if from_floats else message


def _list_to_public(values: Sequence[object]) -> Public:
    try:
        array: NDArray[typing.Any] = np.asarray(values)
        if array.dtype.kind == "f":
            # Among floats numpy turns integers into floats too, and large ones into others.
            objects = np.asarray(values, np.object_)
            items = typing.cast("list[object]", objects.reshape(-1).tolist())
            if not all(isinstance(item, float) for item in items):
                array = objects
    except ValueError:
        raise LocalError("a public array must have one length in each dimension") from None
    return _array_to_public(array)


def _array_to_public(array: NDArray[typing.Any]) -> Public:
    match array.dtype.kind:
        case "b" | "i":
            return Public(array.astype(np.int64), 1)
        case "u":
            if array.size and int(array.max()) >= 2**63:
                raise RangeError(_TOO_WIDE)
            return Public(array.astype(np.int64), 1)
        case "f" if array.dtype.itemsize <= 8:
            return _dyadic(array.astype(np.float64))
        case "O" | "f":
            return _objects(array)
        case _:
            raise LocalError(f"an array of {array.dtype} holds no public numbers")


def _exact(value: object) -> Fraction:
    """A number as the fraction that it is."""
    if isinstance(value, int | np.integer | np.bool_) and not isinstance(value, np.timedelta64):
        return Fraction(int(typing.cast("int", value)))
    if isinstance(value, numbers.Rational) and not isinstance(value, np.generic):
        return Fraction(value)
    if isinstance(value, float | np.floating):
        number = typing.cast("float", value)
        if not np.isfinite(number):
            raise LocalError(_NOT_FINITE)
        return Fraction(*number.as_integer_ratio())
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise LocalError(_NOT_FINITE)
        if abs(value.adjusted()) > _MOST_DIGITS or len(value.as_tuple().digits) > _MOST_DIGITS:
            raise RangeError(f"a public decimal has more than {_MOST_DIGITS} digits")
        return Fraction(value)
    raise LocalError(
        f"a {type(value).__name__} is no public number; use int, Fraction, Decimal, float or an array of them"
    )


def _objects(array: NDArray[typing.Any]) -> Public:
    exact = [_exact(item) for item in array.flat]
    denominator = math.lcm(*(item.denominator for item in exact))
    return Public(_int64([int(item * denominator) for item in exact], array.shape, denominator), denominator)


def _dyadic(values: NDArray[np.float64]) -> Public:
    """Floats over the smallest power of two that makes all of them integers."""
    if not np.isfinite(values).all():
        raise LocalError(_NOT_FINITE)
    mantissas, exponents = np.frexp(values)
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    trailing_zeros = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    bits = np.where(integers == 0, 0, 53 - exponents - trailing_zeros).max(initial=0)
    with np.errstate(over="ignore"):  # infinity is out of bounds too
        scaled = np.ldexp(values, bits)
    if scaled.size and (scaled.min() < -(2.0**63) or scaled.max() >= 2.0**63):
        raise RangeError(f"these floats need more than 64 bits over one power of two; {_FLOATS}")
    return Public(scaled.astype(np.int64), 2 ** int(bits))


def _int64(numerators: Sequence[int], shape: tuple[int, ...], denominator: int) -> NDArray[np.int64]:
    if not all(-(2**63) <= item < 2**63 for item in numerators):
        raise RangeError(with_cause(_TOO_WIDE, denominator))
    return np.array(numerators, np.int64).reshape(shape)
