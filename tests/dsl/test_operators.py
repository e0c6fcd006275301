"""Operators of secrets: shapes, forks, refusals, and the rounds that programs take."""

from __future__ import annotations

import itertools
import operator
import typing
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from mpcnet.dsl import Range, Secret, SecretBits, Value, concatenate, stack, top, where
from mpcnet.dsl.compute import Compute
from mpcnet.engine import Step, Transcript
from mpcnet.errors import LocalError, RangeError
from mpcnet.schemes import AdditiveScheme, PlainScheme, Scheme
from mpcnet.testing.lockstep import LockstepParty, Plain, make_programs, run_program

SCHEMES: list[Scheme] = [AdditiveScheme(), PlainScheme()]
Operand = typing.Any
Build = Callable[[Operand], Operand]
choose: Operand = where  # without its overloads, for operands of any type


def evaluated(
    build: Build,
    values: Operand,
    bounds: tuple[int, int] = (-9, 9),
    scheme: Scheme | None = None,
    computing: int = 2,
) -> Plain:
    """What `build` gives for an input, over shares; every party takes all that it asked for."""

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: values}, range=bounds)[0]
        opened = yield from party.reveal(result=build(x))
        assert party.program.pool.drain() == {}
        return opened["result"]

    return run_program(program, computing=computing, scheme=scheme).results[1]


def secret(shape: tuple[int, ...] = (2, 3), low: int = 0, high: int = 9) -> Secret:
    program = make_programs(computing=2)[0]
    return Secret(Value(program, program.input("x", shape, Range(low, high), (0,), None)))[0]


# Shapes

GRID = np.arange(24).reshape(2, 3, 4) % 7 - 3
SHAPED: dict[str, Build] = {
    "row < column": lambda x: x[0, 0] < x[0, :, :1],
    "x < row": lambda x: x < x[0, 0],
    "x == public column": lambda x: x == np.array([[0], [1], [2]]),
    "x * column": lambda x: x * x[:, :, :1],
    "x * public": lambda x: x * np.arange(4),
    "scalar": lambda x: x[0, 0, 0] < x[1, 2, 3],
    "scalar product": lambda x: x[0, 0, 0] * x,
    "bits * row": lambda x: (x < 0) * x[0, 0],
    "row of bits * x": lambda x: (x[0, 0] < 0) * x,
    "bits & row": lambda x: (x < 0) & (x[0, 0] < 1),
    "bits | public": lambda x: (x < 0) | np.array([True, False, True, False]),
    "bits ^ column": lambda x: (x < 0) ^ (x[:, :, :1] < 0),
    "index of bits": lambda x: (x < 0)[1, ::-1, [0, 2]],
    "mask of bits": lambda x: (x < 0)[0, :, np.array([True, False, False, True])],
    "reshaped bits": lambda x: (x < 0).reshape(4, -1),
    "reshaped to a tuple": lambda x: (x < 0).reshape((6, 4)),
    "all": lambda x: (x < 2).all(),
    "all 0": lambda x: (x < 2).all(axis=0),
    "all -1": lambda x: (x < 2).all(axis=-1),
    "all of two": lambda x: (x < 2).all(axis=(0, 2)),
    "any 1": lambda x: (x < -2).any(axis=1),
    "any of no axis": lambda x: (x < -2).any(axis=()),
    "sum of bits 1": lambda x: (x < 0).sum(axis=1),
    "clip by rows": lambda x: x.clip(np.array([-3, -2, -1, 0]), 1),
    "clip by columns": lambda x: x.clip(-1, np.array([[0], [1], [2]])),
    "@ 2 1": lambda x: x[0] @ x[1, 0],
    "@ 1 2": lambda x: x[0, :, 0] @ x[1],
    "@ 1 1": lambda x: x[0, 0] @ x[1, 1],
    "@ 2 2": lambda x: x[0] @ x[1].T,
    "bits @ public": lambda x: (
        (x[0] < 0) @ np.arange(4) if isinstance(x, Secret) else (x[0] < 0) * 1 @ np.arange(4)
    ),
    "public @ bits": lambda x: (
        np.arange(3) @ (x[0] < 0) if isinstance(x, Secret) else np.arange(3) @ ((x[0] < 0) * 1)
    ),
    "bits / 4": lambda x: (x < 0) / 4,
    "- bits": lambda x: -((x < 0) * 1),
    "1 - bits": lambda x: 1 - (x < 0) * 1,
}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_shapes_broadcast_as_in_numpy(scheme: Scheme) -> None:
    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: GRID}, range=(-9, 9))[0]
        return (yield from party.reveal(None, **{name: build(x) for name, build in SHAPED.items()}))

    opened = run_program(program, computing=3, scheme=scheme).results[2]
    for name, build in SHAPED.items():
        expected = np.asarray(build(GRID))
        assert opened[name].shape == expected.shape, name
        assert np.array_equal(opened[name], expected.astype(np.object_)), name


