"""Programs: round counts, forks, memory, depth, and what an evaluation refuses."""

from __future__ import annotations

import functools
import gc
import itertools
import tracemalloc
import weakref
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from mpcnet.algebra import Z64, Domain, Shape, Words
from mpcnet.algebra.domain import Ring64
from mpcnet.correlated.items import Item, MatrixTriples
from mpcnet.dsl import Evaluation, Output, Program, Range, Secret, Value, concatenate, evaluate, stack
from mpcnet.dsl.nodes import Input
from mpcnet.engine import Context, MergedRound, Round, Setting, Step, Transcript
from mpcnet.errors import JobEnded, LocalError, MpcnetError, RangeError
from mpcnet.schemes import AdditiveScheme, Cost, Kind, PlainScheme, Primitive, Scheme, Share
from mpcnet.testing.lockstep import LockstepParty, Plain, SeededProvider, exact, make_programs, run_program

SCHEMES: list[Scheme] = [AdditiveScheme(), PlainScheme()]
RAISES = {0: [3800], 1: [2514], 2: [2982], 3: [3390]}


def average(party: LockstepParty) -> Step[Plain]:
    raises = party.input("raise", RAISES, range=(0, 10_000))
    opened = yield from party.reveal(average=raises.mean(axis=0), total=raises.sum())
    assert opened["total"][()] == 12_686
    return opened["average"]


# Rounds


@pytest.mark.parametrize(("computing", "rounds"), [((0, 1, 2, 3), 1), ((3, 0), 2), ((0, 1, 2), 2)])
def test_average_takes_one_round_when_owners_compute(computing: tuple[int, ...], rounds: int) -> None:
    run = run_program(average, computing=computing, everyone=4)
    assert run.rounds == rounds
    assert all(result.tolist() == [Fraction(6343, 2)] for result in run.results.values())


def scalar_sum(party: LockstepParty) -> Step[Plain]:
    x = party.input("x", {0: np.arange(20), 1: np.arange(20)}, range=(0, 99))
    opened = yield from party.reveal(None, **{f"s{i}": x[0, i] + 3 * x[1, i] - 1 for i in range(20)})
    return np.array([opened[f"s{i}"][()] for i in range(20)], np.object_)


def vector_sum(party: LockstepParty) -> Step[Plain]:
    x = party.input("x", {0: np.arange(20), 1: np.arange(20)}, range=(0, 99))
    return (yield from party.reveal(s=x[0] + 3 * x[1] - 1))["s"]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize(("computing", "everyone"), [(2, 2), (3, 3), (2, 4)])
def test_scalar_loops_cost_what_vectors_do(scheme: Scheme, computing: int, everyone: int) -> None:
    scalar = run_program(scalar_sum, computing=computing, everyone=everyone, scheme=scheme)
    vector = run_program(vector_sum, computing=computing, everyone=everyone, scheme=scheme)
    assert scalar.rounds == vector.rounds
    assert scalar.sent_bytes == vector.sent_bytes
    assert scalar.messages == vector.messages
    for me in range(everyone):
        assert scalar.results[me].tolist() == vector.results[me].tolist()


def test_independent_inputs_and_outputs_share_rounds() -> None:
    def program(party: LockstepParty) -> Step[list[str]]:
        values = [party.input(f"x{i}", {3: [i], 2: [i]}, range=(0, 9)) for i in range(5)]
        outputs = {f"y{i}": (value * 2, [i % 4]) for i, value in enumerate(values)}
        return sorted((yield from party.reveal_each(outputs)))

    run = run_program(program, computing=2, everyone=4)
    assert run.rounds == 2
    assert run.results == {0: ["y0", "y4"], 1: ["y1"], 2: ["y2"], 3: ["y3"]}
    assert run.messages == {(2, 0): 1, (3, 0): 1, (0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 0): 1, (1, 2): 1, (1, 3): 1}


