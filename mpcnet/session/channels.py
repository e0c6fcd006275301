"""The rounds of one fork on the links: what has come, what is awaited, and whether it fits our program.

Theory of operation. A channel drives one evaluation at a time, and receives frames whether one is under way or not.

    idle ──drive──▶ sending ──▶ awaiting ──the last frame came──▶ sending ──▶ ... ──▶ over ──▶ idle
                       ▲                            │
                       └───── working ◀─────────────┘ a work is due

    sending    the frames of a round are given to the links; what finds no room waits in `unsent`
    awaiting   `missing` holds the peers whose frame of this round has not come
    working    `work` is due, and nothing of this evaluation goes on until it is done
    over       no round is left, or an error is kept for the task that drives

Two tasks move a channel: the one that drives, and the readers of the links. A round ends where its last frame comes
in: there, in the reader, the evaluation is fed, and the next round is computed and sent. The task that drives is
woken for what has to wait alone: to send what found no room, to do a work, and to return or raise.

Invariants:

1. `_advance` and all that it calls never await, so a round is fed once, by the task that brings the last of it, and
   no lock is needed.
2. Frames of one peer come in order. One that is not awaited yet waits in `_queues`, since a peer may be a round
   ahead, or an input owner may have left; only the oldest can belong to the round that is awaited. Their bytes
   are counted for each peer, and `EARLY_BYTES` bounds them.
3. Number, digest and size of a frame are judged before its body is fed.

Orders that matter:

- All frames of a round are sent, or with the task that drives, before what came is looked at: to finish a round is
  to forget it.
- Steps are fed in the order of the round, not of arrival, so that runs of one seed are equal.
- After an error nothing more is sent or awaited; what comes then must not go on with a round that has failed.
"""

from __future__ import annotations

import typing
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from mpcnet.algebra.prg import prefixed
from mpcnet.engine import Inbox, MergedRound, Outcome, ProgramDigest, Work
from mpcnet.errors import LocalError, PeerViolation, ProgramMismatch
from mpcnet.primitives import blake2b
from mpcnet.session.abort import Diverged
from mpcnet.session.cost import RegionCost
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import FRAME_OVERHEAD

__all__ = ("EARLY_BYTES", "MAX_FORKS", "ForkChannel", "Links", "fork_id", "run_path")

EARLY_BYTES = 256 * 2**20
"""Bytes that a peer may send before we wait for them, for each job. The largest bundled input is far below."""
MAX_FORKS = 4096
"""Forks of one job whose frames may come before we open them."""


def fork_id(path: tuple[str, ...]) -> bytes:
    """How frames name a fork: empty for the main program, else 8 bytes of a hash of its path."""
    if not path:
        return b""
    encoded = b"".join(prefixed(label.encode()) for label in path)
    return blake2b(encoded, size=8, person=b"mpcnet.fork")


