"""The randomness of an operation: common to a pair, new at every call, and nobody's twice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mpcnet.algebra import Z64, Words
from mpcnet.engine import Context
from mpcnet.errors import LocalError
from mpcnet.testing.lockstep import make_programs


def contexts(node: int = 0) -> dict[int, Context]:
    return {me: program.context(node) for me, program in make_programs(computing=3, everyone=4).items()}


def drawn(context: Context, peer: int) -> list[Words]:
    """Arrays of two purposes and two owners, each drawn twice."""
    return [
        context.pair_uniform(peer, Z64, (9,), purpose=purpose, owner=owner)
        for purpose, owner, _ in itertools.product(("input", "zero"), (0, 1), range(2))
    ]


def test_a_pair_draws_the_same_and_never_the_same_again() -> None:
    ours, theirs = contexts(), contexts()
    arrays: list[Words] = []
    for first, second in itertools.combinations(range(4), 2):
        mine, yours = drawn(ours[first], second), drawn(theirs[second], first)
        assert all(np.array_equal(a, b) for a, b in zip(mine, yours, strict=True))
        arrays += mine
    arrays += drawn(contexts(node=1)[0], 1)
    assert len({array.tobytes() for array in arrays}) == len(arrays) == 7 * 8


def test_two_zero_shares_of_one_operation_differ() -> None:
    context = contexts()[0]
    first, second = (context.zero_share(Z64, (4,), purpose="zero") for _ in range(2))
    assert not np.any(first == second)


def test_without_a_seed_nothing_is_drawn() -> None:
    with pytest.raises(LocalError, match="no seed is shared with party0"):
        contexts()[0].pair_uniform(0, Z64, (1,), purpose="zero")
    with pytest.raises(LocalError, match="no seed is shared with party 9"):
        contexts()[0].pair_uniform(9, Z64, (1,), purpose="zero")
