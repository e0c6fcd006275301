"""Lists of numbers that stay with their owner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.base import check_range
from mpcnet.declare.inputs.local import EDGE_ROWS, Local
from mpcnet.declare.inputs.numbers import parsed_decimal, parsed_whole, places_of, places_text
from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.declare.inputs.shared import check_limits
from mpcnet.declare.inputs.values import decimals, each, scaled_down, whole_numbers
from mpcnet.declare.parameters import Limits, Number, limits_of, named_in, span_text
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("LocalDecimals", "LocalInts")


@dataclass(frozen=True, kw_only=True)
class _LocalNumbers(Local):
    """Numbers that stay with their owner, in a form that is whole.

    Args:
        range: lowest and highest value, both included.
    """

    takes_numbers: ClassVar[bool] = True
    range: Limits = (0, 2**32 - 1)

    @abstractmethod
    def _convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """The whole numbers that stand for the values."""

    @abstractmethod
    def _value_of(self, number: int, params: Any) -> object:
        """The value that a whole number stands for."""

    def denominator(self, params: Any) -> int:
        """By what the whole numbers are divided to give the values that they stand for."""
        return 1

    def limits(self, params: Any) -> tuple[int, int]:
        """Lowest and highest value."""
        return limits_of(self.range, params)

    def _whole_limits(self, params: Any) -> tuple[int, int]:
        low, high = self.limits(params)
        return low * self.denominator(params), high * self.denominator(params)

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        """The whole numbers, in a row."""
        array = self._convert(value, params)
        most = self.max_rows(params)
        if array.ndim != 1 or array.size > most:
            given = f"one of {array.size:,}" if array.ndim == 1 else "an array of another shape"
            raise LocalError(f"a list of at most {most:,} numbers was expected, not {given}")
        check_range(array, self._whole_limits(params), self.limits(params))
        return array

    def sample(self, params: Any, choose: Chooser) -> list[object]:
        """See `Declaration.sample`."""
        low, high = self._whole_limits(params)
        places = choose.places(high - low + 1, self.max_rows(params))
        return [self._value_of(low + place, params) for place in places]

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        low, high = (self._value_of(number, params) for number in self._whole_limits(params))
        most = self.max_rows(params)
        return [low] * min(most, 1), [high] * min(most, EDGE_ROWS)

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        low, high = self.limits(params)
        return {**super().describe(params), "low": low, "high": high, "denominator": self.denominator(params)}

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        super().check_params(params)
        check_limits(self._whole_limits(params), self.limits(params))

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.range)


@dataclass(frozen=True, kw_only=True)
class LocalInts(_LocalNumbers):
    """Whole numbers that stay with their owner, as many as it has; the protocol derives shared inputs from them.

    Args:
        range: lowest and highest value, both included.
    """

    kind: ClassVar[str] = "local-ints"

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return each(texts, parsed_whole)

    def _convert(self, value: object, params: Any) -> NDArray[np.int64]:
        return whole_numbers(value)

    def _value_of(self, number: int, params: Any) -> int:
        return number

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        return f"{self._at_most(params)} whole numbers{span_text(self.range, params)}"


@dataclass(frozen=True, kw_only=True)
class LocalDecimals(_LocalNumbers):
    """Numbers with decimal places that stay with their owner, as many as it has.

    The protocol gets them as whole numbers: 3800.50 with places=2 is 380050.

    Args:
        range: lowest and highest value, both included.
        places: how many decimal places; a number with more is refused, and never rounded.
    """

    kind: ClassVar[str] = "local-decimals"
    places: Number = 2

    def denominator(self, params: Any) -> int:
        """By what the whole numbers are divided to give the values that they stand for."""
        return int(10 ** places_of(self.places, params))

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return each(texts, parsed_decimal if places_of(self.places, params) else parsed_whole)

    def _convert(self, value: object, params: Any) -> NDArray[np.int64]:
        return decimals(value, places_of(self.places, params))

    def _value_of(self, number: int, params: Any) -> Decimal | int:
        return scaled_down(number, places_of(self.places, params))

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        whole = "whole " if params is not None and not places_of(self.places, params) else ""
        places = "" if whole else places_text(self.places, params)
        return f"{self._at_most(params)} {whole}numbers{span_text(self.range, params)}{places}"

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.places)
