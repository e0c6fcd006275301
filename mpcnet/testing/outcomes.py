"""Whether two outcomes are the same."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

__all__ = ("same",)


def same(one: Any, other: Any) -> bool:
    """Equal all through; arrays by shape and elements, and not-a-number equals itself."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        first, second = np.asarray(cast("Any", one)), np.asarray(cast("Any", other))
        items: list[Any] = first.reshape(-1).tolist()
        others: list[Any] = second.reshape(-1).tolist()
        return first.shape == second.shape and same(items, others)
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        left, right = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        these, those = cast("Sequence[Any]", one), cast("Sequence[Any]", other)
        return len(these) == len(those) and all(map(same, these, those))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)
