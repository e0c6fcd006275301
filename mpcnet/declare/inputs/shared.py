"""Inputs that are secret-shared."""

from __future__ import annotations

import math
import typing
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.base import Declaration, Sharing
from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.declare.inputs.values import nested, whole_numbers
from mpcnet.declare.parameters import Limits, Number, limits_of, named_in, number_of
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("Shared",)


@dataclass(frozen=True, kw_only=True)
class Shared(Declaration):
    """An input that is secret-shared; row i of the shared array is that of the role's member i.

    A kind of one's own says how a value becomes whole numbers (`convert`) and what value a number stands for
    (`value_of`). That the numbers have the declared shape and range is checked here, once, for every kind.

    Args:
        range: lowest and highest value, both included.
        shape: of each member's row.
        derived: the protocol computes the value itself, from local inputs: `party.share(name, value)`.
    """

    is_shared: ClassVar[bool] = True
    range: Limits = (0, 2**32 - 1)
    shape: tuple[Number, ...] = ()
    derived: bool = False

    @abstractmethod
    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """The whole numbers that stand for a value, of whatever shape and range they are.

        Raises:
            LocalError: the value is of another type; `row` is the place of the first such element.
        """

    @abstractmethod
    def value_of(self, number: int, params: Any) -> object:
        """The value of one element that a number within the range stands for; `convert` takes it."""

    def denominator(self, params: Any) -> int:
        """By what the numbers are divided to give the values that they stand for."""
        return 1

    def limits(self, params: Any) -> tuple[int, int]:
        """Lowest and highest value."""
        return limits_of(self.range, params)

    def row_shape(self, params: Any) -> tuple[int, ...]:
        """The shape of one member's row."""
        return tuple(number_of(dimension, params) for dimension in self.shape)

    @typing.final
    def sharing(self, params: Any) -> Sharing:
        """See `Declaration.sharing`."""
        denominator = self.denominator(params)
        low, high = self.limits(params)
        return Sharing(self.row_shape(params), low * denominator, high * denominator, denominator)

    @typing.final
    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        """The whole numbers to share, of the declared shape and range."""
        sharing = self.sharing(params)
        array = whole_numbers(self.convert(value, params))
        sharing.check(array, self.limits(params))
        return array

    @property
    def is_given(self) -> bool:
        """See `Declaration.is_given`."""
        return not self.derived

    def several(self, params: Any) -> bool:
        """See `Declaration.several`."""
        return self.row_shape(params) != ()

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        sharing = self.sharing(params)
        low, high = self.limits(params)
        return {
            "kind": self.kind,
            "by": self.by,
            "low": low,
            "high": high,
            "denominator": sharing.denominator,
            "shape": list(sharing.shape),
        }

    def sample(self, params: Any, choose: Chooser) -> object:
        """See `Declaration.sample`."""
        sharing = self.sharing(params)
        numbers = [choose.integer(sharing.low, sharing.high) for _ in range(math.prod(sharing.shape))]
        return nested([self.value_of(number, params) for number in numbers], sharing.shape)

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        sharing = self.sharing(params)
        low, high = (
            nested([self.value_of(number, params)] * math.prod(sharing.shape), sharing.shape)
            for number in (sharing.low, sharing.high)
        )
        return low, high

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        sharing = self.sharing(params)
        check_limits((sharing.low, sharing.high), self.limits(params))

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from named_in(self.range)
        for dimension in self.shape:
            yield from named_in(dimension)


def check_limits(numbers: tuple[int, int], limits: tuple[int, int]) -> None:
    """Refuse a range of numbers that is empty, or that a ring of 64 bits does not hold.

    Args:
        numbers: lowest and highest.
        limits: the same as the message tells it.
    """
    if not -(2**63) <= numbers[0] <= numbers[1] < 2**63:
        raise LocalError(f"the range [{limits[0]}, {limits[1]}] is empty or leaves 64 bits")
