"""Comparisons and order of secrets, in numpy's names. They take correlated randomness; `dsl.bits` has the costs.

The modules of bits and of ordering stand on `Secret`, which inherits from here: so they are named when they are
needed, not before.
"""

from __future__ import annotations

import typing
from abc import abstractmethod

import numpy as np

from mpcnet.dsl.public import PublicLike, to_public
from mpcnet.dsl.ranges import Range

if typing.TYPE_CHECKING:
    from mpcnet.dsl.bits import SecretBits
    from mpcnet.dsl.secret import Secret

__all__ = ("Comparable", "Ordered")

Comparable = typing.Union["Secret", "SecretBits", PublicLike]


class Ordered:
    """The comparisons of `Secret`, and what is built of them."""

    __slots__ = ()

    @abstractmethod
    def _secret(self) -> Secret:
        """Ourselves, with all operators."""

    def __lt__(self, other: Comparable) -> SecretBits:
        from mpcnet.dsl import bits

        return bits.less(self._secret(), other)

    def __gt__(self, other: Comparable) -> SecretBits:
        from mpcnet.dsl import bits

        return bits.greater(self._secret(), other)

    def __le__(self, other: Comparable) -> SecretBits:
        return ~(self > other)

    def __ge__(self, other: Comparable) -> SecretBits:
        return ~(self < other)

    def __eq__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        from mpcnet.dsl import bits

        return bits.equal(self._secret(), other)

    def __ne__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~(self == other)

    __hash__: typing.ClassVar[None]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    def max(self) -> Secret:
        """The largest element of a one-dimensional secret."""
        return self.kth_largest(1)

    def min(self) -> Secret:
        """The smallest element of a one-dimensional secret."""
        return -(-self._secret()).max()

    def kth_largest(self, place: int) -> Secret:
        """The element at a place of the order from the largest, counted from 1."""
        from mpcnet.dsl.ordering import top

        return top(self._secret(), place).values[place - 1]

    def argmax(self) -> Secret:
        """Where the largest element stands; among equals the lowest index."""
        from mpcnet.dsl.ordering import top

        return top(self._secret(), 1).indices[0]

    def argmin(self) -> Secret:
        """Where the smallest element stands; among equals the lowest index."""
        return (-self._secret()).argmax()

    def one_hot(self, size: int) -> SecretBits:
        """Bits of shape (*shape, size): one at the index that this secret is."""
        index = self._secret()
        return index.reshape(*index.shape, 1) == np.arange(size)

    def abs(self) -> Secret:
        """The absolute value."""
        x = self._secret()
        largest = max(abs(x.node.range.low), abs(x.node.range.high))
        return (x + (x < 0) * (x * -2)).bounded(Range(0, largest))

    def __abs__(self) -> Secret:
        return self.abs()

    def clip(self, low: PublicLike, high: PublicLike) -> Secret:
        """At least low and at most high, two public numbers."""
        x = self._secret()
        moved = x + (x < low) * (low - x) + (x > high) * (high - x)
        ends = [to_public(end).scaled_to(moved.denominator).numerators for end in (low, high)]
        return moved.bounded(Range(int(ends[0]), int(ends[1])))
