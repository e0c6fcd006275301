"""Peers that hold their key and misbehave, fall silent or come twice. Alice dials, bob listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from mpcnet.errors import PeerLost, PeerViolation
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.items import START, pack_ack, pack_prelude
from tests.transport.handdriven import ALICE, BOB, CLOSE, DATA, PONG, READY, HandDriven, check_link, small

if TYPE_CHECKING:
    from tests.transport.conftest import Parties, Recorder


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
