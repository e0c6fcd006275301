"""How people write numbers: with separators of thousands, a decimal comma, a sign of a currency.

A text such as 3.800 means two numbers, so no format is guessed: the one who gives the file names it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mpcnet.errors import LocalError, did_you_mean

__all__ = ("FORMATS", "NumberFormat", "find_format", "looks_formatted")

_SPACES = " \u00a0\u2009\u202f"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are written.

    Args:
        name: what one calls it.
        thousands: the characters that may stand between groups of three digits.
        decimal: the character before the decimal places.
        example: one number in this format.
    """

    name: str
    thousands: str
    decimal: str
    example: str

    def plain(self, text: str) -> str:
        """The same number without separators and currency, with a decimal point.

        Raises:
            LocalError: it is not written like this. The message does not repeat it.
        """
        bare = _without_currency(text)
        groups, point = re.escape(self.thousands), re.escape(self.decimal)
        if not re.fullmatch(rf"[+-]?(?:\d{{1,3}}(?:[{groups}]\d{{3}})+|\d+)(?:{point}\d+)?", bare, re.ASCII):
            raise LocalError(f"a number of the format {self.name} was expected, such as {self.example}")
        return "".join("." if char == self.decimal else char for char in bare if char not in self.thousands)


FORMATS = {
    found.name: found
    for found in (
        NumberFormat("en", ",", ".", "1,234.50"),
        NumberFormat("de", ".", ",", "1.234,50"),
        NumberFormat("fr", _SPACES, ",", "1 234,50"),
        NumberFormat("ch", "'\u2019", ".", "1'234.50"),
    )
}


def find_format(name: str) -> NumberFormat:
    """The format of this name.

    Raises:
        LocalError: there is none.
    """
    if name not in FORMATS:
        known = ", ".join(f"{found.name} ({found.example})" for found in FORMATS.values())
        raise LocalError(f"there is no number format {name!r}; there are: {known}{did_you_mean(name, FORMATS)}")
    return FORMATS[name]


def looks_formatted(text: str) -> bool:
    """Whether a text that is no plain number is one in some format."""
    if not set(text) - set("+-0123456789.") and text.count(".") < 2:
        return False
    for found in FORMATS.values():
        try:
            found.plain(text)
        except LocalError:
            continue
        return True
    return False


def _without_currency(text: str) -> str:
    bare = text.strip()
    sign = bare[:1] if bare[:1] in ("-", "+") else ""
    bare = bare[len(sign) :].strip()
    while bare and unicodedata.category(bare[0]) == "Sc":
        bare = bare[1:].strip()
    while bare and unicodedata.category(bare[-1]) == "Sc":
        bare = bare[:-1].strip()
    return sign + bare