EMPTY: dict[str, Build] = {
    "<": lambda x: x < x,  # noqa: PLR0124
    "==": lambda x: x == 3,
    "*": lambda x: x * x,
    "@": lambda x: x.reshape(-1) @ x.reshape(-1),
    "outer": lambda x: x.reshape(-1, 1) @ x.reshape(1, -1),
    "&": lambda x: (x < 0) & (x == x),  # noqa: PLR0124
    "|": lambda x: (x < 0) | True,
    "~": lambda x: ~(x < 0),
    "where": lambda x: where(x < 0, x, 1) if isinstance(x, Secret) else np.where(x < 0, x, 1),
    "where both public": lambda x: where(x < 0, 2, 1) if isinstance(x, Secret) else np.where(x < 0, 2, 1),
    "bit * x": lambda x: (x < 0) * x,
    "abs": abs,
    "clip": lambda x: x.clip(0, 1),
    "any": lambda x: (x < 0).any(),
    "all": lambda x: (x < 0).all(),
    "all last": lambda x: (x < 0).all(axis=-1),
    "any first": lambda x: (x < 0).any(axis=0),
    "count": lambda x: (x < 0).sum(),
    "one hot": lambda x: x.one_hot(3) if isinstance(x, Secret) else np.zeros((*x.shape, 3)),
    "one hot of none": lambda x: x.one_hot(0) if isinstance(x, Secret) else np.zeros((*x.shape, 0)),
}


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 1)])
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_nothing_is_computed_on_in_no_round(scheme: Scheme, shape: tuple[int, ...]) -> None:
    empty = np.zeros(shape, np.int64)

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: empty}, range=(-9, 9))[0]
        return (yield from party.reveal(None, **{name: build(x) for name, build in EMPTY.items()}))

    run = run_program(program, computing=2, scheme=scheme)
    for name, build in EMPTY.items():
        expected = np.asarray(build(empty))
        assert run.results[0][name].shape == expected.shape, name
        assert np.array_equal(run.results[0][name], expected.astype(np.object_)), name
    assert run.rounds <= 1


