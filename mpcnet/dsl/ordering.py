"""Largest, smallest, k-th: by counting wins.

Every pair i < j is compared once, w = [x_i >= x_j]; i has w more wins and j has 1 - w, so ties go to the lower
index and all counts differ: the element with n - k wins is the k-th largest. All pairs at once take few rounds and
n^2 / 2 comparisons; beyond `ALL_PAIRS` elements go in groups, whose best go on to the next level.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from mpcnet.algebra import Words
from mpcnet.dsl.bits import SecretBits
from mpcnet.dsl.nodes import Linear
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.secret import Secret, concatenate
from mpcnet.errors import LocalError

__all__ = ("ALL_PAIRS", "GROUP", "Top", "top")

ALL_PAIRS: Final = 128
"""Up to so many elements are compared all with all: 8128 comparisons cost less than another level's rounds."""
GROUP: Final = 32


@dataclass(frozen=True, slots=True)
class Top:
    """The k largest of a secret array, largest first.

    Args:
        values: shape (k,).
        indices: where they stand, shape (k,); among equals the lowest first.
        one_hot: bits of shape (k, n), if all n were compared with each other.
    """

    values: Secret
    indices: Secret
    one_hot: SecretBits | None


def top(x: Secret, places: int) -> Top:
    """The largest elements of a one-dimensional secret, with their indices.

    Args:
        places: how many, at most the length.
    """
    if x.ndim != 1 or not 1 <= places <= x.size:
        raise LocalError(f"the {places} largest of an array of shape {x.shape} are not defined")
    index: Secret | None = None
    values = x
    while len(values) > max(ALL_PAIRS, 2 * places) and places < GROUP:
        values, index = _best_of_groups(values, index, places)
    hot = _at_places(values, places)
    chosen = hot.select(values).sum(axis=1).bounded(x.node.range)
    positions = np.arange(len(values))
    found = (hot.number() * positions if index is None else hot.select(index)).sum(axis=1)
    found = found.bounded(Range(0, x.size - 1))
    return Top(chosen, found, hot if index is None else None)


def _best_of_groups(values: Secret, index: Secret | None, places: int) -> tuple[Secret, Secret]:
    """The largest of each group of `GROUP`, in the order of the groups."""
    bound = values.node.range
    count = -(-len(values) // GROUP)
    spare = count * GROUP - len(values)
    padded = values
    if spare:
        # Lower than all: padding never wins against an element.
        filling = values[:1].repeated((spare,)) * 0 + Fraction(bound.low - 1, values.denominator)
        padded = concatenate([values, filling])
    groups = padded.reshape(count, GROUP)
    hot = _at_places(groups, places)
    best = hot.select(groups.reshape(count, 1, GROUP)).sum(axis=2).bounded(Range(bound.low - 1, bound.high))
    if index is None:
        positions = np.arange(count * GROUP).reshape(count, 1, GROUP)
        chosen = (hot.number() * positions).sum(axis=2)
    else:
        padding = index[:1].repeated((spare,)) * 0
        numbers = concatenate([index, padding]) if spare else index
        chosen = hot.select(numbers.reshape(count, 1, GROUP)).sum(axis=2)
    highest = count * GROUP - 1 if index is None else index.node.range.high
    return best.reshape(count * places), chosen.bounded(Range(0, highest)).reshape(count * places)


def _at_places(x: Secret, places: int) -> SecretBits:
    """Bits of shape (..., places, n): which element of the last axis is the first, the second, ... largest."""
    wins = _wins(x)
    size = x.shape[-1]
    wanted = size - 1 - np.arange(places)
    expanded = wins.reshape(*x.shape[:-1], 1, size)
    return expanded == wanted.reshape(places, 1)


def _wins(x: Secret) -> Secret:
    """How many others each element of the last axis beats; all different."""
    size = x.shape[-1]
    first, second = np.triu_indices(size, 1)
    if size == 1:
        return x * 0
    won = (x[..., first] >= x[..., second]).number()

    def count(w: Words) -> Words:
        table = np.zeros((*w.shape[:-1], size, size), np.uint64)
        table[..., first, second] = w
        counted: Words = np.subtract(table.sum(axis=-1, dtype=np.uint64), table.sum(axis=-2, dtype=np.uint64))
        return counted

    # Whoever stands later has won its pairs before it counts them: 1 - w for each.
    node = won.program.add(Linear("count-wins", count), (won.node,), x.shape, Range(1 - size, size - 1))
    counted = Secret(won.program, node) + np.arange(size)
    return counted.bounded(Range(0, size - 1))
