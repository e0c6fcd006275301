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
from mpcnet.correlated.dealing import DealerStreams, make_correction, shares_of
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Provider, Request
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

__all__ = ("LockstepParty", "Plain", "exact", "make_programs", "run_program", "run_steps")

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
) -> dict[int, Program]:
    """One empty program per party, with seeds as if the parties had met.

    Args:
        computing: roster indices of the computing parties, or how many: 0 .. n - 1.
        everyone: the same for all who take part; by default the computing parties.
        scheme: by default `additive`.
        fork: path of the fork.
        seed: from which all randomness is derived.
    """
    compute = _indices(computing)
    members = tuple(sorted({*compute, *_indices(compute if everyone is None else everyone)}))
    names = {party: f"party{party}" for party in members}
    job = _derived(seed, b"job", 32)
    programs: dict[int, Program] = {}
    for me in members:
        streams = {
            peer: Streams(_derived(seed, b"pair %d %d" % (min(me, peer), max(me, peer)), 32), job, fork)
            for peer in members
            if peer != me
        }
        programs[me] = Program(
            scheme or AdditiveScheme(),
            Parties(me, compute, members, names),
            job=job,
            fork=fork,
            streams=streams,
            randomness=_Randomness(seed, me),
            provider=SeededProvider(seed, job, fork),
        )
    return programs


class SeededProvider(Provider):
    """A dealer inside every party's process, for lockstep runs: it knows all seeds, and costs no round.

    Args:
        seed, job, fork: from which the dealer's pair seeds are derived.
    """

    def __init__(self, seed: int, job: bytes, fork: tuple[str, ...]) -> None:
        self._seed, self._job, self._fork = seed, job, fork

    def ensure(self, context: Context, pool: Pool, request: Request) -> Step[None]:
        """Fill the pool from what the dealer would have sent. See `Provider.ensure`."""
        yield from ()
        parties, demand = context.parties, request.demand
        if not parties.computes:
            return
        streams = {party: self._streams(party) for party in parties.computing}
        correction = memoryview(make_correction(parties.computing, streams, context.node, demand))
        rest = correction if parties.me == parties.computing[0] else None
        draws = DealerStreams(streams[parties.me], context.node, demand)
        for item, units in demand.items():
            arrays, used = shares_of(item, units, draws, rest)
            pool.put(item, units, arrays)
            rest = rest[used:] if rest is not None else None

    def _streams(self, party: int) -> Streams:
        return Streams(_derived(self._seed, b"dealer %d" % party, 32), self._job, self._fork)


def run_program(
    function: Callable[[LockstepParty], Step[R]],
    *,
    computing: int | Sequence[int],
    everyone: int | Sequence[int] | None = None,
    scheme: Scheme | None = None,
    seed: int = 0,
    pick: Callable[[Sequence[int]], int] | None = None,
) -> Transcript[R]:
    """Run `function(party)`, a step, for every party, and join their rounds.

    Args:
        computing, everyone, scheme, seed: see `make_programs`.
        pick: chooses, among the parties that can go on, who does; see `mpcnet.engine.lockstep`.
    Returns:
        What each party returned, and the rounds, bytes and views of all.
    Raises:
        LockstepError: the parties' rounds do not fit together, or their programs differ.
    """
    programs = make_programs(computing=computing, everyone=everyone, scheme=scheme, seed=seed)
    board: Board = {}
    parties = {me: LockstepParty(program, seed, board) for me, program in programs.items()}
    return lockstep({me: function(party) for me, party in parties.items()}, pick=pick)


@dataclass(slots=True)
class LockstepParty:
    """One party of a lockstep run: what a program function is given.

    Args:
        program: where its operators build.
        seed: as given to `run_program`.
        board: where the parties compare the digests of their rounds.
        digests: the program digest of every round so far.
    """

    program: Program
    seed: int = 0
    board: Board = field(default_factory=dict[tuple[tuple[str, ...], int], Noticed])
    digests: list[bytes] = field(default_factory=list[bytes])

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
        )
        return LockstepParty(programs[self.me], self.seed, self.board)


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
