"""What secrets refuse of Python and numpy: with our own words, which name what to write instead."""

from __future__ import annotations

import math
import operator
import typing
from collections.abc import Callable

import numpy as np
import pytest

from mpcnet.dsl import Range, Secret, SecretBits, Value, concatenate, stack
from mpcnet.dsl.numpy_names import OPERATORS, advice
from mpcnet.engine import Step
from mpcnet.errors import LocalError
from mpcnet.testing.lockstep import LockstepParty, Plain, make_programs, run_program

Anything = typing.Any
Use = Callable[[Anything], object]


def numbers(shape: tuple[int, ...] = (3,)) -> Anything:
    program = make_programs(computing=2)[0]
    return Secret(Value(program, program.input("x", shape, Range(0, 9), (0,), None)))[0]


def bits() -> Anything:
    return numbers() < 3


SECRETS: dict[str, Callable[[], Anything]] = {"numbers": numbers, "bits": bits}
METHODS = [name for name in dir(np.ndarray) if not name.startswith("_")]
UFUNCS = [name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)]
FUNCTIONS = [name for name in dir(np) if hasattr(getattr(np, name), "_implementation")]


def test_numpy_has_what_these_tests_are_about() -> None:
    assert min(map(len, (METHODS, UFUNCS, FUNCTIONS))) > 60


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", METHODS)
def test_each_method_of_arrays_is_there_or_the_error_says_what_to_write(name: str, kind: str) -> None:
    secret = SECRETS[kind]()
    if hasattr(Secret if kind == "numbers" else SecretBits, name):
        getattr(secret, name)
        return
    assert not hasattr(secret, name)
    with pytest.raises(AttributeError, match=rf"a secret has no '{name}': .{{3}}") as error:
        getattr(secret, name)
    assert isinstance(error.value, LocalError)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", UFUNCS)
def test_each_universal_function_is_an_operator_or_the_error_says_what_to_write(name: str, kind: str) -> None:
    function: Anything = getattr(np, name)
    secret = SECRETS[kind]()
    several = [[secret, 2], [2.5, secret], [np.arange(3), secret], [secret, secret]]
    for inputs in [[secret]] if function.nin == 1 else several:
        try:
            result = function(*inputs)
        except LocalError as error:
            assert len(str(error)) > 25  # noqa: PT017 -- either is right: it works, or it says why not
        else:
            assert function.__name__ in OPERATORS
            assert isinstance(result, Secret | SecretBits)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_of_numpy_says_what_to_write(name: str, kind: str) -> None:
    function = getattr(np, name)
    with pytest.raises(LocalError, match=r"does not take secrets: .{3}") as error:
        SECRETS[kind]().__array_function__(function, (), (), {})
    assert f"numpy.{function.__name__} " in str(error.value)


SAID: dict[str, Use] = {
    "numpy.exp does not take secrets: shares are integers": np.exp,
    "numpy.maximum does not take secrets: mpcnet.where(x > y, x, y)": lambda x: np.maximum(x, 3),
    "numpy.maximum.reduce does not take secrets: x.max()": np.maximum.reduce,
    "numpy.add.reduce does not take secrets: x.sum()": np.add.reduce,
    "numpy.add takes no dtype with a secret: use operators": lambda x: np.add(x, 1, dtype=np.int64),
    "numpy.sum does not take secrets: write x.sum": np.sum,
    "numpy.where does not take secrets: mpcnet.where(bits, x, y)": lambda x: np.where(np.ones(3), x, 0),
    "numpy.concatenate does not take secrets: use mpcnet.concatenate": lambda x: np.concatenate([x, x]),
    "numpy.median does not take secrets: mpcnet.top(x, k)": np.median,
    "a secret has no 'sort': mpcnet.top(x, k) gives the k largest": lambda x: x.sort(),
    "a secret has no 'var': ((x - x.mean()) * (x - x.mean())).mean()": lambda x: x.var(),
    "a secret has no 'round': x / 3 is exact": lambda x: x.round(2),
    "a secret has no 'astype': a secret has no dtype": lambda x: x.astype(float),
    "a secret has no 'value': compute on it with operators": lambda x: x.value,
    "a secret has no 'tolist': compute on it": lambda x: x.tolist(),
    "math.floor() is no operation of a secret": math.floor,
    "math.ceil() is no operation of a secret": math.ceil,
    "math.trunc() is no operation of a secret": math.trunc,
    "divmod() is no operation of a secret": lambda x: divmod(x, 2),
    "the left of divmod": lambda x: divmod(7, x),
    ">> is no operation of a secret": lambda x: x >> 1,
    "<< is no operation of a secret: write x * 2**n": lambda x: x << 1,
    "an exponent is public": lambda x: 2**x,
    "an exponent is public; with a secret exponent i": lambda x: x**x,
    "the format '.2f' would have to know it": lambda x: f"{x:.2f}",
    "(x == 3).any() is a bit that says so": lambda x: 3 in x,
    "x[::-1] is the same in reverse order": reversed,
    "a secret is never changed": lambda x: operator.setitem(x, 0, 1),
    "a secret is never changed: make another": lambda x: operator.delitem(x, 0),
    "a numpy array of it would have to know it": lambda x: np.arange(3)[x],
    "the element of x at a secret index i is (i.one_hot(len(x)) * x).sum()": lambda x: x[x],
    "concatenate takes numbers or bits, not both: write bits.number()": lambda x: concatenate([x, x < 3]),
    "stack takes a sequence of at least one secret": lambda x: stack([x, 1]),  # type: ignore[list-item]
    "public numbers become one as x[:1] * 0 + numbers": lambda x: concatenate((x, [1])),  # type: ignore[arg-type]
}
LOOSE = {"the left of divmod": "divmod() is no operation"}


