"""Largest, smallest, k-th: by counting wins.

Every pair i < j is compared once, w = [x_i >= x_j]; i has w more wins and j has 1 - w, so ties go to the lower
index and all counts differ: the element with n - k wins is the k-th largest. All pairs at once take few rounds and
n^2 / 2 comparisons; beyond `ALL_PAIRS` elements go in groups, whose best go on to the next level.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.dsl import maps
from mpcnet.dsl.bits import SecretBits
from mpcnet.dsl.nodes import Linear
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.secret import Secret, concatenate
from mpcnet.dsl.shapes import integer
from mpcnet.errors import LocalError

__all__ = ("ALL_PAIRS", "GROUP", "Top", "at_place", "top")

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
    return _at_places(x, 1, integer(places, "a number of places"))


def at_place(x: Secret, place: int) -> Top:
    """The one element at a place of the order from the largest, counted from 1: `Top` with one row."""
    number = integer(place, "a place")
    return _at_places(x, number, number)


def _at_places(x: Secret, first: int, last: int) -> Top:
    if x.ndim != 1 or not 1 <= first <= last <= x.size:
        raise LocalError(
            f"only a list of elements has an order, and shape {x.shape} has no place {first} to {last}"
        )
    group = max(GROUP, 4 * last)
    index: Secret | None = None
    values = x
    while len(values) > max(ALL_PAIRS, group):
        values, index = _best_of_groups(values, index, last, group)
    hot = _at_ranks(values, np.arange(first - 1, last))
    found = _indices(hot, index, 0).bounded(Range(0, x.size - 1))
    return Top(_only(hot, values), found, hot if index is None else None)


def _best_of_groups(values: Secret, index: Secret | None, places: int, group: int) -> tuple[Secret, Secret]:
    """The largest of each group, in the order of the groups, and their indices. The last group may be smaller."""
    whole = len(values) // group * group
    pieces = [(0, whole, values[:whole].reshape(-1, group))]
    if whole < len(values):
        pieces.append((whole, len(values), values[whole:].reshape(1, -1)))
    best: list[Secret] = []
    indices: list[Secret] = []
    for start, stop, groups in pieces:
        count, size = groups.shape
        kept = min(places, size)
        hot = _at_ranks(groups, np.arange(kept))
        chosen = _only(hot, groups.reshape(count, 1, size))
        numbers = None if index is None else index[start:stop].reshape(count, 1, size)
        best.append(chosen.reshape(count * kept))
        indices.append(_indices(hot, numbers, start).reshape(count * kept))
    return concatenate(best), concatenate(indices)


def _indices(hot: SecretBits, numbers: Secret | None, start: int) -> Secret:
    """Of each row of `hot`, the number where its one stands; without numbers the position, counted from `start`."""
    if numbers is not None:
        return _only(hot, numbers)
    *groups, _, size = hot.shape
    count = math.prod(groups)
    positions = (start + np.arange(count * size)).reshape(*groups, 1, size)
    return (hot.number() * positions).sum(axis=-1).bounded(Range(start, start + count * size - 1))


def _only(hot: SecretBits, x: Secret) -> Secret:
    """The element of the last axis where the one stands; each row of `hot` has one."""
    chosen = hot.select(x)
    # The sum of one element and zeros: it needs no more room than the element.
    add_up = Linear("only", maps.summed((chosen.ndim - 1,)))
    node = chosen.program.add(add_up, (chosen.node,), chosen.shape[:-1], x.node.range)
    return Secret(chosen.program, node, chosen.denominator)


def _at_ranks(x: Secret, ranks: NDArray[np.int64]) -> SecretBits:
    """Bits of shape (..., ranks, n): which element of the last axis is at each rank, the largest at rank 0."""
    size = x.shape[-1]
    wins = _wins(x).reshape(*x.shape[:-1], 1, size)
    return wins == (size - 1 - ranks).reshape(-1, 1)


def _wins(x: Secret) -> Secret:
    """How many others each element of the last axis beats; all different."""
    size = x.shape[-1]
    if size == 1:
        zero = Linear("no-wins", maps.zeros(x.shape))
        return Secret(x.program, x.program.add(zero, (x.node,), x.shape, Range(0, 0)))
    first, second = _pairs(size)
    won = (_taken(x, "first-of-pairs", first) >= _taken(x, "second-of-pairs", second)).number()
    count = maps.pair_differences(size, first, second)
    # Whoever stands later has won its pairs before it counts them: 1 - w for each.
    node = won.program.add(Linear("count-wins", count), (won.node,), x.shape, Range(1 - size, size - 1))
    counted = Secret(won.program, node) + np.arange(size)
    return counted.bounded(Range(0, size - 1))


@functools.lru_cache(maxsize=16)
def _pairs(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions i < j of all pairs of so many elements."""
    first, second = np.triu_indices(size, 1)
    for positions in (first, second):
        positions.flags.writeable = False
    return first, second


def _taken(x: Secret, kind: str, positions: NDArray[np.int64]) -> Secret:
    """Elements of the last axis, at positions that follow from its length: as `x[..., positions]`, unchecked."""
    shape = (*x.shape[:-1], positions.size)
    taken = Linear(kind, maps.last_axis_at(positions))
    return Secret(x.program, x.program.add(taken, (x.node,), shape, x.node.range), x.denominator)
