"""The receiving half of a link, without a socket: bytes in, frames out.

    space() -> view     write received bytes there
    filled(n)           so many were written
    next_frame()        a whole frame, or None when more bytes are needed, or PeerViolation; then failed for good

Theory of operation. Bytes become records, records are opened, and what they hold depends on the state:

    items     the record holds items: whole small frames; the last may start a big frame, or its next run
    run       the record holds the next piece of the big frame's body and nothing else; its length is known
    failed    the peer broke the protocol; every call of `next_frame` raises that again

A big frame may rest between two runs (`_big`, state items) while small ones pass. A second one must not begin then.

Invariants:

- Only authentic bytes are shown. `open_into` leaves no others, the body of a big frame is shown when it is whole,
  and one that breaks off is wiped.
- Memory is given last: the header is decoded, its number compared and its size admitted before there is room for
  the body, which is decrypted straight into its place. Small frames are copied out of the record, lest one retained
  body of ten bytes keeps a whole record alive.
- Numbers are checked when a frame begins, and count as complete (`complete_number`) when its last byte came.
- A length that cannot be right is refused before its bytes are awaited.

A frame that the session does not want is read to its end like any other, since the peer may have sent it in good
faith. Its body is decrypted into the scratch record and is never whole in memory.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import wipe
from mpcnet.wire.codec import decode_header_untrusted
from mpcnet.wire.frames import SESSION_KINDS_START, Frame, Header
from mpcnet.wire.items import CONTINUE, PRELUDE_BYTES, SMALL, START, is_small, unpack_prelude
from mpcnet.wire.limits import (
    ACK_EVERY_BYTES,
    ACK_EVERY_FRAMES,
    FRAME_OVERHEAD,
    RECEIVE_BUFFER_BYTES,
    RECORD_OVERHEAD,
    RECORD_PLAINTEXT_MAX,
    RUN_BYTES,
    Limits,
    RecordCipher,
)

__all__ = ("Admit", "Incoming")

# Whether a body of that many bytes is wanted; False reads and forgets it. Raises PeerViolation to refuse it.
Admit = Callable[[Header, int], bool]

_LENGTH_BYTES = 2
_TAG_BYTES = RECORD_OVERHEAD - _LENGTH_BYTES


class _Big:
    """A big frame on its way: its header, and the memory into which its body is decrypted if it is wanted."""

    __slots__ = ("_body", "at", "header", "number", "size")

    def __init__(self, header: Header, number: int, size: int, *, wanted: bool) -> None:
        self.header = header
        self.number = number
        self.size = size
        self.at = 0
        # Left uninitialised: it is shown only when every byte was decrypted into it.
        self._body: memoryview | None = np.empty(size, dtype=np.uint8).data if wanted else None

    def place(self, size: int, scratch: memoryview) -> memoryview:
        """Where the next bytes of the body are decrypted to."""
        return scratch if self._body is None else self._body[self.at : self.at + size]

    def frame(self) -> Frame | None:
        """The whole frame, if it is wanted."""
        return None if self._body is None else Frame(self.header, self._body.toreadonly())

    def wipe(self) -> None:
        """Forget what came of the body."""
        if self._body is not None:
            np.frombuffer(self._body, dtype=np.uint8).fill(0)


class Incoming:
    """Opens records, checks what they hold, and puts frames together.

    Args:
        cipher: opens records.
        limits: of this party.
        peer: the sender's name, for errors.
        admit: called for each frame of the session before memory is given to its body; False forgets the frame.
    """

    def __init__(self, cipher: RecordCipher, limits: Limits, peer: str, admit: Admit) -> None:
        self._cipher = cipher
        self._limits = limits
        self._peer = peer
        self._admit = admit
        # Left uninitialised, like all memory here: only bytes that were received or decrypted are read.
        self._buffer = np.empty(RECEIVE_BUFFER_BYTES, dtype=np.uint8).data
        self._read = self._write = 0
        self._items: memoryview = np.empty(RECORD_PLAINTEXT_MAX, dtype=np.uint8).data
        self._item_at: int = 0
        self._items_end: int = 0
        self._big: _Big | None = None
        self._run_left = 0
        self._last_number = 0
        self._unacknowledged_frames = self._unacknowledged_bytes = 0
        self._failure: PeerViolation | None = None
        self._likely: tuple[bytes, Header] | None = None

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

    def expect(self, encoded: bytes, header: Header) -> None:
        """Note that this header may well come next: equal bytes need not be decoded again."""
        self._likely = encoded, header

    def ack_sent(self) -> None:
        """Note that an acknowledgement of `complete_number` leaves now."""
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
            PeerViolation: the peer broke the protocol. The machine has failed; every later call raises it again.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._advance()
        except PeerViolation as error:
            self.fail(error)
            raise

    def fail(self, error: PeerViolation) -> None:
        """Give up for good: the peer broke the protocol, here or in what the stream found in a frame."""
        self._failure = error
        self.wipe()

    def wipe(self) -> None:
        """Forget a body that will never be complete."""
        wipe(self._items)
        self._item_at = self._items_end = 0
        if self._big is not None:
            self._big.wipe()
            self._big = None

    def _advance(self) -> Frame | None:
        while True:
            if self._item_at == self._items_end:
                record = self._next_record()
                if record is None:
                    return None
                if self._run_left:
                    frame = self._open_piece(record)
                else:
                    self._items_end = self._cipher.open_into(record, self._items)
                    self._item_at = 0
                    frame = self._next_item()
            else:
                frame = self._next_item()
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

    def _open_piece(self, record: memoryview) -> Frame | None:
        big = self._big
        if big is None:
            raise LocalError("a run of body records needs a big frame")
        size = len(record) - _TAG_BYTES
        self._cipher.open_into(record, big.place(size, self._items))
        big.at += size
        self._run_left -= size
        if big.at < big.size:
            return None
        self._big = None
        self._count(big.size)
        return big.frame()

    def _next_item(self) -> Frame | None:
        items, at, end = self._items, self._item_at, self._items_end
        tag = items[at]
        if tag == CONTINUE:
            self._item_at += 1
            self._go_on()
            return None
        if tag not in (SMALL, START):
            raise PeerViolation(self._peer, f"items of type {tag} do not exist", {"tag": tag})
        header_at = at + PRELUDE_BYTES
        if header_at > end:
            raise self._cut_item()
        _, number, header_bytes, body_bytes = unpack_prelude(items, at)
        body_at = header_at + header_bytes
        if body_at > end:
            raise self._cut_item()
        header = self._header(items[header_at:body_at])
        self._item_at = body_at
        wanted = self._is_wanted(header, number, body_bytes)
        if tag == START:
            self._start(header, number, header_bytes, body_bytes, wanted=wanted)
            return None
        self._item_at += body_bytes
        if self._item_at > end:
            raise self._cut_item()
        if header.kind >= SESSION_KINDS_START:
            self._count(body_bytes)
        # A copy: the record is used again.
        return Frame(header, memoryview(bytes(items[body_at : self._item_at]))) if wanted else None

    def _header(self, encoded: memoryview) -> Header:
        likely = self._likely
        if likely is not None and bytes(encoded) == likely[0]:
            return likely[1]
        return decode_header_untrusted(encoded, self._peer)

    def _cut_item(self) -> PeerViolation:
        return PeerViolation(self._peer, "an item goes beyond the end of its record")

    def _is_wanted(self, header: Header, number: int, body_bytes: int) -> bool:
        """Whether the frame, if it is legal here, is to be kept."""
        if header.kind < SESSION_KINDS_START:
            if number:
                raise PeerViolation(self._peer, f"{header.kind.name} frames carry no number")
            return True
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
        wanted = self._admit(header, body_bytes)
        self._last_number = number
        return wanted

    def _start(self, header: Header, number: int, header_bytes: int, body_bytes: int, *, wanted: bool) -> None:
        if self._big is not None:
            raise PeerViolation(self._peer, "a big frame begins within another one")
        if header.kind < SESSION_KINDS_START:
            raise PeerViolation(self._peer, f"a {header.kind.name} frame is never big")
        if is_small(header_bytes, body_bytes):
            raise PeerViolation(self._peer, f"a frame of {body_bytes} bytes is sent as a big one")
        self._big = _Big(header, number, body_bytes, wanted=wanted)
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
