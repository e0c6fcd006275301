"""Public ranges: what every party knows about a secret's size.

A range holds the integers that are shared; a secret with a denominator d stands for share / d. Ranges only ever
grow by what an operation can do to its operands, and an operation whose range leaves the domain is refused while
the program is built, before anything is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain
from mpcnet.errors import LocalError, RangeError

__all__ = ("Range", "exact_sum")


@dataclass(frozen=True, slots=True)
class Range:
    """All integers from low to high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise LocalError(f"a range goes from low to high, not from {self.low} to {self.high}")

    def __str__(self) -> str:
        return f"[{self.low}, {self.high}]"

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Range) -> Range:
        return Range(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low)

    def times(self, factor: Range) -> Range:
        """The range of products of one number of each."""
        corners = [a * b for a in (self.low, self.high) for b in (factor.low, factor.high)]
        return Range(min(corners), max(corners))

    def union(self, other: Range) -> Range:
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def summed(self, count: int) -> Range:
        """The range of a sum of `count` values."""
        return Range(self.low * count, self.high * count)

    def check(self, domain: Domain, what: str) -> Range:
        """This range, if the domain holds it.

        Raises:
            RangeError: it does not; `what` names the operation.
        """
        if self.low < domain.lowest or self.high > domain.highest:
            raise RangeError(
                f"{what} can give values in {self}, which {domain.name} does not hold: declare narrower ranges"
            )
        return self


def exact_sum(values: NDArray[np.int64], axis: int) -> NDArray[np.object_]:
    """Sums along an axis as Python integers, without overflow: exact for fewer than 2^31 summands."""
    low = np.bitwise_and(values, 0xFFFF_FFFF).sum(axis=axis, dtype=np.int64)
    high = np.right_shift(values, 32).sum(axis=axis, dtype=np.int64)
    return np.asarray(np.asarray(high).astype(np.object_) * 2**32 + np.asarray(low).astype(np.object_), np.object_)


def of_values(values: NDArray[np.int64]) -> Range:
    """The range of public numbers; of nothing, just zero."""
    return Range(int(values.min()), int(values.max())) if values.size else Range(0, 0)


def of_dot(x: Range, matrix: NDArray[np.int64], axis: int) -> Range:
    """The range of sums of x_i * matrix_i along an axis of the public matrix."""
    positive = exact_sum(np.maximum(matrix, 0), axis)
    negative = exact_sum(np.minimum(matrix, 0), axis)
    if positive.size == 0:
        return Range(0, 0)
    lows = np.asarray(positive * x.low + negative * x.high, np.object_)
    highs = np.asarray(positive * x.high + negative * x.low, np.object_)
    return Range(int(lows.min()), int(highs.max()))
