"""One job while it runs on one party: its agreement, its channels, and how it ends.

    agreeing ──all confirmed──▶ running ──program returns──▶ ended
        └──────────── fail(error): first one wins ─────────────▲

`fail` may be called from anywhere (the links' reader, the deadline, a step): it notes the first error and cancels
the job's scope; whoever called `Mesh.run` gets that error. Nothing here blocks except `settled` and `send`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import trio

from mpcnet.declare.plan import Plan
from mpcnet.engine.digest import Operation, explain_difference
from mpcnet.errors import (
    DeadlineExceeded,
    JobEnded,
    PeerError,
    PeerLost,
    PeerViolation,
    ProgramMismatch,
)
from mpcnet.session.abort import Abort, Diverged, Reason
from mpcnet.session.agreement_phase import AgreementPhase
from mpcnet.session.channels import EARLY_BYTES, MAX_FORKS, ForkChannel
from mpcnet.session.cost import Cost
from mpcnet.session.dealer_service import DealerService
from mpcnet.session.events import Event, Listener, Prepared, RoundDone
from mpcnet.session.streams import ByteStream
from mpcnet.wire.frames import JOB_BYTES, Frame, Header, Kind
from mpcnet.wire.limits import FRAME_OVERHEAD

__all__ = ("JobRun",)

_EXPLAIN_SECONDS: Final = 5.0
"""How long to wait for a diverged peer to say what it was doing."""


class JobRun:
    """The state of one job.

    Args:
        plan: the job, checked against the roster.
        nonce: our fresh 32 bytes.
        send: gives a frame to a peer's link.
        send_now: the same where it takes no waiting; else False.
        tell: takes events, if somebody listens.

    Raises:
        LocalError: the agreement is too large to be sent.
    """

    def __init__(
        self,
        plan: Plan[Any, Any],
        nonce: bytes,
        send: Callable[[int, Frame], Awaitable[None]],
        send_now: Callable[[int, Frame], bool],
        tell: Listener | None,
    ) -> None:
        self.plan = plan
        self.label: str = plan.job.label
        self.settling: AgreementPhase = AgreementPhase(plan, nonce, self.fail, tell)
        self.id: bytes = b""
        self.wire_id: bytes = b""
        self.names: Mapping[int, str] = plan.parties.names
        self.cost: Cost = Cost()
        self.scope: trio.CancelScope = trio.CancelScope()
        self.failure: BaseException | None = None
        self.ended = False
        self.finished: set[int] = set()
        self.dealer: int | None = plan.dealer
        self.told: dict[int, int] = {}
        self.aborts: dict[int, Abort] = {}
        self.diverged_fork: bytes = b""
        self._interrupted: JobEnded | None = None
        self._gone: set[int] = set()
        self._ends_at = trio.current_time() + plan.job.deadline_seconds
        self._send = send
        self.send_now: Callable[[int, Frame], bool] = send_now
        self._tell = tell
        self.desk: DealerService | None = (
            DealerService(plan.parties.computing, plan.parties.names) if plan.is_dealer else None
        )
        self._changed = trio.Event()
        self._channels: dict[bytes, ForkChannel] = {}
        self._streams: dict[tuple[bytes, int], ByteStream] = {}

    async def settle(
        self, seeds_missing: Callable[[], tuple[int, ...]], register: Callable[[JobRun], None]
    ) -> None:
        """Wait until every other party has confirmed this job, and pair seeds are there.

        A mismatch comes through `fail`, as everything that a peer causes.

        Args:
            seeds_missing: those with whom there is no pair seed yet.
            register: called when the job id is known, before anybody can use it.
        """

        def known(job: bytes) -> None:
            self.id, self.wire_id = job, job[:JOB_BYTES]
            register(self)

        await self.settling.settle(seeds_missing, known, self.send)

    # Frames of the running job

    async def send(self, peer: int, frame: Frame) -> None:
        """Give a frame to a peer's link."""
        await self._send(peer, frame)

    def channel(self, identifier: bytes) -> ForkChannel:
        """The rounds of a fork."""
        if identifier not in self._channels:
            self._channels[identifier] = ForkChannel(self, identifier)
        return self._channels[identifier]

    def stream(self, identifier: bytes, peer: int) -> ByteStream:
        """The byte messages between us and a peer in a fork."""
        key = (identifier, peer)
        if key not in self._streams:
            self._streams[key] = ByteStream(self, identifier, peer)
        return self._streams[key]

    def awaits(self, peer: int, header: Header, nbytes: int) -> bool:
        """Whether this is just the frame that a round waits for: the ordinary case, in which nothing is weighed."""
        channel = self._channels.get(header.fork)
        return channel is not None and header.kind is Kind.ROUND and channel.awaits(peer, header, nbytes)

    def take_awaited(self, peer: int, frame: Frame) -> bool:
        """Take a round's frame if a round waits for one from this peer."""
        channel = self._channels.get(frame.header.fork)
        return channel is not None and channel.deliver_awaited(peer, frame)

    def admit(self, peer: int, header: Header, nbytes: int) -> None:
        """Before memory is given to a body.

        Raises:
            PeerViolation: more than an honest peer sends.
        """
        name = self.names[peer]
        if header.fork not in self._channels:
            unknown = sum(not channel.opened for channel in self._channels.values())
            if unknown >= MAX_FORKS:
                raise PeerViolation(name, f"sent frames for more than {MAX_FORKS} forks that do not exist")
        if header.kind not in (Kind.ROUND, Kind.DATA, Kind.CREDIT):
            return
        channel = self.channel(header.fork)
        if header.kind is Kind.ROUND and self.desk is not None:
            self.desk.admit(peer, nbytes)
        elif header.kind is Kind.ROUND:
            channel.admit(peer, header, nbytes)
        early = sum(known.buffered_bytes(peer) for known in self._channels.values())
        early += sum(stream.buffered_bytes for (_, sender), stream in self._streams.items() if sender == peer)
        if early + nbytes + FRAME_OVERHEAD > EARLY_BYTES:
            raise PeerViolation(name, f"sent more than {EARLY_BYTES} bytes before they were awaited")

    def take_frame(self, peer: int, frame: Frame) -> None:
        """A frame that carries our job id."""
        header = frame.header
        match header.kind:
            case Kind.ROUND if self.desk is not None:
                self._ask_desk(self.desk, peer, frame)
            case Kind.ROUND:
                self.channel(header.fork).deliver(peer, frame)
            case Kind.DATA:
                self.stream(header.fork, peer).deliver_data(frame.body)
            case Kind.CREDIT:
                self.stream(header.fork, peer).deliver_credit(frame.body)
            case Kind.FINISH:
                self.finished.add(peer)
                if self.desk is not None:
                    self.desk.peer_finished(peer)
                for channel in self._channels.values():
                    channel.peer_finished(peer)
                for (_, sender), stream in self._streams.items():
                    if sender == peer:
                        stream.peer_finished()
            case _:
                raise PeerViolation(self.names[peer], f"sent a frame of kind {header.kind.name} inside a job")

    def _ask_desk(self, desk: DealerService, peer: int, frame: Frame) -> None:
        try:
            desk.deliver(peer, frame)
        except ProgramMismatch as error:
            self.fail(error)

    def round_done(self, fork: bytes, number: int) -> None:
        """A round of a fork is over."""
        if self._tell is not None:
            self._tell(RoundDone(self.label, fork, number))

    def prepared(self, fork: bytes) -> None:
        """The correlated randomness of an evaluation is there."""
        self.tell(Prepared(self.label, fork))

    def tell(self, event: Event) -> None:
        """Tell whoever watches."""
        if self._tell is not None:
            self._tell(event)

    # Endings

    @property
    def is_over(self) -> bool:
        """Whether it has ended or failed here."""
        return self.ended or self.failure is not None

    def is_over_for(self, peer: int) -> bool:
        """Whether what the peer says under this label is about another run: this one has ended, here or there."""
        return self.is_over or peer in self.finished

    def fail(self, error: BaseException) -> None:
        """End the job with an error; the first one wins."""
        if self.failure is None and not self.ended:
            self.failure = error
            if isinstance(error, Diverged):
                self.diverged_fork = error.fork
        self.scope.cancel()

    def interrupt(self) -> None:
        """A round was cancelled by the program's own scope, and must not be taken up again.

        The others have half of it. Most often it is the consequence of an error beside it, in another fork, which
        then is the cause.
        """
        if self.failure is None and not self.ended:
            self._interrupted = JobEnded("a round was cancelled while it was in flight")
            self.fail(self._interrupted)
        self.scope.cancel()

    def raised(self, error: BaseException) -> None:
        """The program raised this."""
        if self.failure is self._interrupted and isinstance(error, Exception) and not isinstance(error, JobEnded):
            self.failure = None
        self.fail(error)

    def check_running(self) -> None:
        """Refuse calls on a job that is over.

        Raises:
            JobEnded: it is.
        """
        if self.is_over:
            raise JobEnded(f"job '{self.label}' has ended")

    def peer_down(self, peer: int, error: PeerError | None) -> None:
        """The link to a peer ended."""
        self._gone.add(peer)
        self._changed.set()
        self.settling.changed()
        if not self.settling.nonce_of(peer) or peer in self.finished:
            return  # it may come back and agree, or has done its part
        self.fail(error or PeerLost(self.names[peer], "it left while the job still needed it"))

    def take_abort(self, peer: int, abort: Abort, fork: bytes) -> bool:
        """A peer ended the job. Returns whether it meant this run."""
        if not self._is_meant(peer, abort):
            return False
        self.aborts[peer] = abort
        self._changed.set()
        self.settling.changed()
        if self.failure is not None:
            return True
        if abort.reason is Reason.DIVERGED and self.plan.me.index in abort.concerned:
            self.diverged_fork = fork
            self.fail(ProgramMismatch(self.names[peer], self._explain(peer, abort, fork)))
        else:
            self.fail(abort.error(peer, self.names))
        return True

    def _is_meant(self, peer: int, abort: Abort) -> bool:
        """Labels are used again: whether an abort is of this run, and not of one before."""
        if peer in self.finished:
            return False
        known = self.settling.nonce_of(peer)
        if abort.nonce and known and abort.nonce != known:
            return False
        if abort.reply_to == self.settling.agree.nonce:
            return True
        if not (abort.reply_to or abort.is_echo):
            return True
        # It is about an earlier run of ours. If we have taken its agreement of then for a new one:
        if known and abort.nonce == known:
            if self.id:
                return True
            self.settling.forget(peer)
        return False

    def recent_operations(self, fork: bytes) -> tuple[Operation, ...]:
        """What our program did last in a fork."""
        digest = self._channels[fork].digest if fork in self._channels else None
        return digest.recent if digest else ()

    async def explain_divergence(self, peer: int) -> ProgramMismatch:
        """Ask a diverged peer what it was doing, for a while, and make the error of the answer."""
        with trio.move_on_at(min(trio.current_time() + _EXPLAIN_SECONDS, self._ends_at)):
            while peer not in self.aborts and peer not in self.finished and peer not in self._gone:
                self._changed = trio.Event()
                await self._changed.wait()
        name, fork = self.names[peer], self.diverged_fork
        abort = self.aborts.get(peer)
        if abort is None or not abort.operations:
            return ProgramMismatch(
                name, f"at round {self.channel(fork).round} the program of {name} differs from ours"
            )
        return ProgramMismatch(name, self._explain(peer, abort, fork))

    def _explain(self, peer: int, abort: Abort, fork: bytes) -> str:
        return explain_difference(self.names[peer], self.recent_operations(fork), abort.operations)

    async def watch_deadline(self, hints: Callable[[int], tuple[str, ...]]) -> None:
        """End the job when its time is over."""
        await trio.sleep(self.plan.job.deadline_seconds)
        waiting = self.waiting_for()
        names = [self.names[index] for index in waiting]
        known = [hint for index in waiting for hint in hints(index)[-1:]]
        known += [
            f"{self.names[index]} works in a fork that our program has not opened"
            for index in waiting
            if any(not channel.opened and channel.buffered_bytes(index) for channel in self._channels.values())
        ]
        self.fail(DeadlineExceeded(names, self._doing(), known))

    def waiting_for(self) -> tuple[int, ...]:
        """From whom something is missing now."""
        if not self.id:
            return self.settling.without_agreement()
        if pending := self.settling.without_confirmation():
            return pending
        if self.desk is not None:
            return tuple(sorted(self.desk.waiting_for))
        waiting = {peer for channel in self._channels.values() for peer in channel.missing}
        waiting |= {peer for (_, peer), stream in self._streams.items() if stream.waiting}
        return tuple(sorted(waiting))

    def _doing(self) -> str:
        if not self.id or self.settling.without_confirmation():
            return "to agree on the job"
        rounds = [channel.round for channel in self._channels.values() if channel.missing]
        return f"in round {max(rounds)}" if rounds else "in its program"
