"""Strangers, impostors, and whoever else comes without a key. Alice dials, bob listens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trio

from mpcnet.identity import Identity, Roster
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.hello import HELLO_BYTES, Hello
from tests.transport.handdriven import ALICE, BOB, READY, HandDriven, check_link, poll, small

if TYPE_CHECKING:
    from tests.transport.conftest import Parties, Recorder


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
        assert bob.hints(ALICE) == ("a process that claims to be alice does not hold alice's key",)
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
        assert alice.hints(BOB) == ("a process that claims to be bob does not hold bob's key",)
        assert not recorders[0].ups
        nursery.cancel_scope.cancel()


async def test_another_roster_is_named_at_both_ends(parties: Parties, recorders: list[Recorder]) -> None:
    members = parties.roster.members
    other = Roster((members[0], replace(members[1], name="robert")))
    alice, bob = parties.transport(ALICE), parties.transport(BOB, roster=other)
    ours, theirs = parties.roster.fingerprint, other.fingerprint
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await poll(lambda: bool(alice.hints(BOB)) and bool(bob.hints(ALICE)))
    says = "a process that claims to be {} has another roster; compare with {} that of ours, {}"
    # What a hello says is not proven: a stranger's fingerprint is nowhere shown as a member's.
    assert alice.hints(BOB)[-1] == says.format("bob", "bob", ours)
    assert bob.hints(ALICE)[-1] == says.format("alice", "alice", theirs)
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


async def test_connections_that_say_nothing_are_bounded(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    """However long each may take to say who it is."""
    patient = Timing(handshake_seconds=10_000)
    ended = 0

    async def wait(one: HandDriven) -> None:
        nonlocal ended
        assert await one.ended()
        ended += 1

    async with parties.transport(BOB, timing=patient).serve(recorders[1]):
        idle = [await HandDriven.call_bob(parties) for _ in range(160)]
        async with trio.open_nursery() as nursery:
            for one in idle:
                nursery.start_soon(wait, one)
            await trio.sleep(100)
            nursery.cancel_scope.cancel()
        for one in idle:
            await one.leave()
    assert 80 <= ended < 160, "most were sent away for others, and those that came last may speak"


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