def test_rounds_are_numbered_through() -> None:
    def program(party: LockstepParty) -> Step[int]:
        x = party.input("x", {2: [1], 0: [2]}, range=(0, 9))
        yield from party.evaluate(x)
        yield from party.reveal(y=x)
        yield from party.reveal(z=x + 1)
        return party.program.next_round

    run = run_program(program, computing=2, everyone=3)
    assert (run.rounds, set(run.results.values())) == (3, {3})


def test_nothing_to_do_takes_no_round() -> None:
    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        yield from party.evaluate()
        return (yield from party.reveal())

    assert run_program(program, computing=2).messages == {}


# Outputs


def test_inputs_can_be_revealed_as_they_are_and_twice_to_different_receivers() -> None:
    def program(party: LockstepParty) -> Step[dict[str, list[Fraction]]]:
        x = party.input("x", {0: [1, 2], 2: [3, 4]}, range=(0, 9))
        first = yield from party.reveal_each({"all": (x, [0, 1, 2]), "one": (x, [2]), "same": (x, [2, 0])})
        again = yield from party.reveal(later=x)
        return {name: value.reshape(-1).tolist() for name, value in (first | again).items()}

    run = run_program(program, computing=2, everyone=3)
    for me, names in {0: {"all", "same", "later"}, 1: {"all", "later"}, 2: {"all", "one", "same", "later"}}.items():
        assert run.results[me] == {name: [1, 2, 3, 4] for name in names}


def test_outputs_share_what_they_are_made_of() -> None:
    counted: list[str] = []

    class Counting(PlainScheme):
        def linear(self, function: Callable[..., object], shape: tuple[int, ...], *shares: object) -> object:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            counted.append(getattr(function, "__name__", ""))
            return super().linear(function, shape, *shares)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [1, 2, 3]}, range=(0, 9))
        shared = -x
        opened = yield from party.reveal(a=shared, b=shared + shared, c=shared - x, d=shared)
        return concatenate_plain(opened)

    run = run_program(program, computing=1, scheme=Counting())
    assert run.results[0].reshape(-1).tolist() == [-1, -2, -3, -2, -4, -6, -2, -4, -6, -1, -2, -3]
    assert counted.count("negated") == 1


def concatenate_plain(opened: dict[str, Plain]) -> Plain:
    return np.concatenate([opened[name].reshape(-1) for name in sorted(opened)])


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_zero_size(shape: tuple[int, ...]) -> None:
    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: np.zeros(shape, np.int64), 1: np.zeros(shape, np.int64)}, range=(-5, 9))
        opened = yield from party.reveal(
            all=x, total=x.sum(), some=x.sum(axis=-1) + 2, none=x[:0], mask=x[np.zeros(2, np.bool_)],
            more=concatenate([x, x]) * 3, deep=stack([x, -x], axis=1).reshape(-1),
        )  # fmt: skip
        assert opened["all"].shape == (2, *shape)
        assert opened["total"][()] == 0
        assert all(value == 2 for value in opened["some"].reshape(-1))
        assert opened["more"].shape == (4, *shape)
        return opened["total"]

    for scheme in SCHEMES:
        assert run_program(program, computing=2, everyone=3, scheme=scheme).rounds == 1 + (not scheme.private)


def test_changing_a_result_or_an_input_array_changes_nothing_else() -> None:
    def program(party: LockstepParty) -> Step[list[Fraction]]:
        mine = np.array([[1, 2]])
        node = party.program.input("x", (1, 2), Range(0, 99), (0,), mine if party.me == 0 else None)
        mine[:] = 50
        x = Secret(Value(party.program, node))
        evaluation = evaluate(party.program, [], [Output("a", node, (0, 1), 1, Z64)])
        yield from party.drive(evaluation)
        evaluation.results["a"][:] = 77
        return (yield from party.reveal(b=x))["b"].reshape(-1).tolist()

    for scheme in SCHEMES:
        assert run_program(program, computing=2, scheme=scheme).results == {0: [1, 2], 1: [1, 2]}