@pytest.mark.parametrize(
    "shapes", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0,), (0, 2)), ((3, 0), (0,))]
)
def test_products_with_a_dimension_of_nothing(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    first, second = shapes

    def build(x: Secret) -> Secret:
        size = int(np.prod(first))
        return x[:size].reshape(first) @ x[: int(np.prod(second))].reshape(second)

    for scheme in SCHEMES:
        result = evaluated(build, np.arange(6), scheme=scheme)
        expected = np.zeros(first) @ np.zeros(second)
        assert result.shape == expected.shape
        assert not result.any()


@pytest.mark.parametrize("reduce", ["max", "min", "argmax", "argmin"])
def test_nothing_has_no_order(reduce: str) -> None:
    for shape in ((0,), (), (2, 3)):
        with pytest.raises(LocalError, match="order"):
            getattr(secret(shape), reduce)()


# Refusals

REFUSED: dict[str, Build] = {
    "no place 0 to 0": lambda x: x[0].kth_largest(0),
    "no place 4 to 4": lambda x: x[0].kth_largest(4),
    "no place 1 to 4": lambda x: top(x[0], 4),
    "no place 1 to 0": lambda x: top(x[0], 0),
    "a place is an integer, not a float": lambda x: x[0].kth_largest(1.0),
    "a size is an integer": lambda x: x.one_hot(2.0),
    "a size is not negative": lambda x: x.one_hot(-1),
    "nowhere above the upper end": lambda x: x.clip(3, 2),
    "do not fit together": lambda x: x < x.T,
    "shapes (2, 3) and (2,) do not fit together": lambda x: x < [1, 2],
    "beside a secret: a str is no public number": lambda x: x == "3",
    "beside a secret: a NoneType": lambda x: x == None,  # noqa: E711
    "beside a secret: a public operand must be finite": lambda x: x < np.array([0, 1, np.inf]),
    "secret bits meet public booleans here, not int64": lambda x: (x < 3) & 1,
    "public booleans here, not int64": lambda x: (x < 3) | 0,
    "public booleans here, not float64": lambda x: (x < 3) ^ 1.0,
    "the condition of `where` is made of secret bits": lambda x: choose(x, 1, 2),
    "6 elements of shape (2, 3) do not fit": lambda x: (x < 3).reshape(5),
    "axis 2 does not exist": lambda x: (x < 3).any(axis=2),
    "axis -2 is named twice": lambda x: (x < 3).all(axis=(0, -2)),
    "index into a secret of shape (2, 3)": lambda x: (x < 3)[2],
    "has no length": lambda x: len((x < 3)[0, 0]),
    "division by a secret": lambda x: x / (x < 3),
    "numpy array of it": lambda x: np.asarray(x < 3),
    "int() would have to know it": lambda x: int((x < 3)[0, 0]),
    "float() would have to know it": lambda x: float((x < 3)[0, 0]),
    "indexing with it": lambda x: operator.index((x < 3)[0, 0]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused_says_why(message: str) -> None:
    with pytest.raises(LocalError) as error:
        REFUSED[message](secret())
    assert message in str(error.value)


def test_secret_bits_are_no_keys() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret() < 3)


def test_what_leaves_the_ring_is_refused_while_the_program_is_built() -> None:
    ring = secret((3,), -(2**63), 2**63 - 1)
    builds: list[Build] = [abs, lambda x: -x, lambda x: x * x, lambda x: x @ x, lambda x: x < x * Fraction(1, 3)]
    for build in builds:
        with pytest.raises(RangeError):
            build(ring)
    below = secret((3,), -(2**63) + 1, 2**63 - 1)
    assert abs(below).range == (Fraction(0), Fraction(2**63 - 1))


def test_ranges_are_as_narrow_as_operators_keep_them() -> None:
    x = secret((4,), -5, 9)
    bit = x < 0
    ranges: dict[tuple[int, int], list[Secret]] = {
        (0, 9): [abs(x), x.clip(0, 20), where(bit, 9, abs(x))],
        (-5, 9): [x.clip(-9, 99), x.max(), x.min(), x.kth_largest(2), bit * x, where(bit, x, 0)],
        (0, 3): [x.argmax(), x.argmin()],
        (0, 1): [bit.number(), bit * bit, x.clip(0, 1)],
        (2, 3): [x.clip(2, 3), where(bit, 2, 3)],
        (13, 13): [secret((4,), 14, 15).clip(12, 13)],
        (12, 12): [secret((4,), 1, 2).clip(12, 13)],
        (-4, 0): [-bit.sum()],
    }
    for bounds, secrets in ranges.items():
        for result in secrets:
            assert tuple(map(int, result.range)) == bounds
    assert (x / 2).max().range == (Fraction(-5, 2), Fraction(9, 2))
    assert abs(secret((2,), 3, 4)).node.operation.kind == "index"  # itself
    assert abs(secret((2,), -4, -3)).range == (Fraction(3), Fraction(4))


def test_a_comparison_takes_the_bits_of_its_range() -> None:
    def width(bits: SecretBits) -> int:
        operation = bits.node.operation
        assert isinstance(operation, Compute)
        return operation.bits

    x = secret((4,), 0, 1_000_000)
    assert width(x < x[::-1]) == 21
    assert width(x < 0.1) == 21
    assert width(secret((1,), -1, 0) < 0) == 1
    assert width(secret((1,), 0, 0) < 0) == 1
    assert width(secret((1,), -(2**63), 2**63 - 1) < 0) == 64
    assert width(x == 3) == 20
    assert width(secret((1,), 0, 1) == 0) == 1


# Forks


def test_bits_and_numbers_of_a_parent_meet_those_of_a_fork() -> None:
    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: [1, -2, 3]}, range=(-9, 9))[0]
        bits = x < 0
        child = party.fork("child")
        unevaluated: list[Callable[[Secret], object]] = [
            lambda y: bits & (y < 0),
            lambda y: bits * y,
            lambda y: where(bits, y, 0),
            lambda y: y < x,
        ]
        y = child.input("y", {1: [5, 6, -7]}, range=(-9, 9))[0]
        for build in unevaluated:
            with pytest.raises(LocalError, match="must be evaluated there"):
                build(y)
        x_too, bits_too = x * 2, ~bits
        yield from party.evaluate(x, bits, x_too, bits_too)
        return (
            yield from child.reveal(
                both=bits & (y < 0),
                either=(y < 0) | bits,
                times=bits * y,
                times_x=(y < 0) * x,
                chosen=where(bits, y, x),
                old=where(y < 0, bits, bits_too),
                old_numbers=where(y < 0, x, x_too),
                less=y < x,
                same=bits == (y < 0),
            )
        )

    for opened in run_program(program, computing=2).results.values():
        assert {name: value.tolist() for name, value in opened.items()} == {
            "both": [0, 0, 0],
            "either": [0, 1, 1],
            "times": [0, 6, 0],
            "times_x": [0, 0, 3],
            "chosen": [1, 6, 3],
            "old": [1, 0, 0],
            "old_numbers": [2, -4, 3],
            "less": [0, 0, 1],
            "same": [1, 0, 0],
        }


