"""What the session stands on: links to named peers that carry frames in order.

Two implementations: `mpcnet.transport.tcp` (encrypted links over TCP) and `mpcnet.sim` (objects passed inside
one process, on a virtual clock). `mpcnet.testing.check_transport` holds both to this contract.

Peers are roster indices. Frames from one peer arrive each once and in the order sent, with one exception: a
small frame may overtake big ones of another job, or of another fork of its job (never those of the job's main
stream, nor main-stream frames those of a fork), and an ABORT may overtake anything. Between peers there is no
order. `Receiver` methods are called from the transport's reader: they are synchronous and must be quick.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

from mpcnet.errors import PeerError
from mpcnet.wire.frames import Frame, Header

__all__ = ("Receiver", "Transport")


class Receiver(typing.Protocol):
    """Where a transport delivers."""

    def peer_up(self, peer: int, incarnation: bytes) -> None:
        """A link to the peer is established and authenticated."""
        ...

    def peer_down(self, peer: int, error: PeerError | None) -> None:
        """The link ended. `error` is None when the peer said goodbye (authenticated) and every frame came."""
        ...

    def admit(self, peer: int, header: Header, body_bytes: int) -> bool:
        """Called before memory is given to a body, with its size.

        Returns:
            Whether the frame is wanted. If not, the transport takes it from the link and forgets it: its body is
            never whole in memory, and `frame_received` is not called.

        Raises:
            PeerViolation: an honest peer does not send this. It ends the link.
        """
        ...

    def frame_received(self, peer: int, frame: Frame) -> None:
        """A whole frame came. Its body is a read-only view that nobody writes again."""
        ...


class Transport(ABC):
    """Links from one party to the others of a roster."""

    me: int
    incarnation: bytes

    @abstractmethod
    def serve(self, receiver: Receiver) -> AbstractAsyncContextManager[None]:
        """Keep links to all peers up while inside the block; say goodbye and flush when it is left.

        Leaving it flushes what was queued and closes gracefully, within a bounded time; when the body is
        cancelled or fails it closes without waiting.

        Raises:
            LocalError: we cannot listen at our address, or it is served twice.
        """

    @abstractmethod
    async def send(self, peer: int, frame: Frame) -> None:
        """Queue a frame for a peer whose link is up; wait only while its outbox is over its bound.

        The body must not be written again: it is kept until the peer acknowledges it. Cancelling the wait
        either sends the whole frame or nothing, and never breaks the link.

        Raises:
            PeerLost: the link is down, or goes down while we wait.
        """

    def send_now(self, peer: int, frame: Frame) -> bool:
        """As `send`, without waiting: not a coroutine, for rounds that are sent where the last one came in.

        Returns:
            False if it would have to wait, or there is no link; nothing was queued, and `send` is for it.
        """
        return False

    @abstractmethod
    def hints(self, peer: int) -> tuple[str, ...]:
        """Unauthenticated observations about why a peer is not up, newest last; for messages only."""