def test_wrapping_around_is_silent_and_right() -> None:
    """Shares wrap all the time, also in arrays without dimensions, where numpy's scalars would warn."""

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [2**54, -(2**54), 7]}, range=(-(2**54), 2**54))[0]
        y = x[0] - 1 + x[1] - x[2] + (-x[2]) + 3 * (x[2] - x[2] + x[2] / 2).sum() + np.int64(-5)
        z = stack([y, 1 - y, y - np.uint64(3)]).sum().reshape(()) + x[np.array(2)]
        return (yield from party.reveal(z=z))["z"]

    y = Fraction(-1 - 14 - 5) + Fraction(21, 2)
    for seed in range(8):
        run = run_program(program, computing=3, seed=seed)
        assert run.results[2][()] == y + (1 - y) + (y - 3) + 7


# Refusals


def test_program_inputs_are_checked_when_they_are_made() -> None:
    program = make_programs(computing=2, everyone=3)[0]
    ok = np.zeros(2, np.int64)
    program.input("x", (2,), Range(0, 1), (0, 1), ok)
    with pytest.raises(LocalError, match="'x' is not ours to give"):
        program.input("x", (2,), Range(0, 1), (1,), ok)
    with pytest.raises(LocalError, match="owners"):
        program.input("x", (2,), Range(0, 1), (0, 0), ok)
    with pytest.raises(LocalError, match="owners"):
        program.input("x", (2,), Range(0, 1), (0, 7), ok)
    with pytest.raises(LocalError, match="int64"):
        program.input("x", (2,), Range(0, 1), (0,), np.zeros(2, np.float64))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ({0: [0, 2], 1: [0, 0]}, RangeError),
        ({0: [0, 1], 1: [-1, 0]}, RangeError),
        ({0: [0, 1], 1: [0]}, LocalError),
    ],
)
def test_rows_of_a_test_program_are_checked(rows: dict[int, list[int]], error: type[LocalError]) -> None:
    def program(party: LockstepParty) -> Step[None]:
        party.input("x", rows, range=(0, 1))
        yield from ()

    with pytest.raises(error, match=r"expected|outside the agreed range"):
        run_program(program, computing=2)


def output(name: str, secret: Secret, *receivers: int) -> Output:
    return Output(name, secret.node, receivers, secret.denominator, Z64)


def test_outputs_are_checked_before_anything_is_sent() -> None:
    program = make_programs(computing=2, everyone=3)[0]
    x = Secret(Value(program, program.input("x", (), Range(0, 1), (0, 1), np.array(1))))
    for outputs in ([output("a", x, 0), output("a", x, 1)], [output("a", x, 0, 7)], [output("a", x, 1, 1)]):
        with pytest.raises(LocalError, match="output"):
            evaluate(program, [], outputs)
    evaluation = evaluate(program, [], [output("a", x, 0), output("b", x, 1)])
    assert evaluation.take() is not None


def test_two_evaluations_at_once_are_refused() -> None:
    def program(party: LockstepParty) -> Step[list[Fraction]]:
        x = party.input("x", {0: [5], 1: [6]}, range=(0, 9))
        first = evaluate(party.program, [], [output("a", x, 0, 1)])
        with pytest.raises(LocalError, match="another evaluation"):
            evaluate(party.program, [x.node])
        yield from party.drive(first)
        return (yield from party.reveal(b=x))["b"].reshape(-1).tolist()

    assert run_program(program, computing=2).results[1] == [5, 6]


def test_an_evaluation_that_was_given_up_ends_its_program() -> None:
    """Its rounds must never be run again with new randomness."""
    program = make_programs(computing=2)[0]
    x = Secret(Value(program, program.input("x", (), Range(0, 1), (0, 1), np.array(1))))
    evaluation = evaluate(program, [], [output("a", x, 0, 1)])
    assert evaluation.take() is not None
    evaluation.close()
    evaluation.close()
    with pytest.raises(JobEnded):
        evaluate(program, [x.node])
    with pytest.raises(JobEnded):
        evaluation.take()


def test_close_after_the_end_is_harmless() -> None:
    program = make_programs(computing=2)[0]
    evaluation = evaluate(program, [])
    assert evaluation.take() is None
    evaluation.close()
    assert evaluate(program, []).take() is None


