"""Evaluations whose correlated randomness does not fit into one tranche run in stages, and nothing else differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import Z64
from mpcnet.correlated.cost import Cost
from mpcnet.correlated.items import Item, Triples
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche, words_of
from mpcnet.dsl import Range, Secret, SecretBits, Value, planning, where
from mpcnet.engine import Context, Parties, Round, Step
from mpcnet.errors import LocalError
from mpcnet.schemes import AdditiveScheme, PlainScheme, Primitive, Share
from mpcnet.testing.lockstep import LockstepParty, Plain, SeededProvider, make_programs, run_program

TALL = (2**14, 1)
"""A product of two such matrices has 2^28 elements, and as many words of correlated randomness beside the rest."""


class Watched(Provider):
    """The lockstep dealer, who notes what is made, and takes a round for it."""

    name = "watched"

    def __init__(self, seed: int = 0) -> None:
        self.made: dict[int, list[Tranche]] = {}
        self._inner = SeededProvider(seed)

    def makes(self, item: Item) -> bool:
        return True

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return Cost(1, {}, dict[tuple[int, int], int])

    def open(self, opening: Opening) -> Preparation:
        return WatchedPreparation(self, self._inner.open(opening))


class WatchedPreparation(Preparation):
    def __init__(self, provider: Watched, inner: Preparation) -> None:
        super().__init__(provider)
        self._watched = provider
        self._inner = inner

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        assert pool.drain() == {}, "a stage begins with an empty pool"
        self._watched.made.setdefault(context.me, []).append(tranche)
        yield Round()
        yield from self._inner.ensure(context, pool, tranche)


def small_tranches(monkeypatch: pytest.MonkeyPatch, words: int, types: int = 128) -> None:
    monkeypatch.setattr(planning, "MAX_TRANCHE_WORDS", words)
    monkeypatch.setattr(planning, "MAX_TRANCHE_TYPES", types)


def chain(length: int) -> Callable[[LockstepParty], Step[Plain]]:
    """Products, each of the one before, and comparisons beside them."""

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: np.arange(70) % 3 - 1, 1: np.arange(70) % 2}, range=(-1, 1))
        total, product = x[1], x[0]
        for _ in range(length):
            product = product * x[1]
            total = where(product < total, product, total)
        return (yield from party.reveal(total=total))["total"]

    return program


@pytest.mark.parametrize("everyone", [2, 3])
@pytest.mark.parametrize("words", [1, 500, 3000, 10**9])
def test_stages_change_no_result(monkeypatch: pytest.MonkeyPatch, words: int, everyone: int) -> None:
    wanted = run_program(chain(4), computing=2, scheme=PlainScheme()).results[0].tolist()
    small_tranches(monkeypatch, words)
    watched = Watched()
    run = run_program(chain(4), computing=2, everyone=everyone, provider=watched)
    assert [result.tolist() for result in run.results.values()] == [wanted] * everyone
    made = watched.made[0]
    assert all(tranches == made for tranches in watched.made.values())
    numbers = [tranche.node for tranche in made]
    assert numbers == sorted(set(numbers))
    assert (len(made) == 1) == (words == 10**9)
    if words >= 500:  # below that each batch is more than a tranche, and comes alone
        assert all(words_of(tranche.demand) <= words or len(made) > 8 for tranche in made)


def test_the_demand_of_all_stages_is_that_of_one_where_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of products has one batch at a time: to cut it moves nothing."""

    def program(party: LockstepParty) -> Step[Plain]:
        product = x = party.input("x", {0: np.ones(10)}, range=(-1, 1))[0]
        for _ in range(9):
            product = product * x
        return (yield from party.reveal(product=product))["product"]

    small_tranches(monkeypatch, 60)
    watched = Watched()
    run = run_program(program, computing=2, provider=watched)
    assert [dict(tranche.demand) for tranche in watched.made[1]] == [{Triples(): 20}] * 4 + [{Triples(): 10}]
    assert run.rounds == 9 + 1
    assert run.results[0].tolist() == [1] * 10


@pytest.mark.parametrize("count", [64, 1000, 1001])
@pytest.mark.parametrize("words", [1, 1500, 7777])
def test_a_batch_that_is_more_than_a_tranche_runs_in_pieces(
    monkeypatch: pytest.MonkeyPatch, count: int, words: int
) -> None:
    """Nodes of several shapes together, numbers and bits; each tranche holds what it may, or 64 elements."""

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: np.arange(count) % 7 - 3, 1: np.arange(count) % 5 - 2}, range=(-4, 4))
        few = party.input("y", {0: [[1, 2], [3, -4]]}, range=(-4, 4))[0]
        less, fewer = x[0] < x[1], few < 2
        products, more = x[0] * x[1], few * few
        chosen = where(less, products, x[0]).sum() + where(fewer, more, few).sum()
        return (yield from party.reveal(chosen=chosen))["chosen"]

    wanted = run_program(program, computing=2, scheme=PlainScheme()).results[0].tolist()
    small_tranches(monkeypatch, words)
    watched = Watched()
    run = run_program(program, computing=2, everyone=3, provider=watched)
    assert [result.tolist() for result in run.results.values()] == [wanted] * 3
    sizes = [words_of(tranche.demand) for tranche in watched.made[0]]
    assert (len(sizes) > 1) == (sum(sizes) > words)
    # A piece has 64 elements at least, and so few comparisons take more words each.
    assert all(size <= max(words, 1200) for size in sizes)
    assert watched.made[0] == watched.made[1] == watched.made[2]


