"""Numbers: whole ones, and those with a fixed number of decimal places; shared, or in lists that stay local."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.base import check_range
from mpcnet.declare.inputs.local import EDGE_ROWS, Local
from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.declare.inputs.shared import Shared, check_limits
from mpcnet.declare.inputs.values import each, shaped, whole_numbers
from mpcnet.declare.parameters import Limits, limits_of, named_in, number_text, span_text
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("Decimals", "Ints", "LocalInts")


@dataclass(frozen=True, kw_only=True)
class Ints(Shared):
    """Whole numbers."""

    kind: ClassVar[str] = "ints"

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return shaped(each(texts, _whole), self.row_shape(params))

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """See `Shared.convert`."""
        return whole_numbers(value)

    def value_of(self, number: int, params: Any) -> int:
        """See `Shared.value_of`."""
        return number

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        return f"{_amount(self, 'whole ', params)}{span_text(self.range, params)}"


@dataclass(frozen=True, kw_only=True)
class Decimals(Shared):
    """Numbers with a fixed number of decimal places, kept exactly: 3800.50 with places=2 is shared as 380050.

    Args:
        places: how many.
    """

    kind: ClassVar[str] = "decimals"
    places: int = 2

    def denominator(self, params: Any) -> int:
        """See `Shared.denominator`."""
        return int(10**self.places)

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return shaped(each(texts, _decimal), self.row_shape(params))

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """See `Shared.convert`."""
        items = np.asarray(value, np.object_)
        scaled = np.empty(items.shape, np.object_)
        scaled.reshape(-1)[:] = each(items.reshape(-1).tolist(), self._scaled)
        return whole_numbers(scaled)

    def _scaled(self, item: object) -> int:
        if isinstance(item, bool) or not isinstance(item, int | float | str | Decimal):
            raise LocalError(f"a decimal number was expected, not a {type(item).__name__}")
        try:
            # A float means what it prints: 0.1 is one tenth.
            exact = Decimal(str(item)) * int(10**self.places)
            whole = int(exact)
        except (InvalidOperation, ValueError, OverflowError):
            raise LocalError("a decimal number was expected") from None
        if whole != exact:
            raise LocalError(f"a number has more than {self.places} decimal places")
        return whole

    def value_of(self, number: int, params: Any) -> Decimal:
        """See `Shared.value_of`."""
        return Decimal(number).scaleb(-self.places)

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        places = f"at most {self.places} decimal {'place' if self.places == 1 else 'places'}"
        return f"{_amount(self, '', params)}{span_text(self.range, params)} with {places}"


@dataclass(frozen=True, kw_only=True)
class LocalInts(Local):
    """Whole numbers that stay with their owner, as many as it has; the protocol derives shared inputs from them.

    Args:
        range: lowest and highest value, both included.
    """

    kind: ClassVar[str] = "local-ints"
    range: Limits = (0, 2**32 - 1)

    def limits(self, params: Any) -> tuple[int, int]:
        """Lowest and highest value."""
        return limits_of(self.range, params)

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return each(texts, _whole)

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        """A row of whole numbers."""
        array = whole_numbers(value)
        most = self.max_rows(params)
        if array.ndim != 1 or array.size > most:
            given = f"one of {array.size:,}" if array.ndim == 1 else "an array of another shape"
            raise LocalError(f"a list of at most {most:,} numbers was expected, not {given}")
        limits = self.limits(params)
        check_range(array, limits, limits)
        return array

    def sample(self, params: Any, choose: Chooser) -> list[int]:
        """See `Declaration.sample`."""
        low, high = self.limits(params)
        return [low + place for place in choose.places(high - low + 1, self.max_rows(params))]

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        low, high = self.limits(params)
        most = self.max_rows(params)
        return [low] * min(most, 1), [high] * min(most, EDGE_ROWS)

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        return f"{self._at_most(params)} whole numbers{span_text(self.range, params)}"

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        low, high = self.limits(params)
        return {**super().describe(params), "low": low, "high": high}

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        super().check_params(params)
        limits = self.limits(params)
        check_limits(limits, limits)

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.range)


def _whole(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise LocalError("a whole number was expected") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace("_", ""))
    except InvalidOperation:
        raise LocalError("a decimal number was expected") from None


def _amount(declaration: Shared, adjective: str, params: Any) -> str:
    if not declaration.shape:
        return f"a {adjective}number"
    sizes = " x ".join(number_text(dimension, params) for dimension in declaration.shape)
    one = params is not None and math.prod(declaration.row_shape(params)) == 1
    return f"{sizes} {adjective}{'number' if one else 'numbers'}"