@pytest.mark.parametrize("message", SAID)
def test_what_is_said(message: str) -> None:
    with pytest.raises(LocalError) as error:
        SAID[message](numbers())
    assert LOOSE.get(message, message) in str(error.value)


@pytest.mark.parametrize("sign", ["and", "or", "xor"])
def test_logic_of_numbers_names_bits(sign: str) -> None:
    function: Anything = getattr(operator, f"__{sign}__")
    for left, right in ((numbers(), 1), (1, numbers()), (numbers(), numbers()), (np.arange(3), numbers())):
        with pytest.raises(LocalError, match="an operation of secret bits"):
            function(left, right)
    with pytest.raises(LocalError, match="an operation of secret bits"):
        _ = ~numbers()


def test_what_no_array_has_is_missing_as_usual() -> None:
    with pytest.raises(AttributeError, match="'Secret' has no attribute 'maen'") as error:
        _ = numbers().maen
    assert not isinstance(error.value, LocalError)
    assert (error.value.name, isinstance(error.value.obj, Secret)) == ("maen", True)
    assert not hasattr(numbers(), "__array_interface__")
    assert f"{numbers()}" == "Secret(shape=(3,), range=[0, 9])"


# What works


OPERATIONS: list[tuple[str, Callable[[Anything, Anything], Anything]]] = [
    *[
        (name, getattr(operator, name))
        for name in ("add", "sub", "mul", "matmul", "lt", "le", "gt", "ge", "eq", "ne")
    ],
    *[(name, getattr(np, name)) for name in ("add", "subtract", "multiply", "matmul", "less", "greater_equal")],
]


@pytest.mark.parametrize(
    ("name", "function"), OPERATIONS, ids=[f"{a}-{b.__class__.__name__}" for a, b in OPERATIONS]
)
def test_operators_and_their_functions_on_either_side_of_arrays(
    name: str, function: Callable[[Anything, Anything], Anything]
) -> None:
    array = np.array([4, 0, -3])
    sides: dict[str, Callable[[Anything], Anything]] = {
        "left": lambda x: function(array, x),
        "right": lambda x: function(x, array),
        "scalar": lambda x: function(array[0], x[:1]) if name == "matmul" else function(array[0], x),
        "both": lambda x: function(x, x[::-1]),
    }
    if name == "matmul":
        del sides["scalar"]

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: [4, 1, -5]}, range=(-9, 9))[0]
        return (yield from party.reveal(None, **{side: use(x) for side, use in sides.items()}))

    opened = run_program(program, computing=2).results[0]
    for side, use in sides.items():
        assert opened[side].tolist() == np.asarray(use(np.array([4, 1, -5])), np.object_).tolist(), side


