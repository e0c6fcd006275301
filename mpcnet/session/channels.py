"""The rounds of one fork on the links: what has come, what is awaited, and whether it fits our program.

Frames of one peer come in order. One that is not yet awaited waits here, within `EARLY_BYTES` for each peer and
job: a peer may be a round ahead of us, or an input owner may have left already.
"""

from __future__ import annotations

import typing
from collections import deque

import trio

from mpcnet.algebra import Buffer
from mpcnet.algebra.prg import prefixed
from mpcnet.engine import Inbox, MergedRound, ProgramDigest
from mpcnet.errors import PeerViolation, ProgramMismatch
from mpcnet.primitives import blake2b
from mpcnet.session.abort import Diverged
from mpcnet.session.cost import RegionCost
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import FRAME_OVERHEAD

__all__ = ("EARLY_BYTES", "MAX_FORKS", "ForkChannel", "Links", "fork_id")

EARLY_BYTES = 256 * 2**20
"""Bytes that a peer may send before we wait for them, for each job. The largest bundled input is far below."""
MAX_FORKS = 4096
"""Forks of one job whose frames may come before we open them."""


def fork_id(path: tuple[str, ...]) -> bytes:
    """How frames name a fork: empty for the main program, else 8 bytes of a hash of its path."""
    if not path:
        return b""
    encoded = b"".join(prefixed(label.encode()) for label in path)
    return blake2b(encoded, size=8, person=b"mpcnet.fork")


class Links(typing.Protocol):
    """What a channel needs of its job."""

    tag: bytes
    names: typing.Mapping[int, str]
    finished: set[int]

    async def send(self, peer: int, frame: Frame) -> None: ...
    def fail(self, error: BaseException) -> None: ...
    def round_done(self, fork: bytes, number: int) -> None: ...


class ForkChannel:
    """One fork's frames, in and out."""

    def __init__(self, links: Links, identifier: bytes) -> None:
        self.identifier = identifier
        self.digest: ProgramDigest | None = None
        self.opened = False
        self.round: int = 0
        self.missing: set[int] = set()
        self._links = links
        self._queues: dict[int, deque[Frame]] = {}
        self._buffered: dict[int, int] = {}
        self._expect: typing.Mapping[int, int] = {}
        self._expected_digest = b""
        self._all_here = trio.Event()

    async def exchange(self, merged: MergedRound, cost: RegionCost) -> Inbox:
        """Send a round's messages and wait for what it expects.

        Raises:
            PeerLost, PeerViolation, ProgramMismatch: as the names say. The caller ends the job then.
        """
        self.round = merged.number
        header = Header(Kind.ROUND, self._links.tag, self.identifier, merged.number, merged.digest)
        for peer, body in merged.to.items():
            if peer in self._links.finished:
                raise self._ended(peer, "has a message for it")
            await self._links.send(peer, Frame(header, _view(body)))
        await self._wait(merged)
        inbox = {peer: self._take(peer) for peer in merged.expect}
        if merged.to or merged.expect:
            cost.rounds += 1
            cost.messages += len(merged.to)
            cost.sent_bytes += sum(len(body) for body in merged.to.values())
            cost.received_bytes += sum(merged.expect.values())
        self._links.round_done(self.identifier, merged.number)
        return inbox

    async def _wait(self, merged: MergedRound) -> None:
        self._expect, self._expected_digest = merged.expect, merged.digest
        for peer in merged.expect:
            queue = self._queues.setdefault(peer, deque())
            if queue:
                self._judge(peer, queue[0])
            elif peer in self._links.finished:
                raise self._ended(peer, "waits for its message")
            else:
                self.missing.add(peer)
        if self.missing:
            self._all_here = trio.Event()
            await self._all_here.wait()
        self._expect = {}

    def deliver(self, peer: int, frame: Frame) -> None:
        """A frame came. Called by the reader; never blocks."""
        queue = self._queues.setdefault(peer, deque())
        queue.append(frame)
        self._buffered[peer] = self.buffered_bytes(peer) + len(frame.body) + FRAME_OVERHEAD
        if peer not in self.missing:
            return
        try:
            self._judge(peer, frame)
        except (PeerViolation, Diverged) as error:
            self._links.fail(error)
            return
        self.missing.discard(peer)
        if not self.missing:
            self._all_here.set()

    def _take(self, peer: int) -> memoryview:
        body = self._queues[peer].popleft().body
        self._buffered[peer] -= len(body) + FRAME_OVERHEAD
        return body

    def peer_finished(self, peer: int) -> None:
        """The peer's program has ended; it will send nothing more."""
        if peer in self.missing:
            self._links.fail(self._ended(peer, "waits for its message"))

    def admit(self, peer: int, header: Header, nbytes: int) -> None:
        """Before memory is given to a body: refuse what an honest peer cannot send."""
        if self.awaits(peer, header) and nbytes != self._expect[peer]:
            raise PeerViolation(
                self._links.names[peer],
                f"sent {nbytes} bytes in round {header.round}, where {self._expect[peer]} were agreed",
                {"round": header.round, "got_bytes": nbytes, "expected_bytes": self._expect[peer]},
            )

    def buffered_bytes(self, peer: int) -> int:
        """What waits here from a peer: bodies, and what Python keeps with each frame."""
        return self._buffered.get(peer, 0)

    def awaits(self, peer: int, header: Header) -> bool:
        """Whether this is the frame that we wait for, whose size is agreed."""
        return peer in self.missing and header.digest == self._expected_digest

    def _judge(self, peer: int, frame: Frame) -> None:
        if frame.header.round != self.round or frame.header.digest != self._expected_digest:
            raise Diverged(peer, self.identifier)
        if len(frame.body) != self._expect[peer]:
            raise PeerViolation(
                self._links.names[peer],
                f"sent {len(frame.body)} bytes in round {self.round}, where {self._expect[peer]} were agreed",
            )

    def _ended(self, peer: int, what: str) -> ProgramMismatch:
        name = self._links.names[peer]
        return ProgramMismatch(name, f"the program of {name} has ended; ours {what} at round {self.round}")


def _view(body: Buffer) -> memoryview:
    return body if isinstance(body, memoryview) else memoryview(body)
