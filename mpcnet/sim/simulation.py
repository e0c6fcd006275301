"""`simulate`: n parties in one process, on a modelled network and a virtual clock.

The same code as in deployment runs from the session up: agreement, pair seeds, programs, aborts. Only the links
are modelled, and all randomness comes from the seed, so a run can be repeated from one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import trio

from mpcnet.declare import Job
from mpcnet.declare.plan import make_plan
from mpcnet.errors import LocalError, cause_rank, first_cause
from mpcnet.identity import Identity, Member, Roster
from mpcnet.primitives import blake2b
from mpcnet.session import Mesh, Result
from mpcnet.session.cost import Cost
from mpcnet.session.events import Ended, Event
from mpcnet.sim.faults import Adversary, Crashed, Fault
from mpcnet.sim.hub import Hub, LinkCost, SimTransport, TraceEvent, ViewEntry
from mpcnet.sim.network import LAN, Network

__all__ = ("SimCost", "Simulation", "simulate")

_NETWORK = "/network"
"""No party's name: the links draw their jitter apart from all parties."""

P = TypeVar("P")
T = TypeVar("T")


@dataclass(slots=True)
class SimCost:
    """What a simulated job cost.

    Args:
        seconds: virtual time from the first party's call to the last one's result: waiting for the network only,
            since computing takes no virtual time.
        rounds: online rounds; the most that any party counted, forks added up.
        links: by (sender, receiver), messages and payload bytes inside the job.
        parties: by name, each party's own counts by region; also of those that failed, until they did.
    """

    seconds: float
    rounds: int
    links: Mapping[tuple[str, str], LinkCost]
    parties: Mapping[str, Cost]

    @property
    def messages(self) -> int:
        """Messages of all links together."""
        return sum(link.messages for link in self.links.values())

    @property
    def sent_bytes(self) -> int:
        """Payload bytes of all links together, without headers, encryption and agreement."""
        return sum(link.bytes for link in self.links.values())

    @property
    def regions(self) -> dict[str, int]:
        """By region, the highest number of rounds that a party counted in it."""
        rounds: dict[str, int] = {}
        for cost in self.parties.values():
            for name, region in cost.regions.items():
                rounds[name] = max(rounds.get(name, 0), region.rounds)
        return rounds


@dataclass(slots=True)
class Simulation(Generic[T]):
    """The result of a simulation.

    Args:
        outputs: by party, what its protocol returned.
        errors: by party, why it has none.
        cause: the party that failed first, and its error, which explains those of the others; None if none failed.
            An error that only repeats another party's failure is the cause of nothing.
        cost: rounds, messages, bytes, virtual time.
        trace: every frame, in the order in which frames took the links.
        views: by party, everything that it received inside the job.
    """

    outputs: dict[str, T]
    errors: dict[str, Exception]
    cause: tuple[str, Exception] | None
    cost: SimCost
    trace: list[TraceEvent] = field(repr=False)
    views: dict[str, list[ViewEntry]] = field(repr=False)


def simulate(
    job: Job[P, T],
    inputs: Mapping[str, Mapping[str, object]],
    *,
    network: Network = LAN,
    faults: Sequence[Fault] = (),
    adversary: Adversary | None = None,
    seed: int = 0,
    allow_errors: bool = False,
    jobs: Mapping[str, Job[P, T]] | None = None,
    listener: Callable[[str, Event], None] | None = None,
) -> Simulation[T]:
    """Run one job with all its parties in this process.

    An ordinary function: it works in plain code, and inside trio, asyncio or a notebook, where it runs in a
    thread of its own.

    Args:
        job: what every party runs.
        inputs: by party, its inputs by name.
        network: what the links do.
        faults: parties that crash or stall.
        adversary: rewrites what corrupted parties send.
        seed: of all randomness; the same seed gives the same run.
        allow_errors: return although parties failed; by default the first cause is raised.
        jobs: by party, another job than the common one, for experiments with parties that disagree.
        listener: told what happens at which party, while it runs.

    Raises:
        LocalError: an unknown party in the inputs, faults or links; two faults of one party; no network.
        MpcnetError: a party failed. A mistake in what a party was given names the party.
    """
    names = list(job.names)
    _check_network(network)
    ends = [name for link in network.links for name in link]
    faulty = [fault.party for fault in faults]
    for name in [*inputs, *faulty, *(jobs or {}), *ends]:
        if name not in names:
            raise LocalError(f"job '{job.label}' has no party named {name!r}; it has: {', '.join(names)}")
    if twice := next((name for name in faulty if faulty.count(name) > 1), None):
        raise LocalError(f"{twice} has more faults than one: what comes after the first is never seen")
    runner = _Runner(names, job, inputs, network, faults, adversary, seed=seed, jobs=jobs or {}, listener=listener)
    simulation = _call_outside_of_loops(runner.run)
    if simulation.cause is not None and not allow_errors:
        raise simulation.cause[1]
    return simulation


def _check_network(network: object) -> None:
    if not isinstance(network, Network):
        raise LocalError(f"a network is a Network, such as LAN or WAN, not a {type(network).__name__}")


