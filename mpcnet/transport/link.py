"""A link: one authenticated connection that carries frames both ways.

Writing is synchronous: `_push` seals and hands to the socket until nothing is left or the socket's buffer is
full. Any task may push: the one that sends, the reader for acknowledgements, the writer task once the socket
is writable again. None of them can be cancelled in the middle, so the counter of the cipher and the bytes on
the wire never part, and none can block the reader. A frame that was queued is sent whole, whatever becomes of
the task that queued it.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from mpcnet.errors import PeerError, PeerLost, PeerViolation
from mpcnet.transport.connection import Connection, ConnectionBroken
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame
from mpcnet.wire.stream import Stream

__all__ = ("Link", "Refused")

# A push stops after about 5 MiB, lest one task with a fast peer keeps the loop for itself.
_PUSH_BATCHES = 16

_SENDS_PER_YIELD = 16


class Refused(Exception):
    """The peer holds its key, and said goodbye instead of READY."""


class Link:
    """One authenticated connection.

    Args:
        connection: connected; the link closes it.
        stream: the machine over the channel that the handshake made.
        incarnation: the peer's.
        timing: of this party.
    """

    def __init__(self, connection: Connection, stream: Stream, incarnation: bytes, timing: Timing) -> None:
        self.incarnation: bytes = incarnation
        self.finished: trio.Event = trio.Event()
        self._connection = connection
        self._stream = stream
        self._timing = timing
        self._name = stream.peer
        self._scope = trio.CancelScope()
        self._outcome: PeerError | None = None
        self._is_down = False
        self._leaving = False
        self._room = trio.lowlevel.ParkingLot()
        self._heard = trio.lowlevel.ParkingLot()
        self._last_heard = trio.current_time()
        self._receipts = 0
        self._sends_until_yield = _SENDS_PER_YIELD
        self._wake_writer = trio.Event()
        self._writer_waits = False
        self._write_is_broken = False
        self._flushed = trio.Event()

    def open(self) -> None:
        """Send READY: we are content with this connection."""
        self._stream.ready()
        self._push()

    async def wait_ready(self) -> None:
        """Wait for the peer's READY: the proof that it is there now, and not a recording.

        Raises:
            Refused: it said goodbye instead.
            ConnectionBroken: the connection ended.
            PeerViolation: something else came.
        """
        while not self._stream.greeted():
            if self._stream.peer_has_closed:
                raise Refused
            if not await self._receive():
                raise ConnectionBroken("the connection ended")

    def refuse(self) -> None:
        """Say goodbye instead of READY, and close. For a link that does not run."""
        self._stream.close()
        self._push()
        self.close()

    def close(self) -> None:
        """Close without a word. For a link that does not run."""
        self._connection.close()
        self._stream.wipe()

    async def run(self, deliver: Callable[[Frame], None]) -> PeerError | None:
        """Carry frames until the link ends.

        Args:
            deliver: called with each frame that came.

        Returns:
            Why it ended; None after the peer's goodbye.
        """
        self._last_heard = trio.current_time()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_on)
                    nursery.start_soon(self._keep_alive)
                    self._outcome = await self._read(deliver)
                    nursery.cancel_scope.cancel()
        finally:
            self._is_down = True
            self.close()
            self._flushed.set()
            self._room.unpark_all()
            self._heard.unpark_all()
        return self._outcome

    def stop(self, error: PeerError) -> None:
        """End it now, for this reason."""
        if not self._is_down:
            self._outcome = error
            self._scope.cancel()

    async def send(self, frame: Frame) -> None:
        """Queue a frame; wait only while the outbox is over its bound.

        Raises:
            PeerLost: the link is down, goes down meanwhile, or is being left.
            LocalError: not a frame that the session may send, or over the limit.
        """
        if not self.send_now(frame):
            await self._wait_for_room()
            self._queue(frame)
        await self._yield()

    def send_now(self, frame: Frame) -> bool:
        """Queue a frame if that does not take waiting; else False, and `send` is for it.

        Raises:
            LocalError: as for `send`.
        """
        if not (self._is_open and self._stream.has_room):
            return False
        self._queue(frame)
        return True

    def _queue(self, frame: Frame) -> None:
        if not (self._writer_waits or self._write_is_broken):
            sealed = self._stream.seal_alone(frame)
            if sealed is not None:
                self._send_alone(sealed)
                return
        self._stream.queue(frame)
        self._push()

    def _send_alone(self, sealed: memoryview) -> None:
        try:
            count = self._connection.try_send(sealed)
        except ConnectionBroken:
            self._write_broke()
            return
        self._stream.sent(count)
        if count < len(sealed):
            self._writer_waits = True
            self._wake_writer.set()

    async def say_goodbye(self) -> None:
        """Send what is queued and CLOSE, and wait for the peer's; each for a bounded time."""
        self._leaving = True
        self._room.unpark_all()
        self._stream.close()
        self._push()
        with trio.move_on_after(self._timing.flush_seconds):
            await self._flushed.wait()
        with trio.move_on_after(self._timing.goodbye_seconds):
            await self.finished.wait()

    async def answers(self) -> bool:
        """Whether the peer gives a sign of life within `answer_seconds`."""
        before = self._receipts
        self._stream.ping()
        self._push()
        with trio.move_on_after(self._timing.answer_seconds):
            await self._heard.park()
        return not self._is_down and self._receipts > before

    @property
    def _is_open(self) -> bool:
        return not self._is_down and not self._leaving and not self._stream.peer_has_closed

    async def _wait_for_room(self) -> None:
        while self._is_open and not self._stream.has_room:
            await self._room.park()
        if not self._is_open:
            await trio.lowlevel.checkpoint()
            raise PeerLost(self._name, "the link to it is down")

    async def _yield(self) -> None:
        # A pass through trio's scheduler costs as much as sealing a small frame: only every so often, which is
        # enough for others to run. Cancellation is noticed each time.
        self._sends_until_yield -= 1
        if self._sends_until_yield > 0:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self._sends_until_yield = _SENDS_PER_YIELD
            await trio.lowlevel.checkpoint()

    async def _read(self, deliver: Callable[[Frame], None]) -> PeerError | None:
        try:
            while True:
                while (frame := self._stream.next_frame()) is not None:
                    deliver(frame)
                self._after_reading()
                if self._stream.peer_has_closed:
                    return await self._part()
                if not await self._receive():
                    return PeerLost(self._name, "the connection ended without goodbye")
        except PeerViolation as error:
            return error
        except ConnectionBroken as error:
            return PeerLost(self._name, str(error))

    async def _receive(self) -> int:
        count = await self._connection.receive_into(self._stream.space())
        self._stream.filled(count)
        if count:
            self._receipts += 1
            self._last_heard = trio.current_time()
        return count

    def _after_reading(self) -> None:
        """Send the acknowledgements and answers that are due, and let waiting senders go on."""
        if self._stream.has_answer:
            self._push()
        if self._heard:
            self._heard.unpark_all()
        if self._room and self._stream.has_room:
            self._room.unpark_all()

    async def _part(self) -> PeerError | None:
        """The peer said goodbye: send ours."""
        with trio.move_on_after(self._timing.goodbye_seconds):
            await self._flushed.wait()
        if self._stream.is_whole or self._leaving:
            return None
        return PeerLost(self._name, "it said goodbye in the middle of a frame")

    def _push(self) -> None:
        """Send what can be sent without waiting; wake the writer for the rest."""
        if self._writer_waits or self._write_is_broken:
            return
        try:
            for _ in range(_PUSH_BATCHES):
                batch = self._stream.outgoing()
                if not batch:
                    self._all_sent()
                    return
                count = self._connection.try_send(batch)
                self._stream.sent(count)
                if count < len(batch):
                    break
        except ConnectionBroken:
            self._write_broke()
            return
        self._writer_waits = True
        self._wake_writer.set()

    def _write_broke(self) -> None:
        # The reader ends the link, after it has read what the peer said last.
        self._write_is_broken = True
        self._flushed.set()

    def _all_sent(self) -> None:
        if self._stream.is_closed and not self._flushed.is_set():
            self._connection.end_sending()
            self._flushed.set()

    async def _write_on(self) -> None:
        """Go on with what `_push` could not send at once."""
        while True:
            await self._wake_writer.wait()
            self._wake_writer = trio.Event()
            await self._connection.wait_writable()
            self._writer_waits = False
            self._push()

    async def _keep_alive(self) -> None:
        timing = self._timing
        while True:
            quiet = trio.current_time() - self._last_heard
            if quiet >= timing.drop_after_seconds:
                # Perhaps our own loop was blocked, and what came meanwhile has not been read yet: ask once
                # more.
                if not await self.answers():
                    self.stop(PeerLost(self._name, f"nothing came from it for {quiet:.0f} s"))
                    return
            elif quiet >= timing.ping_after_seconds:
                self._stream.ping()
                self._push()
                await trio.sleep(min(timing.ping_after_seconds, timing.drop_after_seconds - quiet))
            else:
                await trio.sleep(timing.ping_after_seconds - quiet)
