"""Parties on loopback sockets, and a receiver that remembers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
import trio.testing

from mpcnet.errors import PeerError, PeerViolation
from mpcnet.identity import Identity, Member, Roster
from mpcnet.transport.free_ports import free_ports
from mpcnet.transport.tcp import TcpTransport
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame, Header
from mpcnet.wire.limits import Limits

NAMES = ("alice", "bob", "carol", "dan")

# Sockets are real, and only waiting is virtual: the clock jumps when no task could run for 20 ms of real time.
AUTOJUMP_SECONDS = 0.02


class Recorder:
    """A receiver that remembers what it was told, and lets tests wait for it."""

    def __init__(self) -> None:
        self.ups: list[tuple[int, bytes]] = []
        self.downs: list[tuple[int, PeerError | None]] = []
        self.frames: list[tuple[int, Frame]] = []
        self.refuse_round: int | None = None
        self.forget_round: int | None = None
        self._changed = trio.lowlevel.ParkingLot()

    def peer_up(self, peer: int, incarnation: bytes) -> None:
        self.ups.append((peer, incarnation))
        self._changed.unpark_all()

    def peer_down(self, peer: int, error: PeerError | None) -> None:
        self.downs.append((peer, error))
        self._changed.unpark_all()

    def admit(self, peer: int, header: Header, body_bytes: int) -> bool:
        if header.round == self.refuse_round:
            raise PeerViolation(NAMES[peer], f"{body_bytes} bytes were not agreed")
        return header.round != self.forget_round

    def frame_received(self, peer: int, frame: Frame) -> None:
        self.frames.append((peer, frame))
        self._changed.unpark_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something came that makes it true."""
        with trio.fail_after(100):
            while not condition():
                await self._changed.park()

    async def up(self, count: int = 1) -> None:
        await self.until(lambda: len(self.ups) >= count)

    async def down(self, count: int = 1) -> PeerError | None:
        await self.until(lambda: len(self.downs) >= count)
        return self.downs[count - 1][1]

    async def bodies(self, count: int) -> list[bytes]:
        await self.until(lambda: len(self.frames) >= count)
        return [bytes(frame.body) for _, frame in self.frames]


class Parties:
    """Identities and a roster with free loopback ports."""

    def __init__(self, count: int = 2) -> None:
        self.identities = [Identity.generate() for _ in range(count)]
        self.ports: list[int] = free_ports(count)
        self.roster = Roster(
            tuple(
                Member(index, NAMES[index], identity.public, f"127.0.0.1:{self.ports[index]}")
                for index, identity in enumerate(self.identities)
            )
        )

    def transport(
        self,
        me: int,
        *,
        roster: Roster | None = None,
        limits: Limits | None = None,
        timing: Timing | None = None,
        incarnation: bytes | None = None,
    ) -> TcpTransport:
        """A party's transport."""
        return TcpTransport(
            roster or self.roster,
            self.identities[me],
            me=me,
            limits=limits,
            timing=timing,
            incarnation=incarnation,
        )


@pytest.fixture
def parties() -> Parties:
    return Parties()


@pytest.fixture
def four_parties() -> Parties:
    return Parties(4)


@pytest.fixture
def recorders() -> list[Recorder]:
    return [Recorder() for _ in NAMES]


@pytest.fixture
def mock_clock() -> trio.testing.MockClock:
    """pytest-trio runs tests that use it on this clock."""
    return trio.testing.MockClock(autojump_threshold=AUTOJUMP_SECONDS)
