"""References to parameters: what a declaration may hold where a number, a list or a pair of bounds is wanted.

    range=(0, 100)                 the numbers themselves
    range=(0, "high")              the name of a parameter, or of a property of the parameters
    range=lambda rules: (0, 2 * rules.high)
    shape=("options",)             the name of a parameter that lists something stands for how many it lists

Everything that reads such a reference reads it here: with parameters, what it stands for; without, how a sentence
says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from mpcnet.errors import LocalError

__all__ = (
    "Limits",
    "Number",
    "Reference",
    "Texts",
    "limits_of",
    "named_in",
    "number_of",
    "number_text",
    "span_text",
    "texts_of",
)

Number = int | str | Callable[[Any], int]
"""A number, the name of a parameter that holds one or lists as many things, or a function of the parameters."""
Limits = tuple[Number, Number] | Callable[[Any], tuple[int, int]]
"""The lowest and the highest value, both included."""
Texts = str | tuple[str, ...] | Callable[[Any], Sequence[str]]
"""The name of a parameter that lists texts, the texts themselves, or a function of the parameters."""
Reference = Number | Limits | Texts


def number_of(reference: Number, params: Any) -> int:
    """The number that a reference stands for.

    Raises:
        LocalError: the parameter neither is a whole number nor lists anything.
    """
    if isinstance(reference, int):
        return reference
    if callable(reference):
        return reference(params)
    value: object = getattr(params, reference)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return len(cast("Sequence[object]", value))
    if not isinstance(value, int) or isinstance(value, bool):
        raise LocalError(f"parameter '{reference}' stands for a whole number, and is a {type(value).__name__}")
    return value


def limits_of(reference: Limits, params: Any) -> tuple[int, int]:
    """The lowest and the highest value that a reference stands for."""
    if callable(reference):
        return reference(params)
    low, high = reference
    return number_of(low, params), number_of(high, params)


def texts_of(reference: Texts, params: Any) -> tuple[str, ...]:
    """The texts that a reference stands for."""
    if callable(reference):
        return tuple(reference(params))
    return tuple(cast("Sequence[str]", getattr(params, reference))) if isinstance(reference, str) else reference


def named_in(reference: Reference, *, texts: bool = False) -> Iterator[str]:
    """The parameters that a reference names.

    Args:
        texts: it refers to texts, so that a tuple holds the texts themselves.
    """
    if isinstance(reference, str):
        yield reference
    elif isinstance(reference, tuple) and not texts:
        yield from (item for item in cast("tuple[object, ...]", reference) if isinstance(item, str))


def number_text(reference: Number, params: Any = None) -> str:
    """A number for a sentence: itself, or without parameters the name of the one that it refers to."""
    if params is not None:
        return f"{number_of(reference, params):,}"
    if isinstance(reference, int):
        return f"{reference:,}"
    return "as many as the parameters say" if callable(reference) else reference


def span_text(reference: Limits, params: Any = None) -> str:
    """The end of a noun phrase, as in "numbers from 0 to 100"; nothing where only parameters could tell."""
    if params is None and callable(reference):
        return ""
    bounds = limits_of(reference, params) if params is not None else cast("tuple[Number, Number]", reference)
    low, high = (number_text(bound, params) for bound in bounds)
    return f" from {low} to {high}"
