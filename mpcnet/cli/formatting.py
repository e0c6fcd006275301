"""Outcomes for people and for programs.

For programs everything is JSON. Dataclasses become objects, tuples and arrays lists, bytes hexadecimal digits; an
exact fraction becomes {"fraction": "6343/2", "float": 3171.5}.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mpcnet.cli.click_app import printable
from mpcnet.declare import Protocol

if TYPE_CHECKING:
    from mpcnet.session import Cost  # a session is what `mpcnet protocols` need not load

__all__ = ("cost_document", "counted", "explained", "listed", "plain", "time_text")


def plain(value: Any) -> Any:  # noqa: PLR0911 -- one for each kind
    """An outcome as JSON has it."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Fraction():
            return {"fraction": f"{value.numerator}/{value.denominator}", "float": _nearest(value)}
        case bytes() | bytearray() | memoryview():
            return value.hex()
        case np.ndarray() | np.generic():
            return plain(value.tolist())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        case Mapping():
            return {str(key): plain(item) for key, item in cast("dict[Any, Any]", value).items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in cast("Sequence[Any]", value)]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return str(value)


def _nearest(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def explained(protocol: Protocol[Any, Any], outcome: object) -> str:
    """An outcome for a person: in the protocol's own words if it has some."""
    if outcome is None:
        return "nothing"  # the dealer's, who runs no program
    if protocol.explain is not None:
        return printable(protocol.explain(outcome))
    if dataclasses.is_dataclass(outcome) and not isinstance(outcome, type):
        outcome = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    if isinstance(outcome, Mapping):
        items = cast("dict[Any, Any]", outcome).items()
        return "\n".join(f"{printable(str(name)).replace('_', ' ')}: {_short(item)}" for name, item in items)
    return _short(outcome)


def _short(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | np.integer():
            return f"{int(value):,}"
        case float() | np.floating() | Fraction() | Decimal():
            return f"{float(value):,.10g}"
        case list() | tuple() | np.ndarray():
            return ", ".join(_short(item) for item in cast("Sequence[object]", value)) or "none"
        case _:
            return printable(str(value))


def cost_document(cost: Cost) -> dict[str, object]:
    """What a job cost one party."""
    return {
        "rounds": cost.rounds,
        "messages": cost.messages,
        "sent_bytes": cost.sent_bytes,
        "regions": {name: dataclasses.asdict(region) for name, region in cost.regions.items()},
    }


def counted(number: int, singular: str) -> str:
    """A number with its noun."""
    return f"{number:,} {singular}" if number == 1 else f"{number:,} {singular}s"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def time_text(seconds: float) -> str:
    """A duration with three digits."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:,.0f} s"