def test_bits_of_two_forks_or_jobs_do_not_meet() -> None:
    def program(party: LockstepParty) -> Step[None]:
        first, second = (party.fork(label).input("x", {0: [1]}, range=(-9, 9))[0] for label in ("a", "b"))
        builds: list[Callable[[], object]] = [
            lambda: (first < 0) & (second < 0),
            lambda: (first < 0) * second,
            lambda: first < second,
        ]
        for build in builds:
            with pytest.raises(LocalError, match="do not meet"):
                build()
        yield from ()

    run_program(program, computing=2)
    other = make_programs(computing=2, seed=1)[0]
    stranger = Secret(Value(other, other.input("x", (3,), Range(0, 9), (0,), None)))[0]
    with pytest.raises(LocalError, match="do not meet"):
        _ = (secret((3,)) < 3) ^ (stranger < 3)


# Choices of bits


def test_where_of_bits_gives_bits() -> None:
    def build(x: Secret) -> SecretBits:
        result = where(x < 0, x < -2, x > 2)
        assert isinstance(result, SecretBits)
        return result

    assert evaluated(build, [-3, -1, 0, 3]).tolist() == [1, 0, 0, 1]
    assert evaluated(lambda x: choose(x < 0, x > 5, x), [-3, 4]).tolist() == [0, 4]
    assert evaluated(lambda x: choose(x < 0, 0.1, 0.3), [-3, 4]).tolist() == [Fraction(0.1), Fraction(0.3)]
    assert evaluated(lambda x: where(x < 0, [1, 2], [[3], [4]]), [-3, 4]).tolist() == [[1, 3], [1, 4]]


# Rounds: those of the opening of the result are counted in `run.rounds`, and taken off here.


