"""Real parties in one process: meshes over encrypted loopback TCP, and parties that lie, fall silent or die.

    loopback = Loopback(3)
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, job, {"alice": {"value": 1}, ...})

Every party has its own key, sockets and mesh; what travels between them is what travels between hosts. A party
whose transport is `Tampered` runs the honest program, and its frames are changed on their way to the link.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeVar

import trio

from mpcnet.declare import Ints, Job, Many, Party, Protocol, protocol
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session import Mesh, Result
from mpcnet.session.events import Listener
from mpcnet.transport.free_ports import free_ports
from mpcnet.transport.interface import Receiver, Transport
from mpcnet.transport.tcp import TcpTransport
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame, Kind
from mpcnet.wire.hello import INCARNATION_BYTES
from mpcnet.wire.limits import Limits

__all__ = (
    "NAMES",
    "QUICK",
    "Change",
    "Endings",
    "Loopback",
    "Nothing",
    "Silent",
    "Tampered",
    "job_of",
    "run_parties",
    "scripted",
    "total",
    "waits",
)

T = TypeVar("T")

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan")

QUICK = Timing(redial_first_seconds=0.005, redial_most_seconds=0.05)
"""Parties that start in one instant miss each other's first call."""

Change = Callable[[int, Frame], Iterable[Frame]]
"""(receiver, frame) to the frames that are sent instead: none, one, several."""


