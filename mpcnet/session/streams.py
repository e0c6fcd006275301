"""Byte messages between two parties of a job: `Party.send` and `Party.receive`.

    sender                                              receiver
    DATA  8-byte length and first bytes  ─────────────▶  waits until receive(max_bytes) asks
    DATA  more, as credit lasts          ─────────────▶
                                         ◀─────────────  CREDIT bytes taken

Theory of operation. A message's size is not agreed beforehand, so the sender may have at most `WINDOW_BYTES` on the
way that the receiver has not taken; the receiver says what it takes at most before it looks at a message. Unlike
rounds, messages are moved by the tasks that send and receive; the links' reader only puts what comes where these
tasks find it, and wakes them.

Invariants:

1. `_credit` is the window less the bytes that are on the way to the peer: what we may send now. The peer gives
   back what it has taken of them; credit for more than that, or for nothing, is a violation.
2. What has come and was not taken is at most the window; more is a violation. An honest peer cannot get there,
   since it has credit only for bytes that have left our memory.
3. Chunks of two messages are not mixed: `_sending` is held for a whole message, and one task receives at a time.

A cancelled `send` or `receive` leaves half a message behind; its caller (`JobParty`) ends the job then.
"""

from __future__ import annotations

import typing
from collections import deque

import trio

from mpcnet.algebra import Buffer
from mpcnet.errors import LocalError, PeerViolation, ProgramMismatch
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import FRAME_OVERHEAD

__all__ = ("WINDOW_BYTES", "ByteStream")

WINDOW_BYTES = 2**20
_CHUNK_BYTES = 2**18
_LENGTH_BYTES = 8
_CREDIT_BYTES = 8


class _Sender(typing.Protocol):
    wire_id: bytes
    names: typing.Mapping[int, str]
    finished: set[int]

    async def send(self, peer: int, frame: Frame) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class ByteStream:
    """Both directions between us and one peer, in one fork."""

    def __init__(self, links: _Sender, fork: bytes, peer: int) -> None:
        self._waits: dict[trio.Event, str] = {}
        self._links = links
        self._fork = fork
        self._peer = peer
        self._credit = WINDOW_BYTES
        self._more_credit = trio.Event()
        self._chunks: deque[memoryview] = deque()
        self._buffered = 0
        self._arrived = trio.Event()
        self._sending = trio.Lock()
        self._receiving = False
        self._sent_chunks = 0

    @property
    def waiting(self) -> bool:
        """Whether one of us waits for the peer: for a message, or for credit."""
        return bool(self._waits)

    @property
    def buffered_bytes(self) -> int:
        """What has come and was not taken: bodies, and what Python keeps with each frame."""
        return self._buffered + FRAME_OVERHEAD * len(self._chunks)

    async def send(self, data: Buffer) -> None:
        """Send one message; returns when all of it is with the link."""
        message = memoryview(data).cast("B") if len(data) else memoryview(b"")
        async with self._sending:  # messages of two tasks must not mix
            pending = memoryview(len(message).to_bytes(_LENGTH_BYTES, "little") + message[:_CHUNK_BYTES])
            position = min(len(message), _CHUNK_BYTES)
            while True:
                await self._send_chunk(pending)
                if position == len(message):
                    return
                pending = message[position : position + _CHUNK_BYTES]
                position += len(pending)

    async def _send_chunk(self, chunk: memoryview) -> None:
        while self._credit < len(chunk):
            self._more_credit = trio.Event()
            await self._wait(self._more_credit, "has a message for it")
        self._credit -= len(chunk)
        header = Header(Kind.DATA, self._links.wire_id, self._fork, self._sent_chunks)
        self._sent_chunks += 1
        # The caller may write to its buffer when we return: the link keeps a copy.
        await self._links.send(self._peer, Frame(header, memoryview(bytes(chunk))))

    async def receive(self, max_bytes: int) -> memoryview:
        """The next message, read-only.

        Raises:
            PeerViolation: it is longer than `max_bytes`.
            LocalError: another task receives from this peer in this fork already.
        """
        if self._receiving:
            raise LocalError(f"two tasks receive from {self._links.names[self._peer]} in one fork")
        self._receiving = True
        try:
            return await self._receive(max_bytes)
        finally:
            self._receiving = False

    async def _receive(self, max_bytes: int) -> memoryview:
        first = await self._next_chunk()
        size = int.from_bytes(first[:_LENGTH_BYTES], "little")
        if len(first) < _LENGTH_BYTES or size > max_bytes:
            name = self._links.names[self._peer]
            raise PeerViolation(name, f"sent a message of {size} bytes, where at most {max_bytes} are taken")
        message = bytearray(first[_LENGTH_BYTES:])
        while len(message) < size:
            message += await self._next_chunk()
        if len(message) != size:
            raise PeerViolation(self._links.names[self._peer], "sent more bytes than its message has")
        return memoryview(message).toreadonly()

    async def _next_chunk(self) -> memoryview:
        while not self._chunks:
            self._arrived = trio.Event()
            await self._wait(self._arrived, "waits for its message")
        chunk = self._chunks.popleft()
        self._buffered -= len(chunk)
        header = Header(Kind.CREDIT, self._links.wire_id, self._fork)
        if self._peer not in self._links.finished:  # else it sends nothing more, and may have left
            body = memoryview(len(chunk).to_bytes(_CREDIT_BYTES, "little"))
            await self._links.send(self._peer, Frame(header, body))
        return chunk

    async def _wait(self, event: trio.Event, what: str) -> None:
        if self._peer in self._links.finished:
            raise self._ended(what)
        self._waits[event] = what
        try:
            await event.wait()
        finally:
            del self._waits[event]

    def peer_finished(self) -> None:
        """The peer's program has ended; it will neither send nor take anything more."""
        for event, what in self._waits.items():
            if not event.is_set():
                self._links.fail(self._ended(what))

    def _ended(self, what: str) -> ProgramMismatch:
        name = self._links.names[self._peer]
        return ProgramMismatch(name, f"the program of {name} has ended; ours {what}")

    def deliver_data(self, body: memoryview) -> None:
        """A chunk came.

        Raises:
            PeerViolation: more came than there was credit for, or nothing.
        """
        self._buffered += len(body)
        if self._buffered > WINDOW_BYTES or not len(body):
            raise PeerViolation(self._links.names[self._peer], "sent bytes for which it had no credit")
        self._chunks.append(body)
        self._arrived.set()

    def deliver_credit(self, body: memoryview) -> None:
        """The peer took some.

        Raises:
            PeerViolation: it gives back more than we sent, or nothing.
        """
        granted = int.from_bytes(body, "little")
        # Credit of nothing would cost us a wake-up for each frame, as many as the peer likes.
        if len(body) != _CREDIT_BYTES or not granted or self._credit + granted > WINDOW_BYTES:
            raise PeerViolation(self._links.names[self._peer], "gave credit for bytes that we did not send")
        self._credit += granted
        self._more_credit.set()
