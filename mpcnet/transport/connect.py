"""From a TCP connection to a link: hello, handshake, READY.

    dialer                                       listener
    hello                       ---------->      an unauthenticated hint of who calls
    (check, for a clear hint)   <----------      hello
    KK message 0                ---------->      may be a recording: proves nothing yet
    (holds the listener's key)  <----------      KK message 1
    READY                       ---------->      holds the dialer's key, now: the link is up
    the link is up              <----------      READY; or CLOSE: another process with your key is alive

Whatever goes wrong before READY becomes a hint and touches no other connection. Texts are ours: a stranger's
bytes show up in none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial

import trio

from mpcnet.errors import MpcnetError, PeerViolation
from mpcnet.identity import Identity, Roster
from mpcnet.noise.channel import Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.noise.handshakestate import StaticPair
from mpcnet.transport.connection import Connection, ConnectionBroken
from mpcnet.transport.link import Link, Refused
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Header
from mpcnet.wire.hello import HELLO_BYTES, WIRE_VERSION, Hello
from mpcnet.wire.limits import Limits
from mpcnet.wire.stream import Stream

__all__ = ("Local", "NotConnected", "answer", "dial")

# Both messages of KK without payload: an ephemeral key and a tag.
_MESSAGE_BYTES = 48

# (peer, header, body size): whether the frame is wanted; raises PeerViolation to refuse it. See `Receiver.admit`.
Admit = Callable[[int, Header, int], bool]


class NotConnected(MpcnetError):
    """No link came of a connection.

    Args:
        peer: roster index of whom it concerns, as far as an unauthenticated hello tells; None for a stranger.
        hint: why, in our words.
    """

    def __init__(self, peer: int | None, hint: str) -> None:
        super().__init__(hint)
        self.peer = peer
        self.hint = hint


@dataclass(frozen=True)
class Local:
    """What our end of every link has in common."""

    roster: Roster
    identity: Identity = field(repr=False)
    me: int
    incarnation: bytes
    limits: Limits
    timing: Timing

    # Computed once: they cost as much as the rest of a handshake, and every attempt to connect needs them.

    @cached_property
    def roster_hash(self) -> bytes:
        """What both ends must agree on."""
        return self.roster.hash

    @cached_property
    def _secret(self) -> bytes:
        return self.identity.x25519_secret

    @cached_property
    def _publics(self) -> tuple[bytes, ...]:
        return tuple(member.x25519_public for member in self.roster.members)

    @cached_property
    def _pairs(self) -> dict[int, StaticPair]:
        return {}

    def _pair(self, peer: int) -> StaticPair:
        pair = self._pairs.get(peer)
        if pair is None:
            pair = self._pairs[peer] = StaticPair.of(self._secret, self._publics[peer])
        return pair

    def name(self, peer: int) -> str:
        """The peer's name."""
        return self.roster.members[peer].name

    def hello(self, receiver: int) -> Hello:
        """What we say first."""
        return Hello(self.me, receiver, self.roster_hash, self.incarnation)

    def handshake(self, peer: int, *, initiator: bool, prologue: bytes) -> Handshake:
        """A fresh handshake with the key that the roster gives for the peer."""
        return Handshake(
            "KK",
            initiator=initiator,
            prologue=prologue,
            s=self._secret,
            rs=self._publics[peer],
            pair=self._pair(peer),
            cipher=self.roster.cipher,
            hash_name="BLAKE2b",
            peer=self.name(peer),
        )


async def dial(local: Local, peer: int, admit: Admit) -> Link:
    """Connect to a peer, up to its READY.

    Raises:
        NotConnected: it cannot be reached, or is not who it should be.
    """
    name = local.name(peer)
    member = local.roster.members[peer]
    with _hints(local, peer), trio.fail_after(local.timing.handshake_seconds):
        try:
            stream = await trio.open_tcp_stream(member.host, member.port)
        except OSError as error:
            raise NotConnected(peer, f"{name} cannot be reached at {member.address}") from error
        with _closing_on_failure(Connection(stream)) as connection:
            channel, incarnation = await _handshake_as_dialer(local, peer, connection)
            link = _link(local, peer, connection, channel, incarnation, admit)
            link.open()
            await link.wait_ready()
            return link
    raise NotConnected(peer, f"{name} did not answer")  # pragma: no cover: fail_after raises before


