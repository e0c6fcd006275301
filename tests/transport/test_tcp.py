from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trio

from mpcnet.errors import LocalError, PeerLost
from mpcnet.transport.connection import Connection
from mpcnet.transport.tcp import TcpTransport
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import ACK_EVERY_BYTES, Limits

if TYPE_CHECKING:
    from tests.transport.conftest import Parties, Recorder

JOB = bytes(range(16))


def frame(body: bytes = b"", *, job: bytes = b"", number: int = 0) -> Frame:
    return Frame(Header(Kind.DATA, job, round=number), memoryview(body))


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_two_parties_exchange_frames(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        await recorders[1].up()
        assert recorders[0].ups == [(1, bob.incarnation)]
        assert recorders[1].ups == [(0, alice.incarnation)]
        sent = [frame(bytes([number]) * number, job=JOB, number=number) for number in range(100)]
        for one in sent:
            await alice.send(1, one)
            await bob.send(0, one)
        for recorder, peer in ((recorders[0], 1), (recorders[1], 0)):
            assert await recorder.bodies(100) == [bytes(one.body) for one in sent]
            assert [got.header for _, got in recorder.frames] == [one.header for one in sent]
            assert {source for source, _ in recorder.frames} == {peer}


async def test_what_a_socket_takes_only_a_part_of_is_sent_whole(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small frames too, each alone on a link that is idle."""
    take = Connection.try_send

    def in_parts(connection: Connection, data: memoryview) -> int:
        return take(connection, data[: -(-len(data) // 2)])

    alice, bob = parties.transport(0), parties.transport(1)
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        await recorders[1].up()
        monkeypatch.setattr(Connection, "try_send", in_parts)
        sent = [frame(bytes([number]) * 50, job=JOB, number=number) for number in range(3)]
        started = trio.current_time()
        for number, one in enumerate(sent):
            await alice.send(1, one)
            assert len(await recorders[1].bodies(number + 1)) == number + 1
        assert [one for _, one in recorders[1].frames] == sent
        await bob.send(0, sent[0])
        assert await recorders[0].bodies(1) == [bytes(50)]
        assert trio.current_time() - started < 5, "the rest left at once, and not with the next keepalive"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_parties_start_in_any_order(
    order: tuple[int, int], parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    first, second = (parties.transport(me) for me in order)
    async with first.serve(recorders[0]):
        await trio.sleep(7)
        if order == (0, 1):
            assert first.hints(1) == (f"bob cannot be reached at 127.0.0.1:{parties.ports[1]}",)
        async with second.serve(recorders[1]):
            await recorders[0].up()
            await recorders[1].up()
            assert first.hints(second.me) == ()


async def test_four_parties_are_all_linked(four_parties: Parties, recorders: list[Recorder]) -> None:
    async with AsyncExitStack() as stack:
        for me, recorder in enumerate(recorders):
            await stack.enter_async_context(four_parties.transport(me).serve(recorder))
        for recorder in recorders:
            await recorder.up(3)


async def test_a_big_frame_and_small_ones_at_once(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    array = np.arange(2**23, dtype=np.uint64)
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        await alice.send(1, Frame(Header(Kind.DATA, JOB), array.data))
        for number in range(50):
            await alice.send(1, frame(b"small", number=number))
        await recorders[1].until(lambda: len(recorders[1].frames) == 51)
    rounds = [got.header.round for _, got in recorders[1].frames if not got.header.job]
    assert rounds == list(range(50))
    place, big = next((i, got) for i, (_, got) in enumerate(recorders[1].frames) if got.header.job)
    assert np.array_equal(np.frombuffer(big.body, dtype=np.uint64), array)
    assert place == 50
    assert big.body.readonly


async def test_leaving_flushes_and_says_goodbye(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    body = bytes(2**22)
    async with bob.serve(recorders[1]):
        async with alice.serve(recorders[0]):
            await recorders[0].up()
            for _ in range(5):
                await alice.send(1, frame(body))
        assert await recorders[1].down() is None
        assert len(recorders[1].frames) == 5
        with pytest.raises(PeerLost, match="no link"):
            await bob.send(0, frame())


async def test_a_party_comes_back(parties: Parties, recorders: list[Recorder]) -> None:
    bob = parties.transport(1)
    incarnations: list[bytes] = []
    async with bob.serve(recorders[1]):
        for turn in range(1, 4):
            alice = parties.transport(0)
            async with alice.serve(recorders[0]):
                await recorders[0].up(turn)
                await recorders[1].up(turn)
                incarnations.append(alice.incarnation)
            assert await recorders[1].down(turn) is None
    assert [incarnation for _, incarnation in recorders[1].ups] == incarnations


async def test_a_listener_comes_back(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    alice = parties.transport(0)
    async with alice.serve(recorders[0]):
        for turn in range(1, 3):
            async with parties.transport(1).serve(recorders[1]):
                await recorders[0].up(turn)
            assert await recorders[0].down(turn) is None


async def fail_while_serving(alice: TcpTransport, recorders: list[Recorder]) -> None:
    async with alice.serve(recorders[0]):
        await recorders[0].up()
        await recorders[1].up()
        raise ZeroDivisionError


async def test_a_failing_body_is_raised_as_it_is(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    async with bob.serve(recorders[1]):
        with pytest.raises(ZeroDivisionError):
            await fail_while_serving(alice, recorders)
        error = await recorders[1].down()
    assert isinstance(error, PeerLost)
    assert str(error) == "alice: the connection ended without goodbye"


async def test_a_cancelled_body_closes_without_waiting(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    async with bob.serve(recorders[1]):
        started = trio.current_time()
        with trio.move_on_after(5) as scope:
            async with alice.serve(recorders[0]):
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert trio.current_time() - started == pytest.approx(5, abs=0.01)
        assert isinstance(await recorders[1].down(), PeerLost)


async def test_nothing_is_left_behind(parties: Parties, recorders: list[Recorder]) -> None:
    async def once() -> None:
        alice, bob = parties.transport(0), parties.transport(1)
        turn = len(recorders[0].ups) + 1
        async with alice.serve(recorders[0]), bob.serve(recorders[1]):
            await recorders[0].up(turn)
            await recorders[1].up(turn)
            await alice.send(1, frame(b"x"))

    await once()
    descriptors, tasks = open_descriptors(), trio.lowlevel.current_statistics().tasks_living
    await once()
    assert open_descriptors() == descriptors
    assert trio.lowlevel.current_statistics().tasks_living == tasks


async def test_an_address_in_use_is_our_mistake(parties: Parties, recorders: list[Recorder]) -> None:
    async with parties.transport(1).serve(recorders[0]):
        with pytest.raises(LocalError, match=r"cannot listen at our address 127\.0\.0\.1"):
            async with parties.transport(1).serve(recorders[1]):
                pass


async def test_serving_twice_is_our_mistake(parties: Parties, recorders: list[Recorder]) -> None:
    alice = parties.transport(0)
    async with alice.serve(recorders[0]):
        with pytest.raises(LocalError, match="served already"):
            async with alice.serve(recorders[0]):
                pass
    async with alice.serve(recorders[0]):
        pass


async def test_an_identity_must_be_the_members(parties: Parties) -> None:
    parties.identities.reverse()
    with pytest.raises(LocalError, match="not that of alice"):
        parties.transport(0)


async def test_sending_to_nobody_is_peer_lost(parties: Parties) -> None:
    with pytest.raises(PeerLost, match="bob: there is no link"):
        await parties.transport(0).send(1, frame())


async def test_a_full_outbox_waits_and_a_cancelled_send_leaves_the_link_healthy(
    parties: Parties, recorders: list[Recorder]
) -> None:
    alice = parties.transport(0, limits=Limits(outbox_bytes=ACK_EVERY_BYTES))
    bob = parties.transport(1)
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        await recorders[1].up()
        sent = 0
        with trio.CancelScope() as scope:
            # Bob reads nothing while this task runs on: the third frame waits for room, and is not sent.
            for _ in range(2):
                await alice.send(1, frame(bytes(2 * ACK_EVERY_BYTES)))
                sent += 1
            scope.cancel()
            await alice.send(1, frame(bytes(2 * ACK_EVERY_BYTES)))
        assert scope.cancelled_caught
        await alice.send(1, frame(b"after"))
        await recorders[1].until(
            lambda: bytes(recorders[1].frames[-1][1].body) == b"after" if recorders[1].frames else False
        )
    assert len(recorders[1].frames) == sent + 1 == 3


async def test_a_refused_frame_ends_the_link_with_its_error(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0), parties.transport(1)
    recorders[1].refuse_round = 13
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        await alice.send(1, frame(b"body", number=13))
        error = await recorders[1].down()
        assert str(error) == "alice: 4 bytes were not agreed"
        # It may come again: dialling goes on.
        await recorders[1].up(2)


async def test_a_frame_that_nobody_wants_is_read_and_forgotten(parties: Parties, recorders: list[Recorder]) -> None:
    alice, bob = parties.transport(0, limits=Limits(outbox_bytes=ACK_EVERY_BYTES)), parties.transport(1)
    recorders[1].forget_round = 13
    async with alice.serve(recorders[0]), bob.serve(recorders[1]):
        await recorders[0].up()
        for _ in range(4):
            # Acknowledged, although forgotten: else the outbox would stay full.
            await alice.send(1, frame(bytes(2 * ACK_EVERY_BYTES), number=13))
            await alice.send(1, frame(b"small", number=13))
        await alice.send(1, frame(b"wanted"))
        assert await recorders[1].bodies(1) == [b"wanted"]
    assert len(recorders[1].frames) == 1
    assert recorders[1].downs == [(0, None)]


async def test_a_quiet_link_stays_up(
    parties: Parties, recorders: list[Recorder], mock_clock: trio.abc.Clock
) -> None:
    async with parties.transport(0).serve(recorders[0]), parties.transport(1).serve(recorders[1]):
        await recorders[0].up()
        await trio.sleep(200)
        assert not recorders[0].downs


def test_timing_is_checked() -> None:
    with pytest.raises(LocalError, match="flush_seconds"):
        Timing(flush_seconds=0)
