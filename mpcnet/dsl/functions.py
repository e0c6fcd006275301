"""What takes several secrets, in numpy's names where numpy has it: joining, choosing, and the order of a list."""

from __future__ import annotations

import typing
from collections.abc import Sequence

from mpcnet.dsl import comparison, logic, selection, values
from mpcnet.dsl.logic import BitValue
from mpcnet.dsl.public import Public, PublicLike, public_beside
from mpcnet.dsl.secret import Operand, Secret, SecretBits
from mpcnet.dsl.shapes import integer
from mpcnet.dsl.values import Value
from mpcnet.errors import LocalError

__all__ = ("Top", "concatenate", "stack", "top", "where")


@typing.overload
def concatenate(values: Sequence[Secret], axis: int = 0) -> Secret: ...
@typing.overload
def concatenate(values: Sequence[SecretBits], axis: int = 0) -> SecretBits: ...
def concatenate(values: Sequence[Secret] | Sequence[SecretBits], axis: int = 0) -> Secret | SecretBits:
    """Secrets one after the other along an axis, as `numpy.concatenate`. Without a message; of bits, bits."""
    return _joined("concatenate", values, axis)


@typing.overload
def stack(values: Sequence[Secret], axis: int = 0) -> Secret: ...
@typing.overload
def stack(values: Sequence[SecretBits], axis: int = 0) -> SecretBits: ...
def stack(values: Sequence[Secret] | Sequence[SecretBits], axis: int = 0) -> Secret | SecretBits:
    """Secrets of one shape side by side along a new axis, as `numpy.stack`. Without a message; of bits, bits."""
    return _joined("stack", values, axis)


def _joined(kind: str, sides: object, axis: int) -> Secret | SecretBits:
    listed = list(typing.cast("Sequence[object]", sides)) if isinstance(sides, Sequence) else []
    numbers = [side.core for side in listed if isinstance(side, Secret)]
    bits = [side.core for side in listed if isinstance(side, SecretBits)]
    if not listed or len(numbers) + len(bits) != len(listed):
        raise LocalError(
            f"{kind} takes a sequence of at least one secret; public numbers become one as x[:1] * 0 + numbers"
        )
    if numbers and bits:
        raise LocalError(f"{kind} takes numbers or bits, not both: write bits.number() to make numbers of bits")
    if numbers:
        return Secret(values.concatenate(numbers, axis) if kind == "concatenate" else values.stack(numbers, axis))
    return SecretBits(logic.concatenate(bits, axis) if kind == "concatenate" else logic.stack(bits, axis))


@typing.overload
def where(condition: SecretBits, x: SecretBits, y: SecretBits) -> SecretBits: ...
@typing.overload
def where(condition: SecretBits, x: Secret | PublicLike, y: Operand) -> Secret: ...
@typing.overload
def where(condition: SecretBits, x: Operand, y: Secret | PublicLike) -> Secret: ...
def where(condition: SecretBits, x: Operand, y: Operand) -> Secret | SecretBits:
    """x where the bit is one, y elsewhere; of bits, bits.

    One round: 8 bytes and a bit an element to each peer for numbers, one bit if both are public, 2 bits for bits.
    """
    if not isinstance(condition, SecretBits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise LocalError("the condition of `where` is made of secret bits, as comparisons give them")
    if isinstance(x, SecretBits) and isinstance(y, SecretBits):
        return SecretBits(comparison.choose_bits(condition.core, x.core, y.core))
    return Secret(comparison.choose(condition.core, _side(x), _side(y)))


def _side(value: Operand) -> Value | BitValue | Public:
    return value.core if isinstance(value, Secret | SecretBits) else public_beside(value, "beside")


class Top:
    """The k largest of a secret array, largest first.

    Args:
        values: shape (k,).
        indices: where they stand, shape (k,); among equals the lowest first.
    """

    __slots__ = ("_length", "_one_hot", "indices", "values")

    def __init__(self, places: selection.Places, length: int) -> None:
        self.values: typing.Final = Secret(places.values)
        self.indices: typing.Final = Secret(places.indices)
        self._length = length
        self._one_hot = None if places.one_hot is None else SecretBits(places.one_hot)

    def __repr__(self) -> str:
        return f"Top(values={self.values}, indices={self.indices})"

    @property
    def one_hot(self) -> SecretBits:
        """Bits of shape (k, n): in each row, one where the element stands.

        Up to 128 elements they are there already, beyond that they are found from the indices when they are asked
        for first: that costs what `one_hot` of a secret costs.
        """
        if self._one_hot is None:
            self._one_hot = self.indices.one_hot(self._length)
        return self._one_hot


def top(x: Secret, places: int) -> Top:
    """The largest elements of a one-dimensional secret, with their indices.

    Up to 128 elements are compared all with all: a comparison, a test for equality and two rounds. More go in
    groups of 32, or of four times the places, whose best go on, with as many rounds again for each level.

    Args:
        places: how many, at most the length.
    Raises:
        LocalError: x has more than one dimension, or fewer elements.
    """
    number = integer(places, "a number of places")
    return Top(selection.in_places(x.core, 1, number), x.shape[0])