class _Runner(Generic[P, T]):
    def __init__(
        self,
        names: list[str],
        job: Job[P, T],
        inputs: Mapping[str, Mapping[str, object]],
        network: Network,
        faults: Sequence[Fault],
        adversary: Adversary | None,
        *,
        seed: int,
        jobs: Mapping[str, Job[P, T]],
        listener: Callable[[str, Event], None] | None,
    ) -> None:
        self._names = names
        self._job = job
        self._jobs = jobs
        self._listener = listener
        self._inputs = inputs
        self._arguments = (names, network, faults, adversary)
        self._seed = seed
        self._results: dict[str, Result[T]] = {}
        self._errors: dict[str, Exception] = {}
        self._failed_at: dict[str, float] = {}
        self._costs: dict[str, Cost] = {}
        self._ended_at = 0.0

    def run(self) -> Simulation[T]:
        from trio.testing import MockClock  # here for the reason that `Hub.run` gives

        clock = MockClock(autojump_threshold=0)
        try:
            return trio.run(self._main, clock=clock, strict_exception_groups=True)
        except BaseExceptionGroup as group:
            # An adversary or a listener of the experiment raised it: it is the caller's own, as it is.
            raise first_cause(group) from None

    async def _main(self) -> Simulation[T]:
        hub = Hub(*self._arguments, seeded_randomness(self._seed, _NETWORK))
        randomness = {name: seeded_randomness(self._seed, name) for name in self._names}
        roster = _roster(randomness)
        if not self._jobs:
            with contextlib.suppress(LocalError):  # each party raises it itself, where it is seen
                hub.computing = set(make_plan(self._job, roster, roster.members[0]).parties.computing)
        scopes = {name: trio.CancelScope() for name in self._names}
        hub.on_crash = lambda party: scopes[self._names[party]].cancel()
        began = trio.current_time()
        done = trio.Event()
        async with trio.open_nursery() as carrier:
            carrier.start_soon(hub.run)
            async with trio.open_nursery() as parties:
                for index, name in enumerate(self._names):
                    transport = SimTransport(hub, index, randomness[name](16))
                    mesh = Mesh(
                        roster,
                        roster.members[index],
                        transport,
                        listener=functools.partial(self._heard, name),
                        randomness=randomness[name],
                        offload=_inline,
                        simulated=True,
                    )
                    parties.start_soon(self._party, name, mesh, scopes[name], done)
            carrier.cancel_scope.cancel()
        costs = {name: self._costs.get(name, Cost()) for name in self._names}
        rounds = max(cost.rounds for cost in costs.values())
        cost = SimCost(self._ended_at - began, rounds, hub.links, costs)
        outputs = {name: self._results[name].outcome for name in self._names if name in self._results}
        errors = {name: self._errors[name] for name in self._names if name in self._errors}
        return Simulation(outputs, errors, self._cause(errors), cost, hub.trace, hub.views)

    def _cause(self, errors: Mapping[str, Exception]) -> tuple[str, Exception] | None:
        if not errors:
            return None
        # In the order of the roster where two failed at one time: the scheduler has none.
        first = sorted(errors, key=lambda name: self._failed_at[name])
        name = min(first, key=lambda name: cause_rank(type(errors[name])))
        return name, errors[name]

    def _heard(self, name: str, event: Event) -> None:
        if isinstance(event, Ended):
            self._costs[name] = event.cost
        if self._listener is not None:
            self._listener(name, event)

    async def _party(self, name: str, mesh: Mesh, scope: trio.CancelScope, done: trio.Event) -> None:
        """One party's process: it stays until all have ended, so that none of them misses its last words."""
        with scope:
            async with mesh.open():
                try:
                    job = self._jobs.get(name, self._job)
                    self._results[name] = await mesh.execute(job, self._inputs.get(name, {}))
                except Exception as error:
                    self._failed(name, error)
                self._note_end(done)
                await done.wait()
        if scope.cancelled_caught:
            self._failed(name, Crashed(f"{name} was killed by a fault"))
            self._results.pop(name, None)
            self._note_end(done)

    def _failed(self, name: str, error: Exception) -> None:
        self._errors[name] = error
        self._failed_at[name] = trio.current_time()

    def _note_end(self, done: trio.Event) -> None:
        self._ended_at = max(self._ended_at, trio.current_time())
        # A party that a fault kills may come here twice, with an entry in one of the two all the same.
        if len(self._results.keys() | self._errors.keys()) == len(self._names):
            done.set()


def seeded_randomness(seed: int, name: str) -> Callable[[int], bytes]:
    """A party's randomness in a simulation: a fixed function of seed and name. Never for real parties."""
    key = blake2b(f"{seed}:{name}".encode(), size=32, person=b"mpcnet.sim")
    count = 0

    def randomness(nbytes: int) -> bytes:
        nonlocal count
        blocks: list[bytes] = []
        while 64 * len(blocks) < nbytes:
            blocks.append(blake2b(count.to_bytes(8, "little"), key=key, size=64))
            count += 1
        return b"".join(blocks)[:nbytes]

    return randomness


def _roster(randomness: Mapping[str, Callable[[int], bytes]]) -> Roster:
    members = [
        Member(index, name, Identity.generate(randomness=source).public, f"127.0.0.1:{1024 + index}")
        for index, (name, source) in enumerate(randomness.items())
    ]
    return Roster(tuple(members))


async def _inline(function: Callable[..., Any], *args: Any) -> Any:
    # A virtual deadline would fire while a thread runs.
    await trio.lowlevel.checkpoint()
    return function(*args)


def _call_outside_of_loops(function: Callable[[], T]) -> T:
    if not (trio.lowlevel.in_trio_run() or _in_asyncio()):
        return function()
    results: list[T] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call, name="mpcnet simulation")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
