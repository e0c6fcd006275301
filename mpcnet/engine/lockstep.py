"""Run the steps of n parties against each other in a loop: the driver of unit tests and of cost tables.

A pure function: no clock, no task; works run where they stand. With `pick` the parties advance in any order that
messages allow, which is how tests show that a result does not depend on who is fast.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mpcnet.engine.rounds import Round, Step
from mpcnet.engine.work import Work, resume, run_inline
from mpcnet.errors import MpcnetError

__all__ = ("LockstepError", "Transcript", "lockstep")

T = TypeVar("T")


class LockstepError(MpcnetError):
    """The steps do not fit together: a size differs, or a party waits for what no party sends."""


@dataclass(slots=True)
class Transcript(Generic[T]):
    """What a lockstep run gave and cost.

    Args:
        results: by party, what its step returned.
        rounds: how many rounds there were in which a party sent something to another.
        sent_bytes: by (sender, receiver), payload bytes.
        messages: by (sender, receiver), how many messages.
        views: by party, everything that it received, in order: (sender, bytes).
    """

    results: dict[int, T] = field(default_factory=dict[int, T])
    rounds: int = 0
    sent_bytes: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    messages: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    views: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict[int, list[tuple[int, bytes]]])


@dataclass(slots=True)
class _Runner(Generic[T]):
    step: Step[T]
    waiting: Round | None = None
    started: bool = False
    turns: int = 0


def lockstep(steps: Mapping[int, Step[T]], *, pick: Callable[[Sequence[int]], int] | None = None) -> Transcript[T]:
    """Drive each party's step to its end.

    Args:
        steps: by roster index.
        pick: chooses, among the parties that can go on, who does; by default the lowest.
    Returns:
        results, rounds, bytes and views.
    Raises:
        LockstepError: sizes do not fit, or the parties wait for each other for ever.
    """
    transcript: Transcript[T] = Transcript()
    runners = {party: _Runner(step) for party, step in steps.items()}
    queues: dict[tuple[int, int], deque[bytes]] = {(a, b): deque() for a in steps for b in steps if a != b}
    talked: set[int] = set()
    transcript.views = {party: [] for party in steps}
    try:
        while len(transcript.results) < len(runners):
            ready = [
                party
                for party, runner in runners.items()
                if party not in transcript.results and _can_go(party, runner, queues)
            ]
            if not ready:
                raise LockstepError(_who_waits(runners, queues, transcript.results))
            _turn(pick(ready) if pick else ready[0], runners, queues, transcript, talked)
    finally:
        for runner in runners.values():
            runner.step.close()
    left = {pair: len(queue) for pair, queue in queues.items() if queue}
    if left:
        raise LockstepError(f"messages were never received, by (sender, receiver): {left}")
    transcript.rounds = len(talked)
    return transcript


def _can_go(party: int, runner: _Runner[T], queues: Mapping[tuple[int, int], deque[bytes]]) -> bool:
    return runner.waiting is None or all(queues[peer, party] for peer in runner.waiting.expect)


def _turn(
    party: int,
    runners: Mapping[int, _Runner[T]],
    queues: Mapping[tuple[int, int], deque[bytes]],
    transcript: Transcript[T],
    talked: set[int],
) -> None:
    runner = runners[party]
    try:
        if runner.waiting is None:
            current = next(runner.step)
        else:
            inbox: dict[int, memoryview] = {}
            for peer, nbytes in runner.waiting.expect.items():
                data = queues[peer, party].popleft()
                if len(data) != nbytes:
                    raise LockstepError(f"party {party} expects {nbytes} bytes from {peer}, and {len(data)} came")
                inbox[peer] = memoryview(data)
                transcript.views[party].append((peer, data))
            current = runner.step.send(inbox)
        while isinstance(current, Work):
            current = resume(runner.step, run_inline(current))
    except StopIteration as stop:
        transcript.results[party] = stop.value
        return
    runner.waiting = current
    if strangers := [peer for peer in current.expect if (peer, party) not in queues]:
        raise LockstepError(f"party {party} expects something from {strangers[0]}, which is no other party here")
    for peer, piece in current.to.items():
        if (party, peer) not in queues:
            raise LockstepError(f"party {party} sends to {peer}, which is no other party here")
        data = bytes(piece)
        queues[party, peer].append(data)
        transcript.sent_bytes[party, peer] = transcript.sent_bytes.get((party, peer), 0) + len(data)
        transcript.messages[party, peer] = transcript.messages.get((party, peer), 0) + 1
        talked.add(runner.turns)
    runner.turns += 1


def _who_waits(
    runners: Mapping[int, _Runner[T]],
    queues: Mapping[tuple[int, int], deque[bytes]],
    results: Mapping[int, T],
) -> str:
    waits = {
        party: [peer for peer in runner.waiting.expect if not queues[peer, party]]
        for party, runner in runners.items()
        if party not in results and runner.waiting is not None
    }
    return f"no party can go on; by party, whom it waits for: {waits}"
