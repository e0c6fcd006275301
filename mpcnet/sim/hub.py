"""The simulated network: one hub through which all parties' frames pass, on trio's virtual clock.

    party.send ──▶ posted (this instant) ──sorted──▶ under way (heap by arrival) ──▶ receiver.frame_received

trio does not run tasks in a fixed order, so what is posted in one instant is first collected, until every task
waits; then it is sorted by job, fork, sender and receiver, and only then takes its place on the links. Arrivals
of one instant are delivered in that same order. So equal seeds give equal runs, whatever the scheduler does.
"""

from __future__ import annotations

import contextlib
import heapq
import math
from collections.abc import AsyncGenerator, Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from mpcnet.errors import LocalError, PeerLost, PeerViolation
from mpcnet.primitives import Randomness, random_bytes
from mpcnet.sim.faults import Adversary, Crash, CrashAfter, Fault, Stall
from mpcnet.sim.network import Network
from mpcnet.transport.interface import Receiver, Transport
from mpcnet.wire.frames import Frame, Kind

__all__ = ("Hub", "LinkCost", "SimTransport", "TraceEvent", "ViewEntry")

_HEADER_BYTES = 64
"""Bytes that each frame costs beside its body: its header, and its share of a record."""
_CONTENT = (Kind.ROUND, Kind.DATA)
_LAST_WORDS = (Kind.FINISH, Kind.ABORT)


# Not frozen: a simulation makes tens of thousands of the next two, and freezing doubles what that takes.
@dataclass(slots=True)
class TraceEvent:
    """One frame on its way. Times are virtual seconds since the simulation began."""

    sent: float
    arrives: float
    sender: str
    receiver: str
    kind: str
    fork: str
    round: int
    body_bytes: int


@dataclass(slots=True)
class ViewEntry:
    """Something that a party received inside the job."""

    sender: str
    kind: str
    fork: str
    round: int
    body: memoryview = field(repr=False)

    def __reduce__(self) -> tuple[Callable[..., ViewEntry], tuple[object, ...]]:
        return _view_entry, (self.sender, self.kind, self.fork, self.round, bytes(self.body))


def _view_entry(sender: str, kind: str, fork: str, number: int, body: bytes) -> ViewEntry:
    """An entry that was pickled: its body went as bytes."""
    return ViewEntry(sender, kind, fork, number, memoryview(body))


@dataclass(slots=True)
class LinkCost:
    """Messages and payload bytes of one direction, inside the job: rounds and byte messages, no agreement."""

    messages: int = 0
    bytes: int = 0


class SimTransport(Transport):
    """One simulated party's end of the hub."""

    def __init__(self, hub: Hub, me: int, incarnation: bytes) -> None:
        self.me = me
        self.incarnation = incarnation
        self._hub = hub

    @contextlib.asynccontextmanager
    async def serve(self, receiver: Receiver) -> AsyncGenerator[None]:
        """See `Transport.serve`."""
        self._hub.join(self, receiver)
        try:
            yield
        finally:
            self._hub.leave(self.me)

    async def send(self, peer: int, frame: Frame) -> None:
        """See `Transport.send`. Never waits, not even for a checkpoint: a simulated link queues without bound."""
        self._hub.post(self.me, peer, frame)

    def send_now(self, peer: int, frame: Frame) -> bool:
        """See `Transport.send_now`."""
        self._hub.post(self.me, peer, frame)
        return True

    def hints(self, peer: int) -> tuple[str, ...]:
        """See `Transport.hints`."""
        return ()