def test_a_missing_input_closes_the_evaluation() -> None:
    program = make_programs(computing=2, everyone=3)[0]
    given = program.input("x", (1,), Range(0, 1), (0, 2), np.array([1]))
    missing = program.input("y", (1,), Range(0, 1), (0, 2), None)
    with pytest.raises(LocalError, match="our input"):
        evaluate(program, [given, missing])
    with pytest.raises(JobEnded):
        evaluate(program, [given])


def test_a_result_outside_its_range_is_told() -> None:
    """Party 1 lies about its input, so the sum is not what it could be."""

    def program(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: [1], 1: [2]}, range=(0, 9))
        if party.me == 1:
            operation = x.node.operation
            assert isinstance(operation, Input)
            assert operation.mine is not None
            operation.mine[:] = 10**6
        yield from party.reveal(a=x)

    with pytest.raises(MpcnetError, match="outside its public range"):
        run_program(program, computing=2)


def test_numbers_follow_the_text_and_not_the_time() -> None:
    """Nodes built while an evaluation is under way get the numbers that they would get before or after it."""

    def program(party: LockstepParty, late: bool) -> Step[list[bytes]]:
        x = party.input("x", {0: [1], 2: [2]}, range=(0, 9))
        evaluation = evaluate(party.program, [], [output("a", x, 0, 1, 2)])
        merged = evaluation.take()
        assert merged is not None
        step = party.drive(_Resumed(evaluation, merged))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        y = None if late else x * 3
        yield from step
        y = x * 3 if y is None else y
        yield from party.reveal(b=y)
        return party.digests

    on_time = run_program(lambda party: program(party, late=False), computing=2, everyone=3)
    late = run_program(lambda party: program(party, late=True), computing=2, everyone=3)
    assert on_time.results == late.results
    assert len(on_time.results[0]) == 3


class _Resumed:
    """An evaluation whose first round was taken already."""

    def __init__(self, evaluation: Evaluation, first: object) -> None:
        self._evaluation = evaluation
        self._first: object = first
        self.feed = evaluation.feed
        self.close = evaluation.close

    def take(self) -> object:
        first, self._first = self._first, None
        return first or self._evaluation.take()


def test_what_verifies_has_a_number_of_its_own() -> None:
    """A scheme that checks before an output draws randomness for it, new in every evaluation."""
    masks: list[bytes] = []

    class Checking(AdditiveScheme):
        def verify(self, context: Context) -> Step[None]:
            for purpose in ("check", "zero", "input"):
                masks.append(context.zero_share(Z64, (9,), purpose=purpose).tobytes())
            yield Round()

    def program(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: [1]}, range=(0, 9))
        for name in "ab":
            masks.append(party.program.context(x.node.number).zero_share(Z64, (9,), purpose="zero").tobytes())
            yield from party.reveal(None, **{name: x})

    run_program(program, computing=2, scheme=Checking())
    assert len(masks) == 2 * 2 * 4
    assert len(set(masks)) == len(masks) - 2  # the input's own, asked for twice by each party


# Forks


def test_forks() -> None:
    def program(party: LockstepParty) -> Step[list[Fraction]]:
        x = party.input("x", {0: [1], 1: [2], 2: [3]}, range=(0, 9))
        third = x / 3
        fork = party.fork("left")
        fork.program.digest.add(0, "none", (), b"")
        y = fork.input("y", {0: [10]}, range=(0, 99))
        combinations: list[Callable[[], Secret]] = [lambda: y + x, lambda: y + third, lambda: concatenate([y, x])]
        for combine in combinations:
            with pytest.raises(LocalError, match="must be evaluated there"):
                combine()
        with pytest.raises(LocalError, match="must be evaluated there"):
            evaluate(fork.program, [x.node])
        yield from party.evaluate(x, third)
        results = (yield from fork.reveal(z=y + x, t=y / 2 + third, c=concatenate([y, x, third]), direct=x)).items()
        flat = [value for _, array in results for value in array.reshape(-1).tolist()]
        with pytest.raises(LocalError, match="must be evaluated there"):
            (x * 2).in_fork(fork.program)
        with pytest.raises(LocalError, match="must be evaluated there"):
            evaluate(fork.program, [(x * 2).node])
        back = yield from party.reveal(back=y.in_fork(party.program) + x * 2)
        return flat + back["back"].reshape(-1).tolist()

    third = [Fraction(1, 3), Fraction(2, 3), Fraction(1)]
    wanted = [11, 12, 13, *(5 + t for t in third), 10, 1, 2, 3, *third, 1, 2, 3, 12, 14, 16]
    for scheme in SCHEMES:
        run = run_program(program, computing=2, everyone=3, scheme=scheme)
        assert all(result == wanted for result in run.results.values())