def test_pieces_of_one_batch_draw_from_labels_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    masks: dict[int, list[bytes]] = {}

    class Masking(AdditiveScheme):
        """Adds a share of zero to each product, as a scheme does that multiplies without a provider."""

        def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
            zero = context.zero_share(Z64, (9,), purpose="zero")
            masks.setdefault(context.me, []).append(zero.tobytes())
            return (yield from super().compute(context, primitive, operands))

    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: np.ones(640)}, range=(0, 1))[0]
        return (yield from party.reveal(total=(x * x).sum()))["total"]

    small_tranches(monkeypatch, 3 * 64)
    run = run_program(program, computing=2, scheme=Masking(), provider=Watched())
    assert run.results[0].tolist() == 640
    for drawn in masks.values():
        assert len(set(drawn)) == len(drawn) == 10


def test_a_bound_on_types_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: np.ones(12)}, range=(0, 1))[0]
        products = [x[:i].reshape(1, i) @ x[:i].reshape(i, 1) for i in range(1, 8)]
        total = products[0]
        for product in products[1:]:
            total = total + product
        return (yield from party.reveal(total=total))["total"]

    small_tranches(monkeypatch, 10**9, types=3)
    watched = Watched()
    run = run_program(program, computing=2, provider=watched)
    assert run.results[0].tolist() == [[28]]
    assert [len(tranche.demand) for tranche in watched.made[0]] == [3, 3, 1]


def test_a_plan_tells_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    small_tranches(monkeypatch, 60)
    program = make_programs(computing=2)[0]
    x = LockstepParty(program).input("x", {0: np.ones(10)}, range=(-1, 1))[0]
    plan = planning.plan_evaluation(program, [((x * x) * (x + 1) * x).node])
    assert [(dict(stage.demand), stage.starts) for stage in plan.stages] == [
        ({Triples(): 20}, 3),
        ({Triples(): 10}, 1),
    ]
    assert plan.demand == {Triples(): 30}
    assert plan.rounds == 3


def test_what_no_tranche_holds_is_refused_before_anything_begins() -> None:
    program = make_programs(computing=2)[0]
    bounds = Range(0, 1)
    left, right = (
        program.input(name, shape, bounds, (1,), None) for name, shape in (("a", TALL), ("b", TALL[::-1]))
    )
    product = Secret(Value(program, left))[0] @ Secret(Value(program, right))[0]
    with pytest.raises(LocalError, match="one operation takes"):
        planning.plan_evaluation(program, [product.node])
    program.check_free()


def test_what_a_provider_does_not_make_is_refused_with_its_name() -> None:
    class OnlyTriples(Watched):
        name = "only-triples"

        def makes(self, item: Item) -> bool:
            return item == Triples()

    program = make_programs(computing=2, provider=OnlyTriples())[0]
    x = LockstepParty(program).input("x", {0: [1, 2]}, range=(0, 3))[0]
    planning.plan_evaluation(program, [(x * x).node])
    with pytest.raises(LocalError, match=r"takes bit-triples, which provider 'only-triples' does not make"):
        planning.plan_evaluation(program, [(x < 2).node])


MOVES: list[Callable[[Secret, Secret], Secret | SecretBits]] = [
    lambda x, y: x * y,
    lambda x, y: x < y,
    lambda x, y: (x == y) & (y < 3),
    lambda x, y: where(x < y, x, y),
    lambda x, y: x + y,
    lambda x, y: (x.reshape(-1, 1) @ y.reshape(1, -1)).sum(),
    lambda x, y: y.reshape(-1).max(),
]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=7),
    st.sampled_from([1, 5, 64, 70]),
    st.integers(1, 4000),
)
def test_any_program_in_stages(
    moves: Sequence[tuple[Callable[[Secret, Secret], Secret | SecretBits], int, int]], size: int, words: int
) -> None:
    """With an owner who does not compute: results as in the clear, and every tranche used up."""

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        values = [
            party.input("x", {0: np.arange(size) % 9 - 4}, range=(-4, 4))[0],
            party.input("y", {2: np.arange(size) % 7 - 3}, range=(-4, 4))[0],
        ]
        for move, left, right in moves:
            result = move(values[left % len(values)], values[right % len(values)])
            number = result.number() if isinstance(result, SecretBits) else result
            values.append(number.clip(-4, 4))
        opened = yield from party.reveal(None, **{f"v{i}": value for i, value in enumerate(values)})
        assert party.program.pool.drain() == {}
        return opened

    wanted = run_program(program, computing=2, everyone=3, scheme=PlainScheme()).results[0]
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_tranches(monkeypatch, words)
        run = run_program(program, computing=2, everyone=3, provider=Watched())
    for opened in run.results.values():
        assert {name: value.tolist() for name, value in opened.items()} == {
            name: value.tolist() for name, value in wanted.items()
        }