class Hub:
    """The network of one simulation.

    Args:
        names: of the parties, by index.
        network: what the links do.
        faults: what goes wrong.
        adversary: rewrites frames.
        randomness: for the jitter of links.
    """

    def __init__(
        self,
        names: Sequence[str],
        network: Network,
        faults: Sequence[Fault] = (),
        adversary: Adversary | None = None,
        randomness: Randomness = random_bytes,
    ) -> None:
        self.trace: list[TraceEvent] = []
        self.views: dict[str, list[ViewEntry]] = {name: [] for name in names}
        self.links: dict[tuple[str, str], LinkCost] = {}
        self.crashed: set[int] = set()
        self.computing: Container[int] = range(len(names))
        self.on_crash: Callable[[int], None] = lambda _: None
        self._names = names
        self._network = network
        self._faults = {fault.party: fault for fault in faults}
        self._adversary = adversary
        self._members: dict[int, tuple[SimTransport, Receiver]] = {}
        self._up: dict[int, set[int]] = {index: set() for index in range(len(names))}
        self._joined: list[int] = []
        self._posted: list[tuple[int, int, Frame]] = []
        self._free_at: dict[tuple[int, int], float] = {}
        self._arrived: dict[tuple[int, int], float] = {}
        self._randomness = randomness
        self._under_way: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._said: dict[int, int] = {}
        self._wake = trio.Event()
        self._began = 0.0

    async def run(self) -> None:
        """Carry frames until cancelled."""
        # Here, because trio.testing imports pytest where that is installed: a tenth of a second for every command.
        from trio.testing import wait_all_tasks_blocked

        self._began = trio.current_time()
        while True:
            next_arrival = self._under_way[0][0] if self._under_way else math.inf
            with trio.move_on_at(next_arrival):
                await self._wake.wait()
            self._wake = trio.Event()
            if self._posted or self._joined:
                await wait_all_tasks_blocked()
                self._begin_links()
                self._put_on_links()
            self._deliver_due()

    def join(self, transport: SimTransport, receiver: Receiver) -> None:
        """A party's mesh is open; its links to those who are there take two round trips to come up."""
        self._members[transport.me] = (transport, receiver)
        self._joined.append(transport.me)
        self._wake.set()

    def leave(self, party: int) -> None:
        """A party closes its links or is dead, which the others learn behind its last frame."""
        self._members.pop(party, None)
        crashed = party in self.crashed
        for peer in sorted(self._up[party]):
            self._at(
                self._arrival(party, peer, 0, trio.current_time()), partial(self._disconnect, party, peer, crashed)
            )

    def post(self, sender: int, receiver: int, frame: Frame) -> None:
        """Post a frame that a party sends."""
        if sender in self.crashed:
            raise PeerLost(self._names[receiver], "the connection ended without goodbye")
        if receiver not in self._up[sender] or receiver not in self._members:
            raise PeerLost(self._names[receiver], "there is no link to it")
        fault = self._faults.get(self._names[sender])
        if (
            isinstance(fault, Crash | Stall)
            and frame.header.kind is Kind.ROUND
            and frame.header.round >= fault.round
        ):
            if isinstance(fault, Crash):
                self.crashed.add(sender)
                self.on_crash(sender)
                raise PeerLost(self._names[receiver], "the connection ended without goodbye")
            return
        if isinstance(fault, Stall) and frame.header.kind in _LAST_WORDS:
            return
        self._posted.append((sender, receiver, frame))
        self._wake.set()

    def _begin_links(self) -> None:
        """The peers are told in the order of the roster: parties draw randomness for each link that comes up."""
        joined, self._joined = self._joined, []
        pairs = {(min(one, peer), max(one, peer)) for one in joined for peer in self._met_by(one)}
        for one, peer in sorted(pairs):
            delay = 4 * self._network.link(self._names[one], self._names[peer]).latency_seconds
            self._at(trio.current_time() + delay, partial(self._connect, one, peer))

    def _met_by(self, one: int) -> list[int]:
        """The parties that are there and to which this one has a link: two that do not compute have none."""
        computes = one in self.computing
        return [peer for peer in self._members if peer != one and (computes or peer in self.computing)]

    def _put_on_links(self) -> None:
        posted, self._posted = self._posted, []
        posted.sort(key=_place)
        now = trio.current_time()
        for sender, receiver, original in posted:
            if self._dies(sender, original):
                continue
            frame = self._rewritten(sender, receiver, original)
            if frame is None:
                continue
            arrival = self._arrival(sender, receiver, _HEADER_BYTES + len(frame.body), now)
            self._record(sender, receiver, frame, now, arrival)
            self._at(arrival, partial(self._hand_over, sender, receiver, frame))

    def _dies(self, sender: int, frame: Frame) -> bool:
        """Whether the sender is dead before this frame leaves. Here, where the order is the same in every run."""
        fault = self._faults.get(self._names[sender])
        if not isinstance(fault, CrashAfter):
            return False
        if sender not in self.crashed and frame.header.kind in _CONTENT:
            self._said[sender] = self._said.get(sender, 0) + 1
            if self._said[sender] > fault.messages:
                self.crashed.add(sender)
                self.on_crash(sender)
        return sender in self.crashed

    def _rewritten(self, sender: int, receiver: int, frame: Frame) -> Frame | None:
        if self._adversary is None:
            return frame
        changed = self._adversary.on_frame(self._names[sender], self._names[receiver], frame)
        if not isinstance(changed, Frame | None):  # pyright: ignore[reportUnnecessaryIsInstance] -- of an experiment
            raise LocalError(f"an adversary's on_frame returns a Frame or None, not a {type(changed).__name__}")
        return changed

    def _arrival(self, sender: int, receiver: int, nbytes: int, now: float) -> float:
        model = self._network.link(self._names[sender], self._names[receiver])
        link = sender, receiver
        self._free_at[link] = max(now, self._free_at.get(link, 0.0)) + nbytes / model.bandwidth_bytes
        delay = model.latency_seconds
        if model.jitter_seconds:
            delay += model.jitter_seconds * int.from_bytes(self._randomness(8), "little") / 2**64
        # What was sent later does not arrive sooner, even where it finds a shorter way.
        self._arrived[link] = max(self._free_at[link] + delay, self._arrived.get(link, 0.0))
        return self._arrived[link]

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._under_way, (when, self._count, what))
        self._count += 1
        self._wake.set()

    def _deliver_due(self) -> None:
        now = trio.current_time()
        while self._under_way and self._under_way[0][0] <= now:
            heapq.heappop(self._under_way)[2]()

    def _record(self, sender: int, receiver: int, frame: Frame, now: float, arrival: float) -> None:
        header, names = frame.header, (self._names[sender], self._names[receiver])
        sent, arrives = now - self._began, arrival - self._began
        event = TraceEvent(
            sent, arrives, *names, header.kind.name, header.fork.hex(), header.round, len(frame.body)
        )
        self.trace.append(event)
        if header.kind in _CONTENT:
            cost = self.links.setdefault(names, LinkCost())
            cost.messages += 1
            cost.bytes += len(frame.body)

    def _hand_over(self, sender: int, receiver: int, frame: Frame) -> None:
        if receiver not in self._up[sender] or receiver not in self._members or receiver in self.crashed:
            return
        target = self._members[receiver][1]
        header = frame.header
        if header.kind in _CONTENT:
            entry = ViewEntry(self._names[sender], header.kind.name, header.fork.hex(), header.round, frame.body)
            self.views[self._names[receiver]].append(entry)
        try:
            if target.admit(sender, header, len(frame.body)):
                target.frame_received(sender, Frame(header, frame.body.toreadonly()))
        except PeerViolation as error:
            self._cut(sender, receiver, error)

    def _cut(self, sender: int, receiver: int, error: PeerViolation) -> None:
        """A violation ends the link at both ends, as on TCP."""
        self._set_down(sender, receiver)
        self._members[receiver][1].peer_down(sender, error)
        if sender in self._members:
            lost = PeerLost(self._names[receiver], "the connection ended without goodbye")
            self._members[sender][1].peer_down(receiver, lost)

    def _connect(self, first: int, second: int) -> None:
        if first not in self._members or second not in self._members:
            return
        self._up[first].add(second)
        self._up[second].add(first)
        self._members[first][1].peer_up(second, self._members[second][0].incarnation)
        self._members[second][1].peer_up(first, self._members[first][0].incarnation)

    def _set_down(self, first: int, second: int) -> None:
        self._up[first].discard(second)
        self._up[second].discard(first)

    def _disconnect(self, gone: int, peer: int, crashed: bool) -> None:
        if peer not in self._up[gone]:
            return
        self._set_down(gone, peer)
        if peer in self._members and peer not in self.crashed:
            lost = PeerLost(self._names[gone], "the connection ended without goodbye") if crashed else None
            self._members[peer][1].peer_down(gone, lost)


def _place(item: tuple[int, int, Frame]) -> tuple[bool, bytes, bytes, int, int, int]:
    """Order among the frames of one instant; a job's last words stay behind what it said before."""
    sender, receiver, frame = item
    header = frame.header
    return (header.kind in _LAST_WORDS, header.job, header.fork, sender, receiver, int(header.kind))
