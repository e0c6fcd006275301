"""A TCP connection: the one place where errors of the operating system become ours.

Sending never waits by itself: `try_send` hands over what fits into the socket's buffer and says how much that
was. A cancelled `send_all` would leave an unknown number of bytes sent, and break an encrypted stream; here
the holder of the bytes always knows how many are gone.
"""

from __future__ import annotations

import contextlib
import socket

import trio

__all__ = ("Connection", "ConnectionBroken")


class ConnectionBroken(Exception):
    """The connection is gone: reset, timed out, or ended where more was due. The text is ours."""


class Connection:
    """A connected socket, not blocking, without Nagle's delay.

    Args:
        stream: trio's; it is taken over and must not be used any more.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        # Our own socket object, since trio's has no `send` that returns at once when the buffer is full.
        self._socket = socket.socket(fileno=stream.socket.detach())
        self._socket.setblocking(False)
        self._closed = False
        # Fails only if the peer has reset the connection already; the first read tells.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def try_send(self, data: memoryview) -> int:
        """Hand over what fits; 0 if nothing does now.

        Raises:
            ConnectionBroken: the peer is gone.
        """
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise ConnectionBroken("the connection broke while sending") from error

    async def wait_writable(self) -> None:
        """Wait until `try_send` may do something."""
        await trio.lowlevel.wait_writable(self._socket)

    async def receive_into(self, space: memoryview) -> int:
        """Wait for bytes; return how many came, 0 at the end of the stream.

        Raises:
            ConnectionBroken: it broke.
        """
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv_into(space)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                raise ConnectionBroken("the connection broke") from error

    async def receive_exactly(self, count: int) -> bytes:
        """Exactly so many bytes: nothing of what follows is taken.

        Raises:
            ConnectionBroken: it broke or ended before.
        """
        data = memoryview(bytearray(count))
        at = 0
        while at < count:
            got = await self.receive_into(data[at:])
            if not got:
                raise ConnectionBroken("the connection ended")
            at += got
        return bytes(data)

    async def send_all(self, data: bytes) -> None:
        """Send all of it. Only for the handshake: when it is cancelled, the connection must be closed.

        Raises:
            ConnectionBroken: it broke.
        """
        rest = memoryview(data)
        while rest := rest[self.try_send(rest) :]:
            await self.wait_writable()

    def end_sending(self) -> None:
        """Tell the peer that no byte follows; reading goes on."""
        # If it is gone already, no peer is left to tell.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close at once. What the socket had taken is still delivered if nothing unread came meanwhile."""
        if not self._closed:
            self._closed = True
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
