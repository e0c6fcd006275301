"""Encrypted links over TCP to every other party of a roster.

The lower index dials the higher one, and dials again whenever the link is down; each party listens at its own
address. Parties may start in any order. Strangers, forged hellos and half-open connections cost us a bounded
number of sockets for a bounded time, and disturb no link.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import trio

from mpcnet.errors import LocalError, PeerLost
from mpcnet.identity import Identity, Roster
from mpcnet.primitives import random_bytes
from mpcnet.transport.connect import Local, NotConnected, answer, dial
from mpcnet.transport.connection import Connection
from mpcnet.transport.interface import Receiver, Transport
from mpcnet.transport.link import Link
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame
from mpcnet.wire.hello import INCARNATION_BYTES
from mpcnet.wire.limits import Limits

__all__ = ("TcpTransport",)

_log = logging.getLogger("mpcnet.transport")

# Connections that have not proven a key yet. When one more comes, the oldest goes: whoever is honest needs
# two round trips, and somebody who opens many and says nothing must not shut the door for ten seconds.
_STRANGERS_MAX = 64

# Enough to tell what is wrong now; a flood of forged hellos cannot grow it.
_HINTS_MAX = 4


class _Peer:
    """What we hold about one peer."""

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name
        self.link: Link | None = None
        self.adopting = trio.Lock()
        self.hints: deque[str] = deque(maxlen=_HINTS_MAX)

    def hint(self, text: str) -> None:
        """Note why the peer is not up. The same sentence counts once, as the newest."""
        _log.debug("%s: %s", self.name, text)
        if text in self.hints:
            self.hints.remove(text)
        self.hints.append(text)


class TcpTransport(Transport):
    """One party's links to all others.

    Args:
        roster: who takes part, with keys and addresses.
        identity: our key; it must be the one of member `me`.
        me: our index in the roster.
        limits: what a peer may make us hold.
        timing: how long we wait for what.
        incarnation: 16 bytes, fresh for each start of the process; random by default.

    Raises:
        LocalError: the identity is not that of member `me`, or an address cannot be read.
    """

    def __init__(
        self,
        roster: Roster,
        identity: Identity,
        *,
        me: int,
        limits: Limits | None = None,
        timing: Timing | None = None,
        incarnation: bytes | None = None,
    ) -> None:
        if not 0 <= me < len(roster.members):
            raise LocalError(f"the roster has no member {me}")
        if roster.members[me].key != identity.public:
            raise LocalError(f"this identity is not that of {roster.members[me].name}")
        self.me: int = me
        self.incarnation: bytes = random_bytes(INCARNATION_BYTES) if incarnation is None else incarnation
        self._local = Local(roster, identity, me, self.incarnation, limits or Limits(), timing or Timing())
        # A hello also checks the incarnation's size, before anybody is called.
        self._local.hello(me)
        self._peers = [_Peer(member.index, member.name) for member in roster.members]
        self._serving = False

    def __repr__(self) -> str:
        up = [peer.name for peer in self._peers if peer.link is not None]
        return f"TcpTransport({self._local.name(self.me)!r}, up={up})"

    def hints(self, peer: int) -> tuple[str, ...]:
        """Unauthenticated observations about why a peer is not up, newest last; for messages only."""
        known = self._peers[peer]
        if known.link is None and not known.hints and peer < self.me:
            ours = self._local.roster.members[self.me].address
            return (f"{known.name} is not connected: it calls us, at {ours}",)
        return tuple(known.hints)

    async def send(self, peer: int, frame: Frame) -> None:
        """Queue a frame for a peer; see `Transport.send`."""
        link = self._peers[peer].link
        if link is None:
            await trio.lowlevel.checkpoint()
            raise PeerLost(self._peers[peer].name, "there is no link to it")
        await link.send(frame)

    def send_now(self, peer: int, frame: Frame) -> bool:
        """Queue a frame if that does not take waiting; see `Transport.send_now`."""
        link = self._peers[peer].link
        return link is not None and link.send_now(frame)

    @asynccontextmanager
    async def serve(self, receiver: Receiver) -> AsyncGenerator[None, None]:
        """Keep links to all peers up while inside the block; see `Transport.serve`."""
        if self._serving:
            raise LocalError("this transport is served already")
        self._serving = True
        failure: Exception | None = None
        try:
            listeners = await self._listen()
            async with trio.open_nursery() as links:
                serving = _Serving(self._local, self._peers, receiver, links)
                async with trio.open_nursery() as seekers:
                    seekers.start_soon(serving.listen, listeners, seekers)
                    for peer in self._peers[self.me + 1 :]:
                        seekers.start_soon(serving.keep_dialling, peer)
                    try:
                        yield
                    except Exception as error:
                        # Raised again below, outside of the nurseries, which would wrap it in groups.
                        failure = error
                    seekers.cancel_scope.cancel()
                if failure is None:
                    await self._say_goodbye()
                links.cancel_scope.cancel()
        finally:
            self._serving = False
        if failure is not None:
            raise failure

    async def _listen(self) -> list[trio.SocketListener]:
        ours = self._local.roster.members[self.me]
        try:
            return await trio.open_tcp_listeners(ours.port, host=ours.host)
        except OSError as error:
            raise LocalError(f"we cannot listen at our address {ours.address}: {error.strerror}") from error

    async def _say_goodbye(self) -> None:
        async with trio.open_nursery() as nursery:
            for peer in self._peers:
                if peer.link is not None:
                    nursery.start_soon(peer.link.say_goodbye)


class _Serving:
    """The tasks of one `serve` block."""

    def __init__(self, local: Local, peers: list[_Peer], receiver: Receiver, links: trio.Nursery) -> None:
        self._local = local
        self._peers = peers
        self._receiver = receiver
        self._links = links
        self._strangers: dict[trio.CancelScope, None] = {}

    async def listen(self, listeners: list[trio.SocketListener], handlers: trio.Nursery) -> None:
        """Answer whoever calls."""
        await trio.serve_listeners(self._answer, listeners, handler_nursery=handlers)

    async def keep_dialling(self, peer: _Peer) -> None:
        """Keep a link to a peer of higher index up."""
        timing = self._local.timing
        wait = timing.redial_first_seconds
        while True:
            started = trio.current_time()
            try:
                link = await dial(self._local, peer.index, self._receiver.admit)
            except NotConnected as error:
                peer.hint(error.hint)
            else:
                if await self._adopt(peer, link):
                    await link.finished.wait()
            # A link that held for a while was a good one; one that fails at once must not be dialled in a
            # loop.
            if trio.current_time() - started > timing.redial_most_seconds:
                wait = timing.redial_first_seconds
            await trio.sleep(wait * _jitter())
            wait = min(2 * wait, timing.redial_most_seconds)

    async def _answer(self, stream: trio.SocketStream) -> None:
        known = None
        self._make_way()
        scope = trio.CancelScope()
        self._strangers[scope] = None
        try:
            with scope:
                known = await answer(self._local, Connection(stream), self._receiver.admit)
        except NotConnected as error:
            self._note(error)
        finally:
            self._strangers.pop(scope, None)
        if known is not None:
            index, link = known
            await self._adopt(self._peers[index], link)

    def _make_way(self) -> None:
        if len(self._strangers) >= _STRANGERS_MAX:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.cancel()

    def _note(self, error: NotConnected) -> None:
        if error.peer is None:
            _log.debug("%s", error.hint)
        else:
            self._peers[error.peer].hint(error.hint)

    async def _adopt(self, peer: _Peer, link: Link) -> bool:
        """Make an authenticated connection the link to a peer, unless another process with its key lives."""
        adopted = False
        try:
            async with peer.adopting:
                old = peer.link
                if old is not None and old.incarnation != link.incarnation and await old.answers():
                    link.refuse()
                    peer.hint(f"two processes hold the key of {peer.name}: the newer one was refused")
                    return False
                if old is not None:
                    old.stop(PeerLost(peer.name, "it connected anew"))
                    await old.finished.wait()
                adopted = True
                self._install(peer, link)
        finally:
            if not adopted:
                link.close()
        return True

    def _install(self, peer: _Peer, link: Link) -> None:
        peer.link = link
        peer.hints.clear()
        self._links.start_soon(self._run, peer, link)
        if peer.index < self._local.me:
            link.open()
        self._receiver.peer_up(peer.index, link.incarnation)

    async def _run(self, peer: _Peer, link: Link) -> None:
        try:
            error = await link.run(partial(self._receiver.frame_received, peer.index))
            peer.link = None
            if error is not None:
                peer.hint(error.reason)
            self._receiver.peer_down(peer.index, error)
        finally:
            peer.link = None
            link.finished.set()


def _jitter() -> float:
    """Between a half and one: parties that lost each other do not knock in step."""
    return 0.5 + random_bytes(1)[0] / 512
