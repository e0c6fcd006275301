"""Numbers that are shared: whole ones, and those with a fixed number of decimal places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.shared import Shared
from mpcnet.declare.inputs.values import decimals, each, exact, scaled, scaled_down, shaped, whole_numbers
from mpcnet.declare.number_formats import looks_formatted
from mpcnet.declare.parameters import Number, named_in, number_of, number_text, span_text
from mpcnet.errors import LocalError, RangeError

__all__ = ("Decimals", "Ints", "parsed_decimal", "parsed_whole", "places_of", "places_text")

_MAX_PLACES = 18


@dataclass(frozen=True, kw_only=True)
class Ints(Shared):
    """Whole numbers."""

    kind: ClassVar[str] = "ints"
    takes_numbers: ClassVar[bool] = True

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        return shaped(each(texts, parsed_whole), self.row_shape(params))

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
        places: how many; a number with more is refused, and never rounded.
    """

    kind: ClassVar[str] = "decimals"
    takes_numbers: ClassVar[bool] = True
    places: Number = 2

    def denominator(self, params: Any) -> int:
        """See `Shared.denominator`."""
        return int(10 ** places_of(self.places, params))

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """See `Declaration.parse`."""
        parsed = parsed_decimal if places_of(self.places, params) else parsed_whole
        return shaped(each(texts, parsed), self.row_shape(params))

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """See `Shared.convert`."""
        return decimals(value, places_of(self.places, params))

    def value_of(self, number: int, params: Any) -> Decimal | int:
        """See `Shared.value_of`. A whole number if there are no decimal places."""
        return scaled_down(number, places_of(self.places, params))

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        whole = "whole " if params is not None and not places_of(self.places, params) else ""
        places = "" if whole else places_text(self.places, params)
        return f"{_amount(self, whole, params)}{span_text(self.range, params)}{places}"

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.places)


def places_of(reference: Number, params: Any) -> int:
    """A number of decimal places.

    Raises:
        LocalError: it is negative, or leaves 64 bits no room for a number.
    """
    places = number_of(reference, params)
    if not 0 <= places <= _MAX_PLACES:
        raise LocalError(f"a number has 0 to {_MAX_PLACES} decimal places, not {places}")
    return places


def places_text(reference: Number, params: Any = None) -> str:
    """The end of a noun phrase: how many decimal places a number has."""
    text = number_text(reference, params)
    return f" with at most {text} decimal {'place' if text == '1' else 'places'}"


def parsed_whole(text: str) -> int:
    """A whole number, however it is written: 3800, 3800.00, 3.8e3.

    Raises:
        LocalError: it is none.
    """
    try:
        return int(text.strip())
    except ValueError:
        pass
    try:
        return scaled(exact(text), 0)
    except RangeError:
        raise
    except LocalError:
        raise LocalError(_expected("a whole number", text)) from None


def parsed_decimal(text: str) -> Decimal:
    """A number.

    Raises:
        LocalError: it is none.
    """
    try:
        return exact(text)
    except LocalError:
        raise LocalError(_expected("a decimal number", text)) from None


def _expected(what: str, text: str) -> str:
    if not looks_formatted(text):
        return f"{what} was expected"
    return (
        f"{what} was expected, written plainly, such as 3800.50: separators of thousands, a decimal comma or a "
        "currency take a format, such as --format NAME=de"
    )


def _amount(declaration: Shared, adjective: str, params: Any) -> str:
    if not declaration.shape:
        return f"a {adjective}number"
    sizes = " x ".join(number_text(dimension, params) for dimension in declaration.shape)
    one = params is not None and math.prod(declaration.row_shape(params)) == 1
    return f"{sizes} {adjective}{'number' if one else 'numbers'}"
