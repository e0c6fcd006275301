"""A fork's rounds, played where frames come in: what may go wrong between a reader and the program's task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import JobEnded, LocalError, PeerLost, PeerViolation, ProgramMismatch
from mpcnet.engine import Inbox, MergedRound, Outcome, Work, run_inline
from mpcnet.session.channels import ForkChannel
from mpcnet.session.cost import RegionCost
from mpcnet.wire.frames import Frame, Header, Kind

DIGEST = b"d" * 16
DEALER = 3


class Links:
    """A job's links that take what they are told to take."""

    wire_id = b"j" * 16
    names: Mapping[int, str] = MappingProxyType(dict(enumerate(("alice", "bob", "carol", "dave"))))
    dealer: int | None = DEALER

    def __init__(self) -> None:
        self.finished: set[int] = set()
        self.failures: list[BaseException] = []
        self.full: set[int] = set()
        self.sent: list[tuple[int, int]] = []
        self.room = trio.Event()

    @property
    def is_over(self) -> bool:
        return bool(self.failures)

    def send_now(self, peer: int, frame: Frame) -> bool:
        if peer in self.full:
            return False
        self.sent.append((peer, frame.header.round))
        return True

    async def send(self, peer: int, frame: Frame) -> None:
        await self.room.wait()
        self.sent.append((peer, frame.header.round))

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)

    def round_done(self, fork: bytes, number: int) -> None:
        pass

    def prepared(self, fork: bytes) -> None:
        pass


class Exchanges:
    """An evaluation of so many rounds, in each of which a byte goes to and comes from every peer.

    Args:
        count: of rounds.
        peers: with whom.
        first: number of the first round.
        fail_at: a step raises in this round.
    """

    def __init__(self, count: int, peers: tuple[int, ...], *, first: int = 0, fail_at: int | None = None) -> None:
        self.fed: list[dict[int, bytes]] = []
        self._next, self._end, self._peers, self._fail_at = first, first + count, peers, fail_at

    def take(self) -> MergedRound | None:
        if self._next == self._end:
            return None
        self._next += 1
        return MergedRound(self._next - 1, dict.fromkeys(self._peers, b"x"), dict.fromkeys(self._peers, 1), DIGEST)

    def feed(self, inbox: Inbox | Outcome) -> None:
        assert not isinstance(inbox, Outcome)
        if self._next - 1 == self._fail_at:
            raise ZeroDivisionError
        self.fed.append({peer: bytes(body) for peer, body in inbox.items()})


async def run_here(work: Work[Any]) -> Outcome:
    await trio.lowlevel.checkpoint()
    return run_inline(work)


def counted(_: str) -> RegionCost:
    return RegionCost()


def frame_of(number: int, body: bytes = b"y") -> Frame:
    return Frame(Header(Kind.ROUND, Links.wire_id, b"", number, DIGEST), memoryview(body))


async def test_a_second_evaluation_does_not_take_over_what_the_first_has_not_left() -> None:
    """The first has ended in the reader, but its task has not been woken yet."""
    channel = ForkChannel(Links(), b"")
    first, second = Exchanges(1, (1,)), Exchanges(1, (1,), first=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.drive, first, counted, run_here)
        await trio.testing.wait_all_tasks_blocked()
        channel.deliver(1, frame_of(0))
        # No checkpoint between: here another task of the program begins its own.
        with trio.fail_after(1), pytest.raises(LocalError, match="under way"):
            await channel.drive(second, counted, run_here)
    await drive_alone(channel, second, 1)
    assert [first.fed, second.fed] == [[{1: b"y"}]] * 2


async def drive_alone(channel: ForkChannel, rounds: Exchanges, number: int) -> None:
    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.drive, rounds, counted, run_here)
            await trio.testing.wait_all_tasks_blocked()
            channel.deliver(1, frame_of(number))


@pytest.mark.parametrize("number", [0, 1])
async def test_whoever_is_dealt_what_it_did_not_ask_for_says_so(number: int) -> None:
    channel = ForkChannel(Links(), b"")
    with pytest.raises(PeerViolation, match="was not asked for") as caught:
        channel.deliver(DEALER, frame_of(number))
    assert caught.value.party == "dave"
    channel.deliver(1, frame_of(number))
    assert channel.buffered_bytes(1) > 0, "others may be ahead of us"