def test_siblings_and_other_jobs_do_not_meet() -> None:
    party = LockstepParty(make_programs(computing=2)[0])
    left, right = party.fork("left"), party.fork("right")
    x, y = (fork.input("x", {0: [1]}, range=(0, 9)) for fork in (left, right))
    with pytest.raises(LocalError, match="do not meet"):
        _ = x + y
    other = LockstepParty(make_programs(computing=2, seed=1)[0])
    z = other.input("x", {0: [1]}, range=(0, 9))
    uses: list[Callable[[], Secret]] = [lambda: x + z, lambda: z.in_fork(left.program)]
    for use in uses:
        with pytest.raises(LocalError, match="jobs"):
            use()


def test_forks_have_streams_of_their_own() -> None:
    def program(party: LockstepParty, labels: tuple[str, ...]) -> Step[bytes]:
        for label in labels:
            party = party.fork(label)
        x = party.input("x", {0: np.zeros(8, np.int64)}, range=(0, 9))
        yield from party.evaluate(x)
        assert x.node.share is not None
        return x.node.share.parts[0].tobytes()

    paths: list[tuple[str, ...]] = [(), ("a",), ("b",), ("a", "b"), ("ab",)]
    shares = [run_program(functools.partial(program, labels=path), computing=2).results[1] for path in paths]
    assert len(set(shares)) == len(paths)


# Size and memory


def test_a_chain_of_a_hundred_thousand_additions() -> None:
    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [1]}, range=(0, 1))
        total = x
        for _ in range(100_000):
            total = total + x
        return (yield from party.reveal(total=total))["total"]

    run = run_program(program, computing=1, scheme=PlainScheme())
    assert run.results[0].reshape(-1).tolist() == [100_001]


def test_an_unevaluated_chain_is_dropped_without_recursion() -> None:
    program = make_programs(computing=2)[0]
    x = Secret(Value(program, program.input("x", (), Range(0, 1), (0,), None)))
    for _ in range(100_000):
        x = -x
    del x


def test_intermediate_values_are_freed() -> None:
    elements = 1 << 17  # a MiB

    def program(party: LockstepParty) -> Step[int]:
        x = party.input("x", {0: np.ones(elements, np.int64)}, range=(0, 1))
        for _ in range(12):
            x = (x + 1) * 2 - x
        total = x.sum()
        del x
        gc.collect()
        tracemalloc.start()
        try:
            yield from party.reveal(total=total)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak = run_program(program, computing=1, scheme=PlainScheme()).results[0]
    assert peak < 8 * 8 * elements


def test_an_input_forgets_its_plaintext() -> None:
    program = make_programs(computing=2)[0]
    node = program.input("x", (4,), Range(0, 9), (0,), np.array([1, 2, 3, 4]))
    assert isinstance(node.operation, Input)
    assert node.operation.mine is not None
    plaintext = weakref.ref(node.operation.mine)
    evaluation = evaluate(program, [node])
    assert evaluation.take() is None
    assert plaintext() is None
    assert node.share is not None


def test_an_evaluated_value_holds_nothing_that_made_it() -> None:
    program = make_programs(computing=1, scheme=PlainScheme())[0]
    x = Secret(Value(program, program.input("x", (4,), Range(0, 9), (0,), np.array([1, 2, 3, 4]))))
    matrix = np.arange(4)
    y = (x @ matrix + np.arange(3)) * 2
    refs = [weakref.ref(array) for array in _arrays_of(y)]
    assert refs
    del x
    run_alone(evaluate(program, [y.node]))
    assert y.node.parents == ()
    assert [ref() for ref in refs if ref() is not None] == []


