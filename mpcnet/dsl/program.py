"""A program: the nodes of one fork, their numbers, and what evaluates them.

    Secret operators ──▶ Program.add(node) ──▶ Program.evaluate(...) ──▶ Evaluation.take() / feed()

An evaluation runs in waves. Local nodes are computed as far as they go, in the order of their numbers; then all
interactive nodes that are ready are grouped by batch key and started, and their rounds leave merged. So the
number of rounds is the depth of the program, not its length, and it is the same on all parties.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Z64, Domain, Streams, Words
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Provider, Request, make_request
from mpcnet.dsl import maps
from mpcnet.dsl.nodes import Input, Interactive, Linear, Local, Node, Operation, Reveal
from mpcnet.dsl.planning import plan_of
from mpcnet.dsl.ranges import Range
from mpcnet.engine import Context, Inbox, MergedRound, Parties, ProgramDigest, Scheduler, Step
from mpcnet.errors import JobEnded, LocalError, MpcnetError, RangeError
from mpcnet.schemes import Scheme, Share

__all__ = ("Evaluation", "Output", "Program")


@dataclass(frozen=True, slots=True)
class Output:
    """A value to reveal: its name, node, receivers (roster indices) and public denominator."""

    name: str
    node: Node
    receivers: tuple[int, ...]
    denominator: int
    domain: Domain = Z64


class Program:
    """What one fork of a job builds and evaluates.

    Args:
        scheme: how values are shared.
        domain: over what.
        parties: who takes part.
        job: the 32-byte job id.
        fork: path of fork labels, outermost first.
        streams: by peer, the streams of our pair for this job and fork.
        randomness: n to n uniform bytes of our own.
        provider: makes correlated randomness, if somebody does.
    """

    def __init__(
        self,
        scheme: Scheme,
        domain: Domain,
        parties: Parties,
        *,
        job: bytes,
        fork: tuple[str, ...],
        streams: Mapping[int, Streams],
        randomness: Callable[[int], bytes],
        provider: Provider | None = None,
    ) -> None:
        self.scheme = scheme
        self.domain = domain
        self.parties = parties
        self.job = job
        self.fork = fork
        self.digest: ProgramDigest = ProgramDigest(job, fork)
        self.next_round: int = 0
        self._streams = streams
        self._randomness = randomness
        self.provider = provider
        self.pool: Pool = Pool()
        self.is_set_up: bool = False
        self._next_number = 0
        self._evaluating: Evaluation | None = None
        self._given_up = False

    def add(self, operation: Operation, parents: tuple[Node, ...], shape: tuple[int, ...], range_: Range) -> Node:
        """A new node; raises `RangeError` if its range leaves the domain."""
        if range_.low < self.domain.lowest or range_.high > self.domain.highest:
            range_.check(self.domain, f"'{operation.kind}'")
        return Node(self.take_number(), operation, parents, shape, range_, self)

    def use(self, node: Node) -> Node:
        """A node of ours for a value of another fork of the job.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        if cast("Program", node.program).job != self.job:
            raise LocalError("values of two jobs do not meet")
        if node.share is None:
            raise LocalError("a value of another fork must be evaluated there before it is used here")
        return self.add(Linear("use", maps.same), (node,), node.shape, node.range)

    def input(
        self,
        name: str,
        row_shape: tuple[int, ...],
        range_: Range,
        owners: tuple[int, ...],
        mine: NDArray[np.int64] | None,
    ) -> Node:
        """A node for rows that their owners share.

        Args:
            name: of the input, for errors and the digest.
            row_shape: of each owner's row.
            range_: of every element.
            owners: roster indices; row i belongs to owner i.
            mine: our row if we own one; it is copied.
        Raises:
            LocalError: the row has another shape, or an owner is named twice or takes no part.
            RangeError: the row leaves the range, or the range the domain.
        """
        if len(set(owners)) != len(owners) or not set(owners) <= set(self.parties.everyone):
            raise LocalError(f"the owners of input '{name}' must be different parties of this program")
        encoded = None if mine is None else self._encoded(name, row_shape, range_, owners, np.array(mine))
        operation = Input(name, self.domain, row_shape, owners, encoded)
        return self.add(operation, (), (len(owners), *row_shape), range_)

    def _encoded(
        self, name: str, row_shape: tuple[int, ...], range_: Range, owners: tuple[int, ...], mine: NDArray[np.int64]
    ) -> Words:
        if self.parties.me not in owners:
            raise LocalError(f"input '{name}' is not ours to give")
        encoded = self.domain.encode(mine)
        if mine.shape != row_shape:
            raise LocalError(f"our input '{name}' has shape {mine.shape}, declared is {row_shape}")
        if mine.size and (int(mine.min()) < range_.low or int(mine.max()) > range_.high):
            raise RangeError(f"our input '{name}' leaves its range {range_}")
        return encoded

    def context(self, number: int) -> Context:
        """The surroundings of the operation with this number."""
        return Context(self.parties, self._streams, self.fork, number, self._randomness, self.pool)

    def evaluate(self, targets: Sequence[Node], outputs: Sequence[Output] = ()) -> Evaluation:
        """Begin an evaluation.

        Raises:
            LocalError: another one is under way, a value belongs to another fork and has not been evaluated, or
                an output has a name or receivers that cannot be.
            JobEnded: an earlier one was given up.
        """
        if self._given_up:
            raise JobEnded("an evaluation of this program was given up: its rounds cannot be run again")
        if self._evaluating is not None:
            raise LocalError(
                "another evaluation of this party is under way; run them one after the other, or in forks"
            )
        self._check_outputs(outputs)
        evaluation = Evaluation(self, targets, outputs)
        self._evaluating = evaluation
        return evaluation

    def end(self, next_round: int) -> None:
        """The evaluation under way is over."""
        self._evaluating = None
        self.next_round = next_round

    def give_up(self) -> None:
        """The evaluation under way has failed or was closed: this program evaluates nothing any more."""
        self._evaluating = None
        self._given_up = True

    def _check_outputs(self, outputs: Sequence[Output]) -> None:
        names: set[str] = set()
        for output in outputs:
            if output.name in names:
                raise LocalError(f"two outputs are called '{output.name}'")
            names.add(output.name)
            receivers = set(output.receivers)
            if len(receivers) != len(output.receivers) or not receivers <= set(self.parties.everyone):
                raise LocalError(
                    f"the receivers of output '{output.name}' must be different parties of this program"
                )

    def take_number(self) -> int:
        """A number that no operation of this fork has had."""
        number = self._next_number
        self._next_number += 1
        return number


