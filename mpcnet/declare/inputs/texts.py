"""When two texts are the same, and when they only look so.

Texts are compared in one form: white space around them is removed, Unicode is brought into normal form C, and
spaces of every width are plain spaces. Case and everything else counts. Characters that do not show are refused,
because a text with one of them never matches one without, and no person sees why.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mpcnet.errors import LocalError

__all__ = ("FORM", "RULE", "look_alikes", "normal")

FORM = "NFC, plain spaces"
"""The name of the form, for the agreement."""
RULE = (
    "two texts are the same if they agree letter by letter, upper and lower case told apart, without the white "
    "space around them"
)

_JOINERS = "\u200c\u200d"
"""Zero-width, and part of how Persian, Hindi and others are written."""
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Letters of Greek and Cyrillic that look as Latin ones do in most typefaces.
_TWINS = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧνο",
    "ABESIJKMHOPCTYXaesijopcyxdqw" + "ABEZHIKMNOPTYXvo",
)


def normal(text: str) -> str:
    """A text in the form in which texts are compared.

    Raises:
        LocalError: it holds a character that does not show, or is no valid Unicode; the message tells which.
    """
    if text.isascii() and text.isprintable():  # most are, and lists may have millions
        return text.strip()
    found = unicodedata.normalize("NFC", _SPACES.sub(" ", text.strip()))
    for char in found:
        if unicodedata.category(char) in _HIDDEN and char not in _JOINERS:
            raise LocalError(f"a text holds a character that does not show (U+{ord(char):04X})")
    return found


def look_alikes(texts: Iterable[str]) -> tuple[str, str] | None:
    """Two of the texts that a person cannot tell apart, if there are some."""
    seen: dict[str, str] = {}
    for text in texts:
        looks = " ".join(unicodedata.normalize("NFKC", text).translate(_TWINS).split())
        looks = "".join(char for char in looks if unicodedata.category(char) != "Cf")
        if looks in seen:
            return seen[looks], text
        seen[looks] = text
    return None
