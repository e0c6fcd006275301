"""Random programs: over shares they give exactly what numpy gives over fractions in the clear.

A program is a list of instructions. Each is applied to secrets by every party, and to object arrays of `Fraction`
in the clear; public ranges are watched on the way.
"""

from __future__ import annotations

import functools
import hashlib
import math
import operator
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mpcnet.dsl import Secret, concatenate, stack
from mpcnet.engine import Step
from mpcnet.errors import RangeError
from mpcnet.schemes import AdditiveScheme, PlainScheme, Scheme
from mpcnet.testing.lockstep import LockstepParty, Plain, run_program
from tests.support.ring128 import WideScheme
from tests.support.shamir import ShamirScheme

LOW, HIGH = -1000, 1000
SCHEMES: dict[str, Scheme] = {
    "additive": AdditiveScheme(),
    "plain": PlainScheme(),
    "shamir": ShamirScheme(),
    "two words": WideScheme(),
}

Value = typing.Any  # a Secret, or an array in the clear: instructions are the same for both
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Instruction:
    """Applied to the values so far, it gives the next one."""

    text: str
    apply: Callable[[Sequence[Value]], Value]


def clear(value: Value) -> Plain:
    """Public numbers as an array of fractions; a secret as itself."""
    if isinstance(value, Secret):
        return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType]
    items = np.asarray(value)
    result = np.empty(items.shape, np.object_)
    flat: list[Value] = items.reshape(-1).tolist()
    result.reshape(-1)[:] = [Fraction(item) for item in flat]
    return result


# Instructions

SIGNS: dict[str, Callable[[Value, Value], Value]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}

scalars: st.SearchStrategy[Value] = st.one_of(
    st.integers(-8, 8),
    st.booleans(),
    st.fractions(-8, 8, max_denominator=4),
    st.sampled_from([0.5, -2.25, 3.0, Decimal("-1.5"), Decimal("0.2")]),
    st.sampled_from([np.int8(-3), np.uint64(5), np.float64(2), np.float32(0.25), np.bool_(True)]),
)


@st.composite
def operands(draw: st.DrawFn, shape: Shape) -> Value:
    """A public operand that broadcasts with the shape."""
    if draw(st.booleans()):
        return draw(scalars)
    wanted = draw(arrays.broadcastable_shapes(shape, min_dims=0, max_dims=3, min_side=1, max_side=3))
    return draw(public_arrays(wanted))


@st.composite
def public_arrays(draw: st.DrawFn, shape: Shape) -> Value:
    kind = draw(st.sampled_from(["i8", "i1", "u8", "?", "f8", "f4", "O", "list"]))
    integers = np.array(
        draw(
            st.lists(
                st.integers(0 if kind == "u8" else -8, 8),
                min_size=int(np.prod(shape)),
                max_size=int(np.prod(shape)),
            )
        ),
        np.int64,
    ).reshape(shape)
    if kind == "O":
        fractions = np.empty(shape, np.object_)
        fractions.reshape(-1)[:] = [Fraction(int(item), 3) for item in integers.reshape(-1)]
        return fractions
    if kind == "list":
        return integers.tolist() if shape and 0 not in shape else integers
    return integers.astype(kind) / (2 if kind[0] == "f" else 1) if kind != "?" else integers.astype(np.bool_)


@st.composite
def indices(draw: st.DrawFn, shape: Shape) -> Value:
    kind = draw(st.sampled_from(["basic", "array", "mask"]))
    if kind == "mask":
        return draw(arrays.arrays(np.bool_, shape[: draw(st.integers(0, len(shape)))]))
    if kind == "array" and shape and shape[0]:
        chosen = draw(
            arrays.arrays(
                np.int64, arrays.array_shapes(max_dims=2, max_side=3), elements=st.integers(-shape[0], shape[0] - 1)
            )
        )
        rest = [slice(None, None, draw(st.sampled_from([1, -1, 2]))) for _ in shape[1:]]
        return (draw(st.sampled_from([chosen, chosen.tolist()])), *rest)
    return draw(arrays.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True, max_dims=4))


