"""The mesh: links to all parties of a roster, and the jobs that run on them.

    async with open_mesh(roster, identity) as mesh:
        outcome = await mesh.run(Job(average, Rules(), roles, "raises-2026"), {"value": 3800})

The mesh is the transport's receiver: what comes is sorted here by kind and job, at once and without blocking.
Many jobs run side by side, each in the task that called `run`, with its own streams and cancel scope.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import trio

from mpcnet.declare.job import Job
from mpcnet.declare.plan import Plan, make_plan
from mpcnet.declare.revealed import opened
from mpcnet.errors import JobEnded, LocalError, PeerError, PeerLost, PeerViolation, leaves
from mpcnet.identity import Member, Roster
from mpcnet.primitives import random_bytes
from mpcnet.session.abort import NONCE_BYTES, Abort, Diverged, Reason, reason_of
from mpcnet.session.agreement import Agree, Confirm
from mpcnet.session.cost import Cost
from mpcnet.session.early_agreements import EarlyAgreements
from mpcnet.session.events import Ended, Event, Listener, PeerDown, PeerUp
from mpcnet.session.frame_limits import JOB_KINDS, check_size_untrusted
from mpcnet.session.job_run import JobRun
from mpcnet.session.offload import Offload, in_thread
from mpcnet.session.pairs import Pairs
from mpcnet.session.party import JobEnvironment, JobParty
from mpcnet.session.undelivered_aborts import UndeliveredAborts
from mpcnet.transport.interface import Transport
from mpcnet.wire.frames import Frame, Header, Kind

__all__ = ("Mesh", "Result")

P = TypeVar("P")
T = TypeVar("T")

_log = logging.getLogger("mpcnet.session")

_FAREWELL_SECONDS = 2.0
"""How long a failed job may take to tell the others why."""
_REFUSAL_SECONDS = 1.0
"""How long a refused input waits for links, to tell the others."""


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What a job gave.

    Args:
        outcome: what the protocol's function returned here.
        cost: what it cost us, without agreement.
        job: the job's id, the same on all parties.
    """

    outcome: T
    cost: Cost
    job: bytes