async def answer(local: Local, connection: Connection, admit: Admit) -> tuple[int, Link]:
    """Answer a connection that a caller opened, up to the caller's READY. Ours is still to be sent.

    Returns:
        The peer's index and the link.

    Raises:
        NotConnected: the caller is not who it should be. The connection is closed.
    """
    with _closing_on_failure(connection):
        with _hints(local, None), trio.fail_after(local.timing.handshake_seconds):
            heard = await _receive_hello(connection, "a stranger")
        peer = heard.sender if heard.sender < local.me else None
        with _hints(local, peer), trio.fail_after(local.timing.handshake_seconds):
            channel = await _handshake_as_listener(local, heard, connection)
            link = _link(local, heard.sender, connection, channel, heard.incarnation, admit)
            await link.wait_ready()
            return heard.sender, link
    raise NotConnected(None, "no party called")  # pragma: no cover: fail_after raises before


async def _handshake_as_dialer(local: Local, peer: int, connection: Connection) -> tuple[Channel, bytes]:
    ours = local.hello(peer)
    await connection.send_all(ours.encode())
    heard = await _receive_hello(connection, local.name(peer))
    _compare(local, peer, heard)
    if (heard.sender, heard.receiver) != (peer, local.me):
        raise NotConnected(peer, f"who listens at the address of {local.name(peer)} says to be another party")
    handshake = local.handshake(peer, initiator=True, prologue=ours.encode() + heard.encode())
    await connection.send_all(handshake.write_message())
    handshake.read_message(await connection.receive_exactly(_MESSAGE_BYTES))
    return handshake.finish(), heard.incarnation


async def _handshake_as_listener(local: Local, heard: Hello, connection: Connection) -> Channel:
    # Answered even where it does not fit, so that the caller can say what is wrong. As long as the question:
    # no attacker gains by letting us send it elsewhere.
    ours = local.hello(heard.sender)
    await connection.send_all(ours.encode())
    peer = heard.sender
    if peer >= local.me:
        connection.end_sending()
        raise NotConnected(None, "a party called that has no reason to: lower indices dial")
    try:
        _compare(local, peer, heard)
    except NotConnected:
        connection.end_sending()
        raise
    if heard.receiver != local.me:
        raise NotConnected(peer, f"who says to be {local.name(peer)} looks for another party at our address")
    handshake = local.handshake(peer, initiator=False, prologue=heard.encode() + ours.encode())
    handshake.read_message(await connection.receive_exactly(_MESSAGE_BYTES))
    await connection.send_all(handshake.write_message())
    return handshake.finish()


async def _receive_hello(connection: Connection, name: str) -> Hello:
    data = await connection.receive_exactly(HELLO_BYTES)
    try:
        return Hello.decode_untrusted(data, name)
    except PeerViolation as error:
        raise NotConnected(None, f"{name} does not speak our protocol") from error


def _compare(local: Local, peer: int, heard: Hello) -> None:
    name = local.name(peer)
    if heard.version != WIRE_VERSION:
        raise NotConnected(peer, f"{name} speaks version {heard.version} of the wire format, we {WIRE_VERSION}")
    if heard.roster_hash != local.roster_hash:
        # The hello proves nothing yet, and its sender may choose any hash: what it says is no fact about the peer,
        # and people compare what is shown here.
        ours = local.roster.fingerprint
        hint = f"a process that claims to be {name} has another roster; compare with {name} that of ours, {ours}"
        raise NotConnected(peer, hint)


def _link(
    local: Local, peer: int, connection: Connection, channel: Channel, incarnation: bytes, admit: Admit
) -> Link:
    stream = Stream(local.name(peer), channel, local.limits, partial(admit, peer))
    return Link(connection, stream, incarnation, local.timing)


@contextmanager
def _closing_on_failure(connection: Connection) -> Generator[Connection, None, None]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


@contextmanager
def _hints(local: Local, peer: int | None) -> Generator[None, None, None]:
    """Turn what can go wrong before READY into one sentence about the peer."""
    name = "a stranger" if peer is None else local.name(peer)
    try:
        yield
    except NotConnected as error:
        raise NotConnected(peer, error.hint) from error
    except trio.TooSlowError as error:
        seconds = local.timing.handshake_seconds
        raise NotConnected(peer, f"{name} did not finish the handshake within {seconds:g} s") from error
    except ConnectionBroken as error:
        raise NotConnected(peer, f"{name}: {error} during the handshake") from error
    except PeerViolation as error:
        raise NotConnected(peer, f"a process that claims to be {name} does not hold {name}'s key") from error
    except Refused as error:
        raise NotConnected(peer, f"{name} refuses us: another process with our key is connected to it") from error