def arithmetic(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    sign = draw(st.sampled_from(list(SIGNS)))
    operand = draw(operands(shapes[i]))
    function, exact = SIGNS[sign], clear(operand)
    left = draw(st.booleans())

    def apply(values: Sequence[Value]) -> Value:
        other = operand if isinstance(values[i], Secret) else exact
        return function(other, values[i]) if left else function(values[i], other)

    return Instruction(f"{operand!r} {sign} v{i}" if left else f"v{i} {sign} {operand!r}", apply)


def division(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    divisor = draw(scalars.filter(bool))
    exact = clear(divisor)

    def apply(values: Sequence[Value]) -> Value:
        return values[i] / (divisor if isinstance(values[i], Secret) else exact[()])

    return Instruction(f"v{i} / {divisor!r}", apply)


def of_two(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    pairs = [(i, j) for i, a in enumerate(shapes) for j, b in enumerate(shapes) if _broadcasts(a, b)]
    i, j = draw(st.sampled_from(pairs))
    sign = draw(st.sampled_from(["+", "-"]))
    return Instruction(f"v{i} {sign} v{j}", lambda values: SIGNS[sign](values[i], values[j]))


def _broadcasts(first: Shape, second: Shape) -> bool:
    try:
        return math.prod(np.broadcast_shapes(first, second)) <= 200
    except ValueError:
        return False


UNARY: dict[str, Callable[[Value], Value]] = {
    "negate": operator.neg,
    "same": operator.pos,
    "T": operator.attrgetter("T"),
    "transpose": operator.methodcaller("transpose"),
    "flatten": lambda v: v.reshape(v.size),
    "axis before": lambda v: v.reshape((1, *v.shape)),
    "axis after": lambda v: v.reshape(*v.shape, 1),
}


def unary(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    name = draw(st.sampled_from(list(UNARY)))
    return Instruction(f"{name} v{i}", lambda values: UNARY[name](values[i]))


def reduction(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    ndim = len(shapes[i])
    every = list(range(-ndim, ndim))
    axis = draw(
        st.sampled_from([None, *every, *(subset for k in range(3) for subset in combinations(range(ndim), k))])
    )
    removed = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = int(np.prod([shapes[i][number] for number in removed]))
    mean = count > 0 and draw(st.booleans())

    def apply(values: Sequence[Value]) -> Value:
        if isinstance(values[i], Secret):
            return values[i].mean(axis) if mean else values[i].sum(axis=axis)
        total = np.asarray(np.sum(values[i], axis=axis), np.object_)
        return np.asarray(total / Fraction(count), np.object_) if mean else total

    return Instruction(f"v{i}.{'mean' if mean else 'sum'}({axis})", apply)


def indexing(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    key = draw(indices(shapes[i]))
    return Instruction(f"v{i}[{key!r}]", lambda values: values[i][key])


def product(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    fitting = [i for i, shape in enumerate(shapes) if 1 <= len(shape) <= 2]
    if not fitting:
        return arithmetic(draw, shapes)
    i = draw(st.sampled_from(fitting))
    how = draw(st.sampled_from(["v @ m", "m @ v", "v.dot(m)"]))
    inner = shapes[i][0] if how == "m @ v" else shapes[i][-1]
    outer = draw(st.sampled_from([None, 0, 1, 2]))
    shape = (inner,) if outer is None else (outer, inner) if how == "m @ v" else (inner, outer)
    matrix = draw(public_arrays(shape))
    exact = clear(matrix).reshape(shape)

    def apply(values: Sequence[Value]) -> Value:
        other = matrix if isinstance(values[i], Secret) else exact
        match how:
            case "m @ v":
                return other @ values[i]
            case "v @ m":
                return values[i] @ other
            case _:
                return values[i].dot(other)

    return Instruction(f"{how} with v{i} and {matrix!r}", apply)


def joining(draw: st.DrawFn, shapes: Sequence[Shape]) -> Instruction:
    i = draw(st.integers(0, len(shapes) - 1))
    alike = [j for j, shape in enumerate(shapes) if shape == shapes[i]]
    chosen = draw(st.lists(st.sampled_from(alike), min_size=1, max_size=3))
    stacked = not shapes[i] or draw(st.booleans())
    ndim = len(shapes[i]) + stacked
    axis = draw(st.integers(-ndim, ndim - 1))
    ours, numpys = (stack, np.stack) if stacked else (concatenate, np.concatenate)

    def apply(values: Sequence[Value]) -> Value:
        parts = [values[j] for j in chosen]
        return ours(parts, axis=axis) if isinstance(parts[0], Secret) else numpys(parts, axis=axis)

    return Instruction(f"{'stack' if stacked else 'concatenate'}({chosen}, {axis})", apply)


KINDS = [arithmetic, division, of_two, unary, reduction, indexing, product, joining]


# Programs


@dataclass(frozen=True)
class Case:
    """Who takes part, what they give, and what they run."""

    computing: tuple[int, ...]
    everyone: int
    rows: dict[int, np.ndarray[typing.Any, np.dtype[np.int64]]]
    instructions: list[Instruction]
    wanted: list[Plain]
    receivers: list[tuple[int, ...]]
    scheme: str

    def __repr__(self) -> str:
        lines = "".join(f"\n  v{1 + n} = {line.text}" for n, line in enumerate(self.instructions))
        return f"{self.scheme}, {self.computing} of {self.everyone} compute, v0 = {self.rows}{lines}"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    scheme = draw(st.sampled_from(list(SCHEMES)))
    least, most = (3, 3) if scheme == "shamir" else (2, 6)
    everyone = draw(st.integers(least, 7))
    members = st.integers(0, everyone - 1)
    computing = tuple(draw(st.lists(members, min_size=least, max_size=min(most, everyone), unique=True)))
    owners = draw(st.lists(members, min_size=1, max_size=3, unique=True))
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    rows = {owner: draw(arrays.arrays(np.int64, shape, elements=st.integers(LOW, HIGH))) for owner in owners}
    values = [clear(np.stack(list(rows.values())))]
    instructions: list[Instruction] = []
    for _ in range(draw(st.integers(1, 5))):
        instruction = draw(st.sampled_from(KINDS))(draw, [value.shape for value in values])
        result = np.asarray(instruction.apply(values), np.object_)
        if result.size > 300 or result.ndim > 5:
            continue
        instructions.append(instruction)
        values.append(result)
    receivers = [tuple(draw(st.lists(members, max_size=3, unique=True))) for _ in values]
    return Case(computing, everyone, rows, instructions, values, receivers, scheme)


Result = tuple[dict[str, Plain], tuple[bytes, ...]]


def party_program(party: LockstepParty, case: Case) -> Step[Result]:
    values: list[Value] = [party.input("x", case.rows, range=(LOW, HIGH))]
    for instruction in case.instructions:
        values.append(instruction.apply(values))
    for value, wanted in zip(values, case.wanted, strict=True):
        assert isinstance(value, Secret)
        assert value.shape == wanted.shape
        low, high = value.range
        assert all(low <= item <= high for item in wanted.reshape(-1))
    outputs = {f"v{n}": (value, to) for n, (value, to) in enumerate(zip(values, case.receivers, strict=True))}
    opened = yield from party.reveal_each(outputs)
    return opened, tuple(party.digests)


def some_order(seed: int) -> Callable[[Sequence[int]], int]:
    """Picks among those that can go on, as a hash of what went before says."""
    state = [hashlib.blake2b(b"%d" % seed, digest_size=8).digest()]

    def pick(ready: Sequence[int]) -> int:
        state[0] = hashlib.blake2b(state[0], digest_size=8).digest()
        return ready[int.from_bytes(state[0], "little") % len(ready)]

    return pick


@settings(derandomize=True, deadline=None, max_examples=200)
@given(cases(), st.integers(0, 2**16))
def test_programs_give_what_the_clear_gives(case: Case, seed: int) -> None:
    run = functools.partial(
        run_program,
        functools.partial(party_program, case=case),
        computing=case.computing,
        everyone=case.everyone,
        scheme=SCHEMES[case.scheme],
        seed=seed,
    )
    try:
        transcript = run()
    except RangeError:
        event("left the ring")
        reject()
    for me, (opened, _) in transcript.results.items():
        assert set(opened) == {f"v{n}" for n, to in enumerate(case.receivers) if me in to}
        for name, value in opened.items():
            wanted = case.wanted[int(name[1:])]
            assert value.shape == wanted.shape
            assert value.reshape(-1).tolist() == wanted.reshape(-1).tolist()
    assert len({digests for _, digests in transcript.results.values()}) == 1
    shuffled = run(pick=some_order(seed))
    for me, (opened, digests) in shuffled.results.items():
        assert digests == transcript.results[me][1]
        assert {name: value.tolist() for name, value in opened.items()} == {
            name: value.tolist() for name, value in transcript.results[me][0].items()
        }
    assert (shuffled.rounds, shuffled.sent_bytes) == (transcript.rounds, transcript.sent_bytes)
    outside = any(owner not in case.computing for owner in case.rows)
    assert transcript.rounds <= 1 + (outside or case.scheme in ("plain", "shamir"))
