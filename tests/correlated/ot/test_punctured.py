"""Punctured functions: all leaves but one, against recursion, and against a full side that cheats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet.correlated.ot.punctured import message_bytes, paths_of, puncture, spread
from mpcnet.errors import LocalError, PeerViolation
from tests.reference import oblivious_transfer as reference

Bits = NDArray[np.uint8]
Source = Callable[[str], Callable[[int], bytes]]


def keys_and_choices(source: Source, depth: int, trees: int) -> tuple[Bits, Bits, Bits]:
    draw = source(f"{depth} {trees}")
    keys = np.frombuffer(draw(32 * trees * depth), np.uint8).reshape(-1, 2, 16)
    choices = np.frombuffer(draw(trees * depth), np.uint8) & np.uint8(1)
    return keys, choices, keys[np.arange(len(keys)), choices]


@pytest.mark.parametrize(("depth", "trees"), [(1, 5), (2, 1), (2, 64), (3, 7), (4, 32), (8, 3)])
def test_all_leaves_but_the_one_at_the_path(source: Source, depth: int, trees: int) -> None:
    keys, choices, chosen = keys_and_choices(source, depth, trees)
    leaves, message = spread(keys, depth)
    assert len(message) == message_bytes(trees, depth)
    punctured = puncture(chosen, choices, depth, memoryview(message), "alice")
    paths = paths_of(choices, depth) @ (1 << np.arange(depth)[::-1])
    for tree in range(trees):
        assert not punctured[tree, 0].any()
        for place in range(1, 2**depth):
            assert (punctured[tree, place] == leaves[tree, place ^ paths[tree]]).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_leaves_are_those_of_the_reference(source: Source, depth: int) -> None:
    keys, _, _ = keys_and_choices(source, depth, 3)
    leaves, _ = spread(keys, depth)
    for tree in range(3):
        left, right = (keys[tree * depth, side].tobytes() for side in (0, 1))
        assert [leaf.tobytes() for leaf in leaves[tree]] == reference.tree_leaves(left, right, depth)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_changed_check_or_hash_is_found(source: Source, depth: int) -> None:
    trees = 4
    keys, choices, chosen = keys_and_choices(source, depth, trees)
    _, message = spread(keys, depth)
    checks = 2 * 16 * (depth - 1) * trees
    for place in (checks, checks + 33, len(message) - 1, len(message) - 32):
        changed = bytearray(message)
        changed[place] ^= 1
        with pytest.raises(PeerViolation, match="alice: sent punctured functions"):
            puncture(chosen, choices, depth, memoryview(changed), "alice")


def test_a_changed_sum_is_found_where_the_path_uses_it(source: Source) -> None:
    """Level 2 of tree 0: the puncturer uses the sum on its chosen side only, so half of the changes are found."""
    keys, choices, chosen = keys_and_choices(source, 2, 1)
    _, message = spread(keys, 2)
    found: list[int] = []
    for side in (0, 1):
        changed = bytearray(message)
        changed[16 * side] ^= 1
        try:
            puncture(chosen, choices, 2, memoryview(changed), "alice")
        except PeerViolation:
            found.append(side)
    assert found == [int(choices[1])]


def test_a_message_of_another_size_is_our_mistake(source: Source) -> None:
    _, choices, chosen = keys_and_choices(source, 2, 2)
    with pytest.raises(LocalError, match="2 trees has 192 bytes"):
        puncture(chosen, choices, 2, memoryview(bytes(191)), "alice")