def run_path(path: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The path that stands for a step of `Party.run` in labels and channel ids.

    An empty label parts it from the paths of forks, whose labels are never empty: a step and a fork of one name
    have neither a channel nor a stream in common.
    """
    return (*path, "", "run", name)


class Links(typing.Protocol):
    """What a channel needs of its job."""

    wire_id: bytes
    names: typing.Mapping[int, str]
    finished: set[int]
    dealer: int | None

    @property
    def is_over(self) -> bool: ...
    def send_now(self, peer: int, frame: Frame, /) -> bool: ...
    async def send(self, peer: int, frame: Frame) -> None: ...
    def fail(self, error: BaseException) -> None: ...
    def round_done(self, fork: bytes, number: int) -> None: ...
    def prepared(self, fork: bytes) -> None: ...


class Rounds(typing.Protocol):
    """What a channel drives: an evaluation, or a step of `Party.run`."""

    def take(self) -> MergedRound | Work[Any] | None: ...
    def feed(self, received: Inbox | Outcome, /) -> None: ...


class _Drive:
    """One evaluation under way.

    Args:
        rounds: what is driven.
        costs: by a round's region, the counts that it goes into.
    """

    __slots__ = (
        "costs",
        "error",
        "heard",
        "inbox",
        "is_preparing",
        "merged",
        "over",
        "rounds",
        "unsent",
        "wake",
        "work",
    )

    def __init__(self, rounds: Rounds, costs: Callable[[str], RegionCost]) -> None:
        self.rounds = rounds
        self.costs = costs
        self.is_preparing = False
        self.merged: MergedRound | None = None
        self.inbox: dict[int, memoryview] = {}
        self.unsent: list[tuple[int, Frame]] = []
        self.work: Work[Any] | None = None
        self.heard = False
        self.over = False
        self.error: Exception | None = None
        self.wake = trio.Event()


class ForkChannel:
    """One fork's frames, in and out."""

    def __init__(self, links: Links, identifier: bytes) -> None:
        self.identifier = identifier
        self.digest: ProgramDigest | None = None
        self.round: int = 0
        self.missing: set[int] = set()
        self._links = links
        self._queues: dict[int, deque[Frame]] = {}
        self._buffered: dict[int, int] = {}
        self._expect: typing.Mapping[int, int] = {}
        self._expected_digest = b""
        self._drive: _Drive | None = None

    def open(self, digest: ProgramDigest) -> None:
        """Our program has come to this fork; `digest` is where it writes down what it does there."""
        self.digest = digest

    @property
    def opened(self) -> bool:
        """Whether our program has come to this fork; frames of peers may be here before."""
        return self.digest is not None

    def check_idle(self) -> None:
        """Refuse a second evaluation beside one that is under way.

        One that has ended where its last frame came in is under way until the task that drives it has been woken.

        Raises:
            LocalError: there is one.
        """
        if self._drive is not None:
            raise LocalError(
                "another evaluation of this party is under way; run them one after the other, or in forks"
            )

    async def drive(
        self,
        rounds: Rounds,
        costs: Callable[[str], RegionCost],
        work: Callable[[Work[Any]], Awaitable[Outcome]],
    ) -> None:
        """Send and receive until the evaluation has ended.

        A round ends where its last frame comes in: there, in the links' reader, the next one is computed and sent.
        This task only waits, sends what finds no room, and does the evaluation's works; to wake it for every round
        would cost as much as one.

        Args:
            rounds: the evaluation.
            costs: by a round's region, the counts that it goes into.
            work: does a work while the links go on.
        Raises:
            PeerLost, PeerViolation, ProgramMismatch: as the names say. The caller ends the job then.
            LocalError: as `check_idle`.
        """
        self.check_idle()
        drive = self._drive = _Drive(rounds, costs)
        try:
            self._advance(drive)
            while not drive.over:
                await drive.wake.wait()
                drive.wake = trio.Event()
                for peer, frame in drive.unsent:
                    await self._links.send(peer, frame)
                if drive.unsent:
                    drive.unsent = []
                    self._advance(drive)
                elif drive.work is not None:
                    due, drive.work, drive.heard = drive.work, None, True
                    self._advance(drive, await work(due))
            if not (drive.heard or drive.error):
                # Nothing made this task wait: a program of many such evaluations would hold up links and deadlines.
                await trio.lowlevel.checkpoint()
        finally:
            self._drive = None
            self._expect = {}
            self.missing = set()
        if drive.error is not None:
            raise drive.error

    def _advance(self, drive: _Drive, outcome: Outcome | None = None) -> None:
        """Go on until a frame is missing or must wait to be sent, a work is due, or there is nothing more to do.

        Args:
            outcome: of the work that was due.
        """
        try:
            if outcome is not None:
                drive.rounds.feed(outcome)
            elif drive.merged is not None:
                self._look(drive, drive.merged)
            while not (drive.over or self.missing):
                self._begin(drive)
                if drive.merged is None or drive.unsent:
                    break
                self._look(drive, drive.merged)
            if self.missing:
                return
        except Exception as error:  # raised again in the task that drives
            drive.error = error
            drive.over = True
            # Nothing more is sent or awaited: what comes now must not go on with a round that has failed.
            drive.unsent = []
            self.missing = set()
        drive.wake.set()

    def _begin(self, drive: _Drive) -> None:
        """Take a round and send its messages; or take a work, which this drive's task does."""
        merged = drive.rounds.take()
        if isinstance(merged, Work):
            drive.work = merged
            return
        if drive.is_preparing and not (merged and merged.region):
            drive.is_preparing = False
            self._links.prepared(self.identifier)
        if merged is None:
            drive.over = True
            return
        drive.merged = merged
        self.round = merged.number
        if not merged.to:
            return
        links = self._links
        header = Header(Kind.ROUND, links.wire_id, self.identifier, merged.number, merged.digest)
        for peer, body in merged.to.items():
            if peer in links.finished:
                raise self._ended(peer, "has a message for it")
            frame = Frame(header, body if isinstance(body, memoryview) else memoryview(body))
            if drive.unsent or not links.send_now(peer, frame):
                drive.unsent.append((peer, frame))

    def _look(self, drive: _Drive, merged: MergedRound) -> None:
        """Take what has come; if that was all, the round is over."""
        self._expect, self._expected_digest = merged.expect, merged.digest
        for peer in merged.expect:
            if peer in drive.inbox:
                continue
            queue = self._queues.get(peer)
            if queue:
                frame = queue.popleft()
                self._buffered[peer] -= len(frame.body) + FRAME_OVERHEAD
                self._judge(peer, frame)
                drive.inbox[peer] = frame.body
            elif peer in self._links.finished:
                raise self._ended(peer, "waits for its message")
            else:
                self.missing.add(peer)
        if not self.missing:
            self._finish(drive, merged)

    def _finish(self, drive: _Drive, merged: MergedRound) -> None:
        """All is here: hand it over."""
        # In the order of the round, not of arrival.
        inbox = {peer: drive.inbox[peer] for peer in merged.expect}
        drive.inbox, drive.merged = {}, None
        drive.heard = drive.heard or bool(inbox)
        if merged.to or merged.expect:
            cost = drive.costs(merged.region)
            cost.rounds += 1
            for body in merged.to.values():
                cost.messages += 1
                cost.sent_bytes += len(body)
            for nbytes in merged.expect.values():
                cost.received_bytes += nbytes
        drive.is_preparing = bool(merged.region)
        self._links.round_done(self.identifier, merged.number)
        drive.rounds.feed(inbox)

    def deliver(self, peer: int, frame: Frame) -> None:
        """A frame came. Called by the reader; never blocks.

        Raises:
            PeerViolation: the dealer answers what we have not asked, or twice. Others may be ahead of us, not it.
        """
        if self._links.is_over:
            return  # the peer may not know yet; an answer on its way to us is no lie
        if not self.deliver_awaited(peer, frame):
            if peer == self._links.dealer and not self._has_asked(peer, frame.header):
                raise PeerViolation(
                    self._links.names[peer],
                    f"dealt something that was not asked for, in round {frame.header.round}",
                )
            self._queues.setdefault(peer, deque()).append(frame)
            self._buffered[peer] = self.buffered_bytes(peer) + len(frame.body) + FRAME_OVERHEAD

    def _has_asked(self, dealer: int, header: Header) -> bool:
        """Whether a question of ours is under way, although we do not wait yet: its message is still being sent."""
        drive = self._drive
        return (
            drive is not None
            and drive.merged is not None
            and dealer in drive.merged.expect
            and dealer not in drive.inbox
            and header.round == self.round
        )

    def deliver_awaited(self, peer: int, frame: Frame) -> bool:
        """A frame came; take it if a round waits for one from this peer, and go on if it was the last."""
        drive = self._drive
        if drive is None or peer not in self.missing:
            return False
        try:
            self._judge(peer, frame)
        except (PeerViolation, Diverged) as error:
            self._links.fail(error)
            return True
        self.missing.discard(peer)
        drive.inbox[peer] = frame.body
        if not (self.missing or self._links.is_over):
            self._advance(drive)
        return True

    def peer_finished(self, peer: int) -> None:
        """The peer's program has ended; it will send nothing more."""
        if peer in self.missing:
            self._links.fail(self._ended(peer, "waits for its message"))

    def admit(self, peer: int, header: Header, nbytes: int) -> None:
        """Before memory is given to a body that is not `awaits`: refuse what an honest peer cannot send."""
        if peer in self.missing and header.digest == self._expected_digest and nbytes != self._expect[peer]:
            raise PeerViolation(
                self._links.names[peer],
                f"sent {nbytes} bytes in round {header.round}, where {self._expect[peer]} were agreed",
                {"round": header.round, "got_bytes": nbytes, "expected_bytes": self._expect[peer]},
            )

    def buffered_bytes(self, peer: int) -> int:
        """What waits here from a peer: bodies, and what Python keeps with each frame."""
        return self._buffered.get(peer, 0)

    def awaits(self, peer: int, header: Header, nbytes: int) -> bool:
        """Whether this is the frame that we wait for, of the agreed size."""
        return peer in self.missing and header.digest == self._expected_digest and nbytes == self._expect[peer]

    def _judge(self, peer: int, frame: Frame) -> None:
        if frame.header.round != self.round or frame.header.digest != self._expected_digest:
            raise Diverged(peer, self.identifier)
        if len(frame.body) != self._expect[peer]:
            raise PeerViolation(
                self._links.names[peer],
                f"sent {len(frame.body)} bytes in round {self.round}, where {self._expect[peer]} were agreed",
            )

    def _ended(self, peer: int, what: str) -> ProgramMismatch:
        name = self._links.names[peer]
        return ProgramMismatch(name, f"the program of {name} has ended; ours {what} at round {self.round}")