class Mesh:
    """One party's place among the parties of a roster. Made by `open_mesh`, or by the simulator.

    Args:
        roster: all parties.
        me: ourselves.
        transport: links to the others.
        listener: told what happens.
        randomness: n to n uniform bytes.
        offload: runs blocking work.
        simulated: no messages leave this process; only then schemes that protect nothing are allowed.
    """

    def __init__(
        self,
        roster: Roster,
        me: Member,
        transport: Transport,
        *,
        listener: Listener | None = None,
        randomness: Callable[[int], bytes] = random_bytes,
        offload: Offload = in_thread,
        simulated: bool = False,
    ) -> None:
        self.roster = roster
        self.me = me
        self._transport = transport
        self._listener = listener
        self._randomness = randomness
        self._offload = offload
        self._simulated = simulated
        self._pairs = Pairs(me.index, transport.incarnation, randomness)
        self._pending = EarlyAgreements()
        self._jobs: dict[str, JobRun] = {}
        self._by_wire_id: dict[bytes, JobRun] = {}
        self._refusals = UndeliveredAborts()
        self._up_changed = trio.Event()
        self._job_over = trio.Event()
        self._nursery: trio.Nursery | None = None

    def __repr__(self) -> str:
        return f"Mesh({self.me.name}, up={[self.roster.members[peer].name for peer in sorted(self._pairs.up)]})"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator[Mesh]:
        """Serve links inside the block. Jobs that still run when it is left are cancelled."""
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                async with self._transport.serve(self):
                    yield self
                    await self._end_jobs()
            except Exception as error:
                # Raised again outside of the nursery, which would wrap it in a group.
                failure = error
            finally:
                self._nursery = None
                for running in self._jobs.values():
                    running.fail(JobEnded("the mesh was closed"))
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _end_jobs(self) -> None:
        """End the jobs of other tasks, while there are links to tell the others."""
        for running in list(self._jobs.values()):
            running.fail(JobEnded("the mesh was closed"))
        with trio.move_on_after(_FAREWELL_SECONDS):
            while self._jobs:
                self._job_over = trio.Event()
                await self._job_over.wait()

    async def run(self, job: Job[P, T], inputs: Mapping[str, object] | None = None) -> T:
        """Run one job with the parties that it names; returns what its protocol returns here.

        Waits for parties that are not there yet, until the job's deadline.

        Args:
            job: the same on all parties, or it ends with `AgreementMismatch`.
            inputs: our own inputs by name, as the protocol declares them.

        Raises:
            LocalError: the job does not fit the roster or an input its declaration; no input was sent.
            AgreementMismatch: another party is about to run something else; it lists the fields.
            PeerLost, PeerAborted, PeerViolation, ProgramMismatch, DeadlineExceeded: as their names say.
        """
        return (await self.execute(job, inputs)).outcome

    async def execute(self, job: Job[P, T], inputs: Mapping[str, object] | None = None) -> Result[T]:
        """As `run`, with the job's id and costs."""
        plan = make_plan(job, self.roster, self.me)
        if self._nursery is None:
            raise LocalError("the mesh is not open: use 'async with'")
        if not (plan.scheme.private or self._simulated):
            raise LocalError(f"scheme '{job.scheme}' protects nothing and is never run over links")
        if job.label in self._jobs:
            raise LocalError(f"a job with the label '{job.label}' is running already")
        try:
            checked = plan.check_inputs(inputs or {})
        except LocalError:
            await self._refuse(plan)
            raise
        self._refusals.forget(job.label)
        transport = self._transport
        running = JobRun(plan, self._randomness(NONCE_BYTES), transport.send, transport.send_now, self._listener)
        self._jobs[job.label] = running
        deadline = trio.CancelScope()
        self._nursery.start_soon(self._watch_deadline, running, deadline)
        try:
            return await self._conduct(running, checked)
        finally:
            deadline.cancel()
            running.ended = True
            self._jobs.pop(job.label, None)
            self._by_wire_id.pop(running.wire_id, None)
            self._job_over.set()
            self._tell(Ended(job.label, running.failure, running.cost))

    def waiting_for(self, label: str) -> dict[str, str]:
        """For whom a running job waits now: by name, the newest hint why its link is not up, or nothing."""
        running = self._jobs.get(label)
        waiting = () if running is None else running.waiting_for()
        return {self._name(peer): next(iter(self._hints(peer)[-1:]), "") for peer in waiting}

    def latecomers(self, label: str) -> tuple[str, ...]:
        """Who has not been here since a job failed, and is told why when it comes while the mesh is open."""
        return tuple(self._name(peer) for peer in self._refusals.untold(label))

    async def _conduct(self, running: JobRun, inputs: Mapping[str, Any]) -> Result[Any]:
        """Play the job, and if it fails tell the others why before we say it to our caller."""
        result: Result[Any] | None = None
        raised: BaseException | None = None
        try:
            with running.scope:
                result = await self._play(running, inputs)
        except BaseException as error:
            alone = leaves(error)  # nurseries of forks make groups of one; those of several stay
            raised = alone[0] if len(alone) == 1 else error
            running.raised(raised)
        if running.failure is None and result is not None:
            return result
        failure = running.failure or LocalError("the job's scope was cancelled")
        with trio.CancelScope(shield=True, deadline=trio.current_time() + _FAREWELL_SECONDS):
            await self._tell_others(running, failure)
        if isinstance(raised, trio.Cancelled) or not isinstance(raised, Exception | None):
            raise raised
        if isinstance(failure, Diverged):
            failure = running.failure = await running.explain_divergence(failure.peer)
        raise failure from (raised if raised is not failure else failure.__cause__)

    async def _play(self, running: JobRun, inputs: Mapping[str, Any]) -> Result[Any]:
        plan = running.plan
        for peer in plan.peers:
            if peer in self._pairs.up:
                self._send_soon(peer, self._agree_frames(peer, running))
        self._replay_pending(running)
        await running.settle(lambda: self._pairs.missing(plan.peers), self._register)
        seeds = {peer: self._pairs.seed(peer) for peer in plan.peers}
        if running.desk is not None:
            await running.desk.serve(running.id, seeds, self._transport.send, self._offload)
            outcome = None
        else:
            party: JobParty[Any] = JobParty(running, JobEnvironment(seeds, inputs, self._randomness, self._offload))
            outcome = opened(await plan.job.protocol.function(party))
        if running.failure is None:
            for peer in plan.peers:
                if peer not in running.finished or peer in self._pairs.up:
                    await self._send_quietly(peer, Frame(Header(Kind.FINISH, running.wire_id)))
        return Result(outcome, running.cost, running.id)

    def _register(self, running: JobRun) -> None:
        self._by_wire_id[running.wire_id] = running

    async def _watch_deadline(self, running: JobRun, scope: trio.CancelScope) -> None:
        with scope:
            await running.watch_deadline(self._hints)

    def _hints(self, peer: int) -> tuple[str, ...]:
        return (*self._transport.hints(peer), *self._pending.hints(peer, self._name(peer)))

    # What we tell others

    async def _tell_others(self, running: JobRun, failure: BaseException) -> None:
        indices = {member.name: member.index for member in self.roster.members}
        reason, concerned = reason_of(failure, indices)
        fork = running.diverged_fork
        operations = running.recent_operations(fork) if reason is Reason.DIVERGED else ()
        header = Header(Kind.ABORT, fork=fork)
        nonce = running.settling.agree.nonce
        absent = [
            peer
            for peer in running.plan.peers
            if peer not in self._pairs.up and not running.settling.nonce_of(peer)
        ]
        self._refusals.remember(Abort(running.label, nonce, b"", reason, concerned), absent)
        for peer in running.plan.peers:
            abort = Abort(running.label, nonce, running.settling.nonce_of(peer), reason, concerned, operations)
            await self._send_quietly(peer, Frame(header, memoryview(abort.encode())))

    async def _refuse(self, plan: Plan[Any, Any]) -> None:
        """Our input was refused: tell those who are there, and those who come while the mesh is open."""
        label = plan.job.label
        self._refusals.remember(Abort(label, b"", b"", Reason.REFUSED_INPUT), plan.peers)
        with trio.move_on_after(_REFUSAL_SECONDS):
            while True:
                for peer in sorted(self._pairs.up):
                    await self._tell_refusals(peer)
                if self._refusals.is_told(label):
                    return
                await self._up_changed.wait()

    async def _tell_refusals(self, peer: int) -> None:
        for frame in self._refusals.take(peer):
            await self._send_quietly(peer, frame)

    async def _send_quietly(self, peer: int, frame: Frame) -> None:
        """For messages whose loss the transport reports in another way."""
        with contextlib.suppress(PeerLost):
            await self._transport.send(peer, frame)

    def _send_soon(self, peer: int, frames: list[Frame]) -> None:
        """At once where there is room, in a task of its own where it takes waiting; in this order."""
        with contextlib.suppress(PeerLost):
            for position, frame in enumerate(frames):
                if not self._transport.send_now(peer, frame):
                    if self._nursery is not None:
                        self._nursery.start_soon(self._send_in_order, peer, frames[position:])
                    return

    async def _send_in_order(self, peer: int, frames: list[Frame]) -> None:
        for frame in frames:
            await self._send_quietly(peer, frame)

    def _agree_frames(self, peer: int, running: JobRun) -> list[Frame]:
        """Once for each link: from the job that starts, or from the link that comes up."""
        link = self._pairs.links(peer)
        if running.told.get(peer) == link:
            return []
        running.told[peer] = link
        return [running.settling.agree_frame]

    def _greet(self, peer: int) -> None:
        """A link is up: our part of the pair seed, and the jobs that wait for this peer."""
        frames = [Frame(Header(Kind.PAIR_SEED), memoryview(self._pairs.ours(peer)))]
        for running in self._jobs.values():
            # Also when we have heard everybody already: this peer may have been first to speak on this link.
            if peer in running.plan.peers and running.failure is None:
                frames += self._agree_frames(peer, running)
        self._send_soon(peer, [*frames, *self._refusals.take(peer)])

    def _tell(self, event: Event) -> None:
        if self._listener is not None:
            self._listener(event)

    # What the transport tells us

    def peer_up(self, peer: int, incarnation: bytes) -> None:
        """See `Receiver`."""
        self._pairs.peer_up(peer, incarnation)
        self._up_changed.set()
        self._up_changed = trio.Event()
        self._tell(PeerUp(self._name(peer)))
        self._greet(peer)

    def peer_down(self, peer: int, error: PeerError | None) -> None:
        """See `Receiver`."""
        self._pairs.peer_down(peer)
        self._pending.forget(peer)
        self._tell(PeerDown(self._name(peer), error.reason if error else ""))
        for running in list(self._jobs.values()):
            if peer in running.plan.peers:
                running.peer_down(peer, error)

    def admit(self, peer: int, header: Header, body_bytes: int) -> bool:
        """See `Receiver`."""
        running = self._by_wire_id.get(header.job)
        if running is not None and running.awaits(peer, header, body_bytes):
            return True
        check_size_untrusted(self._name(peer), header.kind, body_bytes)
        if running is not None and peer in running.plan.peers and header.kind.is_session and header.job:
            running.admit(peer, header, body_bytes)
            return True
        # Late frames of a job that ended here are ordinary; but nobody can say how large they may be.
        return header.kind not in JOB_KINDS

    def frame_received(self, peer: int, frame: Frame) -> None:
        """See `Receiver`."""
        match frame.header.kind:
            case Kind.ROUND if self._take_awaited(peer, frame):
                pass
            case Kind.PAIR_SEED:
                self._pairs.take(peer, self._name(peer), bytes(frame.body))
                for running in self._jobs.values():
                    running.settling.changed()
            case Kind.AGREE:
                same = (running.settling.read_agree(frame.body) for running in self._jobs.values())
                agree = next(filter(None, same), None) or Agree.decode_untrusted(frame.body, self._name(peer))
                self._take_agree(peer, agree, len(frame.body))
            case Kind.CONFIRM:
                equal = (running.settling.read_confirm(frame.body) for running in self._jobs.values())
                confirm = next(filter(None, equal), None) or Confirm.decode_untrusted(frame.body, self._name(peer))
                confirmed = self._jobs.get(confirm.label)
                if confirmed is not None and peer in confirmed.plan.peers:
                    confirmed.settling.take_confirm(peer, confirm)
            case Kind.ABORT:
                self._take_abort(peer, frame)
            case _:
                self._take_job_frame(peer, frame)

    def _take_awaited(self, peer: int, frame: Frame) -> bool:
        running = self._by_wire_id.get(frame.header.job)
        return running is not None and running.take_awaited(peer, frame)

    def _take_job_frame(self, peer: int, frame: Frame) -> None:
        running = self._by_wire_id.get(frame.header.job)
        if running is None or peer not in running.plan.peers:
            # Late frames of a job that ended here are ordinary.
            _log.debug("%s sent a frame of a job that does not run here", self._name(peer))
            return
        try:
            running.take_frame(peer, frame)
        except PeerViolation as error:
            running.fail(error)
            raise

    def _take_agree(self, peer: int, agree: Agree, size: int) -> None:
        running = self._jobs.get(agree.label)
        if running is None or running.is_over_for(peer):
            self._pending.put_agree(peer, self._name(peer), agree, size)
        elif peer in running.plan.participants:
            running.settling.take_agree(peer, agree)
        else:
            self._reply_not_in_job(peer, agree)

    def _take_abort(self, peer: int, frame: Frame) -> None:
        abort = Abort.decode_untrusted(frame.body, self._name(peer))
        running = self._jobs.get(abort.label)
        if (
            running is not None
            and peer in running.plan.peers
            and running.take_abort(peer, abort, frame.header.fork)
        ):
            return
        if running is None or running.is_over_for(peer):
            self._pending.put_abort(peer, abort)

    def _replay_pending(self, running: JobRun) -> None:
        for peer, agree, abort in self._pending.take(running.label):
            if peer not in running.plan.participants:
                if agree is not None:
                    self._reply_not_in_job(peer, agree)
                continue
            if agree is not None:
                running.settling.take_agree(peer, agree)
            if abort is not None:
                running.take_abort(peer, abort, b"")

    def _reply_not_in_job(self, peer: int, agree: Agree) -> None:
        abort = Abort(agree.label, b"", agree.nonce, Reason.NOT_IN_JOB)
        self._send_soon(peer, [Frame(Header(Kind.ABORT), memoryview(abort.encode()))])

    def _name(self, peer: int) -> str:
        return self.roster.members[peer].name
