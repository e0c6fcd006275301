"""Correlated randomness of whole programs: planned as it is taken, asked of a dealer once, and never used twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import Label, Streams, Words
from mpcnet.algebra.domain import Domain
from mpcnet.correlated.cost import FREE, Cost
from mpcnet.correlated.dealer import DealerPreparation, DealerProvider
from mpcnet.correlated.dealing import make_correction
from mpcnet.correlated.items import Demand, Item
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche, read_tranche_untrusted
from mpcnet.dsl import Secret, SecretBits, where
from mpcnet.engine import Context, Parties, Round, Step, Transcript, lockstep
from mpcnet.errors import LocalError
from mpcnet.schemes import AdditiveScheme
from mpcnet.testing.lockstep import LockstepParty, Plain, dealer_streams, make_programs, run_program

# Planning


class CountingPool(Pool):
    """Remembers what was put in and what was taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()
        self.left: list[Demand] = []

    def put(self, item: Item, units: int, arrays: tuple[Words, ...]) -> None:
        self.given[item.key] += units
        super().put(item, units, arrays)

    def spend(self, item: Item, units: int) -> tuple[Words, ...]:
        self.spent[item.key] += units
        return super().spend(item, units)

    def drain(self) -> Demand:
        self.left.append(super().drain())
        return self.left[-1]


