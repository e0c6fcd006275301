"""Largest, smallest, k-th: by counting wins.

Every pair i < j is compared once, w = [x_i >= x_j]; i has w more wins and j has 1 - w, so ties go to the lower
index and all counts differ: the element with n - k wins is the k-th largest. All pairs at once take few rounds and
n^2 / 2 comparisons; beyond `ALL_PAIRS` elements go in groups, whose best go on to the next level.
The theory of operation is in `mpcnet.dsl.values`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.dsl import arithmetic, comparison, facts, logic, maps, values
from mpcnet.dsl.logic import BitValue
from mpcnet.dsl.nodes import Linear
from mpcnet.dsl.public import to_public
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.values import Value, make
from mpcnet.errors import LocalError

__all__ = (
    "ALL_PAIRS",
    "GROUP",
    "Places",
    "at_place",
    "in_places",
    "place_of_largest",
    "place_of_smallest",
    "smallest",
)

ALL_PAIRS: Final = 128
"""Up to so many elements are compared all with all: 8128 comparisons cost less than another level's rounds."""
GROUP: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The elements at some places of an order from the largest, in this order.

    Args:
        values: shape (places,).
        indices: where they stand, shape (places,); among equals the lowest first.
        one_hot: bits of shape (places, n), if all n were compared with each other; else they are still to be found.
    """

    values: Value
    indices: Value
    one_hot: BitValue | None


def in_places(x: Value, first: int, last: int) -> Places:
    """The elements from one place of the order to another, both counted from 1.

    A comparison of all pairs, one round, a test for equality and one round; so much again for each level of groups.

    Raises:
        LocalError: x has more than one dimension, or there are no such places.
    """
    if len(x.shape) != 1 or not 1 <= first <= last <= x.shape[0]:
        raise LocalError(
            f"only a list of elements has an order, and shape {x.shape} has no place {first} to {last}"
        )
    group = max(GROUP, 4 * last)
    index: Value | None = None
    rest = x
    while rest.shape[0] > max(ALL_PAIRS, group):
        rest, index = _best_of_groups(rest, index, last, group)
    hot = _at_ranks(rest, np.arange(first - 1, last))
    found = values.bound(_indices(hot, index, 0), Range(0, x.shape[0] - 1))
    return Places(_only(hot, rest), found, hot if index is None else None)


def at_place(x: Value, place: int) -> Value:
    """The element at a place of the order from the largest, counted from 1."""
    return values.index(in_places(x, place, place).values, 0)


def smallest(x: Value) -> Value:
    """The smallest element."""
    return _reversed(at_place(_reversed(x), 1))


def place_of_largest(x: Value) -> Value:
    """Where the largest element stands; among equals the lowest index."""
    return values.index(in_places(x, 1, 1).indices, 0)


def place_of_smallest(x: Value) -> Value:
    """Where the smallest element stands; among equals the lowest index."""
    return place_of_largest(_reversed(x))


def _reversed(x: Value) -> Value:
    """-x - 1 in the shared integers: the opposite order. The ring holds it for every x, unlike -x."""
    return arithmetic.subtract_from(to_public(Fraction(-1, x.denominator)), x)


def _best_of_groups(x: Value, index: Value | None, places: int, group: int) -> tuple[Value, Value]:
    """The largest of each group, in the order of the groups, and their indices. The last group may be smaller."""
    length = x.shape[0]
    whole = length // group * group
    pieces = [(0, whole, values.reshape(values.index(x, slice(whole)), (whole // group, group)))]
    if whole < length:
        pieces.append((whole, length, values.reshape(values.index(x, slice(whole, None)), (1, length - whole))))
    best: list[Value] = []
    indices: list[Value] = []
    for start, stop, groups in pieces:
        count, size = groups.shape
        kept = min(places, size)
        hot = _at_ranks(groups, np.arange(kept))
        chosen = _only(hot, values.reshape(groups, (count, 1, size)))
        numbers = None
        if index is not None:
            numbers = values.reshape(values.index(index, slice(start, stop)), (count, 1, size))
        best.append(values.reshape(chosen, (count * kept,)))
        indices.append(values.reshape(_indices(hot, numbers, start), (count * kept,)))
    return values.concatenate(best), values.concatenate(indices)


def _indices(hot: BitValue, numbers: Value | None, start: int) -> Value:
    """Of each row of `hot`, the number where its one stands; without numbers the position, counted from `start`."""
    if numbers is not None:
        return _only(hot, numbers)
    *groups, _, size = hot.shape
    count = math.prod(groups)
    positions = (start + np.arange(count * size)).reshape(*groups, 1, size)
    found = arithmetic.total(values.scale(hot.number(), to_public(positions)), axis=-1)
    return values.bound(found, Range(start, start + count * size - 1))


def _only(hot: BitValue, x: Value) -> Value:
    """The element of the last axis where the one stands; each row of `hot` has one."""
    chosen = logic.select(hot, x)
    # The sum of one element and zeros: it needs no more room than the element.
    add_up = Linear("only", maps.summed((len(chosen.shape) - 1,)))
    return make(
        chosen.program, add_up, (chosen.node,), chosen.shape[:-1], facts.one_of(x.facts), chosen.denominator
    )


def _at_ranks(x: Value, ranks: NDArray[np.int64]) -> BitValue:
    """Bits of shape (..., ranks, n): which element of the last axis is at each rank, the largest at rank 0."""
    size = x.shape[-1]
    wins = values.reshape(_wins(x), (*x.shape[:-1], 1, size))
    return comparison.equal(wins, to_public((size - 1 - ranks).reshape(-1, 1)))


def _wins(x: Value) -> Value:
    """How many others each element of the last axis beats; all different."""
    size = x.shape[-1]
    if size == 1:
        return make(x.program, Linear("no-wins", maps.zeros(x.shape)), (x.node,), x.shape, facts.zero())
    first, second = _pairs(size)
    won = _not_less(_taken(x, "first-of-pairs", first), _taken(x, "second-of-pairs", second)).number()
    count = maps.pair_differences(size, first, second)
    # What stands later has won its pairs before it counts them: 1 - w for each.
    counted = make(
        won.program, Linear("count-wins", count), (won.node,), x.shape, facts.count_wins(won.facts, size)
    )
    return values.bound(arithmetic.add(counted, to_public(np.arange(size))), Range(0, size - 1))


def _not_less(x: Value, y: Value) -> BitValue:
    return logic.invert(comparison.less(x, y))


@functools.lru_cache(maxsize=16)
def _pairs(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions i < j of all pairs of so many elements."""
    first, second = np.triu_indices(size, 1)
    for positions in (first, second):
        positions.flags.writeable = False
    return first, second


def _taken(x: Value, kind: str, positions: NDArray[np.int64]) -> Value:
    """Elements of the last axis, at positions that follow from its length: as `x[..., positions]`, unchecked."""
    shape = (*x.shape[:-1], positions.size)
    taken = Linear(kind, maps.last_axis_at(positions))
    return make(x.program, taken, (x.node,), shape, facts.index(x.facts), x.denominator)
