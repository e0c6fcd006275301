"""Products, comparisons, choices and order of secrets: over shares they give what Python gives in the clear.

Each example evaluates all operators at once, on one pair of secrets: ranges from one bit to beyond the ring, ties,
two to six computing parties, both schemes, parties that advance in any order.
"""

from __future__ import annotations

import operator
import random  # noqa: TID251 -- orders tests, keeps no secret
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mpcnet.dsl import Secret, SecretBits, concatenate, top, where
from mpcnet.engine import Step, Transcript
from mpcnet.errors import RangeError
from mpcnet.schemes import AdditiveScheme, PlainScheme, Scheme
from mpcnet.testing.lockstep import LockstepParty, Plain, run_program

Value = typing.Any  # a secret, or an array of Python numbers: operators are the same for both
Operator = Callable[[Value, Value], Value]
SCHEMES: dict[str, Scheme] = {"additive": AdditiveScheme(), "plain": PlainScheme()}
RING: tuple[int, int] = (-(2**63), 2**63 - 1)
RANGES: list[tuple[int, int]] = [
    *((0, 0), (0, 1), (-1, 0), (-2, 2), (-9, 9), (3, 7), (-7, -3), (0, 10**7), (-(2**31), 2**31 - 1)),
    *(
        (0, 2**62),
        (-(2**62), 2**62 - 1),
        (-(2**62), 2**62),
        RING,
        (0, 2**63 - 1),
        (-(2**63), -1),
        (2**63 - 1, 2**63 - 1),
    ),
]


def chosen(condition: Value, x: Value, y: Value) -> Value:
    choose: Value = where if isinstance(condition, SecretBits) else np.where
    return choose(condition, x, y)


def number(bits: Value) -> Value:
    return bits.number() if isinstance(bits, SecretBits) else bits.astype(np.object_) * 1


def joined(parts: Sequence[Value]) -> Value:
    bits = [part for part in parts if isinstance(part, SecretBits)]
    if bits:
        return concatenate(bits)
    arrays: list[Value] = [np.asarray(part, np.bool_) for part in parts]
    return np.hstack(arrays)


def ends(x: Value, shift: int) -> Value:
    """An end of `clip` for each element."""
    length: int = x.shape[0]
    return np.arange(length) - 3 + shift


def first(values: Value, best: Callable[[list[int]], int]) -> Value:
    """argmin and argmax of objects; numpy's own compare as floats."""
    items: list[int] = values.tolist()
    return items.index(best(items))


