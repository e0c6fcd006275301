"""The surface of `Secret`: what would need its value teaches, what does not fit is told on its line."""

from __future__ import annotations

import operator
import typing
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from mpcnet.algebra import Z64
from mpcnet.dsl import Output, Range, Secret, SecretBits, Value, concatenate, evaluate, stack
from mpcnet.engine import MergedRound
from mpcnet.errors import LocalError
from mpcnet.schemes import PlainScheme
from mpcnet.testing.lockstep import make_programs


def secret(shape: tuple[int, ...] = (2, 3), low: int = 0, high: int = 9) -> Secret:
    program = make_programs(computing=2)[0]
    return Secret(Value(program, program.input("x", shape, Range(low, high), (0,), None)))[0]


Use = Callable[[typing.Any], object]

VALUE_USES: dict[str, Use] = {
    "bool": bool,
    "not": operator.not_,
    "int": int,
    "float": float,
    "complex": complex,
    "index": operator.index,
    "iter": iter,
    "list": list,
    "unpack": lambda x: (*x,),
    "builtin sum": sum,
    "range": range,
    "in": lambda x: 3 in x,
    "np.asarray": np.asarray,
    "np.array of a list": lambda x: np.array([x, x]),
    "np.sum": np.sum,
    "np.mean": np.mean,
    "np.concatenate": lambda x: np.concatenate([x, x]),
    "np.where": lambda x: np.where(x, 1, 0),
    "operand in a list": lambda x: operator.add(x, [x, 1]),
    "quotient": lambda x: 1 / x,
    "floor": lambda x: x // 2,
    "floor on the left": lambda x: 7 // x,
    "remainder": lambda x: x % 2,
    "round": lambda x: round(x, 1),
    "quotient of secrets": lambda x: x / x,
}


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3)])
@pytest.mark.parametrize("use", VALUE_USES)
def test_what_would_need_the_value_teaches(use: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(LocalError) as error:
        VALUE_USES[use](secret(shape))
    assert len(str(error.value)) > 40


def test_other_operators_refuse() -> None:
    x: typing.Any = secret()
    uses: list[Callable[[], object]] = [
        lambda: 2**x,
        lambda: x & 1,
        lambda: np.ones(3) // x,
        lambda: hash(x),
    ]
    for use in uses:
        with pytest.raises((TypeError, LocalError)):
            use()


OPERATORS: dict[str, Use] = {
    "x * x": lambda x: x * x,
    "x @ x": lambda x: x.reshape(-1) @ x.reshape(-1),
    "abs": lambda x: abs(x - 4),
    "clip": lambda x: x.clip(1, 2),
    "max": lambda x: x.reshape(-1).max(),
    "argmin": lambda x: x.reshape(-1).argmin(),
    "x == 3": lambda x: x == 3,
    "x != x": lambda x: x != x,  # noqa: PLR0124
    "x < 3": lambda x: x < 3,
    "x <= 3": lambda x: x <= 3,
    "x > x": lambda x: x > x,  # noqa: PLR0124
    "x >= x": lambda x: x >= x,  # noqa: PLR0124
    "3 == x": lambda x: 3 == x,  # noqa: SIM300
    "array == x": lambda x: np.arange(3) == x,
    "array < x": lambda x: np.arange(3) < x,
    "scalar == x": lambda x: np.float64(3) == x,
}


@pytest.mark.parametrize("use", OPERATORS)
def test_what_takes_correlated_randomness_is_refused_without_a_dealer_when_it_is_evaluated(use: str) -> None:
    """It builds, because who makes the randomness belongs to the job; the program can go on without it."""
    for program in make_programs(computing=2, has_provider=False).values():
        x = Secret(Value(program, program.input("x", (2, 3), Range(0, 9), (0, 1), np.ones((2, 3), np.int64))))[0]
        result = OPERATORS[use](x)
        assert isinstance(result, Secret | SecretBits)
        with pytest.raises(LocalError, match="name a dealer in the job"):
            evaluate(program, [result.node])
        evaluation = evaluate(program, [(x + 1).node])
        assert evaluation.take() is None


def test_products_in_the_clear_need_no_dealer() -> None:
    program = make_programs(computing=1, scheme=PlainScheme(), has_provider=False)[0]
    x = Secret(Value(program, program.input("x", (3,), Range(0, 9), (0,), np.array([1, 2, 3]))))[0]
    evaluation = evaluate(program, [], [Output("y", (x * x).node, (0,), 1, Z64)])
    while (merged := evaluation.take()) is not None:
        assert isinstance(merged, MergedRound)
        assert not merged.to
        assert not merged.expect
        evaluation.feed({})
    assert evaluation.results["y"].tolist() == [1, 4, 9]


BIT_USES: dict[str, Use] = {
    "bool": bool,
    "not": operator.not_,
    "if": lambda b: 1 if b else 0,
    "chained": lambda b: b.number() < 1 < b.number(),
    "iter": iter,
    "list": list,
    "in": lambda b: True in b,
}


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3)])
@pytest.mark.parametrize("use", BIT_USES)
def test_a_secret_bit_has_no_truth(use: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(LocalError) as error:
        BIT_USES[use](secret(shape) < 3)
    assert len(str(error.value)) > 40


@pytest.mark.parametrize(
    "left",
    [
        *(2, 2.5, Fraction(1, 2), True, [1, 2, 3], (1, 2, 3), np.float64(2), np.float32(2), np.int8(2)),
        *(np.uint64(2), np.bool_(True), np.arange(3), np.arange(6.0).reshape(2, 3), np.array(2)),
        np.array([Fraction(1, 3)] * 3),
    ],
)
@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_public_operands_on_the_left_give_one_secret(left: typing.Any, operation: Callable[..., object]) -> None:
    for result in (operation(left, secret()), operation(secret(), left)):
        assert isinstance(result, Secret)
        assert result.shape == (2, 3)


def test_matrices_on_either_side() -> None:
    for result, shape in (
        (np.ones((4, 2)) @ secret(), (4, 3)),
        ([1, 2] @ secret(), (3,)),
        (secret() @ np.ones(3), (2,)),
        (secret() @ [[1], [2], [3]], (2, 1)),
        (secret((3,)) @ np.ones(3), ()),
        (np.ones((0, 2)) @ secret(), (0, 3)),
        (secret((2, 0)) @ np.ones((0, 3)), (2, 3)),
    ):
        assert isinstance(result, Secret)
        assert result.shape == shape


SHAPE_ERRORS: dict[str, Use] = {
    "shapes (2, 3) and (2,) do not fit together": lambda x: operator.add(x, [1, 2]),
    "shapes (2, 3) and (4,) do not fit together": lambda x: x * np.ones(4),
    "shapes (2, 3) and (3, 2) do not fit together": lambda x: x - x.T,
    "shapes (2, 3) and (2,) do not fit for @": lambda x: x @ [1, 2],
    "shapes (3,) and (2, 3) do not fit for @": lambda x: [1, 2, 3] @ x,
    "one or two dimensions": lambda x: x.reshape(1, 2, 3) @ [1, 2, 3],
    "6 elements of shape (2, 3) do not fit into shape (4,)": lambda x: x.reshape(4),
    "do not fit into shape (-1, -1)": lambda x: x.reshape(-1, -1),
    "axis 2 does not exist in shape (2, 3)": lambda x: x.sum(axis=2),
    "axis -3 does not exist": lambda x: x.mean(-3),
    "axis 1 is named twice": lambda x: x.sum((-1, 1)),
    "an axis is an integer, not a float": lambda x: x.sum(1.0),
    "index into a secret of shape (2, 3)": lambda x: x[2],
    "the mean of nothing": lambda x: x[:0].mean(),
    "shapes (2, 3), (3, 2) do not fit for concatenate along axis 0": lambda x: concatenate([x, x.T]),
    "shapes (2, 3), (3, 2) do not fit for stack along axis 1": lambda x: stack([x, x.T], axis=1),
    "do not fit for concatenate along axis 2": lambda x: concatenate([x, x], axis=2),
    "concatenate takes a sequence of at least one secret": lambda x: concatenate([]),
    "stack takes a sequence of at least one secret": lambda x: stack([x, 1]),  # type: ignore[list-item]
    "concatenate takes a sequence": concatenate,
    "division by zero": lambda x: x / 0,
    "an exponent of a secret is at least 1, not 0": lambda x: x**0,
    "an exponent is an integer, not a float": lambda x: x**0.5,
    "divide by one public number": lambda x: x / [1, 2, 3],
    "has no length": lambda x: len(x[0, 0]),
    "'+' with a secret: a str is no public number": lambda x: x + "1",
    "'-' with a secret: a NoneType is no public number": lambda x: x - None,
    "'*' with a secret: a public operand must be finite": lambda x: x * float("nan"),
}


@pytest.mark.parametrize("message", SHAPE_ERRORS)
def test_what_does_not_fit_is_told_on_its_line(message: str) -> None:
    with pytest.raises(LocalError) as error:
        SHAPE_ERRORS[message](secret())
    assert message in str(error.value)


def test_what_is_public_about_a_secret() -> None:
    x = secret((2, 3), -1, 9)
    assert (x.shape, x.ndim, x.size, len(x), x.denominator) == ((2, 3), 2, 6, 2, 1)
    assert (x / 4).range == (Fraction(-1, 4), Fraction(9, 4))
    assert repr(x / 4) == "Secret(shape=(2, 3), range=[-1/4, 9/4])"
    assert (+x).node is x.node


RESHAPED: list[tuple[Use, tuple[int, ...]]] = [
    (lambda x: x.reshape(6), (6,)),
    (lambda x: x.reshape((3, -1)), (3, 2)),
    (lambda x: x.reshape([3, 2]), (3, 2)),
    (lambda x: x.reshape(1, 2, 3), (1, 2, 3)),
    (lambda x: x[0, 0].reshape(()), ()),
    (lambda x: x[:0].reshape(0, 5), (0, 5)),
    (lambda x: x.T, (3, 2)),
    (lambda x: x.reshape(1, 2, 3).transpose(), (3, 2, 1)),
]


@pytest.mark.parametrize(("reshaped", "shape"), RESHAPED)
def test_reshape_and_transpose(reshaped: Use, shape: tuple[int, ...]) -> None:
    result = reshaped(secret())
    assert isinstance(result, Secret)
    assert result.shape == shape


def test_axes_that_mean_the_same_are_one_operation() -> None:
    x = secret((2, 3, 4))
    same = [x.sum(axis) for axis in (-1, 2, np.int64(2), (2,))]
    assert len({y.node.operation.details() for y in same}) == 1
    assert x.sum((0, -1)).shape == (3,)
    assert x.sum(()).shape == (2, 3, 4)