Step2 = Callable[[Secret, Secret], Secret | SecretBits]
MOVES: list[Step2] = [
    lambda x, y: x * y,
    lambda x, y: x < y,
    lambda x, y: x == y,
    lambda x, y: (x < 0) & (y < 3),
    lambda x, y: (x < y).any(),
    lambda x, y: where(x < y, x, y),
    lambda x, y: abs(x - y),
    lambda x, y: x.clip(-2, 2),
    lambda x, y: x + y,
    lambda x, y: (x + y).reshape(-1) @ (x - y).reshape(-1),  # of one length, whatever x and y are
    lambda x, y: x.reshape(-1).max(),
    lambda x, y: y.reshape(-1).argmin(),
]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=9),
    st.sampled_from([1, 5, 64, 70]),
    st.booleans(),
)
def test_what_is_planned_is_what_is_taken(
    moves: Sequence[tuple[Step2, int, int]], size: int, outsider: bool
) -> None:
    """Random graphs, also with an owner that does not compute, whose input comes a round later."""

    def program(party: LockstepParty) -> Step[CountingPool]:
        pool = CountingPool()
        party.program.pool = pool
        owner = 2 if outsider else 0
        first = party.input("x", {0: np.arange(size) % 9 - 4}, range=(-4, 4))[0]
        later = party.input("y", {owner: np.arange(size) % 7 - 3}, range=(-4, 4))[0]
        values: list[Secret] = [first, later]
        for move, left, right in moves:
            result = move(values[left % len(values)], values[right % len(values)])
            number = result.number() if isinstance(result, SecretBits) else result
            values.append(number.clip(-4, 4))
        yield from party.evaluate(*values[: len(values) // 2])  # the rest in a second evaluation
        yield from party.reveal(None, **{f"v{i}": value for i, value in enumerate(values)})
        return pool

    run = run_program(program, computing=2, everyone=3)
    for me in (0, 1):
        pool = run.results[me]
        assert pool.given == pool.spent
        assert not any(pool.left)
    assert not run.results[2].given


# A dealer, as a party of its own


Board = list[tuple[tuple[str, ...], int]]


class ObservedDealer(DealerProvider):
    """Tells the lockstep dealer what to wait for: in a session frames carry their length."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def open(self, opening: Opening) -> DealerPreparation:
        return ObservedPreparation(self._board, super().open(opening))


class ObservedPreparation(DealerPreparation):
    def __init__(self, board: Board, inner: DealerPreparation) -> None:
        Preparation.__init__(self, inner.provider)
        self._board = board
        self._inner = inner

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        if context.me == context.parties.computing[0]:
            self._board.append((context.fork, len(tranche.encoded)))
        yield from self._inner.ensure(context, pool, tranche)


Drawn = list[tuple[int, bytes, Label]]


def with_dealer(
    function: Callable[[LockstepParty, Callable[[str], LockstepParty]], Step[Plain]], computing: int, questions: int
) -> Transcript[Plain | None]:
    """Run it with a dealer that shares nothing with the parties but seeds."""
    dealer, board = computing, Board()
    provider = ObservedDealer(board)

    def run_party(party: LockstepParty) -> Step[Plain | None]:
        return (yield from function(party, party.fork))

    def run_dealer() -> Step[Plain | None]:
        sent: dict[int, bytes] = {}
        for number in range(questions):
            fork, nbytes = board[number]
            inbox = yield Round(sent, dict.fromkeys(range(computing), nbytes))
            assert len({bytes(request) for request in inbox.values()}) == 1
            tranche = read_tranche_untrusted(inbox[0], "party0")
            streams = dealer_streams(dealer, range(computing), fork=fork)
            yield Round({0: make_correction(range(computing), streams, tranche)})
        return None

    programs = make_programs(computing=computing, provider=provider, dealer=dealer)
    steps: dict[int, Step[Plain | None]] = {
        me: run_party(LockstepParty(program, provider=provider, dealer=dealer)) for me, program in programs.items()
    }
    return lockstep({**steps, dealer: run_dealer()})


def busy(party: LockstepParty, fork: Callable[[str], LockstepParty]) -> Step[Plain]:
    """Three evaluations and two forks, the same operations in each."""
    x = party.input("x", {0: np.arange(70), 1: np.arange(70)[::-1]}, range=(0, 99))
    results: list[Secret] = []
    for _ in range(2):
        results.append(where(x[0] < x[1], x[0] * x[1], abs(x[0] - x[1])) + x[0].max())
        yield from party.evaluate(results[-1])
    for label in ("a", "b"):
        child = fork(label)
        y = child.input("y", {0: np.arange(70), 1: np.arange(70)[::-1]}, range=(0, 99))
        opened = yield from child.reveal(y=where(y[0] < y[1], y[0] * y[1], abs(y[0] - y[1])) + y[0].max())
        assert opened["y"].shape == (70,)
    return (yield from party.reveal(y=results[0] + results[1] + (x[0] < x[1]).sum()))["y"]


def test_no_label_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """By either end of any pair, with the dealer or without; and both ends of a pair draw the same."""
    drawn: dict[int, list[Label]] = {}
    kept: list[Streams] = []
    draw = Streams.uniform

    def recorded(self: Streams, domain: Domain, shape: tuple[int, ...], label: Label) -> Words:
        if not any(self is known for known in kept):
            kept.append(self)
        drawn.setdefault(id(self), []).append(label)
        return draw(self, domain, shape, label)

    monkeypatch.setattr(Streams, "uniform", recorded)
    run = with_dealer(busy, computing=3, questions=5)
    a, b = np.arange(70), np.arange(70)[::-1]
    once = np.where(a < b, a * b, abs(a - b)) + 69
    assert run.results[0] is not None
    assert run.results[0].tolist() == (2 * once + int((a < b).sum())).tolist()
    by_stream: dict[tuple[bytes, tuple[str, ...]], Counter[tuple[int, Label]]] = {}
    for streams in kept:
        ends = by_stream.setdefault((streams.seed, streams.fork), Counter())
        ends.update((id(streams), label) for label in drawn[id(streams)])
    assert len(by_stream) > 6
    for counted in by_stream.values():
        assert max(counted.values()) == 1
    for (_, fork), counted in by_stream.items():
        users = {user for user, _ in counted}
        if "dealer" not in fork:  # a pair of computing parties draws alike; the dealer's party 0 is sent a part
            labels = [{label for user, label in counted if user == each} for each in users]
            assert all(label_set == labels[0] for label_set in labels)


def test_two_evaluations_get_different_randomness() -> None:
    """The same comparison twice, and in two forks: no message is like another."""

    def program(party: LockstepParty, fork: Callable[[str], LockstepParty]) -> Step[Plain]:
        for _ in range(2):
            x = party.input("x", {0: np.zeros(64)}, range=(0, 2**40))[0]
            yield from party.evaluate(x < 5)
        for label in ("a", "b"):
            child = fork(label)
            y = child.input("x", {0: np.zeros(64)}, range=(0, 2**40))[0]
            yield from child.evaluate(y < 5)
        return np.zeros(0, np.object_)

    run = with_dealer(program, computing=2, questions=4)
    for party in (0, 1):
        messages = [data for sender, data in run.views[party] if sender == 1 - party]
        assert len(messages) == 4 * 5
        assert len(set(messages)) == len(messages)
        corrections = [data for sender, data in run.views[party] if sender == 2]
        assert len(set(corrections)) == len(corrections) == (4 if party == 0 else 0)


def test_a_party_that_is_not_the_first_sees_nothing_of_the_dealer() -> None:
    run = with_dealer(busy, computing=3, questions=5)
    assert {sender for sender, _ in run.views[0]} == {1, 2, 3}
    for party in (1, 2):
        assert 3 not in {sender for sender, _ in run.views[party]}
    assert {sender for sender, _ in run.views[3]} == {0, 1, 2}


def test_the_dealer_receives_requests_and_nothing_else() -> None:
    """The same bytes for inputs as different as can be."""

    def program(value: int) -> Callable[[LockstepParty, Callable[[str], LockstepParty]], Step[Plain]]:
        def run(party: LockstepParty, fork: Callable[[str], LockstepParty]) -> Step[Plain]:
            x = party.input("x", {0: [value] * 9}, range=(0, 2**40))[0]
            return (yield from party.reveal([1], m=x.max()))["m"] if party.me else (yield from only(party, x))

        return run

    def only(party: LockstepParty, x: Secret) -> Step[Plain]:
        yield from party.reveal([1], m=x.max())
        return np.zeros(0, np.object_)

    views = [with_dealer(program(value), computing=2, questions=1).views[2] for value in (0, 2**40)]
    assert views[0] == views[1]
    assert sum(len(data) for _, data in views[0]) < 400


class NoneAtAll(Provider):
    """A provider that never makes anything."""

    name = "none-at-all"

    def makes(self, item: Item) -> bool:
        return True

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return FREE

    def open(self, opening: Opening) -> Preparation:
        return NothingPrepared(self)


class NothingPrepared(Preparation):
    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        yield from ()


def test_without_what_was_asked_for_nothing_goes_on() -> None:
    def program(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: [1, 2]}, range=(0, 9))[0]
        yield from party.evaluate(x * x)

    with pytest.raises(LocalError, match="2 units of triples are needed and 0 are left"):
        run_program(program, computing=2, scheme=AdditiveScheme(), provider=NoneAtAll())
