"""What draws samples of inputs: a dry run, from a seed; the conformance kit, by Hypothesis.

A declaration asks for one number after another, and makes a value of them. So every kind of input says itself what
its values are like, and the caller that draws decides how: at random, near the ends, smaller and smaller.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

__all__ = ("Chooser",)

T = TypeVar("T")

_MAX_DISTINCT = 1024
"""Of more possible rows, those that are drawn are seldom alike anyhow."""


class Chooser(ABC):
    """Chooses numbers.

    Args:
        distinct: no two rows of an input shall be alike, and where there are few possible ones, all of them shall
            come: a ballot that orders all options.
        varied: one value may come in several forms, such as two spellings of a text.
    """

    distinct: bool = False
    varied: bool = False

    @abstractmethod
    def integer(self, low: int, high: int) -> int:
        """A number, at least `low` and at most `high`."""

    @abstractmethod
    def rows(self, most: int) -> int:
        """How many rows an input has whose owner may give as many as it likes, `most` at most."""

    def one_of(self, values: Sequence[T]) -> T:
        """One of several values."""
        return values[self.integer(0, len(values) - 1)]

    def places(self, universe: int, most: int) -> list[int]:
        """Places from 0 to `universe` - 1, one for each row of an input whose owner decides how many there are."""
        if self.distinct and universe <= _MAX_DISTINCT:
            return self.different(universe, min(universe, most))
        return [self.integer(0, universe - 1) for _ in range(self.rows(most))]

    def different(self, universe: int, count: int) -> list[int]:
        """So many different places from 0 to `universe` - 1, in any order: the first steps of a shuffle."""
        moved: dict[int, int] = {}  # what a whole shuffled list would hold where it is not in order
        chosen: list[int] = []
        for place in range(count):
            other = self.integer(place, universe - 1)
            chosen.append(moved.get(other, other))
            moved[other] = moved.get(place, place)
        return chosen
