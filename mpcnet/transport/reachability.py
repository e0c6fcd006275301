"""Whether addresses can be used, without any mpcnet on the other side: what `mpcnet doctor` tells.

A call connects and hangs up, and says nothing: to the other side we are a stranger. Which party answers is not
found out, since only a handshake with its key proves that.
"""

from __future__ import annotations

import enum
import errno
import socket
from dataclasses import dataclass

import trio

from mpcnet.errors import leaves
from mpcnet.identity import Member

__all__ = ("CONNECT_SECONDS", "Call", "Listening", "Reached", "call", "try_to_listen")

CONNECT_SECONDS = 3.0


class Listening(enum.Enum):
    """How it went to listen at an address of ours."""

    FREE = enum.auto()
    """We can."""
    TAKEN = enum.auto()
    """A process listens there already."""
    UNKNOWN_NAME = enum.auto()
    """Name servers do not know its name."""
    ELSEWHERE = enum.auto()
    """This machine does not have it."""
    FORBIDDEN = enum.auto()
    """We may not listen there."""
    FAILED = enum.auto()
    """The system refuses, for another reason."""


class Reached(enum.Enum):
    """How it went to call an address of another party."""

    ANSWERED = enum.auto()
    """A process accepts connections there."""
    REFUSED = enum.auto()
    """The machine is there, and no process listens."""
    SILENT = enum.auto()
    """No answer came within `CONNECT_SECONDS`."""
    UNKNOWN_NAME = enum.auto()
    """Name servers do not know its name."""
    FAILED = enum.auto()
    """There is no way to it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and its address.

    Args:
        reached: how it went.
        places: the IP addresses and ports that the address means, as far as they were found out.
    """

    reached: Reached
    places: frozenset[tuple[str, int]]


_OF_ERRNO = {
    errno.EADDRINUSE: Listening.TAKEN,
    errno.EADDRNOTAVAIL: Listening.ELSEWHERE,
    errno.EACCES: Listening.FORBIDDEN,
}


async def try_to_listen(member: Member) -> Listening:
    """Listen at a member's address for a moment."""
    try:
        listeners = await trio.open_tcp_listeners(member.port, host=member.host)
    except socket.gaierror:
        return Listening.UNKNOWN_NAME
    except OSError as error:
        return _OF_ERRNO.get(error.errno or 0, Listening.FAILED)
    for listener in listeners:
        await listener.aclose()
    return Listening.FREE


async def call(member: Member) -> Call:
    """Connect to a member's address, and hang up."""
    places: frozenset[tuple[str, int]] = frozenset()
    try:
        with trio.fail_after(CONNECT_SECONDS):
            found = await trio.socket.getaddrinfo(member.host, member.port, type=trio.socket.SOCK_STREAM)
            places = frozenset((str(address[0]), member.port) for *_, address in found)
            stream = await trio.open_tcp_stream(member.host, member.port)
            await stream.aclose()
    except trio.TooSlowError:
        return Call(Reached.SILENT, places)
    except socket.gaierror:
        return Call(Reached.UNKNOWN_NAME, places)
    except OSError as error:
        # Under it trio keeps what each address of the name gave.
        causes = [error, *leaves(error.__cause__ or error)]
        refused = any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes)
        return Call(Reached.REFUSED if refused else Reached.FAILED, places)
    return Call(Reached.ANSWERED, places)