def _arrays_of(secret: Secret) -> list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """Arrays in the closures of the operations behind a secret."""
    found: list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = []
    nodes = [secret.node]
    while nodes:
        node = nodes.pop()
        nodes += node.parents
        function = getattr(node.operation, "function", None)
        cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
        found += [item for item in [*cells, getattr(node.operation, "value", None)] if isinstance(item, np.ndarray)]
    return found


def run_alone(evaluation: Evaluation) -> None:
    while (merged := evaluation.take()) is not None:
        assert isinstance(merged, MergedRound)
        assert not merged.expect
        evaluation.feed({})


# Order


def _first_in(order: Sequence[int], ready: Sequence[int]) -> int:
    return min(ready, key=order.index)


def test_any_order_of_advance_gives_the_same() -> None:
    reference = run_program(average, computing=(1, 3), everyone=4)
    for order in itertools.permutations(range(4)):
        run: Transcript[Plain] = run_program(
            average, computing=(1, 3), everyone=4, pick=functools.partial(_first_in, order)
        )
        assert all(np.array_equal(run.results[me], reference.results[me]) for me in range(4))
        assert (run.sent_bytes, run.rounds) == (reference.sent_bytes, reference.rounds)
        assert {me: sorted(view) for me, view in run.views.items()} == {
            me: sorted(view) for me, view in reference.views.items()
        }


def test_batches_of_every_size_come_back_in_their_places() -> None:
    def program(party: LockstepParty) -> Step[bool]:
        shapes: list[tuple[int, ...]] = [(), (3,), (0,), (2, 2), (1, 0, 2), ()]
        values = [
            party.input(f"x{i}", {0: np.full(shape, i), 1: np.full(shape, -i)}, range=(-9, 9))[0]
            for i, shape in enumerate(shapes)
        ]
        opened = yield from party.reveal(None, **{f"y{i}": value + i for i, value in enumerate(values)})
        return all(np.array_equal(opened[f"y{i}"], exact(np.full(shape, 2 * i))) for i, shape in enumerate(shapes))

    assert all(run_program(program, computing=3).results.values())


def test_a_program_is_over_the_domain_of_its_scheme() -> None:
    program: Program = make_programs(computing=2)[0]
    assert program.domain is Z64
    narrow = Ring64("narrow", -100, 100)
    party = LockstepParty(make_programs(computing=2, scheme=PlainScheme(narrow))[0])
    x = party.input("x", {0: [3], 1: [4]}, range=(-40, 40))
    assert party.program.domain is narrow
    assert (x[0] + x[1]).range == (Fraction(-80), Fraction(80))
    with pytest.raises(RangeError, match=r"'add' can give values in \[-120, 120\], which narrow does not hold"):
        _ = x[0] + x[1] + x[0]


def test_what_a_scheme_does_not_compute_is_refused_before_anything_is_sent() -> None:
    class Sums(AdditiveScheme):
        kinds = frozenset({Kind.MULTIPLY})

    party = LockstepParty(make_programs(computing=2, scheme=Sums())[0])
    x = party.input("x", {0: [3], 1: [4]}, range=(0, 9))
    for refused, kind in (((x[0] < x[1]).node, "compare"), ((x @ x.T).node, "matmul")):
        with pytest.raises(LocalError, match=f"scheme 'additive' does not compute '{kind}'"):
            evaluate(party.program, [refused])
    assert evaluate(party.program, [(x[0] * x[1]).node]).rounds_ahead == 1


# A scheme that chooses by what the provider makes


class Thrifty(AdditiveScheme):
    """Computes every product twice where the provider makes no triples of matrices."""

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        cost = super().compute_cost(setting, primitive)
        if setting.makes(MatrixTriples(1, 1, 1)):
            return cost
        return Cost(2, {item: 2 * units for item, units in cost.demand.items()}, cost.count_bytes)

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        result = yield from super().compute(context, primitive, operands)
        if context.parties.computes and not context.setting.makes(MatrixTriples(1, 1, 1)):
            result = yield from super().compute(context, primitive, operands)
        return result


