"""What operators of secrets give, as type checkers see it.

Never imported nor run. mypy and pyright read it as they read everything: what is asserted must hold for both, and
where an error is ignored both must find one, since both report ignores without need.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import assert_type

import numpy as np

from mpcnet import Secret, SecretBits, Top, concatenate, stack, top, where


def arithmetic(x: Secret, y: Secret, bits: SecretBits) -> None:
    assert_type(x + y, Secret)
    assert_type(x - 1, Secret)
    assert_type(1 - x, Secret)
    assert_type(x * bits, Secret)
    assert_type(bits * x, Secret)
    assert_type(bits * bits, Secret)
    assert_type(bits + bits, Secret)
    assert_type(1 - bits, Secret)
    assert_type(-bits, Secret)
    assert_type(x / 3, Secret)
    assert_type(x / Fraction(1, 3), Secret)
    assert_type(x * Decimal("0.1"), Secret)
    assert_type(x**2, Secret)
    assert_type(x @ y, Secret)
    assert_type(x.dot([1, 2, 3]), Secret)
    assert_type(abs(x), Secret)
    assert_type(+x, Secret)


def numpy_on_either_side(x: Secret, bits: SecretBits) -> None:
    array, mask = np.arange(3), np.ones(3, np.bool_)
    assert_type(x + array, Secret)
    assert_type(array + x, Secret)
    assert_type(array * x, Secret)
    assert_type(array - x, Secret)
    assert_type(array @ x, Secret)
    assert_type(np.float64(2) * x, Secret)
    assert_type([1, 2, 3] + x, Secret)  # noqa: RUF005
    assert_type(mask & bits, SecretBits)
    assert_type(bits | mask, SecretBits)
    assert_type(array < x, SecretBits)
    assert_type(x == array, SecretBits)


def comparisons(x: Secret, y: Secret, bits: SecretBits) -> None:
    assert_type(x < y, SecretBits)
    assert_type(x >= 3, SecretBits)
    assert_type(3 < x, SecretBits)  # noqa: SIM300
    assert_type(x == y, SecretBits)
    assert_type(x != [1, 2, 3], SecretBits)
    assert_type(bits == bits, SecretBits)  # noqa: PLR0124
    assert_type(bits == True, SecretBits)  # noqa: E712
    assert_type(bits < x, SecretBits)


def logic(a: SecretBits, b: SecretBits) -> None:
    assert_type(a & b, SecretBits)
    assert_type(a | True, SecretBits)
    assert_type(a ^ np.True_, SecretBits)
    assert_type(~a, SecretBits)
    assert_type(a.all(), SecretBits)
    assert_type(a.any(axis=0), SecretBits)
    assert_type(a.number(), Secret)
    assert_type(a.sum(axis=(0, 1)), Secret)
    assert_type(a.mean(), Secret)


def structure(x: Secret, bits: SecretBits) -> None:
    assert_type(x[0], Secret)
    assert_type(x[1:, None, ...], Secret)
    assert_type(bits[[0, 2]], SecretBits)
    assert_type(x.reshape(2, -1), Secret)
    assert_type(x.reshape((2, -1)), Secret)
    assert_type(bits.reshape([6]), SecretBits)
    assert_type(x.T, Secret)
    assert_type(bits.T, SecretBits)
    assert_type(bits.transpose(), SecretBits)
    assert_type(x.shape, tuple[int, ...])
    assert_type(len(x), int)
    assert_type(x.range, tuple[Fraction, Fraction])
    assert_type(concatenate([x, x]), Secret)
    assert_type(concatenate((bits, bits), axis=1), SecretBits)
    assert_type(stack([x]), Secret)
    assert_type(stack([bits]), SecretBits)


def choices(x: Secret, bits: SecretBits) -> None:
    assert_type(where(bits, x, 0), Secret)
    assert_type(where(bits, 0, x), Secret)
    assert_type(where(bits, 1, 2), Secret)
    assert_type(where(bits, bits, x), Secret)
    assert_type(where(bits, bits, bits), SecretBits)
    assert_type(x.clip(0, np.arange(3)), Secret)
    assert_type(bits.select(x), Secret)


def order(x: Secret, bits: SecretBits) -> None:
    assert_type(x.max(), Secret)
    assert_type(x.argmin(), Secret)
    assert_type(x.kth_largest(2), Secret)
    assert_type(x.argmax().one_hot(3), SecretBits)
    assert_type(bits.argmax(), Secret)
    best = top(x, 2)
    assert_type(best, Top)
    assert_type(best.values, Secret)
    assert_type(best.indices, Secret)
    assert_type(best.one_hot, SecretBits)


def refused(x: Secret, bits: SecretBits) -> None:
    """What ends in an error is one of types already."""
    x.sort()  # type: ignore[attr-defined]
    bits.astype(int)  # type: ignore[attr-defined]
    _ = x & 1  # type: ignore[operator]
    _ = ~x  # type: ignore[operator]
    _ = x + "1"  # type: ignore[operator]
    _ = bits & 1  # type: ignore[operator]
    _ = 2**x  # type: ignore[operator]
    x[0] = 3  # type: ignore[index]
    concatenate([x, bits])  # type: ignore[list-item]
    where(x, 1, 2)  # type: ignore[call-overload]
    np.exp(x)  # type: ignore[call-overload]
    np.sum(x)  # type: ignore[call-overload]