def rounds(build: Build, values: Operand, bounds: tuple[int, int], computing: int = 2) -> int:
    def program(party: LockstepParty) -> Step[None]:
        result = build(party.input("x", {0: values}, range=bounds)[0])
        before = yield from party.reveal(result=result)
        assert "result" in before

    return run_program(program, computing=computing).rounds - 1


def test_comparisons_take_few_rounds() -> None:
    few, many = np.arange(10), np.arange(5000)
    for values, saved in ((few, 1), (many, 0)):
        assert rounds(lambda x: x < x[::-1], values, (0, 2**62)) == 6 - saved
        assert rounds(lambda x: x < x[::-1], values, (-(2**62), 2**62 - 1)) == 6 - saved
        assert rounds(lambda x: x < x[::-1], values, (-(2**63), 2**63 - 1)) == 7 - saved  # more than 64 bits
        assert rounds(lambda x: x < x[::-1], values, (0, 2**31 - 1)) == 5 - saved
        assert rounds(lambda x: x < x[::-1], values, (-(2**31), 2**31 - 1)) == 5 - saved
        assert rounds(lambda x: x == x[::-1], values, (-(2**63), 2**63 - 1)) == 6 - saved
    assert rounds(lambda x: choose(x < 5, x, 0), few, (0, 2**31)) == 5
    assert rounds(lambda x: x * x, few, (0, 9)) == 1
    assert rounds(lambda x: (x * x) @ x, few, (0, 9)) == 2
    assert rounds(lambda x: (x < 5).any(), few, (0, 9)) == 1 + 4


@pytest.mark.parametrize(("size", "places", "wanted"), [(100, 1, 9), (100, 2, 9), (1000, 1, 17), (1000, 2, 17)])
def test_the_largest_of_many_take_few_rounds(size: int, places: int, wanted: int) -> None:
    values = np.arange(size) * 7919 % 10_007
    assert rounds(lambda x: top(x, places).values, values, (0, 10_000_000)) == wanted
    if size == 100:  # and the index of the winner comes with it
        assert rounds(lambda x: x.argmax(), values, (0, 10_000_000)) == wanted


def scalar_program(party: LockstepParty) -> Step[Plain]:
    x = party.input("x", {0: np.arange(20), 1: np.arange(20)[::-1]}, range=(0, 99))
    results = [
        where((x[0, i] < x[1, i]) & (x[0, i] != 3), x[0, i] * x[1, i], abs(x[0, i] - x[1, i])) for i in range(20)
    ]
    return (yield from party.reveal(s=stack(results)))["s"]


def vector_program(party: LockstepParty) -> Step[Plain]:
    both = party.input("x", {0: np.arange(20), 1: np.arange(20)[::-1]}, range=(0, 99))
    a, b = both[0], both[1]
    return (yield from party.reveal(s=where((a < b) & (a != 3), a * b, abs(a - b))))["s"]


@pytest.mark.parametrize("computing", [2, 3])
def test_scalar_loops_cost_what_vectors_do(computing: int) -> None:
    scalar: Transcript[Plain] = run_program(scalar_program, computing=computing)
    vector: Transcript[Plain] = run_program(vector_program, computing=computing)
    assert scalar.results[0].tolist() == vector.results[0].tolist()
    assert scalar.rounds == vector.rounds
    assert scalar.sent_bytes == vector.sent_bytes


def test_joined_operands_keep_their_order() -> None:
    """Bits of several nodes are joined to one array and cut again, at any size."""
    sizes = (1, 63, 64, 65, 3, 128)
    values = np.arange(sum(sizes)) * 31 % 19 - 9

    def build(x: Secret) -> Secret:
        ends = np.cumsum([0, *sizes]).tolist()
        pieces = [x[a:b] for a, b in itertools.pairwise(ends)]
        return concatenate([((piece < 0) & (piece != -3)) * piece for piece in pieces])

    assert evaluated(build, values).tolist() == [v if v < 0 and v != -3 else 0 for v in values.tolist()]
