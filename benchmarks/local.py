"""The same work without links: all parties and the dealer one after the other in one process.

What their numpy passes and Python take is measured party by party and round by round. With c cores a round cannot
end before its longest party, nor before the c-th part of all its work: the sum over rounds is the computing limit
of this code on this machine.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.rows import Row, values_of
from mpcnet.algebra import Streams
from mpcnet.algebra.domain import Buffer
from mpcnet.correlated.dealer import DealerProvider
from mpcnet.correlated.dealing import make_correction
from mpcnet.correlated.tranches import read_tranche_untrusted
from mpcnet.dsl import Evaluation, Output, Program, Range, Secret, Value, domain_of, evaluate
from mpcnet.engine import MergedRound
from mpcnet.testing.lockstep import dealer_streams, make_programs

__all__ = ("Local", "measure_local")

_DEALER = 99


@dataclass(frozen=True)
class Local:
    """Seconds of computing, medians.

    Args:
        dealer: of the dealer.
        party: of the computing party that takes longest.
        everyone: of all, one after the other.
        limit: what so many cores need at least.
    """

    dealer: float
    party: float
    everyone: float
    limit: float


class Clock:
    """A clock that counts seconds by round and party."""

    def __init__(self) -> None:
        self.rounds: list[dict[int, float]] = [{}]

    def run(self, party: int, action: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = action()
        spent = self.rounds[-1]
        spent[party] = spent.get(party, 0.0) + time.perf_counter() - started
        return result

    def total(self, party: int) -> float:
        return sum(spent.get(party, 0.0) for spent in self.rounds)

    def limit(self, cores: int) -> float:
        return sum(max(*spent.values(), sum(spent.values()) / cores) for spent in self.rounds if spent)


def measure_local(row: Row, n: int, parties: int, repeats: int, cores: int) -> Local:
    """Run a row in lockstep, after one warm-up."""
    programs = make_programs(computing=parties, provider=DealerProvider(), dealer=_DEALER)
    streams = dealer_streams(_DEALER, range(parties))
    inputs: dict[int, tuple[Secret, Secret]] = {}
    for me, program in programs.items():
        owners = tuple(range(parties))
        node = program.input("values", (row.length(n),), Range(*row.bounds), owners, values_of(row, n, me))
        shared = Secret(Value(program, node))
        inputs[me] = shared[0], shared[1]
    first = {me: evaluate(programs[me], [x.node, y.node]) for me, (x, y) in inputs.items()}
    _drive(first, Clock(), streams)
    clocks: list[Clock] = []
    for _ in range(repeats + 1):
        gc.collect()
        clock = Clock()
        evaluations = {me: clock.run(me, partial(_evaluate, row, programs[me], *inputs[me])) for me in programs}
        _drive(evaluations, clock, streams)
        del evaluations
        clocks.append(clock)
    timed = clocks[1:]
    return Local(
        dealer=statistics.median(clock.total(_DEALER) for clock in timed),
        party=statistics.median(max(clock.total(me) for me in programs) for clock in timed),
        everyone=statistics.median(clock.limit(1) for clock in timed),
        limit=statistics.median(clock.limit(cores) for clock in timed),
    )


def _evaluate(row: Row, program: Program, x: Secret, y: Secret) -> Evaluation:
    results = row.build(x, y)
    if not row.reveals:
        return evaluate(program, [value.node for value in results.values()])
    receivers = program.parties.everyone
    outputs = [
        Output(name, value.node, receivers, value.denominator, domain_of(value)) for name, value in results.items()
    ]
    return evaluate(program, [], outputs)


def _drive(evaluations: Mapping[int, Evaluation], clock: Clock, streams: Mapping[int, Streams]) -> None:
    while True:
        taken: dict[int, MergedRound | None] = {
            me: clock.run(me, evaluation.take) for me, evaluation in evaluations.items()
        }
        rounds = {me: merged for me, merged in taken.items() if merged is not None}
        if not rounds:
            return
        clock.rounds.append({})
        answer: Buffer = b""
        if _DEALER in rounds[0].to:
            answer = clock.run(_DEALER, partial(_deal, bytes(rounds[0].to[_DEALER]), streams))
            clock.rounds.append({})
        for me, merged in rounds.items():
            sent = {peer: answer if peer == _DEALER else rounds[peer].to[me] for peer in merged.expect}
            inbox = {peer: memoryview(data) for peer, data in sent.items()}
            clock.run(me, partial(evaluations[me].feed, inbox))


def _deal(request: bytes, streams: Mapping[int, Streams]) -> Buffer:
    return make_correction(tuple(streams), streams, read_tranche_untrusted(request, "a party"))
