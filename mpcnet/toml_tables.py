"""Tables of TOML within bounds: what key files, rosters and job files have in common.

A file may come from another party or be damaged, and whatever it holds is refused with one sentence that names the
field. Before the text is parsed its shape is looked at: `tomllib` calls itself once for each bracket inside a
bracket, takes quadratic time for a key of many parts, and integers of any length. Afterwards every number is one
that 64 bits hold.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from mpcnet.errors import LocalError, did_you_mean

__all__ = ("INTEGERS", "TABLE", "TEXT", "Field", "check_table", "read_table")

_MAX_DEPTH: Final = 16
_MAX_KEY_PARTS: Final = 8
_MAX_DIGITS: Final = 64
INTEGERS: Final = range(-(2**63), 2**64)
"""The integers that a table may hold: those that the agreement encodes."""

_STOPS = re.compile(rf"\"\"\"|'''|[\"'#\[\]{{}}=,.\n]|(?<![0-9_])[0-9_]{{{_MAX_DIGITS + 1},}}")
_TEXT_ENDS: Mapping[str, re.Pattern[str]] = {
    # A text of several lines may end in quotes of its own: up to five stand at its end. No character fits two
    # alternatives, so nothing is tried twice; possessive quantifiers would say so, and are wrong before 3.11.5.
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    "'''": re.compile(r"(?:[^']|'(?!''))*'{3,5}"),
    '"': re.compile(r'(?:[^"\\\n]|\\.)*"'),
    "'": re.compile(r"[^'\n]*'"),
    "#": re.compile(r"[^\n]*"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table.

    Args:
        takes: what it takes, for a sentence: "text", "a list of names".
        fits: whether a value is of this kind.
        required: whether it must be there.
    """

    takes: str
    fits: Callable[[object], bool]
    required: bool = False


TEXT = Field("text", lambda value: isinstance(value, str))
TABLE = Field("a table", lambda value: isinstance(value, dict))


def read_table(text: str, kind: str) -> dict[str, object]:
    """The table of a file's text.

    Args:
        kind: what the file is, for a sentence: "a job file".

    Raises:
        LocalError: it is no TOML, or leaves the bounds.
    """
    try:
        _check_shape(text)
        # A date or time that does not exist is a plain ValueError.
        table: dict[str, object] = tomllib.loads(text)
    except ValueError as error:
        raise LocalError(f"not {kind}: {error}") from None
    except RecursionError:
        raise LocalError(f"not {kind}: its values are nested too deeply") from None
    for name, value in table.items():
        _check_numbers(name, value)
    return table


def check_table(
    table: Mapping[str, object], fields: Mapping[str, Field], kind: str, *, inside: str = "", noun: str = "field"
) -> None:
    """Hold a table against the fields that it may have.

    Args:
        kind: what has these fields, for a sentence: "a job file".
        inside: the field in which the table stands, if it is not the file itself.
        noun: what one of them is called.

    Raises:
        LocalError: a field is unknown, missing or of another kind.
    """
    if unknown := next((name for name in table if name not in fields), None):
        known = f"{', '.join(fields) or 'none'}{did_you_mean(unknown, fields)}"
        raise LocalError(f"{kind} has no {noun} {unknown!r}; it has: {known}")
    for name, field in fields.items():
        place = f"{inside}.{name}" if inside else name
        if name not in table:
            if field.required:
                raise LocalError(f"field '{place}' is missing")
        elif not field.fits(table[name]):
            raise LocalError(f"field '{place}' takes {field.takes}")


def _check_shape(text: str) -> None:
    """Refuse what `tomllib` takes unbounded time, memory or stack for. Linear: every character is passed once."""
    depth = parts = 0
    for line, sign in _signs(text):
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth = max(0, depth - 1)
        elif sign == ".":
            parts += 1
        elif sign not in "=,\n":
            raise ValueError(f"a number of more than {_MAX_DIGITS} digits (in line {line})")
        if sign != ".":
            parts = 0
        if depth > _MAX_DEPTH:
            raise ValueError(f"more than {_MAX_DEPTH} brackets inside each other (in line {line})")
        if parts >= _MAX_KEY_PARTS:
            raise ValueError(f"a key of more than {_MAX_KEY_PARTS} parts (in line {line})")


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """With their lines, the signs outside of texts and comments, and numbers that are too long."""
    line, place = 1, 0
    while found := _STOPS.search(text, place):
        place = found.end()
        sign = found[0]
        if sign in _TEXT_ENDS:
            end = _TEXT_ENDS[sign].match(text, place)
            if end is None:
                return  # a text without an end: nothing stands behind it, and tomllib says so
            line += text.count("\n", place, end.end())
            place = end.end()
            continue
        yield line, sign
        line += sign == "\n"


def _check_numbers(name: str, value: object) -> None:
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += cast("dict[str, object]", item).values()
        elif isinstance(item, list):
            waiting += cast("list[object]", item)
        elif isinstance(item, float) and not math.isfinite(item):
            raise LocalError(f"field {name!r} holds a number that is not finite")
        elif isinstance(item, int) and item not in INTEGERS:
            raise LocalError(f"field {name!r} holds a number that leaves 64 bits")
