"""Both halves of a link, without a socket, and the link's own frames.

    READY     first in each direction; the link carries nothing else before it
    ACK       how many frames came
    PING      answered by PONG, which shows that the peer is alive
    CLOSE     last in its direction; a stream that ends without it was cut

Each of them carries the number up to which all frames of the other direction came (8 bytes), so that every
sign of life is an acknowledgement too. None of them is queued twice: a flood of PING costs the sender, not
us.
"""

from __future__ import annotations

from mpcnet.errors import PeerViolation
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import SESSION_KINDS_START, Frame, Header, Kind
from mpcnet.wire.incoming import Admit, Incoming
from mpcnet.wire.items import ACK_BYTES, pack_ack, unpack_ack
from mpcnet.wire.limits import Limits, RecordCipher
from mpcnet.wire.outgoing import Outgoing

__all__ = ("Stream",)

# The order in which the link's own frames leave when several are due.
_ORDER = (Kind.READY, Kind.PONG, Kind.PING, Kind.ACK)


class Stream:
    """One authenticated connection as a machine: bytes in, frames out; frames in, bytes out.

    Args:
        peer: its name, for errors.
        cipher: the channel that the handshake made.
        limits: of this party.
        admit: called for each frame of the session before memory is given to its body; False reads the frame and
            forgets it.
    """

    def __init__(self, peer: str, cipher: RecordCipher, limits: Limits, admit: Admit) -> None:
        self.peer: str = peer
        self.peer_is_ready: bool = False
        self.peer_has_closed: bool = False
        self._admit = admit
        self._incoming = Incoming(cipher, limits, peer, self._admitted)
        self._outgoing = Outgoing(cipher, limits)
        self._due: set[Kind] = set()
        self._closing = False
        self._close_queued = False
        self._acknowledged = 0

    @property
    def has_room(self) -> bool:
        """Whether another frame may be queued."""
        return self._outgoing.has_room

    @property
    def is_closed(self) -> bool:
        """Whether our CLOSE was sent to its last byte."""
        return self._close_queued and self._outgoing.is_idle

    @property
    def is_whole(self) -> bool:
        """Whether nothing that the peer began to send is missing."""
        return self._incoming.is_between_frames

    def ready(self) -> None:
        """Open our direction."""
        self._due.add(Kind.READY)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._due.add(Kind.PING)

    def close(self) -> None:
        """Say goodbye when everything queued was sent."""
        self._closing = True

    def queue(self, frame: Frame) -> None:
        """Queue a frame of the session.

        Raises:
            LocalError: its kind belongs to the link, or its body is over the limit.
        """
        self._outgoing.queue(frame)

    def seal_alone(self, frame: Frame) -> memoryview | None:
        """Seal a small frame at once if nothing else is to be sent; see `Outgoing.seal_alone`."""
        sealed = None if self.has_answer else self._outgoing.seal_alone(frame)
        if sealed is not None:
            # In the same round the peer sends a frame with the same header.
            self._incoming.expect(encode_header(frame.header), frame.header)
        return sealed

    @property
    def has_answer(self) -> bool:
        """Whether what came, or was asked for, makes a frame of the link due."""
        return bool(self._due) or self._closing or self._incoming.ack_is_due

    @property
    def has_outgoing(self) -> bool:
        """Whether there are bytes to send."""
        return self.has_answer or not self._outgoing.is_idle

    def outgoing(self) -> memoryview:
        """The bytes to send next; empty if there are none."""
        if self.has_answer and not self._close_queued:
            self._queue_due()
        return self._outgoing.outgoing()

    def sent(self, count: int) -> None:
        """The socket took so many of them."""
        self._outgoing.sent(count)

    def space(self) -> memoryview:
        """Where to write received bytes."""
        return self._incoming.space()

    def filled(self, count: int) -> None:
        """So many bytes were written to `space()`."""
        self._incoming.filled(count)

    def wipe(self) -> None:
        """Forget a body that will never be complete: the connection ended."""
        self._incoming.wipe()

    def greeted(self) -> bool:
        """Read the peer's first frame and nothing behind it; whether READY has come.

        Raises:
            PeerViolation: it was neither READY nor CLOSE.
        """
        if not self.peer_is_ready and (frame := self._incoming.next_frame()) is not None:
            self._handle(frame)
        return self.peer_is_ready

    def next_frame(self) -> Frame | None:
        """The session's next frame, or None if it takes more bytes. The link's own are dealt with inside.

        Raises:
            PeerViolation: the peer broke the protocol.
        """
        while (frame := self._incoming.next_frame()) is not None:
            if frame.header.kind >= SESSION_KINDS_START and not self.peer_has_closed:
                return frame
            self._handle(frame)
        return None

    def _handle(self, frame: Frame) -> None:
        try:
            self._check_place(frame.header.kind)
            self._link_frame(frame)
        except PeerViolation as error:
            self._incoming.fail(error)
            raise

    def _admitted(self, header: Header, body_bytes: int) -> bool:
        # Before memory is given to a frame that has no place here; `_handle` sees the link's own, and what CLOSE
        # overtook.
        if self.peer_has_closed or not self.peer_is_ready:
            self._check_place(header.kind)
        return self._admit(header, body_bytes)

    def _check_place(self, kind: Kind) -> None:
        if self.peer_has_closed:
            raise PeerViolation(self.peer, f"a {kind.name} frame came after CLOSE")
        if self.peer_is_ready and kind is Kind.READY:
            raise PeerViolation(self.peer, "READY came twice")
        # CLOSE instead of READY is a refusal.
        if not self.peer_is_ready and kind not in (Kind.READY, Kind.CLOSE):
            raise PeerViolation(self.peer, f"a {kind.name} frame came before READY")

    def _link_frame(self, frame: Frame) -> None:
        kind, body = frame.header.kind, frame.body
        if frame.header != Header(kind):
            raise PeerViolation(self.peer, f"a {kind.name} frame belongs to no job and no round")
        if len(body) != ACK_BYTES:
            raise PeerViolation(self.peer, f"a {kind.name} frame has {len(body)} bytes instead of {ACK_BYTES}")
        self._handle_ack(unpack_ack(body))
        if kind is Kind.READY:
            self.peer_is_ready = True
        elif kind is Kind.PING:
            self._due.add(Kind.PONG)
        elif kind is Kind.CLOSE:
            self.peer_has_closed = True
            self._outgoing.abandon()
            self._closing = True

    def _handle_ack(self, number: int) -> None:
        if not self._acknowledged <= number <= self._outgoing.last_number:
            raise PeerViolation(
                self.peer,
                f"frame {number} is acknowledged; "
                f"a number from {self._acknowledged} to {self._outgoing.last_number} was expected",
            )
        self._acknowledged = number
        self._outgoing.acknowledged(number)

    def _queue_due(self) -> None:
        if self._incoming.ack_is_due:
            self._due.add(Kind.ACK)
        for kind in _ORDER:
            if kind in self._due:
                self._queue_link(kind)
        self._due.clear()
        if self._closing and self._outgoing.is_idle:
            self._queue_link(Kind.CLOSE)
            self._close_queued = True

    def _queue_link(self, kind: Kind) -> None:
        self._outgoing.queue_link(Header(kind), pack_ack(self._incoming.complete_number))
        self._incoming.ack_sent()
