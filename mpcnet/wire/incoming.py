"""The receiving half of a link, without a socket: bytes in, frames out.

    space() -> view     write received bytes there
    filled(n)           so many were written
    next_frame()        a whole frame, or None when more bytes are needed, or PeerViolation; then failed for
    good

Small frames are copied out of a scratch record. The body of a big frame is decrypted straight into its own
memory, which is allocated once its header was admitted, and shown only when it is complete: `open_into`
leaves no unauthenticated bytes, and a body that breaks off is wiped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import PeerViolation
from mpcnet.primitives import wipe
from mpcnet.wire.codec import decode_header_untrusted
from mpcnet.wire.frames import Frame, Header
from mpcnet.wire.items import CONTINUE, PRELUDE_BYTES, SMALL, START, is_small, unpack_prelude
from mpcnet.wire.limits import (
    ACK_EVERY_BYTES,
    ACK_EVERY_FRAMES,
    FRAME_OVERHEAD,
    HEADER_MAX,
    RECEIVE_BUFFER_BYTES,
    RECORD_OVERHEAD,
    RECORD_PLAINTEXT_MAX,
    RUN_BYTES,
    Limits,
    RecordCipher,
)

__all__ = ("Admit", "Incoming")

# Raises PeerViolation to refuse a body of that many bytes.
Admit = Callable[[Header, int], None]

_LENGTH_BYTES = 2
_TAG_BYTES = RECORD_OVERHEAD - _LENGTH_BYTES


class _Big:
    """A big frame on its way: its header, and the memory its body is decrypted into."""

    __slots__ = ("at", "body", "header", "memory", "number", "size")

    def __init__(self, header: Header, number: int, size: int) -> None:
        self.header = header
        self.number = number
        self.size = size
        self.at = 0
        # Left uninitialised: nobody sees it before every byte was decrypted into it.
        self.memory: NDArray[np.uint8] = np.empty(size, dtype=np.uint8)
        self.body = self.memory.data

    def frame(self) -> Frame:
        return Frame(self.header, self.body.toreadonly())


class Incoming:
    """Opens records, checks what they hold, and puts frames together.

    Args:
        cipher: opens records.
        limits: of this party.
        peer: name of who sends, for errors.
        admit: called for each frame of the session before memory is given to its body.
    """

    def __init__(self, cipher: RecordCipher, limits: Limits, peer: str, admit: Admit) -> None:
        self._cipher = cipher
        self._limits = limits
        self._peer = peer
        self._admit = admit
        self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._read = self._write = 0
        self._items = memoryview(bytearray(RECORD_PLAINTEXT_MAX))
        self._item_at = self._items_end = 0
        self._big: _Big | None = None
        self._run_left = 0
        self._last_number = 0
        self._unacknowledged_frames = self._unacknowledged_bytes = 0
        self._failure: PeerViolation | None = None

    @property
    def complete_number(self) -> int:
        """Every frame up to this number came whole: what an acknowledgement says."""
        return self._last_number if self._big is None else self._big.number - 1

    @property
    def ack_is_due(self) -> bool:
        """Whether so much came since the last acknowledgement that the sender should hear of it."""
        return self._unacknowledged_frames >= ACK_EVERY_FRAMES or self._unacknowledged_bytes >= ACK_EVERY_BYTES

    @property
    def is_between_frames(self) -> bool:
        """Whether nothing is half received: no part of a record and no part of a big frame."""
        return self._read == self._write and self._item_at == self._items_end and self._big is None

    def ack_sent(self) -> None:
        """An acknowledgement of `complete_number` leaves now."""
        self._unacknowledged_frames = self._unacknowledged_bytes = 0

    def space(self) -> memoryview:
        """Where to write received bytes: never empty once `next_frame` returned None."""
        if self._read == self._write:
            self._read = self._write = 0
        elif len(self._buffer) - self._write < RECORD_PLAINTEXT_MAX + RECORD_OVERHEAD:
            rest = self._write - self._read
            self._buffer[:rest] = self._buffer[self._read : self._write]
            self._read, self._write = 0, rest
        return self._buffer[self._write :]

    def filled(self, count: int) -> None:
        """The first `count` bytes of `space()` were written."""
        self._write += count

    def next_frame(self) -> Frame | None:
        """The next whole frame, or None if it takes more bytes.

        Raises:
            PeerViolation: the peer broke the protocol. The machine has failed; every later call raises it
            again.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._advance()
        except PeerViolation as error:
            self.fail(error)
            raise

    def fail(self, error: PeerViolation) -> None:
        """The peer broke the protocol, here or in what the stream found in a frame: give up for good."""
        self._failure = error
        self.wipe()

    def wipe(self) -> None:
        """Forget a body that will never be complete."""
        wipe(self._items)
        self._item_at = self._items_end = 0
        if self._big is not None:
            self._big.memory.fill(0)
            self._big = None

    def _advance(self) -> Frame | None:
        while True:
            if self._item_at < self._items_end:
                frame = self._next_item()
            else:
                record = self._next_record()
                if record is None:
                    return None
                frame = self._open(record)
            if frame is not None:
                return frame

    def _next_record(self) -> memoryview | None:
        have = self._write - self._read
        if have < _LENGTH_BYTES:
            return None
        length = self._buffer[self._read] << 8 | self._buffer[self._read + 1]
        if self._run_left or length <= _TAG_BYTES:
            self._check_length(length - _TAG_BYTES)
        if have < _LENGTH_BYTES + length:
            return None
        start = self._read + _LENGTH_BYTES
        self._read = start + length
        return self._buffer[start : self._read]

    def _check_length(self, plaintext_bytes: int) -> None:
        """Refuse a length before its bytes are awaited: in a run the next record's length is known."""
        if self._run_left:
            expected = min(self._run_left, RECORD_PLAINTEXT_MAX)
            if plaintext_bytes != expected:
                raise PeerViolation(
                    self._peer, f"a record of a big frame holds {plaintext_bytes} bytes instead of {expected}"
                )
        else:
            raise PeerViolation(self._peer, "a record is empty or shorter than its tag")

    def _open(self, record: memoryview) -> Frame | None:
        big = self._big
        if not self._run_left or big is None:
            self._item_at, self._items_end = 0, self._cipher.open_into(record, self._items)
            return None
        size = len(record) - _TAG_BYTES
        self._cipher.open_into(record, big.body[big.at : big.at + size])
        big.at += size
        self._run_left -= size
        if big.at < big.size:
            return None
        self._big = None
        self._count(big.size)
        return big.frame()

    def _next_item(self) -> Frame | None:
        tag = self._items[self._item_at]
        if tag == CONTINUE:
            self._item_at += 1
            self._go_on()
            return None
        if tag not in (SMALL, START):
            raise PeerViolation(self._peer, f"items of type {tag} do not exist", {"tag": tag})
        _, number, header_bytes, body_bytes = unpack_prelude(self._take(PRELUDE_BYTES))
        if header_bytes > HEADER_MAX:
            raise PeerViolation(
                self._peer, f"a frame's header has {header_bytes} bytes; at most {HEADER_MAX} are allowed"
            )
        header = decode_header_untrusted(bytes(self._take(header_bytes)), self._peer)
        self._check_frame(header, number, body_bytes)
        if tag == START:
            self._start(header, number, header_bytes, body_bytes)
            return None
        return self._small(header, body_bytes)

    def _take(self, size: int) -> memoryview:
        if size > self._items_end - self._item_at:
            raise PeerViolation(self._peer, "an item goes beyond the end of its record")
        self._item_at += size
        return self._items[self._item_at - size : self._item_at]

    def _check_frame(self, header: Header, number: int, body_bytes: int) -> None:
        if not header.kind.is_session:
            if number:
                raise PeerViolation(self._peer, f"{header.kind.name} frames carry no number")
            return
        expected = self._last_number + 1
        if number != expected:
            raise PeerViolation(
                self._peer,
                f"a frame carries number {number}; {expected} was expected",
                {"number": number, "expected": expected, "kind": header.kind.name},
            )
        if body_bytes > self._limits.max_frame_bytes:
            allowed = self._limits.max_frame_bytes
            raise PeerViolation(
                self._peer,
                f"a {header.kind.name} frame has {body_bytes} bytes; at most {allowed} are allowed",
            )
        self._admit(header, body_bytes)
        self._last_number = number

    def _small(self, header: Header, body_bytes: int) -> Frame:
        # A copy, lest one retained body of ten bytes keeps a whole record alive.
        body = memoryview(bytes(self._take(body_bytes)))
        if header.kind.is_session:
            self._count(body_bytes)
        return Frame(header, body)

    def _start(self, header: Header, number: int, header_bytes: int, body_bytes: int) -> None:
        if self._big is not None:
            raise PeerViolation(self._peer, "a big frame begins within another one")
        if not header.kind.is_session:
            raise PeerViolation(self._peer, f"a {header.kind.name} frame is never big")
        if is_small(header_bytes, body_bytes):
            raise PeerViolation(self._peer, f"a frame of {body_bytes} bytes is sent as a big one")
        self._big = _Big(header, number, body_bytes)
        self._go_on()

    def _go_on(self) -> None:
        if self._big is None:
            raise PeerViolation(self._peer, "a big frame goes on that never began")
        if self._item_at != self._items_end:
            raise PeerViolation(self._peer, "an item follows the start of a run in its record")
        self._run_left = min(self._big.size - self._big.at, RUN_BYTES)

    def _count(self, body_bytes: int) -> None:
        self._unacknowledged_frames += 1
        self._unacknowledged_bytes += body_bytes + FRAME_OVERHEAD
