"""Comparisons and order of secrets, in numpy's names. They take correlated randomness; costs: `dsl.comparison`.

The modules of bits and of ordering stand on `Secret`, which inherits from here: so they are named when they are
needed, not before.
"""

from __future__ import annotations

import typing
from abc import abstractmethod
from fractions import Fraction

import numpy as np

from mpcnet.dsl.public import PublicLike
from mpcnet.dsl.shapes import integer
from mpcnet.errors import LocalError

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
        from mpcnet.dsl import comparison

        return comparison.less(self._secret(), other)

    def __gt__(self, other: Comparable) -> SecretBits:
        from mpcnet.dsl import comparison

        return comparison.greater(self._secret(), other)

    def __le__(self, other: Comparable) -> SecretBits:
        return ~(self > other)

    def __ge__(self, other: Comparable) -> SecretBits:
        return ~(self < other)

    def __eq__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        from mpcnet.dsl import comparison

        return comparison.equal(self._secret(), other)

    def __ne__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~(self == other)

    __hash__: typing.ClassVar[None] = None  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    def max(self) -> Secret:
        """The largest element of a one-dimensional secret."""
        return self.kth_largest(1)

    def min(self) -> Secret:
        """The smallest element of a one-dimensional secret."""
        return _reversed(_reversed(self._secret()).max())

    def kth_largest(self, place: int) -> Secret:
        """The element at a place of the order from the largest, counted from 1."""
        from mpcnet.dsl import selection

        return selection.at_place(self._secret(), place).values[0]

    def argmax(self) -> Secret:
        """Where the largest element stands; among equals the lowest index."""
        from mpcnet.dsl import selection

        return selection.at_place(self._secret(), 1).indices[0]

    def argmin(self) -> Secret:
        """Where the smallest element stands; among equals the lowest index."""
        return _reversed(self._secret()).argmax()

    def one_hot(self, size: int) -> SecretBits:
        """Bits of shape (*shape, size): one at the index that this secret is, none if it is no such index."""
        index, length = self._secret(), integer(size, "a size")
        if length < 0:
            raise LocalError("a size is not negative")
        return index.reshape(*index.shape, 1) == np.arange(length)

    def abs(self) -> Secret:
        """The absolute value. A comparison and one round."""
        from mpcnet.dsl import comparison

        return comparison.absolute(self._secret())

    def __abs__(self) -> Secret:
        return self.abs()

    def clip(self, low: PublicLike, high: PublicLike) -> Secret:
        """At least low and at most high, which are public. A comparison and one round."""
        from mpcnet.dsl import comparison

        return comparison.clipped(self._secret(), low, high)


def _reversed(x: Secret) -> Secret:
    """-x - 1 in the shared integers: the opposite order. The ring holds it for every x, unlike -x."""
    return Fraction(-1, x.denominator) - x
