"""What every party knows of a value, and how each operation changes it: one rule for each, all in this file.

A node of a program carries its `Facts`. They follow from the declared inputs and the program's text alone, so all
parties find the same ones while the program is built, and a result that could leave its domain is refused on the
line that makes it, before anything is sent. Compilers call this a data-flow analysis, and its rules transfer
functions.

A further fact (a binary point, an error bound, how far one person can move the value) is a further field here.
Facts are made nowhere else (a test holds that), no field has a default, and a rule says what becomes of each field:
so the type checker lists what does not say it yet. Facts are handed on as they are only where every element is
kept, and kept once: in another fork, in another order or shape, and opened. All bits share one constant today;
their rules are given the operands for the fields to come.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain
from mpcnet.dsl import ranges
from mpcnet.dsl.ranges import Range

__all__ = ("Facts",)

Numbers = NDArray[np.int64]
"""Public integers: the numerators of a public operand."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What every party knows of the shared integers of a value, beside their shape.

    Args:
        range: the lowest and the highest integer that any of them can be.
    """

    range: Range

    def check(self, domain: Domain, what: str) -> None:
        """Refuse what the domain cannot hold.

        Raises:
            RangeError: it could leave the domain; `what` names the operation.
        """
        bounds = self.range
        if bounds.low < domain.lowest or bounds.high > domain.highest:
            bounds.check(domain, f"'{what}'")


_ZERO = Facts(Range(0, 0))
_BIT = Facts(Range(0, 1))


def declare(bounds: Range) -> Facts:
    """Of an input, whose owners keep to the declared range."""
    return Facts(bounds)


def zero() -> Facts:
    """Of zeros."""
    return _ZERO


def assume(_: Facts, bounds: Range) -> Facts:
    """Of the same elements, whose construction keeps them in a narrower range than the rules can find."""
    return Facts(bounds)


# The same elements elsewhere


def use(x: Facts) -> Facts:
    """Of the same value in another fork."""
    return x


def reveal(x: Facts) -> Facts:
    """Of the same value, opened."""
    return x


def rearrange(x: Facts) -> Facts:
    """Of the same elements in another order or shape."""
    return x


def index(x: Facts) -> Facts:
    """Of some of the elements; of some perhaps several times."""
    return Facts(x.range)


def repeat(x: Facts) -> Facts:
    """Of all elements, several times."""
    return Facts(x.range)


def one_of(x: Facts) -> Facts:
    """Of sums over elements of which one is an element of x, and all others are zero."""
    return Facts(x.range)


def join(values: Sequence[Facts]) -> Facts:
    """Of the elements of several values together."""
    return functools.reduce(_either, values)


# Arithmetic


def negate(x: Facts) -> Facts:
    """Of -x."""
    return Facts(-x.range)


def add(x: Facts, y: Facts) -> Facts:
    """Of x + y."""
    return Facts(x.range + y.range)


def subtract(x: Facts, y: Facts) -> Facts:
    """Of x - y."""
    return Facts(x.range - y.range)


def add_public(x: Facts, numbers: Numbers) -> Facts:
    """Of x + numbers."""
    return Facts(x.range + ranges.of_values(numbers))


def subtract_public(x: Facts, numbers: Numbers) -> Facts:
    """Of x - numbers."""
    return Facts(x.range - ranges.of_values(numbers))


def subtract_from_public(numbers: Numbers, x: Facts) -> Facts:
    """Of numbers - x."""
    return Facts(ranges.of_values(numbers) - x.range)


def scale(x: Facts, numbers: Numbers) -> Facts:
    """Of x * numbers, element by element."""
    return Facts(x.range.times(ranges.of_values(numbers)))


def multiply(x: Facts, y: Facts) -> Facts:
    """Of x * y, element by element."""
    return Facts(x.range.times(y.range))


def total(x: Facts, count: int) -> Facts:
    """Of sums of so many elements."""
    return Facts(x.range.summed(count))


def matmul(x: Facts, y: Facts, inner: int) -> Facts:
    """Of x @ y, whose elements are sums of so many products."""
    return Facts(x.range.times(y.range).summed(inner))


def matmul_public(x: Facts, matrix: Numbers, axis: int) -> Facts:
    """Of x @ matrix or matrix @ x; `axis` is the axis of the matrix that is summed over."""
    return Facts(ranges.of_dot(x.range, matrix, axis))


def wrap(*_: Facts, domain: Domain) -> Facts:
    """Of any function modulo the ring's size: it may be every element of the domain."""
    return Facts(Range(domain.lowest, domain.highest))


# Bits


def compare(_: Facts) -> Facts:
    """Of the bits [x < 0], or [x = 0]."""
    return _BIT


def invert(_: Facts) -> Facts:
    """Of ~x, of bits."""
    return _BIT


def combine(_x: Facts, _y: Facts) -> Facts:
    """Of x & y or x ^ y, of bits."""
    return _BIT


def combine_public(_: Facts) -> Facts:
    """Of x & booleans or x ^ booleans, of bits."""
    return _BIT


def no_bits(_: Facts) -> Facts:
    """Of bits that are all zero."""
    return _BIT


def to_number(_: Facts) -> Facts:
    """Of bits as the numbers 0 and 1."""
    return _BIT


# Choices


def select(_: Facts, x: Facts) -> Facts:
    """Of x where a bit is one, and zero elsewhere."""
    return _either(x, _ZERO)


def choose(_: Facts, x: Facts, y: Facts) -> Facts:
    """Of x where a bit is one, and y elsewhere."""
    return _either(x, y)


def choose_public(_: Facts, x: Numbers, y: Numbers) -> Facts:
    """Of public numbers x where a bit is one, and y elsewhere."""
    return Facts(ranges.of_values(x).union(ranges.of_values(y)))


def absolute(x: Facts) -> Facts:
    """Of |x|, where x can have either sign."""
    return Facts(Range(0, max(-x.range.low, x.range.high)))


def clip(x: Facts, low: Numbers, high: Numbers) -> Facts:
    """Of x, at least `low` and at most `high`."""
    bounds, lows, highs = x.range, ranges.of_values(low), ranges.of_values(high)
    least = min(max(bounds.low, lows.low), highs.low)
    most = max(min(bounds.high, highs.high), lows.high)
    return Facts(Range(least, most))


def count_wins(_: Facts, size: int) -> Facts:
    """Of comparisons won as the first of a pair, less those won as the second, among so many elements."""
    return Facts(Range(1 - size, size - 1))


def _either(x: Facts, y: Facts) -> Facts:
    return Facts(x.range.union(y.range))