def test_functions_of_one_operand_and_logic() -> None:
    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x: Anything = party.input("x", {0: [4, 1, -5]}, range=(-9, 9))[0]
        mask: Anything = np.array([True, True, False])
        return (
            yield from party.reveal(
                negative=np.negative(x),
                absolute=np.absolute(x),
                positive=np.positive(x),
                power=np.power(x, 2),
                quotient=np.divide(x, 4),
                both=mask & (x > 2),
                either=np.bitwise_or(x > 2, mask),
                one=mask ^ (x > 2),
                no=np.invert(x > 2),
                same=(mask == (x > 2)),
            )
        )

    opened = run_program(program, computing=2).results[0]
    assert {name: [float(item) for item in value] for name, value in opened.items()} == {
        "negative": [-4, -1, 5],
        "absolute": [4, 1, 5],
        "positive": [4, 1, -5],
        "power": [16, 1, 25],
        "quotient": [1, 0.25, -1.25],
        "both": [1, 0, 0],
        "either": [1, 1, 0],
        "one": [0, 1, 0],
        "no": [0, 1, 1],
        "same": [1, 0, 1],
    }


def test_an_array_takes_a_secret_in_place_of_itself() -> None:
    """As Python has it for `+=` of what does not change: the name means the sum, the array stays as it is."""
    array = before = np.array([1, 2, 3])
    total: Anything = array
    total += numbers()
    assert isinstance(total, Secret)
    matrix: Anything = np.eye(3)
    matrix @= numbers()
    assert isinstance(matrix, Secret)
    assert before.tolist() == [1, 2, 3]


def test_bits_are_joined_to_bits() -> None:
    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: [[4, 1, -5], [0, 2, 9]]}, range=(-9, 9))[0]
        few, many = x > 3, x > -1
        assert isinstance(concatenate([few, many]), SecretBits)
        return (
            yield from party.reveal(
                rows=concatenate([few, many]),
                columns=concatenate((few, many[:, :1]), axis=1),
                stacked=stack([few, many], axis=-1),
                turned=few.T,
                transposed=(x[0] > 3).transpose(),
            )
        )

    x = np.array([[4, 1, -5], [0, 2, 9]])
    few, many = x > 3, x > -1
    wanted = {
        "rows": np.concatenate([few, many]),
        "columns": np.concatenate((few, many[:, :1]), axis=1),
        "stacked": np.stack([few, many], axis=-1),
        "turned": few.T,
        "transposed": few[0],
    }
    opened = run_program(program, computing=2).results[1]
    assert {name: value.tolist() for name, value in opened.items()} == {
        name: value.astype(int).tolist() for name, value in wanted.items()
    }


def test_bits_of_a_parent_are_joined_to_those_of_a_fork() -> None:
    def program(party: LockstepParty) -> Step[Plain]:
        old = party.input("x", {0: [1, -2]}, range=(-9, 9))[0] < 0
        child = party.fork("child")
        new = child.input("y", {1: [-5, 6]}, range=(-9, 9))[0] < 0
        yield from party.evaluate(old)
        return (yield from child.reveal(joined=concatenate([old, new])))["joined"]

    assert run_program(program, computing=2).results[0].tolist() == [0, 1, 1, 0]


ADVISED: dict[str, Callable[[Anything], Anything]] = {
    "diff": lambda x: x[1:] - x[:-1],
    "ptp": lambda x: x.max() - x.min(),
    "square": np.square,
    "sign": np.sign,
    "signbit": lambda x: x < 0,
    "count_nonzero": lambda x: (x != 0).sum(),
    "flip": np.flip,
    "ravel": np.ravel,
    "roll": lambda x: np.roll(x, 2),
    "abs": np.abs,
}


@pytest.mark.parametrize("name", ADVISED)
def test_what_is_advised_is_what_numpy_computes(name: str) -> None:
    values = np.array([3, -4, 0, 9])

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: values}, range=(-9, 9))[0]
        return (yield from party.reveal(y=eval(advice(name), {"x": x, "k": 2, "mpcnet": Mpcnet})))["y"]  # noqa: S307

    expected = np.asarray(ADVISED[name](values), np.object_)
    assert run_program(program, computing=2).results[0].tolist() == (expected * 1).tolist()


class Mpcnet:
    """The names of the package that advice mentions."""

    concatenate = staticmethod(concatenate)


def test_sums_of_the_first_elements_and_the_variance_are_as_advised() -> None:
    values = np.array([3, -4, 0, 9])
    sums, variance = advice("cumsum"), advice("var")

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: values}, range=(-9, 9))[0]
        names = {"x": x, "n": 4, "np": np}
        first = eval(sums.partition(": ")[2], names)  # noqa: S307
        second = eval(variance.partition(" is the")[0], names)  # noqa: S307
        return (yield from party.reveal(sums=first, variance=second))

    opened = run_program(program, computing=2).results[0]
    assert opened["sums"].tolist() == np.cumsum(values).tolist()
    assert float(opened["variance"]) == np.var(values)