async def test_a_dealer_that_answers_when_the_job_is_over_here_has_done_nothing_wrong() -> None:
    links = Links()
    channel = ForkChannel(links, b"")
    with trio.move_on_after(0) as scope:
        await channel.drive(Exchanges(1, (DEALER,)), counted, run_here)
    assert scope.cancelled_caught
    links.fail(JobEnded("a round was cancelled"))  # as `Party` does
    channel.deliver(DEALER, frame_of(0))
    assert channel.buffered_bytes(DEALER) == 0, "nobody will look at it"


async def test_an_error_behind_a_full_link_does_not_wait_for_it() -> None:
    links = Links()
    links.full = {1}
    links.finished = {2}
    channel = ForkChannel(links, b"")
    with trio.fail_after(1), pytest.raises(ProgramMismatch, match="carol has ended"):
        await channel.drive(Exchanges(1, (1, 2)), counted, run_here)
    assert links.sent == []


async def test_what_comes_behind_an_error_changes_nothing() -> None:
    """Carol's message is too long, and she sends another one before the program's task is woken."""
    links = Links()
    channel = ForkChannel(links, b"")
    rounds = Exchanges(3, (1, 2))
    with pytest.RaisesGroup(pytest.RaisesExc(PeerViolation, match="carol: sent 4 bytes in round 1")):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.drive, rounds, counted, run_here)
            await trio.testing.wait_all_tasks_blocked()
            for peer, frame in ((2, frame_of(0)), (2, frame_of(1, b"long")), (1, frame_of(0))):
                channel.deliver(peer, frame)
            for peer in (1, 2):
                channel.deliver(peer, frame_of(1))
    assert len(rounds.fed) == 1
    assert (1, 2) not in links.sent


@pytest.mark.parametrize("peers", [(), (1,)])
async def test_whoever_awaits_nobody_lets_others_run_and_can_be_cancelled(peers: tuple[int, ...]) -> None:
    """An owner that does not compute only sends, and one that computes nothing does not even that."""

    class Said(Exchanges):
        def take(self) -> MergedRound | None:
            merged = super().take()
            return merged and MergedRound(merged.number, merged.to, {}, DIGEST)

    channel = ForkChannel(Links(), b"")
    ended = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends, nursery.cancel_scope)
        for number in range(1000):
            await channel.drive(Said(1, peers, first=number), counted, run_here)
            ended += 1
    assert ended < 1000


async def ends(scope: trio.CancelScope) -> None:
    scope.cancel()


async def test_the_error_of_a_step_is_raised_where_the_program_waits() -> None:
    links = Links()
    channel = ForkChannel(links, b"")
    with pytest.RaisesGroup(ZeroDivisionError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.drive, Exchanges(3, (1,), fail_at=1), counted, run_here)
            await trio.testing.wait_all_tasks_blocked()
            for number in range(3):
                channel.deliver(1, frame_of(number))
    assert links.sent == [(1, 0), (1, 1)]


async def test_a_link_that_goes_down_while_we_wait_for_room_ends_the_evaluation() -> None:
    class Down(Links):
        async def send(self, peer: int, frame: Frame) -> None:
            raise PeerLost("bob", "the link to it is down")

    links = Down()
    links.full = {1}
    with pytest.raises(PeerLost):
        await ForkChannel(links, b"").drive(Exchanges(1, (1,)), counted, run_here)


async def test_what_comes_while_we_wait_for_room_is_kept() -> None:
    links = Links()
    links.full = {1}
    channel = ForkChannel(links, b"")
    rounds = Exchanges(2, (1, 2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.drive, rounds, counted, run_here)
        await trio.testing.wait_all_tasks_blocked()
        for peer in (1, 2):
            channel.deliver(peer, frame_of(0))
        assert links.sent == []
        links.full = set()
        links.room.set()
        await trio.testing.wait_all_tasks_blocked()
        for peer in (2, 1):
            channel.deliver(peer, frame_of(1))
    assert links.sent == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert rounds.fed == [{1: b"y", 2: b"y"}] * 2
