"""Strangers, impostors, and peers that hold their key and misbehave. Alice dials, bob listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import pytest
import trio

from mpcnet.errors import PeerLost, PeerViolation
from mpcnet.identity import Identity, Roster
from mpcnet.noise.channel import Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.hello import HELLO_BYTES, Hello
from mpcnet.wire.items import SMALL, START, pack_ack, pack_prelude

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


async def test_garbage_ends_its_own_connection_only(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(ALICE), parties.transport(BOB)
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        for garbage in (b"GET / HTTP/1.1\r\nHost: bob\r\n\r\n" * 4, bytes(100), b"mpcnet" + b"\xff" * 100):
            stranger = await HandDriven.call_bob(parties)
            await stranger.stream.send_all(garbage)
            assert await stranger.ended()
            await stranger.leave()
        check_link(recorders[0], recorders[1])
        assert bob.hints(ALICE) == ()
        await alice.send(BOB, Frame(Header(Kind.DATA), memoryview(b"still here")))
        assert await recorders[1].bodies(1) == [b"still here"]


async def test_a_caller_without_the_key_gets_nowhere(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(ALICE).serve(recorders[0]), (bob := parties.transport(BOB)).serve(recorders[1]):
        await recorders[0].up()
        await recorders[1].up()
        impostor = await HandDriven.call_bob(parties)
        impostor.identity = Identity.generate()
        theirs = await impostor.say_hello()
        await impostor.stream.send_all(impostor.handshake(impostor.hello.encode() + theirs).write_message())
        assert await impostor.ended()
        check_link(recorders[0], recorders[1])
        assert bob.hints(ALICE) == ("somebody who says to be alice does not hold alice's key",)
        await impostor.leave()


async def test_a_listener_without_the_key_is_not_believed(parties: Parties, recorders: list[Recorder]) -> None:
    async def impersonate(stream: trio.SocketStream) -> None:
        impostor = HandDriven(parties, stream, BOB)
        await impostor.say_hello()
        await impostor.read(48)
        await stream.send_all(bytes(48))
        await impostor.ended()

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_tcp, impersonate, parties.ports[BOB])
        alice = parties.transport(ALICE)
        async with alice.serve(recorders[0]):
            await poll(lambda: bool(alice.hints(BOB)))
        assert alice.hints(BOB) == ("somebody who says to be bob does not hold bob's key",)
        assert not recorders[0].ups
        nursery.cancel_scope.cancel()


async def test_another_roster_is_named_at_both_ends(parties: Parties, recorders: list[Recorder]) -> None:
    members = parties.roster.members
    other = Roster((members[0], replace(members[1], name="robert")))
    alice, bob = parties.transport(ALICE), parties.transport(BOB, roster=other)
    ours, theirs = parties.roster.fingerprint, other.fingerprint
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await poll(lambda: bool(alice.hints(BOB)) and bool(bob.hints(ALICE)))
    assert alice.hints(BOB)[-1] == f"bob uses another roster (fingerprint {theirs}, ours is {ours})"
    assert bob.hints(ALICE)[-1] == f"alice uses another roster (fingerprint {ours}, ours is {theirs})"
    assert not recorders[0].ups


async def test_another_version_is_named(parties: Parties, recorders: list[Recorder]) -> None:
    bob = parties.transport(BOB)
    async with bob.serve(recorders[1]):
        caller = await HandDriven.call_bob(parties)
        caller.hello = replace(caller.hello, version=7)
        assert Hello.decode_untrusted(await caller.say_hello(), "bob").version == 1
        assert await caller.ended()
        assert bob.hints(ALICE) == ("alice speaks version 7 of the wire format, we 1",)
        await caller.leave()


@pytest.mark.parametrize(("sender", "receiver"), [(1, 1), (2, 1), (65535, 1), (0, 0)])
async def test_callers_without_a_place_are_sent_away(
    sender: int, receiver: int, parties: Parties, recorders: list[Recorder]
) -> None:
    bob = parties.transport(BOB)
    async with bob.serve(recorders[1]):
        caller = await HandDriven.call_bob(parties)
        caller.hello = replace(caller.hello, sender=sender, receiver=receiver)
        await caller.say_hello()
        assert await caller.ended()
        await caller.leave()


async def test_a_replayed_first_message_disturbs_nothing(parties: Parties, recorders: list[Recorder]) -> None:
    bob = parties.transport(BOB)
    async with bob.serve(recorders[1]):
        alice = await HandDriven.call_bob(parties)
        theirs = await alice.say_hello()
        handshake = alice.handshake(alice.hello.encode() + theirs)
        recording = handshake.write_message()
        await alice.stream.send_all(recording)
        handshake.read_message(await alice.read(48))
        alice.channel = handshake.finish()
        await alice.send(READY)
        await recorders[1].up()

        thief = await HandDriven.call_bob(parties)
        assert await thief.say_hello() == theirs
        await thief.stream.send_all(recording)
        # Bob cannot tell yet, and answers; but the thief has no key to go on with.
        assert len(await thief.read(48)) == 48
        await thief.stream.send_all(b"\0\x20" + bytes(32))
        assert await thief.ended()
        assert len(recorders[1].ups) == 1
        assert not recorders[1].downs
        await alice.send(small(1, b"still here"))
        assert await recorders[1].bodies(1) == [b"still here"]
        for one in (alice, thief):
            await one.leave()


async def test_connections_that_say_nothing_do_not_shut_the_door(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    bob = parties.transport(BOB)
    async with bob.serve(recorders[1]):
        idle = [await HandDriven.call_bob(parties) for _ in range(100)]
        alice = parties.transport(ALICE)
        async with alice.serve(recorders[0]):
            await recorders[1].up()
        started = trio.current_time()
        for one in idle:
            assert await one.ended()
            await one.leave()
        assert trio.current_time() - started <= 10


async def drip(stream: trio.SocketStream) -> None:
    for _ in range(HELLO_BYTES):
        await stream.send_all(b"m")
        await trio.sleep(1)


async def test_a_hello_that_drips_is_cut_off(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        slow = await HandDriven.call_bob(parties)
        started = trio.current_time()
        with pytest.raises(trio.BrokenResourceError):
            await drip(slow.stream)
        assert trio.current_time() - started <= 13
        await slow.leave()


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (small(1) + small(1), "alice: a frame carries number 1; 2 was expected"),
        (small(1) + small(3), "alice: a frame carries number 3; 2 was expected"),
        (pack_prelude(START, 1, len(DATA), 2**40) + DATA, "at most 1073741824 are allowed"),
        (b"\xff", "items of type 255 do not exist"),
        (READY, "READY came twice"),
        (small(0, pack_ack(9), encode_header(Header(Kind.ACK))), "frame 9 is acknowledged"),
    ],
)
async def test_a_peer_that_lies_is_down_with_the_reason(
    lie: bytes, reason: str, parties: Parties, recorders: list[Recorder]
) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        await alice.send(lie)
        error = await recorders[1].down()
        assert isinstance(error, PeerViolation)
        assert reason in str(error)
        assert await alice.ended()
        await alice.leave()


async def test_a_stream_without_goodbye_was_cut(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        await alice.send(small(1, b"whole"))
        await recorders[1].bodies(1)
        await alice.stream.send_all(b"\0")
        await alice.stream.send_eof()
        error = await recorders[1].down()
        assert isinstance(error, PeerLost)
        assert "without goodbye" in str(error)
        await alice.leave()


async def test_a_goodbye_is_answered_at_once(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        assert await alice.record() == READY
        await alice.send(CLOSE)
        assert await alice.record() == CLOSE
        assert await recorders[1].down() is None
        await alice.leave()


async def test_a_goodbye_in_mid_frame_is_a_loss(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await alice.send(pack_prelude(START, 1, len(DATA), 70_000 + 4 * 65519) + DATA)
        for _ in range(4):
            await alice.send(bytes(65519))
        await alice.send(CLOSE)
        error = await recorders[1].down()
        assert isinstance(error, PeerLost)
        assert "in the middle of a frame" in str(error)
        await alice.leave()


async def test_the_newer_of_two_processes_is_refused(parties: Parties, recorders: list[Recorder]) -> None:
    first, bob = parties.transport(ALICE), parties.transport(BOB)
    async with bob.serve(recorders[1]), first.serve(recorders[0]):
        await recorders[0].up()
        await recorders[1].up()
        newer = await (await HandDriven.call_bob(parties)).be_up()
        assert await newer.record() == CLOSE
        assert bob.hints(ALICE) == ("two processes hold the key of alice: the newer one was refused",)
        check_link(recorders[0], recorders[1])
        await newer.leave()


async def test_a_dead_older_process_gives_way(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    bob, alice = parties.transport(BOB), parties.transport(ALICE)
    async with bob.serve(recorders[1]):
        dead = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        async with alice.serve(recorders[0]):
            await recorders[1].up(2)
            assert recorders[1].ups[1] == (ALICE, alice.incarnation)
            assert str(recorders[1].downs[0][1]) == "alice: it connected anew"
        await dead.leave()


async def test_the_same_process_may_connect_anew(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        first = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        second = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up(2)
        assert await first.ended()
        await second.send(small(1, b"anew"))
        assert await recorders[1].bodies(1) == [b"anew"]
        for one in (first, second):
            await one.leave()


async def test_a_silent_peer_is_dropped_after_a_minute(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        started = trio.current_time()
        error = await recorders[1].down()
        assert str(error) == "alice: nothing came from it for 60 s"
        assert trio.current_time() - started == pytest.approx(62)
        await alice.leave()


async def test_one_sign_of_life_is_enough(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    async with parties.transport(BOB).serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        for _ in range(5):
            await trio.sleep(50)
            await alice.send(PONG)
        assert not recorders[1].downs
        await alice.leave()


@pytest.mark.parametrize(("body_bytes", "seconds"), [(0, 2), (2**26, 32)])
async def test_leaving_a_deaf_peer_takes_a_bounded_time(
    body_bytes: int, seconds: float, parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    bob = parties.transport(BOB)
    async with bob.serve(recorders[1]):
        alice = await (await HandDriven.call_bob(parties)).be_up()
        await recorders[1].up()
        await bob.send(ALICE, Frame(Header(Kind.DATA), memoryview(bytes(body_bytes))))
        started = trio.current_time()
    assert trio.current_time() - started == pytest.approx(seconds)
    await alice.leave()
