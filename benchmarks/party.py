"""One party of a benchmark, a process of its own: `python -m benchmarks.party`, started by `benchmarks.cluster`.

Standard input brings one line of settings, then one line for each job; standard output takes one line for each. The
mesh stays open between jobs. The dealer is such a process too.
"""

from __future__ import annotations

import base64
import contextlib
import cProfile
import gc
import json
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import trio

from benchmarks.rows import ROWS, Results, Row, values_of
from mpcnet import Identity, Ints, Job, Many, Member, Party, Protocol, Revealed, Roster, open_mesh, protocol
from mpcnet.session.cost import CORRELATED, Cost, RegionCost
from mpcnet.session.events import Event, RoundDone

TIMED = "timed"
CHECKED = 1000
"""How many results are opened afterwards and compared with the clear."""
DEADLINE_SECONDS = 900.0

Settings = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What a job measures; part of its agreement.

    Args:
        row: name of the row.
        n: its size.
        length: values of an input.
        low, high: bounds of an input.
        repeats: how often it is timed, after one warm-up.
    """

    row: str
    n: int
    length: int
    low: int
    high: int
    repeats: int


Span = tuple[float, float]
"""When the call began and ended here, on the machine's monotonic clock, which all processes share."""


@dataclass(frozen=True)
class Measured:
    """What one party saw.

    Args:
        spans: of all repeats without the warm-up.
        cpu_seconds: of this process in each of them, which other programs of the machine hardly touch.
    """

    spans: tuple[Span, ...]
    cpu_seconds: tuple[float, ...]


async def measure(party: Party[Work], profile: cProfile.Profile | None = None) -> Measured:
    """Share two arrays, then evaluate the row's work again and again."""
    work, row = party.params, ROWS[party.params.row]
    shared = party.share("values")
    x, y = shared[0], shared[1]
    await party.evaluate(x, y)
    spans: list[Span] = []
    busy: list[float] = []
    for number in range(work.repeats + 1):
        gc.collect()
        await meet(party)
        with party.region(TIMED), _profiled(profile if number else None):
            started, used = time.perf_counter(), time.process_time()
            results = row.build(x, y)
            outputs = await finish(party, row, results)
            spans.append((started, time.perf_counter()))
            busy.append(time.process_time() - used)
        if number == 0:
            outputs = outputs or await party.reveal(**_some(results))
            check(row, work.n, {name: np.asarray(outputs[name], np.int64) for name in results})
        del results
    return Measured(tuple(spans[1:]), tuple(busy[1:]))


async def finish(party: Party[Work], row: Row, results: Results) -> Revealed | None:
    """Compute the results, and open them if that belongs to the work."""
    if row.reveals:
        return await party.reveal(**results)
    await party.evaluate(*results.values())
    return None


async def meet(party: Party[Work]) -> None:
    """Return when all computing parties are here: they start within a tenth of a millisecond."""
    others = [member for member in party.roles["owners"] if member != party.me]
    for member in others:
        await party.send(member, b"!")
    for member in others:
        await party.receive(member, max_bytes=1)


def check(row: Row, n: int, outputs: dict[str, Any]) -> None:
    """Refuse results that differ from those in the clear."""
    expected = row.expected(values_of(row, n, 0), values_of(row, n, 1))
    for name, output in outputs.items():
        flat = output.reshape(-1)
        assert np.array_equal(flat, expected[name][: flat.size]), f"{row.name}: wrong {name}"


def _some(results: Results) -> Results:
    return {name: value[:CHECKED] for name, value in results.items()}


@contextlib.contextmanager
def _profiled(profile: cProfile.Profile | None) -> Generator[None]:
    if profile is None:
        yield
        return
    profile.enable()
    try:
        yield
    finally:
        profile.disable()


def job_of(command: Settings, names: list[str], profile: cProfile.Profile | None) -> Job[Work, Measured]:
    """The job that a command asks for."""
    row = ROWS[command["row"]]
    declared: Protocol[Work, Measured] = protocol(
        "benchmark",
        version=1,
        params=Work,
        roles={"owners": Many(2)},
        inputs={"values": Ints(by="owners", range=("low", "high"), shape=("length",))},
        outputs={"result": "everyone", "winner": "everyone", "price": "everyone"},
    )(partial(measure, profile=profile))
    n = command["n"]
    work = Work(row.name, n, row.length(n), *row.bounds, command["repeats"])
    return Job(
        declared,
        work,
        {"owners": names[:-1]},
        command["label"],
        dealer=names[-1],
        deadline_seconds=DEADLINE_SECONDS,
    )


def report(measured: Measured, cost: Cost, rounds: list[float]) -> Settings:
    """The line for the parent: spans, counts, and when the first round of each span was over."""
    timed = cost.regions.get(TIMED, RegionCost())
    correlated = cost.regions.get(CORRELATED, RegionCost())
    first = [min((at for at in rounds if at >= start), default=end) - start for start, end in measured.spans]
    return {
        "spans": measured.spans,
        "cpu": measured.cpu_seconds,
        "first_round": first,
        "rounds": timed.rounds,
        "sent": timed.sent_bytes + correlated.sent_bytes,
        "correction": correlated.received_bytes,
    }


async def serve(settings: Settings) -> None:
    """Open the mesh and run jobs until standard input ends."""
    names, index = settings["names"], settings["index"]
    members = tuple(
        Member(number, name, base64.b64decode(key), f"127.0.0.1:{port}")
        for number, (name, key, port) in enumerate(zip(names, settings["keys"], settings["ports"], strict=True))
    )
    rounds: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, RoundDone):
            rounds.append(time.perf_counter())

    identity = Identity(base64.b64decode(settings["seed"]))
    async with open_mesh(Roster(members), identity, listener=note) as mesh:
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            command = json.loads(line)
            profile = cProfile.Profile(time.process_time) if command["profile"] else None
            rounds.clear()
            job = job_of(command, names, profile)
            deals = index == len(names) - 1
            inputs = {} if deals else {"values": values_of(ROWS[command["row"]], command["n"], index)}
            used = time.process_time()
            with _profiled(profile if deals else None):
                result = await mesh.execute(job, inputs)
            measured = result.outcome or Measured((), (time.process_time() - used,))
            print(json.dumps(report(measured, result.cost, rounds)), flush=True)
            if profile is not None:
                profile.dump_stats(f"{command['profile']}.{names[index]}.prof")


if __name__ == "__main__":
    trio.run(serve, json.loads(sys.stdin.readline()))
