"""`JobParty`: the `Party` of a job that runs over links. The contract is that of `mpcnet.declare.Party`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mpcnet.algebra import Buffer, Streams
from mpcnet.algebra.prg import prefixed
from mpcnet.correlated.base_correlations import ForkPair, base_name
from mpcnet.correlated.provider import Opening, Preparation
from mpcnet.declare.inputs import Declaration
from mpcnet.declare.party import Party
from mpcnet.declare.revealed import Revealed
from mpcnet.dsl import Evaluation, Output, Program, Range, Secret, SecretBits, Value, domain_of, evaluate
from mpcnet.engine import Context, ProgramDigest, Setting, SingleStep, Step
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.identity import Member, Roster
from mpcnet.session.channels import fork_id, run_path
from mpcnet.session.cost import MAIN
from mpcnet.session.events import Evaluating
from mpcnet.session.job_run import JobRun
from mpcnet.session.offload import Offload, run_work

__all__ = ("JobEnvironment", "JobParty")

P = TypeVar("P")
R = TypeVar("R")

_MAX_NAME = 64


@dataclass(frozen=True, slots=True, repr=False)
class JobEnvironment:
    """What a party's forks have in common, beside the job.

    Args:
        seeds: by peer, the seed of our pair.
        inputs: our own inputs as the declaration's `check` returned them.
        randomness: n to n uniform bytes of our own.
        offload: runs blocking work.
    """

    seeds: Mapping[int, bytes]
    inputs: Mapping[str, Any]
    randomness: Callable[[int], bytes]
    offload: Offload

    def __repr__(self) -> str:
        return f"JobEnvironment(inputs={sorted(self.inputs)})"


class JobParty(Party[P]):
    """One party of a running job, or of one of its forks. See `mpcnet.declare.Party`."""

    def __init__(self, running: JobRun, surroundings: JobEnvironment, path: tuple[str, ...] = ()) -> None:
        plan = running.plan
        self.me: Member = plan.me
        self.roster: Roster = plan.roster
        self.roles: Mapping[str, tuple[Member, ...]] = plan.roles
        self.params = plan.job.params
        self._running = running
        self._surroundings = surroundings
        self._path = path
        self._fork_labels: set[str] = set()
        self._step_names: set[str] = set()
        self._region = MAIN
        self._shared: set[str] = set()
        self._work = functools.partial(run_work, offload=surroundings.offload)
        self._program = Program(
            plan.scheme,
            plan.parties,
            job=running.id,
            fork=path,
            streams=self._streams(path),
            randomness=surroundings.randomness,
            preparation=_preparation(running, surroundings.seeds, path),
        )
        self._channel = running.channel(fork_id(path))
        self._channel.open(self._program.digest)

    def __repr__(self) -> str:
        return f"Party({self.me.name}, job={self._running.label!r}, fork={'/'.join(self._path) or 'main'})"

    @property
    def path(self) -> tuple[str, ...]:
        """See `Party.path`."""
        return self._path

    @property
    def job_id(self) -> bytes:
        """See `Party.job_id`."""
        return self._running.id

    def random_bytes(self, count: int) -> bytes:
        """See `Party.random_bytes`."""
        self._running.check_running()
        return self._surroundings.randomness(count)

    # Inputs

    def share(self, name: str, value: object = None) -> Secret:
        """See `Party.share`."""
        self._running.check_running()
        plan = self._running.plan
        declaration = plan.job.protocol.inputs.get(name)
        sharing = None if declaration is None else declaration.sharing(self.params)
        if declaration is None or sharing is None:
            known = [item for item, found in plan.job.protocol.inputs.items() if found.is_shared]
            raise LocalError(
                f"protocol '{plan.job.protocol.name}' declares no shared input '{name}'; "
                f"it declares: {', '.join(known) or 'none'}{did_you_mean(name, known)}"
            )
        if name in self._shared:
            raise LocalError(f"input '{name}' was shared already in this fork; keep what `share` returned")
        mine = self._own_value(name, declaration, value)
        self._shared.add(name)
        owners = tuple(member.index for member in self.roles[declaration.by])
        node = self._program.input(name, sharing.shape, Range(sharing.low, sharing.high), owners, mine)
        return Secret(Value(self._program, node, sharing.denominator))

    def _own_value(self, name: str, declaration: Declaration, value: object) -> Any:
        if self.me not in self.roles[declaration.by]:
            if value is not None:
                raise LocalError(f"input '{name}' is given by role '{declaration.by}', to which we do not belong")
            return None
        if declaration.is_given:
            if value is not None:
                raise LocalError(f"input '{name}' comes from the caller of the job, not from the protocol")
            return self._surroundings.inputs[name]
        if value is None:
            raise LocalError(f"input '{name}' is derived: give our value to `share`")
        return declaration.check(value, self.params)

    def local(self, name: str) -> Any:
        """See `Party.local`."""
        self._running.check_running()
        if name not in self._surroundings.inputs:
            raise LocalError(
                f"we give no input '{name}'; ours are: {', '.join(self._surroundings.inputs) or 'none'}"
            )
        return self._surroundings.inputs[name]

    def use(self, value: Secret) -> Secret:
        """See `Party.use`."""
        self._running.check_running()
        self._check_secret(value)
        return value.in_fork(self._program)

    # Evaluation

    async def reveal(self, **outputs: Secret | SecretBits) -> Revealed:
        """See `Party.reveal`."""
        self._running.check_running()
        self._channel.check_idle()
        # By the name under which a row or the whole of an output is opened: the output that it belongs to.
        names: dict[str, str] = {}
        planned: list[Output] = []
        for name, secret in outputs.items():
            parts = self._outputs(name, secret)
            names |= {part.name: name for part in parts}
            planned += parts
        evaluation = evaluate(self._program, [], planned)
        await self._drive(evaluation)
        results = {names[part]: value for part, value in evaluation.results.items()}
        denominators = {name: secret.denominator for name, secret in outputs.items()}
        bits = frozenset(name for name, secret in outputs.items() if isinstance(secret, SecretBits))
        return Revealed(results, denominators, bits)

    async def evaluate(self, *values: Secret | SecretBits) -> None:
        """See `Party.evaluate`."""
        self._running.check_running()
        self._channel.check_idle()
        for value in values:
            self._check_secret(value)
        await self._drive(evaluate(self._program, [value.node for value in values]))

    def _outputs(self, name: str, secret: Secret | SecretBits) -> list[Output]:
        """The output as it is opened: whole, or row by row; not at all if no party of this job receives it."""
        plan = self._running.plan
        if name not in plan.job.protocol.outputs:
            declared = ", ".join(plan.job.protocol.outputs) or "none"
            raise LocalError(
                f"protocol '{plan.job.protocol.name}' declares no output '{name}'; it declares: {declared}"
            )
        self._check_secret(secret)
        deliveries = plan.deliveries[name]
        rows = [delivery for delivery in deliveries if delivery.row is not None]
        if rows and (not secret.shape or secret.shape[0] != len(rows)):
            raise LocalError(
                f"output '{name}' goes to {plan.outputs[name].phrase()}: {len(rows)} rows were expected, not an "
                f"array of shape {secret.shape}"
            )
        return [
            _opened(name, secret, delivery.receivers)
            if delivery.row is None
            else _opened(f"{name}[{delivery.row}]", secret[delivery.row], delivery.receivers)
            for delivery in deliveries
        ]

    def _check_secret(self, value: object) -> None:
        if not isinstance(value, Secret | SecretBits):
            raise LocalError(f"a secret was expected, not a {type(value).__name__}")
        if value.program.job != self._program.job:
            raise LocalError("this secret belongs to another job")

    async def _drive(self, evaluation: Evaluation) -> None:
        running, region = self._running, self._region
        running.tell(
            Evaluating(running.label, self._channel.identifier, evaluation.rounds_ahead, evaluation.is_preparing)
        )
        cost = running.cost
        try:
            await self._channel.drive(evaluation, lambda own: cost.region(own or region), self._work)
        except BaseException as error:
            evaluation.close()
            self._fail(error)
            raise

    async def run(self, name: str, build: Callable[[Context], Step[R]], *, details: bytes = b"") -> R:
        """See `Party.run`."""
        running, plan = self._running, self._running.plan
        running.check_running()
        _reserve_name(name, self._step_names, "a step", "has run a step")
        path = run_path(self._path, name)
        digest = ProgramDigest(running.id, path)
        digest.add(0, "run", (), prefixed(name.encode()) + details)
        channel = running.channel(fork_id(path))
        channel.open(digest)
        context = Context(Setting(plan.parties), self._streams(path), path, 0, self._surroundings.randomness)
        cost, region = running.cost, self._region
        step: SingleStep[R] = SingleStep(running.id, digest, plan.parties, frozenset(plan.peers) - {plan.dealer})
        try:
            step.start(build(context))
            await channel.drive(step, lambda _: cost.region(region), self._work)
        except BaseException as error:
            self._fail(error)
            raise
        else:
            return step.result
        finally:
            step.close()

    def _streams(self, path: tuple[str, ...]) -> dict[int, Streams]:
        return {peer: Streams(seed, self._running.id, path) for peer, seed in self._surroundings.seeds.items()}

    # Structure

    @contextlib.asynccontextmanager
    async def fork(self, label: str) -> AsyncGenerator[Party[P]]:
        """See `Party.fork`."""
        self._running.check_running()
        _reserve_name(label, self._fork_labels, "a fork", "has a fork")
        yield JobParty(self._running, self._surroundings, (*self._path, label))

    @contextlib.contextmanager
    def region(self, name: str) -> Generator[None]:
        """See `Party.region`."""
        outer, self._region = self._region, name
        try:
            yield
        finally:
            self._region = outer

    # Bytes of one's own

    async def send(self, to: Member, data: Buffer) -> None:
        """See `Party.send`."""
        await self._guarded(self._stream(to).send, data)
        cost = self._running.cost.region(self._region)
        cost.messages += 1
        cost.sent_bytes += memoryview(data).nbytes

    async def receive(self, source: Member, *, max_bytes: int) -> memoryview:
        """See `Party.receive`."""
        message: memoryview = await self._guarded(self._stream(source).receive, max_bytes)
        self._running.cost.region(self._region).received_bytes += len(message)
        return message

    async def offload(self, function: Callable[..., R], *args: Any) -> R:
        """See `Party.offload`."""
        self._running.check_running()
        result: R = await self._surroundings.offload(function, *args)
        return result

    def _stream(self, member: Member) -> Any:
        self._running.check_running()
        if member.index not in self._running.plan.peers:
            raise LocalError(f"{member.name} is no other party of this job, or neither of us computes")
        return self._running.stream(self._channel.identifier, member.index)

    async def _guarded(self, operation: Callable[..., Awaitable[R]], *args: Any) -> R:
        try:
            return await operation(*args)
        except LocalError:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._running.fail(error)
        else:
            self._running.interrupt()


def _opened(name: str, secret: Secret | SecretBits, receivers: tuple[int, ...]) -> Output:
    return Output(name, secret.node, receivers, secret.denominator, domain_of(secret))


def _reserve_name(name: str, taken: set[str], what: str, has: str) -> None:
    """Check a name of a fork or step, and remember it: a name stands for a channel and for streams."""
    if not (0 < len(name) <= _MAX_NAME):
        raise LocalError(f"the name of {what} has 1 to {_MAX_NAME} characters, not {len(name)}")
    if name in taken:
        raise LocalError(f"this party {has} '{name}' already")
    taken.add(name)


def _preparation(running: JobRun, seeds: Mapping[int, bytes], path: tuple[str, ...]) -> Preparation | None:
    """Where this fork's correlated randomness comes from."""
    plan = running.plan
    if plan.provider is None:
        return None
    fork = fork_id(path)
    pairs = {peer: ForkPair(seed, name=base_name(running.id, fork)) for peer, seed in seeds.items()}
    return plan.provider.open(Opening(plan.parties, plan.dealer, running.id, path, fork, pairs))
