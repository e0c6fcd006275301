"""A party driven by hand, which says what a test wants. Alice dials, bob listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import trio

from mpcnet.noise.channel import Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import Header, Kind
from mpcnet.wire.hello import HELLO_BYTES, Hello
from mpcnet.wire.items import SMALL, pack_ack, pack_prelude

if TYPE_CHECKING:
    from tests.transport.conftest import Parties, Recorder

ALICE, BOB = 0, 1
DATA = encode_header(Header(Kind.DATA))


def small(number: int, body: bytes = b"", header: bytes = DATA) -> bytes:
    return pack_prelude(SMALL, number, len(header), len(body)) + header + body


READY = small(0, pack_ack(0), encode_header(Header(Kind.READY)))
PONG = small(0, pack_ack(0), encode_header(Header(Kind.PONG)))
CLOSE = small(0, pack_ack(0), encode_header(Header(Kind.CLOSE)))


class HandDriven:
    """A party without a transport: it says what the test wants."""

    def __init__(self, parties: Parties, stream: trio.SocketStream, me: int = ALICE) -> None:
        self.parties = parties
        self.stream = stream
        self.me = me
        self.peer = 1 - me
        self.hello = Hello(me, self.peer, parties.roster.hash, bytes([me]) * 16)
        self.identity = parties.identities[me]
        self.channel: Channel | None = None

    @classmethod
    async def call_bob(cls, parties: Parties) -> Self:
        return cls(parties, await trio.open_tcp_stream("127.0.0.1", parties.ports[BOB]))

    async def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = await self.stream.receive_some(count - len(data))
            if not more:
                return data
            data += more
        return data

    async def ended(self) -> bool:
        """Wait for the end of the stream, whatever comes before."""
        try:
            while await self.stream.receive_some(2**16):
                pass
        except trio.BrokenResourceError:
            pass
        return True

    async def say_hello(self) -> bytes:
        await self.stream.send_all(self.hello.encode())
        return await self.read(HELLO_BYTES)

    def handshake(self, prologue: bytes) -> Handshake:
        peer = self.parties.roster.members[self.peer]
        return Handshake(
            "KK",
            initiator=self.me == ALICE,
            prologue=prologue,
            s=self.identity.x25519_secret,
            rs=peer.x25519_public,
            peer=peer.name,
        )

    async def shake_hands(self) -> None:
        """Up to and without READY."""
        theirs = await self.say_hello()
        if self.me == ALICE:
            handshake = self.handshake(self.hello.encode() + theirs)
            await self.stream.send_all(handshake.write_message())
            handshake.read_message(await self.read(48))
        else:
            handshake = self.handshake(theirs + self.hello.encode())
            handshake.read_message(await self.read(48))
            await self.stream.send_all(handshake.write_message())
        self.channel = handshake.finish()

    async def be_up(self) -> Self:
        await self.shake_hands()
        await self.send(READY)
        return self

    async def send(self, plaintext: bytes) -> None:
        assert self.channel is not None
        out = memoryview(bytearray(len(plaintext) + 18))
        self.channel.seal_into(plaintext, out)
        await self.stream.send_all(out)

    async def record(self) -> bytes:
        """The plaintext of the next record."""
        assert self.channel is not None
        length = int.from_bytes(await self.read(2), "big")
        out = memoryview(bytearray(length))
        return bytes(out[: self.channel.open_into(await self.read(length), out)])

    async def leave(self) -> None:
        await trio.aclose_forcefully(self.stream)


def check_link(alice: Recorder, bob: Recorder) -> None:
    """The link of two transports has not noticed anything."""
    assert len(alice.ups) == len(bob.ups) == 1
    assert not alice.downs
    assert not bob.downs


async def poll(condition: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not condition():
            await trio.lowlevel.checkpoint()
