"""Comparisons and choices: ends of `clip` that differ from element to element, and what docstrings say of costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.dsl import Secret, SecretBits, where
from mpcnet.engine import Step
from mpcnet.errors import LocalError
from mpcnet.schemes import AdditiveScheme, PlainScheme, Scheme
from mpcnet.testing.lockstep import LockstepParty, Plain, run_program

SCHEMES: list[Scheme] = [AdditiveScheme(), PlainScheme()]


def clipped(
    values: Sequence[int], bounds: tuple[int, int], low: object, high: object, scheme: Scheme
) -> tuple[Plain, tuple[Fraction, Fraction], int]:
    """The result, its range, and the rounds before it is opened."""
    ranges: list[tuple[Fraction, Fraction]] = []

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: values}, range=bounds)[0]
        result = x.clip(low, high)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ranges.append(result.range)
        return (yield from party.reveal(result=result))["result"]

    run = run_program(program, computing=2, scheme=scheme)
    return run.results[0], ranges[0], run.rounds - 1


VALUES = [-5, -2, 0, 1, 4, 7]
CLIPS: dict[str, tuple[object, object]] = {
    "low ends inside and below": (np.array([-99, -99, 3, -99, -99, -99]), 99),
    "low ends inside, and one at the lowest value": (np.array([-5, -1, -5, 2, -5, 6]), 7),
    "high ends inside and above": (-99, np.array([99, 99, 99, 99, 99, 2])),
    "high ends inside, and one at the highest value": (-5, np.array([-6, 7, 7, 7, 2, 7]) + 1),
    "both": (np.array([-99, 1, -99, -99, 5, -99]), np.array([-6, 99, 99, 0, 99, 3])),
    "all below": (np.full(6, -20), np.full(6, -10)),
    "all above": (np.array([10, 20, 10, 20, 10, 20]), np.array([30, 20, 30, 20, 30, 20])),
    "the same twice": (np.arange(6), np.arange(6)),
    "columns": (np.array([[-3], [0]]), np.array([[2], [5], [9]])[:2]),
    "fractions": ([Fraction(-7, 2)] * 5 + [Fraction(1, 3)], [Fraction(1, 3)] * 5 + [Fraction(13, 2)]),
}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("name", CLIPS)
def test_clip_with_ends_of_their_own(name: str, scheme: Scheme) -> None:
    low, high = (np.asarray(end, np.object_) for end in CLIPS[name])
    expected = np.minimum(np.maximum(np.array(VALUES, np.object_), low), high)
    result, (least, most), _ = clipped(VALUES, (-5, 7), *CLIPS[name], scheme)
    assert result.tolist() == expected.tolist()
    assert least <= expected.min()
    assert most >= expected.max()


ends = st.integers(-12, 12)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(ends, ends, ends), min_size=1, max_size=5), ends, ends)
def test_clip_is_numpy_s_for_any_ends(items: list[tuple[int, int, int]], first: int, second: int) -> None:
    """Values are brought into a range that may lie anywhere beside the ends."""
    lowest, highest = sorted((first, second))
    values = [min(max(value, lowest), highest) for value, _, _ in items]
    low, high = np.array([min(a, b) for _, a, b in items]), np.array([max(a, b) for _, a, b in items])
    expected = np.clip(np.array(values), low, high)
    result, (least, most), _ = clipped(values, (lowest, highest), low, high, PlainScheme())
    assert result.tolist() == expected.tolist()
    every = [int(np.clip(value, a, b)) for value in (lowest, highest) for a, b in zip(low, high, strict=True)]
    assert least <= min(every)
    assert most >= max(every)


@pytest.mark.parametrize(
    ("low", "high", "rounds"),
    [
        (np.array([-5, -9, -7, -5, -5, -5]), np.array([7, 8, 9, 7, 7, 7]), 0),  # nothing can leave its ends
        (np.array([-5, -9, -7, -5, -5, -4]), 7, 3),  # one end can be met, by one element
        (-5, np.array([7, 8, 9, 7, 7, 6]), 2),
        (np.array([-5, -9, -7, -5, -5, -4]), np.array([7, 8, 9, 7, 7, 6]), 3),  # both at the same time
    ],
)
def test_clip_compares_where_the_range_does_not_say_so(low: object, high: object, rounds: int) -> None:
    assert clipped(VALUES, (-5, 7), low, high, AdditiveScheme())[2] == rounds


def test_one_crossing_of_the_ends_is_refused() -> None:
    with pytest.raises(LocalError, match="nowhere above the upper end"):
        clipped(VALUES, (-5, 7), np.array([0, 0, 0, 0, 0, 4]), 3, PlainScheme())


# Costs, as docstrings of operators have them: rounds, and bytes for each element

WIDE, MIDDLE, RING = (-(2**62), 2**62 - 1), (0, 2**31 - 1), (-(2**63), 2**63 - 1)
Build = Callable[[Secret, Secret, SecretBits, SecretBits], Secret | SecretBits]
COSTS: dict[str, tuple[Build, int, tuple[int, int], int, float]] = {
    "< of 64 bits": (lambda x, y, a, b: x < y, 8192, WIDE, 6, 19),
    "< of 64 bits, few": (lambda x, y, a, b: x < y, 4096, WIDE, 5, 13.125),
    ">= of 32 bits": (lambda x, y, a, b: x >= y, 8192, MIDDLE, 5, 9.125),
    "> of 32 bits, few": (lambda x, y, a, b: x > y, 4096, MIDDLE, 4, 6.25),
    "< beyond 64 bits": (lambda x, y, a, b: x < y, 8192, RING, 7, 57.25),
    "== of 64 bits": (lambda x, y, a, b: x == y, 8192, WIDE, 6, 15.75),
    "!= of 32 bits": (lambda x, y, a, b: x != y, 8192, MIDDLE, 5, 7.75),
    "== of 64 bits, few": (lambda x, y, a, b: x == y, 4096, RING, 5, 11.75),
    "&": (lambda x, y, a, b: a & b, 4096, MIDDLE, 1, 2 / 8),
    "|": (lambda x, y, a, b: a | b, 4096, MIDDLE, 1, 2 / 8),
    "~ ^": (lambda x, y, a, b: ~a ^ b, 4096, MIDDLE, 0, 0),
    "& public": (lambda x, y, a, b: (a & True) | np.False_, 4096, MIDDLE, 0, 0),
    "number": (lambda x, y, a, b: a.number(), 4096, MIDDLE, 1, 1 / 8),
    "bits as numbers": (lambda x, y, a, b: 1 - a, 4096, MIDDLE, 1, 1 / 8),
    "bits times public": (lambda x, y, a, b: a * 3, 4096, MIDDLE, 1, 1 / 8),
    "bits times bits": (lambda x, y, a, b: a * b, 4096, MIDDLE, 2, 3 / 8),
    "bits times numbers": (lambda x, y, a, b: a * x, 4096, MIDDLE, 1, 65 / 8),
    "numbers times bits": (lambda x, y, a, b: x * a, 4096, MIDDLE, 1, 65 / 8),
    "all": (lambda x, y, a, b: a.all(), 4096, MIDDLE, 12, 2 / 8),
    "where": (lambda x, y, a, b: where(a, x, y), 4096, MIDDLE, 1, 65 / 8),
    "where of bits": (lambda x, y, a, b: where(a, b, a), 4096, MIDDLE, 1, 2 / 8),
    "where of public": (lambda x, y, a, b: where(a, 3, 2), 4096, MIDDLE, 1, 1 / 8),
    "*": (lambda x, y, a, b: x * y, 4096, (0, 9), 1, 16),
    "@": (lambda x, y, a, b: x @ y, 4096, (0, 9), 1, 16),
    "linear": (lambda x, y, a, b: ((x - y + 1) * 2 / 3 - x[::-1]).mean(), 4096, (0, 9), 0, 0),
    "fourth power": (lambda x, y, a, b: x**4, 4096, (0, 9), 2, 32),
    "seventh power": (lambda x, y, a, b: x**7, 4096, (0, 9), 3, 64),
}


@pytest.mark.parametrize("name", COSTS)
def test_operators_cost_what_their_docstrings_say(name: str) -> None:
    build, count, bounds, rounds, element_bytes = COSTS[name]

    def program(party: LockstepParty, built: bool) -> Step[None]:
        values = np.zeros(count, np.int64)
        x = party.input("x", {0: values}, range=bounds)[0]
        y = party.input("y", {1: values}, range=bounds)[0]
        a, b = (x[i] == 0 for i in (slice(None), slice(None, None, -1)))
        yield from party.evaluate(x, y, a, b)
        if built:
            yield from party.evaluate(build(x, y, a, b))

    with_it, without = (run_program(partial(program, built=built), computing=3) for built in (True, False))
    assert with_it.rounds - without.rounds == rounds
    sent = [run.sent_bytes.get((1, 2), 0) for run in (with_it, without)]
    assert (sent[0] - sent[1]) / count == pytest.approx(element_bytes, rel=0.1)
