"""The sending half of a link, without a socket: frames in, sealed batches out.

Theory of operation. A frame waits in one of three lanes and leaves as an item of a record (`items`):

    link    frames of the link itself, ahead of all others and without a number
    fast    small frames
    slow    big frames, and the small ones that must not overtake one of them

    lanes ──▶ items, or a piece of a big body ──▶ record ──▶ batch ──▶ what the socket takes

One big frame at a time is on its way. It goes in runs of `RUN_BYTES`, and between two runs pass the frames of the
other lanes, so that such a frame waits for one run at most. In a run (`_run_left`) records hold nothing but the
body; between runs (`_big`, nothing left of a run) they hold items, of which the last says that the next run begins.

Invariants:

- A batch is sealed only when the one before was sent to its last byte. So the counter of the cipher and the bytes
  on the wire go in step, and a sender that finds a batch half sent, because another one was cancelled, goes on with
  it.
- A frame gets its number when it is sealed. The receiver sees each number once and no gap, whichever lane it took.
- `_outstanding_bytes` counts each frame from the moment when it is queued until it is acknowledged.
- `_slow_streams` and `_slow_jobs` count what is in the slow lane or on its way from there, by stream and by job.

Orders that matter:

- Frames of one stream, that is of one fork of a job, keep their order. Frames without a fork speak for the whole
  job and keep theirs with all of its streams. All others may pass each other, since no program can notice it.
- An ABORT overtakes everything of its job, whose other bytes are worthless then.
- The slow lane waits for fast frames that were queued before it (`place`): some may belong to its stream.
- After the peer's goodbye (`abandon`) a run that was begun is finished, since records of another form would break
  the stream that the peer still reads to its end; nothing else is begun.
"""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from mpcnet.errors import LocalError
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import SESSION_KINDS_START, Frame, Header, Kind
from mpcnet.wire.items import CONTINUE_ITEM, PRELUDE_BYTES, SMALL, START, is_small, pack_prelude
from mpcnet.wire.limits import (
    BATCH_RECORDS,
    FRAME_OVERHEAD,
    RECORD_MAX,
    RECORD_PLAINTEXT_MAX,
    RUN_BYTES,
    Limits,
    RecordCipher,
)

__all__ = ("Outgoing",)


_NOTHING = memoryview(b"")


class _Entry:
    """A frame that waits to be sealed, when it gets its number."""

    __slots__ = ("body", "body_bytes", "encoded", "header", "item_bytes", "number", "place")

    def __init__(self, header: Header, encoded: bytes, body: memoryview, place: int) -> None:
        self.header = header
        self.encoded = encoded
        self.body = body
        self.place = place
        self.number = 0
        self.body_bytes = len(body)
        # Size of the item, if it is a small frame.
        self.item_bytes = PRELUDE_BYTES + len(encoded) + self.body_bytes

    @property
    def is_small(self) -> bool:
        return is_small(len(self.encoded), self.body_bytes)

    @property
    def counted_bytes(self) -> int:
        return self.body_bytes + FRAME_OVERHEAD

    def prelude(self, tag: int) -> bytes:
        return pack_prelude(tag, self.number, len(self.encoded), self.body_bytes)


