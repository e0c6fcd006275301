"""Run a program of the language for n parties in one loop: no network, no clock, no task.

    def program(party: LockstepParty) -> Step[Plain]:
        raises = party.input("raise", {0: [3800], 1: [2514], 2: [2982]}, range=(0, 10_000))
        opened = yield from party.reveal(average=raises.mean(axis=0))
        return opened["average"]

    transcript = run_program(program, computing=3)
    transcript.results[0], transcript.rounds, transcript.sent_bytes

Everything is derived from `seed`: the same call gives the same messages. Parties that differ in what they run are
told so: the digests of every round are compared, as a session does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpcnet.algebra import Streams
from mpcnet.correlated.base_correlations import ForkPair
from mpcnet.correlated.cost import FREE, Cost
from mpcnet.correlated.dealing import DealerStreams, dealer_path, make_correction, shares_of
from mpcnet.correlated.items import Item
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche
from mpcnet.declare.inputs import Sharing
from mpcnet.dsl import Evaluation, Output, Program, Range, Secret, SecretBits, Value, domain_of, evaluate
from mpcnet.engine import (
    Context,
    LockstepError,
    MergedRound,
    Parties,
    Round,
    Step,
    Transcript,
    Work,
    lockstep,
    run_inline,
)
from mpcnet.engine.digest import Operation, explain_difference
from mpcnet.primitives import aes_ctr, blake2b
from mpcnet.schemes import AdditiveScheme, Scheme

__all__ = ("LockstepParty", "Plain", "dealer_streams", "exact", "make_programs", "run_program", "run_steps")

R = TypeVar("R")

Plain = NDArray[np.object_]
"""An opened value: an array of `Fraction`, exact."""

Noticed = tuple[bytes, int, tuple[Operation, ...]]
"""A digest, whose it was, and the operations behind it."""

Board = dict[tuple[tuple[str, ...], int], Noticed]
"""By fork and round, what the first party there noticed."""


def exact(numerators: NDArray[Any], denominator: int = 1) -> Plain:
    """numerators / denominator as an array of `Fraction`."""
    values = np.empty(numerators.shape, np.object_)
    values.reshape(-1)[:] = [Fraction(int(item), denominator) for item in numerators.reshape(-1)]
    return values


def make_programs(
    *,
    computing: int | Sequence[int],
    everyone: int | Sequence[int] | None = None,
    scheme: Scheme | None = None,
    fork: tuple[str, ...] = (),
    seed: int = 0,
    provider: Provider | None = None,
    dealer: int | None = None,
    has_provider: bool = True,
) -> dict[int, Program]:
    """One empty program per party, with seeds as if the parties had met.

    Args:
        computing: roster indices of the computing parties, or how many: 0 .. n - 1.
        everyone: the same for all who take part; by default the computing parties.
        scheme: by default `additive`.
        fork: path of the fork.
        seed: from which all randomness is derived.
        provider: makes correlated randomness; by default a dealer that costs nothing.
        dealer: roster index of the dealer, for a provider that takes one.
        has_provider: whether there is a provider at all.
    """
    compute = _indices(computing)
    members = tuple(sorted({*compute, *_indices(compute if everyone is None else everyone)}))
    names = {party: f"party{party}" for party in members}
    job = _derived(seed, b"job", 32)
    dealing = () if dealer is None else (dealer,)
    programs: dict[int, Program] = {}
    for me in members:
        parties = Parties(me, compute, members, names)
        # As in a session: parties that do not compute meet the computing parties alone.
        met = (*members, *dealing) if parties.computes else compute
        seeds = {peer: _pair_seed(seed, me, peer) for peer in met if peer != me}
        pairs = {peer: ForkPair(pair) for peer, pair in seeds.items()}
        opening = Opening(parties, dealer, job, fork, _fork_id(fork), pairs)
        programs[me] = Program(
            scheme or AdditiveScheme(),
            parties,
            job=job,
            fork=fork,
            streams={peer: Streams(pair, job, fork) for peer, pair in seeds.items()},
            randomness=_Randomness(seed, me),
            preparation=(provider or SeededProvider(seed)).open(opening) if has_provider else None,
        )
    return programs


def dealer_streams(
    dealer: int, computing: Sequence[int], *, fork: tuple[str, ...] = (), seed: int = 0
) -> dict[int, Streams]:
    """By computing party, the streams of its pair with the dealer of programs that `make_programs` made."""
    job, path = _derived(seed, b"job", 32), dealer_path(_fork_id(fork))
    return {party: Streams(_pair_seed(seed, party, dealer), job, path) for party in computing}


def _pair_seed(seed: int, one: int, other: int) -> bytes:
    return _derived(seed, b"pair %d %d" % (min(one, other), max(one, other)), 32)


def _fork_id(fork: tuple[str, ...]) -> bytes:
    return blake2b(repr(fork).encode(), size=8, person=b"mpcnet.lockstep") if fork else b""


class SeededProvider(Provider):
    """A dealer inside every party's process, for lockstep runs: it knows all seeds, and costs no round.

    Args:
        seed: from which its seeds with the parties are derived.
    """

    name = "seeded"

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def makes(self, item: Item) -> bool:
        """Every type."""
        return True

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        """Nothing."""
        return FREE

    def open(self, opening: Opening) -> Preparation:
        """See `Provider.open`."""
        parties, job, fork = opening.parties.computing, opening.job, opening.fork
        return _SeededPreparation(
            self, {party: Streams(_derived(self._seed, b"dealer %d" % party, 32), job, fork) for party in parties}
        )


class _SeededPreparation(Preparation):
    def __init__(self, provider: Provider, streams: Mapping[int, Streams]) -> None:
        super().__init__(provider)
        self._streams = streams

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        """Fill the pool from what the dealer would have sent."""
        yield from ()
        parties = context.parties
        if not parties.computes:
            return
        correction = memoryview(make_correction(parties.computing, self._streams, tranche))
        rest = correction if parties.me == parties.computing[0] else None
        draws = DealerStreams(self._streams[parties.me], tranche)
        for item, units in tranche.demand.items():
            arrays, used = shares_of(item, units, draws, rest)
            pool.put(item, units, arrays)
            rest = rest[used:] if rest is not None else None


def run_program(
    function: Callable[[LockstepParty], Step[R]],
    *,
    computing: int | Sequence[int],
    everyone: int | Sequence[int] | None = None,
    scheme: Scheme | None = None,
    seed: int = 0,
    provider: Provider | None = None,
    pick: Callable[[Sequence[int]], int] | None = None,
) -> Transcript[R]:
    """Run `function(party)`, a step, for every party, and join their rounds.

    Args:
        computing, everyone, scheme, seed, provider: see `make_programs`; the provider takes no dealer.
        pick: chooses, among the parties that can go on, who does; see `mpcnet.engine.lockstep`.
    Returns:
        What each party returned, and the rounds, bytes and views of all.
    Raises:
        LockstepError: the parties' rounds do not fit together, or their programs differ.
    """
    programs = make_programs(computing=computing, everyone=everyone, scheme=scheme, seed=seed, provider=provider)
    board: Board = {}
    parties = {me: LockstepParty(program, seed, board, provider=provider) for me, program in programs.items()}
    return lockstep({me: function(party) for me, party in parties.items()}, pick=pick)


@dataclass(slots=True)
class LockstepParty:
    """One party of a lockstep run: what a program function is given.

    Args:
        program: where its operators build.
        seed: as given to `run_program`.
        board: where the parties compare the digests of their rounds.
        digests: the program digest of every round so far.
        provider, dealer: of the program, for its forks.
    """

    program: Program
    seed: int = 0
    board: Board = field(default_factory=dict[tuple[tuple[str, ...], int], Noticed])
    digests: list[bytes] = field(default_factory=list[bytes])
    provider: Provider | None = None
    dealer: int | None = None

    @property
    def me(self) -> int:
        """Our roster index."""
        return self.program.parties.me

    def input(self, name: str, rows: Mapping[int, ArrayLike], range: tuple[int, int]) -> Secret:  # noqa: A002
        """Share an input; row i belongs to the i-th key of `rows`.

        Args:
            rows: by owner, the row. Every party is given all rows in this test support; a party uses its own, and
                the shape of the others.
            range: lowest and highest value, public.

        Raises:
            RangeError, LocalError: a row has another range, or another shape than the first.
        """
        arrays = {owner: np.array(row, np.int64) for owner, row in rows.items()}
        shape = next(iter(arrays.values())).shape
        for row in arrays.values():
            Sharing(shape, *range).check(row)
        node = self.program.input(name, shape, Range(*range), tuple(arrays), arrays.get(self.me))
        return Secret(Value(self.program, node))

    def reveal(self, to: Sequence[int] | None = None, /, **outputs: Secret | SecretBits) -> Step[dict[str, Plain]]:
        """Open outputs to the receivers, by default to all parties; what we receive, by name."""
        receivers = self.program.parties.everyone if to is None else tuple(to)
        return (yield from self.reveal_each({name: (secret, receivers) for name, secret in outputs.items()}))

    def reveal_each(
        self, outputs: Mapping[str, tuple[Secret | SecretBits, Sequence[int]]]
    ) -> Step[dict[str, Plain]]:
        """Open each output to receivers of its own, all in one evaluation."""
        listed = [
            Output(name, secret.node, tuple(receivers), secret.denominator, domain_of(secret))
            for name, (secret, receivers) in outputs.items()
        ]
        evaluation = evaluate(self.program, [], listed)
        yield from self.drive(evaluation)
        return {name: exact(value, outputs[name][0].denominator) for name, value in evaluation.results.items()}

    def evaluate(self, *values: Secret | SecretBits) -> Step[None]:
        """Compute values and open none."""
        yield from self.drive(evaluate(self.program, [value.node for value in values]))

    def drive(self, evaluation: Evaluation) -> Step[None]:
        """Take and feed rounds until the evaluation ends."""
        try:
            while (due := evaluation.take()) is not None:
                if isinstance(due, Work):
                    evaluation.feed(run_inline(due))
                    continue
                self._compare(due)
                evaluation.feed((yield Round(due.to, due.expect)))
        finally:
            evaluation.close()

    def _compare(self, merged: MergedRound) -> None:
        self.digests.append(merged.digest)
        recent = self.program.digest.recent
        key = (self.program.fork, merged.number)
        digest, peer, theirs = self.board.setdefault(key, (merged.digest, self.me, recent))
        if digest != merged.digest:
            said = explain_difference(f"party {peer}", recent, theirs)
            raise LockstepError(f"party {self.me} runs another program than party {peer}: {said}")

    def fork(self, label: str) -> LockstepParty:
        """A fork of our program, with streams, rounds and digest of its own."""
        parties = self.program.parties
        programs = make_programs(
            computing=parties.computing,
            everyone=parties.everyone,
            scheme=self.program.scheme,
            fork=(*self.program.fork, label),
            seed=self.seed,
            provider=self.provider,
            dealer=self.dealer,
        )
        return LockstepParty(programs[self.me], self.seed, self.board, provider=self.provider, dealer=self.dealer)


def run_steps(
    build: Callable[[Context], Step[R]],
    *,
    computing: int | Sequence[int] = 2,
    seed: int = 0,
    pick: Callable[[Sequence[int]], int] | None = None,
) -> Transcript[R]:
    """Run a step of one's own for every party, as `Party.run` does over links, and join their rounds.

        transcript = run_steps(lambda context: sum_of_two(context, value=[20, 22][context.me]))
        transcript.results[0], transcript.rounds, transcript.sent_bytes, transcript.views[1]

    Args:
        build: makes a party's side; `context.me` is its roster index.
        computing, seed, pick: see `run_program`.
    Raises:
        LockstepError: the parties' rounds do not fit together.
    """
    programs = make_programs(computing=computing, seed=seed)
    contexts = {me: program.context(0) for me, program in programs.items()}
    return lockstep({me: build(context) for me, context in contexts.items()}, pick=pick)


def _indices(parties: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(range(parties)) if isinstance(parties, int) else tuple(parties)


def _derived(seed: int, label: bytes, size: int) -> bytes:
    return blake2b(b"%d|%s" % (seed, label), size=size, person=b"mpcnet.lockstep")


@dataclass(slots=True, repr=False)
class _Randomness:
    """A party's own randomness, derived from the seed; a new stream for every call."""

    seed: int
    me: int
    calls: int = 0

    def __call__(self, count: int) -> bytes:
        self.calls += 1
        return aes_ctr(_derived(self.seed, b"own %d %d" % (self.me, self.calls), 16), count).tobytes()
