"""Ranges: they hold every value that can be, and refuse exactly what could leave the ring."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.dsl import Program, Range, Secret, Value, concatenate, stack
from mpcnet.dsl.ranges import exact_sum, of_dot
from mpcnet.errors import LocalError, RangeError
from mpcnet.testing.lockstep import make_programs

quick = settings(derandomize=True, deadline=None, max_examples=80)
TOP, BOTTOM = 2**63 - 1, -(2**63)

edges = st.sampled_from([BOTTOM, BOTTOM + 1, -(2**62), -3, -1, 0, 1, 2, 2**31, 2**62, TOP - 1, TOP])
integers = edges | st.integers(BOTTOM, TOP)
intervals = st.tuples(integers, integers).map(lambda pair: (min(pair), max(pair)))


def program() -> Program:
    return make_programs(computing=2)[0]


def secret(in_program: Program, interval: tuple[int, int], shape: tuple[int, ...] = ()) -> Secret:
    return Secret(Value(in_program, in_program.input("x", shape, Range(*interval), (0,), None)))[0]


PUBLIC_OPERATIONS: list[Callable[[Secret | int, int], Secret | int]] = [
    lambda x, c: x + c,
    lambda x, c: c + x,
    lambda x, c: x - c,
    lambda x, c: c - x,
    lambda x, c: x * c,
    lambda x, c: -x if c % 2 else x,
]


@quick
@given(intervals, integers, st.integers(0, len(PUBLIC_OPERATIONS) - 1))
def test_operations_with_public_numbers(interval: tuple[int, int], c: int, which: int) -> None:
    operation = PUBLIC_OPERATIONS[which]
    ends = [operation(end, c) for end in interval]
    _check([int(end) for end in ends], lambda: operation(secret(program(), interval), c))


@quick
@given(intervals, intervals, st.booleans())
def test_operations_of_two_secrets(first: tuple[int, int], second: tuple[int, int], minus: bool) -> None:
    ends = [a - b if minus else a + b for a in first for b in second]

    def build() -> Secret | int:
        in_program = program()
        x, y = secret(in_program, first), secret(in_program, second)
        return x - y if minus else x + y

    _check(ends, build)


@quick
@given(intervals, st.lists(integers, min_size=1, max_size=3), st.booleans())
def test_dot(interval: tuple[int, int], factors: list[int], left: bool) -> None:
    ends = [
        sum(a * c for a, c in zip(values, factors, strict=True))
        for values in itertools.product(interval, repeat=len(factors))
    ]
    x = secret(program(), interval, (len(factors),))
    _check(ends, lambda: factors @ x if left else x @ factors)


@quick
@given(intervals, st.integers(0, 5))
def test_sum(interval: tuple[int, int], count: int) -> None:
    _check([end * count for end in interval], lambda: secret(program(), interval, (count,)).sum())


def _check(ends: Sequence[int], build: Callable[[], Secret | int]) -> None:
    low, high = min(ends), max(ends)
    if low >= BOTTOM and high <= TOP:
        result = build()
        assert isinstance(result, Secret)
        assert result.range == (Fraction(low), Fraction(high))
    else:
        with pytest.raises(RangeError):
            build()


@quick
@given(intervals, intervals)
def test_joining_takes_the_union(first: tuple[int, int], second: tuple[int, int]) -> None:
    in_program = program()
    x, y = secret(in_program, first, (2,)), secret(in_program, second, (2,))
    union = (Fraction(min(first[0], second[0])), Fraction(max(first[1], second[1])))
    assert concatenate([x, y]).range == stack([x, y]).range == union


@quick
@given(st.integers(1, 4), st.integers(1, 3), st.data(), intervals)
def test_the_range_of_a_matrix_product_is_tight(
    rows: int, columns: int, data: st.DataObject, interval: tuple[int, int]
) -> None:
    matrix = np.array(
        data.draw(st.lists(st.lists(integers, min_size=columns, max_size=columns), min_size=rows, max_size=rows)),
        np.int64,
    )
    bound = of_dot(Range(*interval), matrix, 0)
    ends = [
        sum(int(matrix[i, j]) * value for i, value in enumerate(values))
        for j in range(columns)
        for values in itertools.product(interval, repeat=rows)
    ]
    assert (bound.low, bound.high) == (min(ends), max(ends))


@quick
@given(st.lists(integers, max_size=6))
def test_exact_sum(values: list[int]) -> None:
    assert exact_sum(np.array(values, np.int64), 0)[()] == sum(values)


def test_an_input_range_must_fit_and_be_in_order() -> None:
    for interval in ((BOTTOM - 1, 0), (0, TOP + 1)):
        with pytest.raises(RangeError, match="input"):
            secret(program(), interval)
    with pytest.raises(LocalError, match="from low to high"):
        Range(1, 0)


def test_the_error_says_what_was_too_much() -> None:
    with pytest.raises(RangeError, match=r"'sum' can give values in \[0, 13835058055282163712\], which Z/2\^64"):
        secret(program(), (0, 2**62), (3,)).sum()
    with pytest.raises(RangeError, match=r"'\+' with a secret: .*64 bits"):
        _ = secret(program(), (0, 1)) + 2**64


def test_a_common_denominator_that_is_too_large_is_named() -> None:
    x = secret(program(), (0, 1))
    with pytest.raises(RangeError, match="common denominator"):
        _ = x / 3 + x / 10**18 + x / (10**18 + 1)
