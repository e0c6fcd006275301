"""Public operands: everything exact is taken, everything else is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.dsl import Range, Secret, Value, concatenate, where
from mpcnet.dsl.public import to_public
from mpcnet.errors import LocalError, RangeError
from mpcnet.testing.lockstep import Plain, exact, make_programs

quick = settings(derandomize=True, deadline=None, max_examples=60)
TOP, BOTTOM = 2**63 - 1, -(2**63)


def read(value: object) -> Plain:
    public = to_public(value)
    assert public.numerators.dtype == np.int64
    return exact(public.numerators, public.denominator)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (3, Fraction(3)),
        (True, Fraction(1)),
        (TOP, Fraction(TOP)),
        (BOTTOM, Fraction(BOTTOM)),
        (Fraction(-3, 7), Fraction(-3, 7)),
        (Fraction(1, 10**30), Fraction(1, 10**30)),
        (Decimal("0.1"), Fraction(1, 10)),
        (0.5, Fraction(1, 2)),
        (0.1, Fraction(0.1)),
        (5e-324, Fraction(5e-324)),
        (-(2.0**63), Fraction(BOTTOM)),
        (np.int8(-3), Fraction(-3)),
        (np.uint64(TOP), Fraction(TOP)),
        (np.bool_(True), Fraction(1)),
        (np.float16(0.5), Fraction(1, 2)),
        (np.float32(0.1), Fraction(float(np.float32(0.1)))),
        (np.float64(2), Fraction(2)),
        (np.longdouble(1) / 4, Fraction(1, 4)),
        (np.array(7), Fraction(7)),
    ],
)
def test_scalars(value: object, meaning: Fraction) -> None:
    assert read(value).shape == ()
    assert read(value)[()] == meaning


@pytest.mark.parametrize(
    "value",
    [
        np.array([True, False]),
        np.arange(-3, 3, dtype=np.int8),
        np.array([1, TOP], np.uint64),
        np.array([[0.5, -0.25], [3, 1e-3]]),
        np.array([BOTTOM, 1], np.float64),
        np.array([5e-324, 0.0]),
        np.array([1e-30, 2e-30]),
        np.array([0.1], np.float32),
        np.zeros((2, 0)),
        np.zeros((0,), np.object_),
        [1, 2, 3],
        (0.5, 2),
        [np.float32(0.5), np.int8(3), True],
        [Fraction(1, 3), Decimal("0.5"), 2, 0.25],
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(12)[::-3],
    ],
)
def test_arrays(value: object) -> None:
    clear = np.asarray(value)
    assert read(value).shape == clear.shape
    assert read(value).reshape(-1).tolist() == [Fraction(item) for item in clear.reshape(-1).tolist()]


@quick
@given(st.lists(st.floats(-(2.0**62), 2.0**62), max_size=4))
def test_floats_are_exact_or_refused(values: list[float]) -> None:
    wanted = [Fraction(value) for value in values]
    bits = max((value.denominator for value in wanted), default=1)
    if any(abs(value * bits) >= 2**63 for value in wanted):
        with pytest.raises(RangeError):
            read(np.array(values))
    else:
        assert read(np.array(values)).tolist() == wanted


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        BOTTOM - 1,
        10**400,
        Fraction(10**400),
        Fraction(2**64, 3),
        Decimal("1e400"),
        Decimal("1e999999"),
        Decimal("1e-999999"),
        2.0**63,
        1e300,
        np.uint64(2**63),
        np.array([2**63], np.uint64),
        np.array([1e300]),
        np.array([1e300, 1e-300]),
        [2**70],
        [Fraction(1, 2**40), 2**30],
        [Fraction(10**400)],
        [Decimal("1e999999")],
    ],
)
def test_too_wide(value: object) -> None:
    with pytest.raises(RangeError):
        to_public(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "3",
        b"3",
        1j,
        np.complex128(1),
        np.array(["a"]),
        np.array([], "U1"),
        np.datetime64(3, "s"),
        np.timedelta64(3, "s"),
        np.array([3], "m8[s]"),
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        np.float32("inf"),
        np.array([1, np.nan]),
        [Decimal("sNaN")],
        [float("inf"), Fraction(1)],
        np.array([None]),
        [[1, 2], [3]],
        [1j],
        {1: 2},
        object(),
    ],
)
def test_no_number(value: object) -> None:
    with pytest.raises(LocalError) as error:
        to_public(value)
    assert error.type is LocalError


def test_long_doubles_are_exact() -> None:
    value = 1 + np.finfo(np.longdouble).eps * 4  # lost in a float64 where long doubles are longer
    wanted = Fraction(*value.as_integer_ratio())
    assert read(value)[()] == wanted
    assert read(np.array([value, 1])).tolist() == [wanted, 1]


def test_scaling_keeps_the_value_or_says_that_it_cannot() -> None:
    assert to_public([1, -2]).scaled_to(6).numerators.tolist() == [6, -12]
    assert to_public(-(2**62)).scaled_to(2).numerators == BOTTOM
    assert to_public([0, 0]).scaled_to(10**30).numerators.tolist() == [0, 0]
    for value, factor in ((2**62, 2), (1, 2**63), (-1, 2**63 + 1)):
        with pytest.raises(RangeError, match="common denominator"):
            to_public(value).scaled_to(factor)


def test_integers_among_floats_stay_exact() -> None:
    assert read([2**60 + 1, 0.5]).tolist() == [2**60 + 1, Fraction(1, 2)]


def test_the_digest_depends_on_the_numbers_and_the_shape_alone() -> None:
    same = [to_public(np.arange(6).reshape(2, 3)), to_public(np.asfortranarray(np.arange(6.0).reshape(2, 3)))]
    assert same[0].digest() == same[1].digest()
    others = [to_public(value) for value in (0, [0], [[0]], 1, Fraction(1, 2), [1, 2], [[1], [2]])]
    assert len({other.digest() for other in others}) == len(others)


def test_an_operand_is_ours_once_it_is_read() -> None:
    array = np.array([1, 2, 3])
    public = to_public(array)
    array[:] = 9
    assert public.numerators.tolist() == [1, 2, 3]


# Floats that were meant as decimal numbers


def secret(low: int = 0, high: int = 1000) -> Secret:
    program = make_programs(computing=2)[0]
    return Secret(Value(program, program.input("x", (3,), Range(low, high), (0,), None)))[0]


BLOWN_UP: dict[str, Callable[[Secret], object]] = {
    "a factor": lambda x: x * 1000 * 1000 * 0.1,
    "factors": lambda x: x * 0.1 * 0.1,
    "an array of factors": lambda x: x * [0.1, 0.2, 0.3] * np.array([0.1, 0.2, 0.3]),
    "divisors": lambda x: x / 0.1,
    "a small divisor": lambda x: x / 1e-10,
    "a public summand": lambda x: x * 0.1 + 1000,
    "a public minuend": lambda x: 1000 - x * 0.1,
    "a summand": lambda x: x * 0.1 + x,
    "a float summand": lambda x: x + 0.1,
    "a product": lambda x: (x * 0.001) * (x * 0.001),
    "a square": lambda x: (x * 0.001) ** 2,
    "a matrix product": lambda x: (x * 0.001) @ (x * 0.001),
    "a public matrix": lambda x: (x * 0.001) @ [0.1, 0.2, 0.3],
    "a mean": lambda x: (x * 0.1).mean() * 0.1,
    "a list": lambda x: x * [0.1, 1e10, 3],
    "floats among fractions": lambda x: x * [0.1, 1e-5, Fraction(1, 3)],
    "joined": lambda x: concatenate([x * 0.1, x]),
    "a choice": lambda x: where(x > 3, x * 0.1, x),
    "a choice of floats": lambda x: where(x > 3, 0.1, 10**6),
    "a clip": lambda x: x.clip(0.1, 500),
}


@pytest.mark.parametrize("name", BLOWN_UP)
def test_what_floats_blow_up_names_decimals(name: str) -> None:
    with pytest.raises(RangeError, match=r'write Decimal\("0\.1"\) or Fraction\(1, 10\)'):
        BLOWN_UP[name](secret())


def test_the_same_in_decimals_fits() -> None:
    tenth = Decimal("0.1")
    x = secret()
    for _ in range(10):
        x = x * tenth
    assert (x + 7 - x / 10**3).denominator == 10**13
    assert (secret() / tenth / tenth / tenth).range[1] == 10**6


def test_other_reasons_do_not_name_decimals() -> None:
    x = secret(0, 2**62)
    uses: list[Callable[[], object]] = [
        lambda: x * 4,
        lambda: x * 0.5 + x * 0.75 + x,
        lambda: x / 3 + x / 7,
        lambda: x * x,
        lambda: x * Fraction(1, 2**10) + x,
        lambda: x * Decimal("1e-18") * Decimal("1e-18") + x,
    ]
    for use in uses:
        with pytest.raises(RangeError) as error:
            use()
        assert "Decimal" not in str(error.value)
