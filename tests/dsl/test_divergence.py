"""Divergence: whatever two parties do differently, their digests differ at the next round."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from mpcnet.dsl import Secret, concatenate, stack
from mpcnet.engine import LockstepError, Step
from mpcnet.engine.digest import Operation, explain_difference
from mpcnet.testing.lockstep import LockstepParty, run_program

Outputs = dict[str, tuple[Secret, Sequence[int]]]
Variant = Callable[[Secret], Outputs]
BOTH = (0, 1)

VARIANTS: dict[str, Variant] = {
    "as it is": lambda x: {"y": (x, BOTH)},
    "receivers": lambda x: {"y": (x, (0,))},
    "receivers in another order": lambda x: {"y": (x, (1, 0))},
    "name": lambda x: {"z": (x, BOTH)},
    "twice": lambda x: {"y": (x, BOTH), "z": (x, BOTH)},
    "in another order": lambda x: {"z": (x, BOTH), "y": (x, BOTH)},
    "plus 1": lambda x: {"y": (x + 1, BOTH)},
    "plus 2": lambda x: {"y": (x + 2, BOTH)},
    "minus 1": lambda x: {"y": (x - 1, BOTH)},
    "1 minus": lambda x: {"y": (1 - x, BOTH)},
    "plus array": lambda x: {"y": (x + np.ones(x.shape, np.int64), BOTH)},
    "plus fraction": lambda x: {"y": (x + Fraction(1, 2), BOTH)},
    "times 2": lambda x: {"y": (x * 2, BOTH)},
    "times 3": lambda x: {"y": (x * 3, BOTH)},
    "over 2": lambda x: {"y": (x / 2, BOTH)},
    "over 3": lambda x: {"y": (x / 3, BOTH)},
    "negated": lambda x: {"y": (-x, BOTH)},
    "first row": lambda x: {"y": (x[0], BOTH)},
    "second row": lambda x: {"y": (x[1], BOTH)},
    "rows": lambda x: {"y": (x[[0, 1]], BOTH)},
    "rows swapped": lambda x: {"y": (x[[1, 0]], BOTH)},
    "mask": lambda x: {"y": (x[np.array([True, True])], BOTH)},
    "reversed": lambda x: {"y": (x[::-1], BOTH)},
    "reshaped": lambda x: {"y": (x.reshape(4), BOTH)},
    "transposed": lambda x: {"y": (x.T, BOTH)},
    "sum": lambda x: {"y": (x.sum(), BOTH)},
    "sum 0": lambda x: {"y": (x.sum(0), BOTH)},
    "sum 1": lambda x: {"y": (x.sum(1), BOTH)},
    "dot": lambda x: {"y": (x @ [1, 2], BOTH)},
    "dot other": lambda x: {"y": (x @ [2, 1], BOTH)},
    "dot left": lambda x: {"y": ([1, 2] @ x, BOTH)},
    "x0 - x1": lambda x: {"y": (x[0] - x[1], BOTH)},
    "x0 + x1": lambda x: {"y": (x[0] + x[1], BOTH)},
    "x0 + x0": lambda x: {"y": (x[0] + x[0], BOTH)},
    "concatenated": lambda x: {"y": (concatenate([x[0], x[1]]), BOTH)},
    "concatenated swapped": lambda x: {"y": (concatenate([x[1], x[0]]), BOTH)},
    "stacked": lambda x: {"y": (stack([x[0], x[1]]), BOTH)},
    "stacked on 1": lambda x: {"y": (stack([x[0], x[1]], axis=1), BOTH)},
    "unused before": lambda x: {"y": ((x + 1, x)[1], BOTH)},
}


def program(party: LockstepParty, variant: Variant) -> Step[list[bytes]]:
    x = party.input("x", {0: [1, 2], 1: [3, 4]}, range=(-9, 9))
    yield from party.reveal(before=x)
    yield from party.reveal_each(variant(x))
    return party.digests


def test_every_variant_has_a_digest_of_its_own_from_its_round_on() -> None:
    digests: dict[str, list[bytes]] = {}
    for name, variant in VARIANTS.items():
        run = run_program(functools.partial(program, variant=variant), computing=2)
        assert run.results[0] == run.results[1]
        digests[name] = run.results[0]
    assert len({first for first, _ in digests.values()}) == 1
    assert len({second for _, second in digests.values()}) == len(VARIANTS)


@pytest.mark.parametrize(
    ("rows", "range_", "name"),
    [
        ({0: [1, 2], 1: [3, 4]}, (-9, 10), "x"),
        ({0: [1, 2], 1: [3, 4]}, (-9, 9), "z"),
        ({1: [1, 2], 0: [3, 4]}, (-9, 9), "x"),
        ({0: [1, 2]}, (-9, 9), "x"),
        ({0: [[1], [2]], 1: [[3], [4]]}, (-9, 9), "x"),
    ],
)
def test_inputs_that_differ(rows: dict[int, object], range_: tuple[int, int], name: str) -> None:
    def other(party: LockstepParty) -> Step[list[bytes]]:
        x = party.input(name, rows, range=range_)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield from party.reveal(before=x)
        return party.digests

    def usual(party: LockstepParty) -> Step[list[bytes]]:
        x = party.input("x", {0: [1, 2], 1: [3, 4]}, range=(-9, 9))
        yield from party.reveal(before=x)
        return party.digests

    assert run_program(usual, computing=2).results[0][0] != run_program(other, computing=2).results[0][0]


def test_private_values_are_not_in_the_digest() -> None:
    def own(party: LockstepParty, value: int) -> Step[list[bytes]]:
        x = party.input("x", {0: [value], 1: [3]}, range=(-9, 9))
        yield from party.reveal(y=x + 1)
        return party.digests

    runs = [run_program(functools.partial(own, value=value), computing=2) for value in (1, 2)]
    assert runs[0].results == runs[1].results


def test_lockstep_says_who_ran_another_program() -> None:
    def diverging(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: [1], 1: [2]}, range=(0, 9))
        yield from party.reveal(y=x * (party.me + 1))

    with pytest.raises(LockstepError, match="party 1 runs another program than party 0: at round 0"):
        run_program(diverging, computing=2)


def test_the_difference_is_found_and_said() -> None:
    def said(ours: Variant, theirs: Variant) -> str:
        recent: list[tuple[Operation, ...]] = []
        for variant in (ours, theirs):

            def step(party: LockstepParty, variant: Variant = variant) -> Step[LockstepParty]:
                yield from program(party, variant)
                return party

            recent.append(run_program(step, computing=2).results[0].program.digest.recent)
        return explain_difference("bob", *recent)

    assert (
        said(VARIANTS["negated"], VARIANTS["sum"])
        == "at round 1 bob runs 'sum' on 1 value, we run 'negate' on 4 values"
    )
    assert said(VARIANTS["twice"], VARIANTS["as it is"]) == (
        "at round 1 we reveal 4 values, where the program of bob has nothing more"
    )
    assert said(VARIANTS["times 2"], VARIANTS["times 3"]) == (
        "at round 1 bob runs 'scale' on 4 values, and so do we, but with other public values, names, ranges, "
        "operands or receivers"
    )