ELEMENTWISE: dict[str, Operator] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "x < 3": lambda x, y: x < 3,
    "3 <= x": lambda x, y: 3 <= x,  # noqa: SIM300
    "x == 3": lambda x, y: x == 3,
    "x > half": lambda x, y: x > Fraction(1, 2),
    "x <= tenth": lambda x, y: x <= 0.1,
    "x >= -tenths": lambda x, y: x >= np.full(x.shape, -0.3),
    "x < low": lambda x, y: x < RING[0],
    "x >= high": lambda x, y: x >= RING[1],
    "itself": lambda x, y: x == x,  # noqa: PLR0124
    "&": lambda x, y: (x < y) & (x > 0),
    "|": lambda x, y: (x < y) | (y == 0),
    "^": lambda x, y: (x < y) ^ (x < 0),
    "~": lambda x, y: ~(x < y),
    "bits ==": lambda x, y: (x < y) == (x < 0),
    "bits !=": lambda x, y: (x < y) != (x < 0),
    "bits and public": lambda x, y: ((x < y) & True) | np.False_,
    "public ^ bits": lambda x, y: np.True_ ^ (x < y),
    "bit * x": lambda x, y: (x < y) * x,
    "y * bit": lambda x, y: y * (x < y),
    "bit * bit": lambda x, y: number(x < y) * number(x > 0),
    "bit + bit": lambda x, y: number(x < y) + number(x > 0) - 1,
    "bits <": lambda x, y: number(x < y) < number(x > 0),
    "where": lambda x, y: chosen(x < y, x, y),
    "where public": lambda x, y: chosen(x < y, 5, x),
    "where else public": lambda x, y: chosen(x == y, x, -1),
    "where both public": lambda x, y: chosen(x < y, *RING),
    "clip": lambda x, y: x.clip(-3, 4),
    "1 - bits": lambda x, y: 1 - number(x < y),
    "- bits": lambda x, y: -number(x < y),
    "bits / 4": lambda x, y: number(x < y) * 3 / 4 if isinstance(x, Secret) else number(x < y) * Fraction(3, 4),
    "joined bits": lambda x, y: joined([x < y, x == y, y < 0]),
    "turned bits": lambda x, y: (x.reshape(1, -1) < y).T,
    "bits of all pairs": lambda x, y: (x.reshape(-1, 1) == y) & (x < y),
    "numpy's names": lambda x, y: np.less(x, y) | np.equal(3, x),
    "clip by ends": lambda x, y: x.clip(ends(x, 0), ends(x, 2)),
    "clip above by ends": lambda x, y: x.clip(RING[0], ends(x, 0)),
    "clip to one": lambda x, y: x.clip(2, 2),
    "clip to nothing": lambda x, y: x.clip(*RING),
}
FITTING: dict[str, Operator] = {  # these may leave the ring, and then say so
    "*": operator.mul,
    "square": lambda x, y: x * x,
    "abs": lambda x, y: abs(x),
    "third power": lambda x, y: x**3,
    "fourth power of bits and numbers": lambda x, y: (x - number(x < y)) ** 4,
    "@": lambda x, y: x @ y,
    "outer": lambda x, y: x.reshape(-1, 1) @ y.reshape(1, -1),
    "fractions": lambda x, y: x * Fraction(1, 3) < y * Fraction(1, 2),
    "equal fractions": lambda x, y: x * Fraction(2, 3) == y * Fraction(1, 2),
    "where fractions": lambda x, y: chosen(x < y, x * Fraction(1, 3), y * Fraction(1, 2)),
    "clip fraction": lambda x, y: x.clip(Fraction(-1, 3), Fraction(5, 2)),
}
REDUCING: dict[str, Operator] = {
    "any": lambda x, y: (x < y).any(),
    "all": lambda x, y: (x < y).all(),
    "count": lambda x, y: number(x < y).sum(),
}
ORDER: dict[str, Operator] = {
    "max": lambda x, y: x.max(),
    "min": lambda x, y: x.min(),
    "argmax": lambda x, y: x.argmax() if isinstance(x, Secret) else first(x, max),
    "argmin": lambda x, y: x.argmin() if isinstance(x, Secret) else first(x, min),
    "last": lambda x, y: x.kth_largest(len(x)) if isinstance(x, Secret) else x.min(),
    "median": lambda x, y: (
        x.kth_largest((len(x) + 1) // 2)
        if isinstance(x, Secret)
        else sorted(x.tolist(), reverse=True)[(len(x) + 1) // 2 - 1]
    ),
    "one hot": lambda x, y: (
        x.argmax().one_hot(len(x)) if isinstance(x, Secret) else np.arange(len(x)) == first(x, max)
    ),
    "mean of bits": lambda x, y: (x < y).mean() if isinstance(x, Secret) else Fraction(int((x < y).sum()), len(x)),
}
EVERYTHING = ELEMENTWISE | FITTING | REDUCING | ORDER


@dataclass(frozen=True)
class Case:
    x: Sequence[int]
    y: Sequence[int]
    x_range: tuple[int, int]
    y_range: tuple[int, int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    x_range, y_range = draw(st.sampled_from(RANGES)), draw(st.sampled_from(RANGES))
    size = draw(st.sampled_from([0, 1, 2, 3, 5, 9]))

    def numbers(low: int, high: int, near: Sequence[int]) -> list[int]:
        some = st.sampled_from([low, high, min(max(0, low), high), low + (high - low) // 2]) | st.integers(
            low, high
        )
        if ties := [item for item in near if low <= item <= high]:
            some = some | st.sampled_from(ties)
        return draw(st.lists(some, min_size=size, max_size=size))

    x = numbers(*x_range, [])
    return Case(x, numbers(*y_range, [item + step for item in x for step in (-1, 0, 1)]), x_range, y_range)


def programs(
    case: Case, names: Sequence[str]
) -> Callable[[LockstepParty], Step[tuple[dict[str, Plain], set[str]]]]:
    """Reveal all results, and say which operators refused their range."""

    def program(party: LockstepParty) -> Step[tuple[dict[str, Plain], set[str]]]:
        x = party.input("x", {0: case.x}, range=case.x_range)[0]
        y = party.input("y", {1: case.y}, range=case.y_range)[0]
        results: dict[str, Secret | SecretBits] = {}
        for name in names:
            try:
                results[name] = EVERYTHING[name](x, y)
            except RangeError:
                assert name in FITTING, name
        opened = yield from party.reveal(None, **results)
        assert party.program.pool.drain() == {}
        return opened, set(names) - set(results)

    return program


def clear(values: Sequence[int]) -> Value:
    array = np.empty(len(values), np.object_)
    array[:] = list(values)
    return array


def check(case: Case, names: Sequence[str], run: Transcript[tuple[dict[str, Plain], set[str]]]) -> None:
    x, y = clear(case.x), clear(case.y)
    for opened, refused in run.results.values():
        for name in names:
            if name not in refused:
                expected = np.asarray(EVERYTHING[name](x, y), np.object_)
                assert opened[name].shape == expected.shape, name
                assert opened[name].tolist() == expected.tolist(), name


def names_for(case: Case) -> list[str]:
    return [name for name in EVERYTHING if case.x or name not in ORDER]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=25)
@given(cases(), st.integers(2, 6), st.sampled_from(["additive", "additive", "plain"]), st.integers(0, 99))
def test_operators_give_what_the_clear_gives(case: Case, computing: int, scheme: str, seed: int) -> None:
    names = names_for(case)
    order = random.Random(seed)
    run = run_program(
        programs(case, names), computing=computing, scheme=SCHEMES[scheme], seed=seed, pick=order.choice
    )
    event(f"{len(run.results[0][1])} operators refused their range")
    check(case, names, run)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("x_range", [RING, (-(2**62), 2**62), (-9, 9)])
def test_both_ends_of_the_ring(x_range: tuple[int, int], scheme: str) -> None:
    """Every pair of extreme values meets; the operators that always fit are never refused."""
    low, high = x_range
    ends = [low, low + 1, -1, 0, 1, high - 1, high]
    case = Case([x for x in ends for _ in ends], ends * len(ends), x_range, x_range)
    names = [*ELEMENTWISE, *REDUCING]
    check(case, names, run_program(programs(case, names), computing=2, scheme=SCHEMES[scheme]))
    case = Case(ends[::-1] + ends, ends * 2, x_range, x_range)
    check(case, list(ORDER), run_program(programs(case, list(ORDER)), computing=2, scheme=SCHEMES[scheme]))


@pytest.mark.parametrize("size", [63, 64, 65])
def test_sizes_around_a_word(size: int) -> None:
    x = [(7 * i) % 11 - 5 for i in range(size)]
    case = Case(x, x[::-1], (-9, 9), (-9, 9))
    names = [name for name in EVERYTHING if name != "outer"]
    run = run_program(programs(case, names), computing=2)
    assert run.results[0][1] == set()
    check(case, names, run)


# Order


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=12)
@given(
    st.sampled_from([1, 2, 31, 32, 33, 128, 129, 160, 193, 257]),
    st.sampled_from([1, 2, 5, 31, 40]),
    st.sampled_from([(-1, 1), (0, 999), RING]),
    st.integers(0, 99),
)
def test_the_largest_of_many_with_ties(size: int, places: int, bounds: tuple[int, int], seed: int) -> None:
    """In groups or all with all, with a last group that is smaller: values, and indices in the order of ties."""
    order = random.Random(seed)
    x = [order.choice([*bounds, order.randint(*bounds)]) for _ in range(size)]
    places = min(places, size)

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        secret = party.input("x", {0: x}, range=bounds)[0]
        best = top(secret, places)
        return (
            yield from party.reveal(
                values=best.values,
                indices=best.indices,
                last=secret.kth_largest(places),
                low=secret.min(),
                where=secret.argmin(),
            )
        )

    opened = run_program(program, computing=2, seed=seed, scheme=PlainScheme() if size > 64 else None).results[0]
    indices = sorted(range(size), key=lambda i: (-x[i], i))[:places]
    assert opened["indices"].tolist() == indices
    assert opened["values"].tolist() == [x[i] for i in indices]
    assert opened["last"] == x[indices[-1]]
    assert opened["low"] == min(x)
    assert opened["where"] == x.index(min(x))


@pytest.mark.parametrize("places", [1, 2, 6])
def test_groups_over_shares(places: int) -> None:
    x = [(i * i) % 50 for i in range(140)]

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        best = top(party.input("x", {0: x}, range=(0, 99))[0] / 7, places)
        opened = yield from party.reveal(values=best.values, indices=best.indices, one_hot=best.one_hot)
        assert party.program.pool.drain() == {}
        return opened

    opened = run_program(program, computing=3).results[0]
    indices = sorted(range(140), key=lambda i: (-x[i], i))[:places]
    assert opened["indices"].tolist() == indices
    assert opened["values"].tolist() == [Fraction(x[i], 7) for i in indices]
    assert opened["one_hot"].tolist() == np.eye(140, dtype=int)[indices].tolist()