class Outgoing:
    """Orders, numbers, cuts and seals frames; counts them until they are acknowledged.

    Args:
        cipher: seals records.
        limits: of this party.
    """

    def __init__(self, cipher: RecordCipher, limits: Limits) -> None:
        self._cipher = cipher
        self._limits = limits
        self._link: deque[_Entry] = deque()
        self._fast: deque[_Entry] = deque()
        self._slow: deque[_Entry] = deque()
        self._slow_streams: Counter[tuple[bytes, bytes]] = Counter()
        self._slow_jobs: Counter[bytes] = Counter()
        # Number and counted bytes of what was sealed. Bodies are not kept: a link does not outlive its connection.
        self._unacknowledged: deque[tuple[int, int]] = deque()
        self._outstanding_bytes = 0
        self._places = 0
        self._last_number = 0
        self._big: _Entry | None = None
        self._big_at = 0
        self._run_left = 0
        self._abandoned = False
        # Left uninitialised: only what was sealed into it is sent, and most links never fill it.
        self._buffer = np.empty(BATCH_RECORDS * RECORD_MAX, dtype=np.uint8).data
        self._at = self._end = 0

    @property
    def has_room(self) -> bool:
        """Whether the outbox is within its bound, so that one more frame may come."""
        if self._outstanding_bytes <= self._limits.outbox_bytes:
            return True
        # The oldest frame does not count: while it alone fills the outbox, small ones must be able to pass it.
        return self._outstanding_bytes - self._oldest_bytes() <= self._limits.outbox_bytes

    def _oldest_bytes(self) -> int:
        if self._unacknowledged:
            return self._unacknowledged[0][1]
        waiting = self._slow or self._fast
        return waiting[0].counted_bytes if waiting else 0

    @property
    def last_number(self) -> int:
        """Number of the latest frame that was sealed; an acknowledgement beyond it is a lie."""
        return self._last_number

    def queue(self, frame: Frame) -> None:
        """Queue a frame of the session. Its body must not be written from now on.

        Raises:
            LocalError: the kind belongs to the link, or the body is over the limit.
        """
        header, body = frame.header, frame.body
        self._check(header, len(body))
        entry = self._entry(header, body)
        self._outstanding_bytes += entry.counted_bytes
        if entry.is_small and not (self._slow_jobs and self._must_wait(header)):
            self._fast.append(entry)
        else:
            self._slow.append(entry)
            self._slow_streams[header.job, header.fork] += 1
            self._slow_jobs[header.job] += 1

    def seal_alone(self, frame: Frame) -> memoryview | None:
        """Seal a small frame at once if no other one waits: the bytes to send.

        Rounds of short programs are such frames, and each passes here on its way; the lanes are for all others.

        Returns:
            None if it is not small or another frame waits; then the frame is for `queue`.
        Raises:
            LocalError: as for `queue`.
        """
        header, body = frame.header, frame.body
        size = len(body)
        encoded = encode_header(header)
        if not (is_small(len(encoded), size) and self.is_idle):
            return None
        self._check(header, size)
        self._outstanding_bytes += size + FRAME_OVERHEAD
        number = self._next_number(size + FRAME_OVERHEAD)
        item = b"".join((pack_prelude(SMALL, number, len(encoded), size), encoded, body))
        self._at, self._end = 0, self._cipher.seal_into(item, self._buffer)
        return self._buffer[: self._end]

    def _check(self, header: Header, size: int) -> None:
        if header.kind < SESSION_KINDS_START:
            raise LocalError(f"{header.kind.name} frames are the link's own")
        if size > self._limits.max_frame_bytes:
            raise LocalError(f"a frame of {size} bytes is over the limit of {self._limits.max_frame_bytes}")

    def queue_link(self, header: Header, body: bytes) -> None:
        """Queue a frame of the link itself: unnumbered, ahead of all others, never kept."""
        self._link.append(self._entry(header, memoryview(body)))

    def abandon(self) -> None:
        """Forget what was not begun: the peer said goodbye and would drop it."""
        for lane in (self._fast, self._slow, self._unacknowledged):
            lane.clear()
        # A run that was begun must be finished; what follows it may be left out.
        self._abandoned = True
        if not self._run_left:
            self._big = None
        self._slow_streams.clear()
        self._slow_jobs.clear()
        self._outstanding_bytes = 0

    @property
    def is_idle(self) -> bool:
        """Whether every frame was sealed and sent, although perhaps not acknowledged."""
        return self._at == self._end and not (self._fast or self._link or self._slow or self._big)

    def acknowledged(self, number: int) -> None:
        """The peer has every frame up to this number; drop them."""
        while self._unacknowledged and self._unacknowledged[0][0] <= number:
            self._outstanding_bytes -= self._unacknowledged.popleft()[1]

    def outgoing(self) -> memoryview:
        """The bytes to send next: the rest of a batch, or a new batch. Empty if there is nothing to send."""
        if self._at == self._end:
            if self.is_idle:
                return _NOTHING
            self._seal_batch()
        return self._buffer[self._at : self._end]

    def sent(self, count: int) -> None:
        """The socket took the first `count` bytes of what `outgoing` showed."""
        if not 0 <= count <= self._end - self._at:
            raise LocalError(f"{count} bytes cannot have been sent of {self._end - self._at}")
        self._at += count

    def _entry(self, header: Header, body: memoryview) -> _Entry:
        self._places += 1
        return _Entry(header, encode_header(header), body, self._places)

    def _must_wait(self, header: Header) -> bool:
        if header.kind is Kind.ABORT or not self._slow_jobs[header.job]:
            return False
        streams = self._slow_streams
        return not header.fork or streams[header.job, header.fork] > 0 or streams[header.job, b""] > 0

    def _seal_batch(self) -> None:
        self._at = end = 0
        for _ in range(BATCH_RECORDS):
            plaintext: bytes | memoryview
            if self._run_left:
                plaintext = self._next_piece()
            elif self._fast or self._link or self._slow or self._big:
                plaintext = self._next_items()
            else:
                break
            end += self._cipher.seal_into(plaintext, self._buffer[end:])
        self._end = end

    def _next_piece(self) -> memoryview:
        """The next record of a run: it holds nothing but the body."""
        big = self._big
        if big is None:
            raise LocalError("a run of body records needs a big frame")
        size = min(self._run_left, RECORD_PLAINTEXT_MAX)
        piece = big.body[self._big_at : self._big_at + size]
        self._big_at += size
        self._run_left -= size
        if self._big_at == big.body_bytes:
            self._big = None
            self._left_slow_lane(big)
        elif self._abandoned and not self._run_left:
            self._big = None
        return piece

    def _next_items(self) -> bytes:
        """The plaintext of the next record that holds items. A frame waits."""
        parts: list[bytes | memoryview] = []
        room = RECORD_PLAINTEXT_MAX - len(CONTINUE_ITEM)
        for lane in (self._link, self._fast):
            while lane and lane[0].item_bytes <= room:
                room -= self._pack_small(lane.popleft(), parts)
        if self._big is not None:
            parts.append(CONTINUE_ITEM)
            self._start_run(self._big)
        elif self._slow:
            self._pack_slow(parts, room)
        return b"".join(parts)

    def _pack_small(self, entry: _Entry, parts: list[bytes | memoryview]) -> int:
        self._give_number(entry)
        parts += (entry.prelude(SMALL), entry.encoded, entry.body)
        return entry.item_bytes

    def _pack_slow(self, parts: list[bytes | memoryview], room: int) -> None:
        # Not before the fast frames that were queued earlier: some may belong to the same stream.
        while self._slow and not (self._fast and self._fast[0].place < self._slow[0].place):
            entry = self._slow[0]
            if not entry.is_small:
                self._begin(entry, parts, room)
                return
            if entry.item_bytes > room:
                return
            self._slow.popleft()
            room -= self._pack_small(entry, parts)
            self._left_slow_lane(entry)

    def _begin(self, entry: _Entry, parts: list[bytes | memoryview], room: int) -> None:
        if PRELUDE_BYTES + len(entry.encoded) > room:
            return
        self._slow.popleft()
        self._big, self._big_at = entry, 0
        self._give_number(entry)
        parts += (entry.prelude(START), entry.encoded)
        self._start_run(entry)

    def _start_run(self, big: _Entry) -> None:
        self._run_left = min(big.body_bytes - self._big_at, RUN_BYTES)

    def _left_slow_lane(self, entry: _Entry) -> None:
        # Counters keep zeros; a long-lived link must not collect one for each job it ever carried.
        job, fork = entry.header.job, entry.header.fork
        self._slow_streams[job, fork] -= 1
        if self._slow_streams[job, fork] <= 0:
            del self._slow_streams[job, fork]
        self._slow_jobs[job] -= 1
        if self._slow_jobs[job] <= 0:
            del self._slow_jobs[job]

    def _give_number(self, entry: _Entry) -> None:
        if entry.header.kind < SESSION_KINDS_START:
            return
        entry.number = self._next_number(entry.counted_bytes)

    def _next_number(self, counted_bytes: int) -> int:
        """The number of a frame that is sealed now, and is unacknowledged from then on."""
        self._last_number += 1
        self._unacknowledged.append((self._last_number, counted_bytes))
        return self._last_number