class Tampered(Transport):
    """A transport whose frames are changed before they are sealed: a peer that holds its key, and cheats.

    Args:
        inner: carries what is left.
        change: what becomes of each frame.
    """

    def __init__(self, inner: Transport, change: Change) -> None:
        self.me: int = inner.me
        self.incarnation: bytes = inner.incarnation
        self._inner = inner
        self._change = change

    def serve(self, receiver: Receiver) -> AbstractAsyncContextManager[None]:
        """See `Transport.serve`."""
        return self._inner.serve(receiver)

    async def send(self, peer: int, frame: Frame) -> None:
        """See `Transport.send`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        for changed in self._change(peer, frame):
            await self._inner.send(peer, changed)

    def hints(self, peer: int) -> tuple[str, ...]:
        """See `Transport.hints`."""
        return self._inner.hints(peer)


class Loopback:
    """Keys and a roster of parties on free loopback ports.

    Args:
        parties: their names, or how many of `NAMES`.
    """

    def __init__(self, parties: int | Sequence[str] = 3) -> None:
        self.names: tuple[str, ...] = NAMES[:parties] if isinstance(parties, int) else tuple(parties)
        self.identities: dict[str, Identity] = {name: Identity.generate() for name in self.names}
        self.ports: dict[str, int] = dict(zip(self.names, free_ports(len(self.names)), strict=True))
        self.roster: Roster = Roster(
            tuple(
                Member(index, name, self.identities[name].public, f"127.0.0.1:{self.ports[name]}")
                for index, name in enumerate(self.names)
            )
        )

    def mesh(
        self,
        name: str,
        *,
        roster: Roster | None = None,
        identity: Identity | None = None,
        change: Change | None = None,
        listener: Listener | None = None,
        limits: Limits | None = None,
        timing: Timing = QUICK,
    ) -> Mesh:
        """A party's mesh, not open yet.

        Args:
            roster, identity: others than everybody's, for parties that are wrong about them.
            change: what becomes of each frame that it sends.
        """
        roster = roster or self.roster
        identity = identity or self.identities[name]
        me = roster.by_key(identity.public)
        tcp = TcpTransport(roster, identity, me=me.index, limits=limits, timing=timing)
        transport = tcp if change is None else Tampered(tcp, change)
        return Mesh(roster, me, transport, listener=listener)

    def replaced(self, name: str, **changes: Any) -> Roster:
        """The roster with one member changed."""
        return Roster(
            tuple(replace(member, **changes) if member.name == name else member for member in self.roster.members)
        )

    @asynccontextmanager
    async def meshes(
        self, *names: str, changes: Mapping[str, Change] | None = None, listener: Listener | None = None
    ) -> AsyncGenerator[dict[str, Mesh]]:
        """Open meshes of some parties, by default of all.

        Args:
            changes: by party, what becomes of the frames that it sends.
            listener: told what happens at all of them.
        """
        async with AsyncExitStack() as stack:
            meshes: dict[str, Mesh] = {}
            for name in names or self.names:
                mesh = self.mesh(name, change=(changes or {}).get(name), listener=listener)
                meshes[name] = await stack.enter_async_context(mesh.open())
            yield meshes


@dataclass(slots=True)
class Endings:
    """How a job ended at each party.

    Args:
        results: of those who have one.
        errors: of the others.
    """

    results: dict[str, Result[Any]] = field(default_factory=dict[str, Result[Any]])
    errors: dict[str, Exception] = field(default_factory=dict[str, Exception])

    @property
    def outcomes(self) -> dict[str, Any]:
        """What the protocol returned, by party."""
        return {name: result.outcome for name, result in self.results.items()}


async def run_parties(
    meshes: Mapping[str, Mesh],
    job: Job[Any, Any],
    inputs: Mapping[str, Mapping[str, object]],
    *,
    jobs: Mapping[str, Job[Any, Any]] | None = None,
) -> Endings:
    """Run a job at the parties that `inputs` names, and wait until it has ended at all of them.

    Args:
        jobs: by party, another job than the common one.
    """
    endings = Endings()

    async def run(name: str) -> None:
        try:
            endings.results[name] = await meshes[name].execute((jobs or {}).get(name, job), inputs[name])
        except Exception as error:
            endings.errors[name] = error

    async with trio.open_nursery() as nursery:
        for name in inputs:
            nursery.start_soon(run, name)
    return endings


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


def scripted(function: Callable[[Party[Nothing]], Awaitable[T]], *, version: int = 1) -> Protocol[Nothing, T]:
    """A protocol of any program: one input of each owner, outputs for all, for owners and for watchers.

    Two of them with different programs agree, and then diverge.
    """
    return protocol(
        "scripted",
        version=version,
        params=Nothing,
        roles={"owners": Many(1), "watchers": Many(0)},
        inputs={"value": Ints(by="owners", range=(-1000, 1000))},
        outputs={"answer": "everyone", "second": "everyone", "quiet": "watchers", "own": "owners"},
    )(function)


def job_of(
    function: Callable[[Party[Nothing]], Awaitable[T]],
    owners: Sequence[str],
    *,
    watchers: Sequence[str] = (),
    label: str = "test",
    compute: Sequence[str] = (),
    deadline_seconds: float = 60,
) -> Job[Nothing, T]:
    """A job of a `scripted` protocol."""
    roles = {"owners": tuple(owners), "watchers": tuple(watchers)}
    return Job(
        scripted(function), Nothing(), roles, label, compute=tuple(compute), deadline_seconds=deadline_seconds
    )


async def total(party: Party[Nothing]) -> int:
    """The sum of all values, for a `scripted` protocol."""
    out = await party.reveal(answer=party.share("value").sum())
    return int(out["answer"])


async def waits(party: Party[Nothing]) -> NoReturn:
    """The same, and then nothing until the job is ended."""
    await total(party)
    await trio.sleep_forever()
    raise AssertionError("forever is over")


class Silent(Transport):
    """A transport without a network: it notes what is sent, and the test plays the link's reader.

    Args:
        me: our roster index.
        hold: kinds whose sending waits until `go_on` is set.
    """

    def __init__(self, me: int = 0, hold: Sequence[Kind] = ()) -> None:
        self.me = me
        self.incarnation: bytes = bytes([me]) * INCARNATION_BYTES
        self.sent: list[tuple[int, Frame]] = []
        self.go_on: trio.Event = trio.Event()
        self._hold = hold

    @asynccontextmanager
    async def serve(self, receiver: Receiver) -> AsyncGenerator[None]:
        """See `Transport.serve`."""
        yield

    async def send(self, peer: int, frame: Frame) -> None:
        """See `Transport.send`."""
        await trio.lowlevel.checkpoint()
        if frame.header.kind in self._hold:
            await self.go_on.wait()
        self.sent.append((peer, frame))

    def hints(self, peer: int) -> tuple[str, ...]:
        """See `Transport.hints`."""
        return ()

    def kinds(self, peer: int) -> list[str]:
        """Names of the kinds that were sent to a peer."""
        return [frame.header.kind.name for receiver, frame in self.sent if receiver == peer]
