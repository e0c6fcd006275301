"""Bytes of one's own between parties: `Party.send` and `Party.receive`, over encrypted links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from mpcnet import JobEnded, LocalError, PeerAborted, PeerViolation, simulate
from mpcnet.declare import Party
from mpcnet.primitives import blake2b
from mpcnet.session import RegionCost
from mpcnet.session.streams import WINDOW_BYTES
from mpcnet.wire.frames import Frame, Header, Kind
from tests.support.parties import Endings, Loopback, Nothing, job_of, run_parties, total

Program = Callable[[Party[Nothing]], Awaitable[object]]
ONES: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 1}}


async def run(loopback: Loopback, alice: Program, bob: Program, **options: Any) -> Endings:
    jobs = {"alice": job_of(alice, loopback.names), "bob": job_of(bob, loopback.names)}
    async with loopback.meshes(**options) as meshes:
        return await run_parties(meshes, jobs["alice"], ONES, jobs=jobs)


def pattern(nbytes: int) -> bytes:
    block = b"".join(blake2b(bytes([number]), size=64) for number in range(256))
    return (block * (nbytes // len(block) + 1))[:nbytes]


SIZES = [0, 1, 2**18 - 8, 2**18, 2**18 + 1, WINDOW_BYTES, WINDOW_BYTES + 1, 5 * WINDOW_BYTES + 17]


async def test_messages_of_many_sizes_in_order(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> None:
        for size in SIZES:
            await party.send(party.roster.members[1], pattern(size))

    async def bob(party: Party[Nothing]) -> list[bool]:
        source = party.roster.members[0]
        return [bytes(await party.receive(source, max_bytes=size)) == pattern(size) for size in SIZES]

    endings = await run(two, alice, bob)
    assert endings.outcomes == {"alice": None, "bob": [True] * len(SIZES)}


async def test_both_directions_at_once(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> bytes:
        other = party.roster.members[1 - party.me.index]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(party.send, other, pattern(4 * WINDOW_BYTES + party.me.index))
            received = await party.receive(other, max_bytes=5 * WINDOW_BYTES)
        return bytes(received)

    endings = await run(two, program, program)
    assert endings.outcomes == {"alice": pattern(4 * WINDOW_BYTES + 1), "bob": pattern(4 * WINDOW_BYTES)}


async def test_what_is_received_is_read_only_and_a_senders_buffer_is_free_again(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> None:
        buffer = bytearray(b"first")
        await party.send(party.roster.members[1], memoryview(buffer))
        buffer[:] = b"wrong"

    async def bob(party: Party[Nothing]) -> object:
        received = await party.receive(party.roster.members[0], max_bytes=5)
        assert received.readonly
        return bytes(received)

    assert (await run(two, alice, bob)).outcomes["bob"] == b"first"


@pytest.mark.parametrize("size", [11, WINDOW_BYTES * 3])
async def test_a_message_longer_than_the_receiver_takes_ends_the_job(two: Loopback, size: int) -> None:
    async def alice(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[1], bytes(size))
        await party.receive(party.roster.members[1], max_bytes=1)

    async def bob(party: Party[Nothing]) -> None:
        await party.receive(party.roster.members[0], max_bytes=10)

    endings = await run(two, alice, bob)
    violation, told = endings.errors["bob"], endings.errors["alice"]
    assert isinstance(violation, PeerViolation)
    assert str(violation) == f"alice: sent a message of {size} bytes, where at most 10 are taken"
    assert isinstance(told, PeerAborted)
    assert told.reason == "ended the job: it says that alice broke the protocol"


async def test_forks_have_streams_of_their_own(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> None:
        async with party.fork("one") as one, party.fork("two") as two_:
            await two_.send(party.roster.members[1], b"two")
            await one.send(party.roster.members[1], b"one")
            await party.send(party.roster.members[1], b"main")

    async def bob(party: Party[Nothing]) -> list[bytes]:
        source = party.roster.members[0]
        heard = [bytes(await party.receive(source, max_bytes=4))]
        async with party.fork("one") as one, party.fork("two") as two_:
            heard += [bytes(await fork.receive(source, max_bytes=4)) for fork in (one, two_)]
        return heard

    assert (await run(two, alice, bob)).outcomes["bob"] == [b"main", b"one", b"two"]


async def test_bytes_of_a_party_that_has_left_are_still_there(two: Loopback) -> None:
    gone = trio.Event()

    async def alice(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[1], b"farewell")

    async def bob(party: Party[Nothing]) -> bytes:
        await gone.wait()
        return bytes(await party.receive(party.roster.members[0], max_bytes=10))

    async def first(loopback: Loopback) -> None:
        async with loopback.meshes("alice") as meshes:
            await meshes["alice"].run(job_of(alice, loopback.names), {"value": 1})
        gone.set()

    async with trio.open_nursery() as nursery, two.meshes("bob") as meshes:
        nursery.start_soon(first, two)
        assert await meshes["bob"].run(job_of(bob, two.names), {"value": 1}) == b"farewell"


async def test_only_other_parties_of_the_job_can_be_talked_to(three: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        for member in (party.me, party.roster.members[2]):
            with pytest.raises(LocalError, match="is no other party of this job"):
                await party.send(member, b"x")
            with pytest.raises(LocalError, match="is no other party of this job"):
                await party.receive(member, max_bytes=1)

    async with three.meshes("alice", "bob") as meshes:
        endings = await run_parties(meshes, job_of(program, ("alice", "bob")), ONES)
    assert endings.outcomes == {"alice": None, "bob": None}


async def test_two_tasks_must_not_receive_from_one_party(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> bytes:
        other = party.roster.members[1]
        received: list[bytes] = []

        async def receive() -> None:
            received.append(bytes(await party.receive(other, max_bytes=5)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(LocalError, match="two tasks receive from bob"):
                await party.receive(other, max_bytes=5)
            await party.send(other, b"go")
        return received[0]

    async def bob(party: Party[Nothing]) -> None:
        await party.receive(party.roster.members[0], max_bytes=5)
        await party.send(party.roster.members[0], b"once")

    assert (await run(two, alice, bob)).outcomes["alice"] == b"once"


async def test_a_cancelled_receive_ends_the_job(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await party.receive(party.roster.members[1], max_bytes=5)
        with pytest.raises(JobEnded):
            await party.send(party.roster.members[1], b"")

    async def bob(party: Party[Nothing]) -> None:
        await party.receive(party.roster.members[0], max_bytes=5)

    endings = await run(two, alice, bob)
    assert isinstance(endings.errors["alice"], JobEnded)
    assert str(endings.errors["bob"]) == "alice: ended the job: it was cancelled there"


async def test_bytes_of_ones_own_are_counted_in_their_region(two: Loopback) -> None:
    async def alice(party: Party[Nothing]) -> None:
        other = party.roster.members[1]
        with party.region("points"):
            await party.send(other, bytes(1000))
            await party.send(other, b"")
        await party.send(other, memoryview(bytes(16)).cast("Q"))

    async def bob(party: Party[Nothing]) -> None:
        for size in (1000, 0, 16):
            await party.receive(party.roster.members[0], max_bytes=size)

    results = (await run(two, alice, bob)).results
    assert results["alice"].cost.regions == {
        "points": RegionCost(messages=2, sent_bytes=1000),
        "main": RegionCost(messages=1, sent_bytes=16),
    }
    assert results["bob"].cost.regions == {"main": RegionCost(received_bytes=1016)}


async def test_what_protocols_with_cryptography_of_their_own_need(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> tuple[bytes, bytes, bytes]:
        async with party.fork("inner") as inner:
            return party.job_id, inner.job_id, party.random_bytes(16)

    endings = await run(two, program, program)
    (first, inner, ours), (second, _, theirs) = endings.outcomes.values()
    assert first == second == inner == endings.results["alice"].job
    assert len(first) == 32
    assert len(ours) == len(theirs) == 16
    assert ours != theirs


async def test_no_randomness_for_a_job_that_is_over(two: Loopback) -> None:
    parties: list[Party[Nothing]] = []

    async def program(party: Party[Nothing]) -> None:
        parties.append(party)

    await run(two, program, program)
    with pytest.raises(JobEnded):
        parties[0].random_bytes(1)


def frames(header: Header, *bodies: bytes) -> list[Frame]:
    return [Frame(header, memoryview(body)) for body in bodies]


NO_CREDIT = "sent bytes for which it had no credit"
NOT_SENT = "gave credit for bytes that we did not send"
Broken = Callable[[bytes], list[Frame]]
BROKEN: dict[str, tuple[Broken, str]] = {
    "an empty chunk": (lambda tag: frames(Header(Kind.DATA, tag), b""), NO_CREDIT),
    "credit that was not spent": (
        lambda tag: frames(Header(Kind.CREDIT, tag), (5).to_bytes(8, "little")),
        NOT_SENT,
    ),
    "no credit at all": (lambda tag: frames(Header(Kind.CREDIT, tag), bytes(8)), NOT_SENT),
    "credit of another size": (lambda tag: frames(Header(Kind.CREDIT, tag), b"12345"), NOT_SENT),
    "a chunk that is too large": (
        lambda tag: frames(Header(Kind.DATA, tag), bytes(2**20 + 1)),
        "sent 1048577 bytes of kind DATA, where at most 1048576 are allowed",
    ),
    "a message without its length": (
        lambda tag: frames(Header(Kind.DATA, tag), b"123"),
        "sent a message of 3355185 bytes, where at most 20 are taken",
    ),
    "more than the message has": (
        lambda tag: frames(Header(Kind.DATA, tag), (9).to_bytes(8, "little"), bytes(10)),
        "sent more bytes than its message has",
    ),
}


@pytest.mark.parametrize("what", list(BROKEN))
async def test_streams_that_break_the_rules(two: Loopback, what: str) -> None:
    broken, reason = BROKEN[what]

    def change(_to: int, frame: Frame) -> list[Frame]:
        return broken(frame.header.job) if frame.header.kind is Kind.DATA else [frame]

    async def alice(party: Party[Nothing]) -> None:
        await party.receive(party.roster.members[1], max_bytes=20)
        await party.receive(party.roster.members[1], max_bytes=20)

    async def bob(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[0], b"hi")
        await party.receive(party.roster.members[0], max_bytes=20)

    endings = await run(two, alice, bob, changes={"bob": change})
    error = endings.errors["alice"]
    assert isinstance(error, PeerViolation)
    assert (error.party, error.reason) == ("bob", reason)
    assert "bob" in endings.errors


@pytest.mark.parametrize("chunks", [4, 5])
async def test_a_sender_without_credit_is_a_violator(two: Loopback, chunks: int) -> None:
    """Alice takes nothing of a long message: four chunks fill the window, and the fifth is too much."""
    first = (5 * 2**18).to_bytes(8, "little") + bytes(2**18 - 8)

    def change(_to: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is not Kind.DATA:
            return [frame]
        return frames(frame.header, first, *[bytes(2**18)] * (chunks - 1))

    async def alice(party: Party[Nothing]) -> None:
        await total(party)  # behind the chunks on the link

    async def bob(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[0], b"hi")
        await total(party)

    endings = await run(two, alice, bob, changes={"bob": change})
    error = endings.errors.get("alice")
    if chunks == 4:
        assert error is None
        return
    assert isinstance(error, PeerViolation)
    assert (error.party, error.reason) == ("bob", NO_CREDIT)


async def test_a_sender_waits_for_credit() -> None:
    """Until Alice takes something, Bob has sent no more than the window holds."""

    async def alice(party: Party[Nothing]) -> int:
        await trio.sleep(5)
        return len(await party.receive(party.roster.members[1], max_bytes=4 * WINDOW_BYTES))

    async def bob(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[0], bytes(3 * WINDOW_BYTES + 5))

    async def program(party: Party[Nothing]) -> object:
        return await (bob if party.me.index else alice)(party)

    simulation = simulate(job_of(program, ("alice", "bob")), ONES)
    assert simulation.outputs["alice"] == 3 * WINDOW_BYTES + 5
    sent = [event for event in simulation.trace if event.kind == "DATA"]
    credited = min(event.sent for event in simulation.trace if event.kind == "CREDIT")
    assert credited > 5
    # All chunks but the first, which has the length, fill their part of the window.
    assert WINDOW_BYTES // 2 < sum(event.body_bytes for event in sent if event.sent < credited) <= WINDOW_BYTES