class Evaluation:
    """One evaluation of a program: `take` a round, `feed` what came, until `take` gives None.

    `results` then holds the plaintexts of the outputs that we receive.
    """

    def __init__(self, program: Program, targets: Sequence[Node], outputs: Sequence[Output]) -> None:
        self.results: dict[str, NDArray[np.int64]] = {}
        self.rounds_ahead: int = 0  # online rounds that the whole evaluation takes, known when it begins
        self._program = program
        self._scheduler = Scheduler(program.job, digest=program.digest, first_round=program.next_round)
        self._children: dict[int, list[Node]] = {}
        self._missing: dict[int, int] = {}
        self._local: list[tuple[int, Node]] = []
        self._interactive: list[Node] = []
        self._unfinished = 0
        self._finished = False
        self._plan([*targets, *(output.node for output in outputs)])
        # Numbers are taken now: they follow the program text, not the time at which everything else is computed.
        self._verify_number = program.take_number() if outputs else -1
        self._reveals = [
            program.add(
                Reveal(output.name, output.receivers, output.denominator, output.domain),
                (output.node,),
                output.node.shape,
                output.node.range,
            )
            for output in outputs
        ]
        try:
            self._prepare()
        except BaseException:
            if self._scheduler.closed:  # else nothing was started, and the program is as it was
                self.close()
            raise
        self._go_on()

    @property
    def is_preparing(self) -> bool:
        """Whether the round under way sets the scheme up or asks for correlated randomness: no online round."""
        return self._waiting_for_pool

    def take(self) -> MergedRound | None:
        """The next round, or None at the end."""
        if self._finished:
            return None
        merged = self._scheduler.take()
        if merged is None:
            self._finished = True
            self._program.pool.drain()
            self._program.end(self._scheduler.next_round)
        return merged

    def feed(self, inbox: Inbox) -> None:
        """What came in the round that `take` gave."""
        scheduler = self._scheduler
        try:
            scheduler.feed(inbox)
        except BaseException:
            # A mistake of the driver leaves the scheduler as it was; after anything else it is closed.
            if scheduler.closed:
                self.close()
            raise
        self._go_on()

    def close(self) -> None:
        """Give up, unless it has ended: every step is closed, and the program evaluates nothing any more."""
        if not self._finished:
            self._program.give_up()
        self._scheduler.close()

    def _go_on(self) -> None:
        """Compute and start all that can be; after an error nothing goes on."""
        try:
            self._flow()
        except BaseException:
            self.close()
            raise

    def _plan(self, roots: Sequence[Node]) -> None:
        """Find what is still to be computed. Iterative: a program may be deeper than Python's stack."""
        stack = list(roots)
        planned: list[Node] = []
        seen: set[int] = set()
        while stack:
            node = stack.pop()
            if node.share is not None:
                continue
            if node.program is not self._program:
                raise LocalError("a value of another fork must be evaluated there before it is used here")
            if node.number in seen:
                continue
            seen.add(node.number)
            planned.append(node)
            waiting = [parent for parent in node.parents if parent.share is None]
            self._missing[node.number] = len(waiting)
            for parent in waiting:
                self._children.setdefault(parent.number, []).append(node)
            stack.extend(waiting)
            if not waiting:
                self._ready(node)
        self._unfinished = len(seen)
        self._waiting_for_pool = False
        self._planned = planned

    def _prepare(self) -> None:
        """Set the scheme up, once in a program; ask for the correlated randomness of the whole evaluation."""
        program, planned = self._program, self._planned
        self._planned = []
        outlook = plan_of(planned, self._children, program.scheme, program.parties)
        self.rounds_ahead = outlook.rounds + bool(self._reveals)
        demand = outlook.demand
        if program.is_set_up and not demand:
            return
        if demand and program.provider is None:
            raise LocalError("products and comparisons need correlated randomness: name a dealer in the job")
        number = program.take_number()
        request = make_request(number, demand)
        self._waiting_for_pool = True
        # Without a demand there is but the number, in which programs that diverge later differ already here: the
        # error shall name the operation where they do.
        details = request.encoded if demand else b""
        program.digest.add(self._scheduler.next_round, "prepare", (), details)
        self._scheduler.start((number,), self._preparation(program.context(number), request), self._is_prepared)

    def _preparation(self, context: Context, request: Request) -> Step[None]:
        program = self._program
        if not program.is_set_up:
            yield from program.scheme.setup(context)
        if request.demand and program.provider is not None:
            yield from program.provider.ensure(context, program.pool, request)

    def _is_prepared(self, _: None) -> None:
        self._program.is_set_up = True
        self._waiting_for_pool = False

    def _ready(self, node: Node) -> None:
        if isinstance(node.operation, Local):
            heapq.heappush(self._local, (node.number, node))
        else:
            self._interactive.append(node)

    def _flow(self) -> None:
        """Compute and start all that can be, until only rounds are left to wait for."""
        while not self._waiting_for_pool:
            while self._local:
                self._compute(heapq.heappop(self._local)[1])
            if self._interactive:
                self._start_batches()
            elif self._unfinished == 0 and self._reveals:
                self._start_outputs()
            else:
                return

    def _compute(self, node: Node) -> None:
        operation = cast("Local", node.operation)
        self._write_down(node)
        program = self._program
        self._complete(node, operation.apply(program.scheme, program.parties, node.shape, _shares(node)))

    def _start_batches(self) -> None:
        ready, self._interactive = self._interactive, []
        if len(ready) == 1:
            self._write_down(ready[0])
            self._start(ready)
            return
        ready.sort(key=_by_number)
        batches: dict[tuple[str, Hashable], list[Node]] = {}
        for node in ready:
            operation = cast("Interactive", node.operation)
            self._write_down(node)
            batches.setdefault((operation.kind, operation.batch_key()), []).append(node)
        for batch in batches.values():
            self._start(batch)

    def _start(self, batch: list[Node]) -> None:
        operation = cast("Interactive", batch[0].operation)
        program, number = self._program, batch[0].number
        step = operation.run(program.scheme, program.context(number), batch, [_shares(node) for node in batch])
        self._scheduler.start((number,), step, partial(self._finish_batch, batch))

    def _start_outputs(self) -> None:
        """Everything else is computed: let the scheme verify it, then open the outputs."""
        reveals, self._reveals = self._reveals, []
        self._unfinished += len(reveals)

        def verified(_: None) -> None:
            self._interactive += reveals

        program, number = self._program, self._verify_number
        self._scheduler.start((number,), program.scheme.verify(program.context(number)), verified)

    def _finish_batch(self, batch: Sequence[Node], results: Sequence[object]) -> None:
        for node, result in zip(batch, results, strict=True):
            if isinstance(result, Share):
                self._complete(node, result)
            else:
                self._receive(node, result)

    def _complete(self, node: Node, share: Share) -> None:
        node.finish(share)
        self._unfinished -= 1
        for child in self._children.pop(node.number, ()):
            self._missing[child.number] -= 1
            if self._missing[child.number] == 0:
                self._ready(child)

    def _receive(self, node: Node, opened: object) -> None:
        self._unfinished -= 1
        if opened is None:
            return
        name = cast("Reveal", node.operation).name  # no other operation gives plaintexts
        self.results[name] = _decoded(cast("Reveal", node.operation).domain, cast("Words", opened), node)

    def _write_down(self, node: Node) -> None:
        bounds, operation, program = node.range, node.operation, self._program
        parents = b" ".join(
            [b"%d" % parent.number if parent.program is program else _foreign(parent) for parent in node.parents]
        )
        details = b"%d;%d,%d;%s;%s" % (node.number, bounds.low, bounds.high, parents, operation.details())
        program.digest.add(self._scheduler.next_round, operation.kind, node.shape, details)


_by_number: Callable[[Node], int] = attrgetter("number")


def _foreign(parent: Node) -> bytes:
    """How a value of another fork is written down; in brackets, as no number of our own is."""
    return repr((cast("Program", parent.program).fork, parent.number)).encode()


def _shares(node: Node) -> list[Share]:
    return [parent.share for parent in node.parents if parent.share is not None]


def _decoded(domain: Domain, opened: Words, node: Node) -> NDArray[np.int64]:
    values = domain.decode(opened, node.shape)
    if values.size == 1:  # scalar programs have thousands of these, and a reduction costs more than all the rest
        low = high = int(values.item())
    elif values.size:
        low, high = int(values.min()), int(values.max())
    else:
        return values
    if low < node.range.low or high > node.range.high:
        # Honest shares of inputs in their ranges cannot give this. Who lied is unknown without MACs.
        raise MpcnetError(
            "a result lies outside its public range: some party's input or message was not what it should be"
        )
    return values