@pytest.mark.parametrize("makes", [False, True])
def test_a_scheme_chooses_by_what_the_provider_makes(makes: bool) -> None:
    def square(party: LockstepParty) -> Step[tuple[int, Plain]]:
        x = party.input("x", {0: [3], 1: [4]}, range=(0, 9))
        evaluation = evaluate(party.program, [(x * x).node])
        ahead = evaluation.rounds_ahead
        yield from party.drive(evaluation)
        return ahead, (yield from party.reveal(square=x * x))["square"]

    run = run_program(square, computing=2, everyone=3, scheme=Thrifty(), provider=Choosy(makes))
    for ahead, opened in run.results.values():
        assert ahead == (1 if makes else 2)
        assert opened.tolist() == [[9], [16]]


class Choosy(SeededProvider):
    """Another provider, which may say that it makes no triples of matrices."""

    def __init__(self, matrices: bool) -> None:
        super().__init__(0)
        self._matrices = matrices

    def makes(self, item: Item) -> bool:
        return self._matrices or not isinstance(item, MatrixTriples)


# A scheme that has to be set up


class Greeting(AdditiveScheme):
    """Exchanges a byte before its first operation, as a scheme may that needs keys of its own.

    Its state is the byte: every later operation must be given it.
    """

    def setup(self, context: Context) -> Step[object]:
        assert context.state is None
        peers = context.parties.peers if context.parties.computes else ()
        inbox = yield Round(dict.fromkeys(peers, b"!"), dict.fromkeys(peers, 1))
        assert {peer: bytes(data) for peer, data in inbox.items()} == dict.fromkeys(peers, b"!")
        return b"!"

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Sequence[int], mine: Words | None
    ) -> Step[Share]:
        assert context.state == b"!"
        return (yield from super().input(context, domain, row_shape, owners, mine))

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        assert context.state == b"!"
        assert not context.streams
        with pytest.raises(LocalError, match="draws no randomness"):
            context.randomness(1)
        return super().add_public(context, x, value)

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        assert context.state == b"!"
        return (yield from super().compute(context, primitive, operands))

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        assert context.state == b"!"
        return (yield from super().reveal(context, x, receivers))

    def verify(self, context: Context) -> Step[None]:
        assert context.state == b"!"
        yield from super().verify(context)


@pytest.mark.parametrize("everyone", [2, 3])
def test_a_scheme_is_set_up_once_before_its_first_operation(everyone: int) -> None:
    def twice(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [3], 1: [4]}, range=(0, 9))
        first = yield from party.reveal(product=x[0] * x[1])
        second = yield from party.reveal(total=x.sum(), rest=10 - (x[0] + 1))
        return np.array([first["product"][0], second["total"][()], second["rest"][0]], np.object_)

    plain = run_program(twice, computing=2, everyone=everyone, scheme=AdditiveScheme())
    greeted = run_program(twice, computing=2, everyone=everyone, scheme=Greeting())
    assert all(result.tolist() == [12, 7, 6] for result in greeted.results.values())
    assert greeted.rounds == plain.rounds + 1
    assert greeted.sent_bytes[0, 1] == plain.sent_bytes[0, 1] + 1
    assert greeted.views[1][0] == (0, b"!")


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize(("exponent", "rounds"), [(1, 0), (2, 1), (3, 2), (4, 2), (7, 3), (12, 4), (31, 5)])
def test_powers(scheme: Scheme, exponent: int, rounds: int) -> None:
    def power(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [-3, -1, 0, 1, 2, 3]}, range=(-3, 3))
        return (yield from party.reveal(power=x[0] ** exponent))["power"]

    run = run_program(power, computing=2, everyone=2, scheme=scheme)
    for result in run.results.values():
        assert result.tolist() == [value**exponent for value in (-3, -1, 0, 1, 2, 3)]
    if isinstance(scheme, AdditiveScheme):
        assert run.rounds == rounds + 1
