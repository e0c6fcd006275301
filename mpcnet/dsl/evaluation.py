"""An evaluation: the nodes of a plan, computed in waves, whose rounds leave merged.

    plan_evaluation ──▶ Evaluation ──start()──▶ take() / feed() ... take() gives None: `results`

                         ┌──────── the next stage ────────┐
    planned ──start──▶ preparing ──▶ running ──────────────┴─ no round is left ──▶ ended
                            └───── an error, or close() ─────▶ given up

Preparing sets the scheme up, once in a program, and makes the correlated randomness of one stage of the plan; it is
skipped if there is nothing of the kind to do. Then the stage runs: local nodes are computed as far as they go, in
the order of their numbers; all interactive nodes that are ready are batched (`mpcnet.dsl.waves`) and started as
steps of one scheduler, which merges their rounds. So the number of rounds is the depth of the program, not its
length, and it is the same on all parties. Only programs whose correlated randomness does not fit into one tranche
have more than one stage, and rounds for each (`mpcnet.dsl.planning`). When every node is computed the scheme
verifies, and the outputs are revealed.

Invariants and orders that matter:

1. Nothing of a planned evaluation is visible in the program: only `start` takes numbers, writes into the digest and
   draws randomness.
2. The numbers of outputs and tranches are taken when the evaluation starts. They follow the program's text, and not
   the time at which everything else has been computed.
3. Every operation is in the digest before the round that carries its first message is taken, so that parties whose
   programs differ learn which operation differs. What is batched is written down node by node, by number.
4. Steps are numbered by the first node of their batch, which orders their pieces inside a merged message.
5. While a step's work is due nothing is computed or started: what is ready then would depend on how much each party
   works, and how fast (`mpcnet.engine.scheduler`, rule 5).
6. A stage ends when all steps of its batches have ended, and so with an empty pool: the units of two tranches are
   never mixed, and what a scheme asked for and did not take is forgotten.
7. An evaluation that fails, or is closed before its end, gives its program up: other parties may have seen a part
   of its rounds, which must not be run a second time with other values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Words
from mpcnet.correlated.provider import CORRELATED
from mpcnet.correlated.tranches import Tranche, make_tranche
from mpcnet.dsl import facts
from mpcnet.dsl.nodes import Interactive, Local, Node, Reveal
from mpcnet.dsl.pieces import DividedBatch
from mpcnet.dsl.planning import EvaluationPlan, Output, plan_evaluation
from mpcnet.dsl.program import Program
from mpcnet.dsl.waves import batched, by_number
from mpcnet.engine import Context, Inbox, MergedRound, Outcome, Scheduler, Step, Work, in_region
from mpcnet.errors import LocalError, MpcnetError
from mpcnet.schemes import Share

__all__ = ("Evaluation", "evaluate")


class _State(Enum):
    PLANNED = auto()
    PREPARING = auto()
    RUNNING = auto()
    ENDED = auto()
    GIVEN_UP = auto()


class Evaluation:
    """One evaluation of a program: `start`, then `take` a round or work and `feed` it, until `take` gives None.

    `results` then holds the plaintexts of the outputs that we receive.

    Args:
        program: whose nodes are computed.
        plan: what `plan_evaluation` found for it; used up by this evaluation.
    """

    def __init__(self, program: Program, plan: EvaluationPlan) -> None:
        self.results: dict[str, NDArray[np.int64]] = {}
        self.rounds_ahead: int = plan.rounds
        self._program = program
        self._waves = plan.waves
        self._outputs = plan.outputs
        self._stages = deque(plan.stages)
        self._tranches: deque[Tranche] = deque()
        self._pieces = plan.pieces
        self._divided: DividedBatch | None = None  # whose pieces have not all started
        self._scheduler = Scheduler(program.job, digest=program.digest, first_round=program.next_round)
        self._state = _State.PLANNED
        self._reveals: list[Node] = []
        self._verify_number = -1
        self._starts_left = 0  # of the stage that runs, unless it is the last one
        self._under_way = 0  # batches

    def start(self) -> None:
        """Take the program, prepare, and run up to the first round.

        Raises:
            LocalError: it was started before, or another evaluation is under way.
            JobEnded: an earlier one was given up.
        """
        program = self._program
        if self._state is not _State.PLANNED:
            raise LocalError("an evaluation is started once")
        program.begin()
        self._state = _State.PREPARING
        try:
            if self._outputs:
                self._verify_number = program.next_number()
                self._reveals = [_reveal(program, output) for output in self._outputs]
            for stage in self._stages:
                if stage.demand or not program.is_set_up:
                    self._tranches.append(make_tranche(program.next_number(), stage.demand))
            self._begin_stage()
            self._flow()
        except BaseException:
            self.close()
            raise

    @property
    def is_preparing(self) -> bool:
        """Whether it sets the scheme up or makes correlated randomness, in rounds of the region `CORRELATED`."""
        return self._state is _State.PREPARING

    def take(self) -> MergedRound | Work[Any] | None:
        """The next round or work, or None at the end."""
        if self._state is _State.ENDED:
            return None
        due = self._scheduler.take()
        if due is None:
            self._state = _State.ENDED
            self._program.end(self._scheduler.next_round)
        return due

    def feed(self, received: Inbox | Outcome) -> None:
        """What came in the round that `take` gave, or how its work ended."""
        scheduler = self._scheduler
        try:
            scheduler.feed(received)
        except BaseException:
            # A mistake of the driver leaves the scheduler as it was; after anything else it is closed.
            if scheduler.closed:
                self.close()
            raise
        try:
            self._flow()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give up, unless it has ended: every step is closed, and the program evaluates nothing any more."""
        if self._state in (_State.PREPARING, _State.RUNNING):
            self._state = _State.GIVEN_UP
            self._program.give_up()
        self._scheduler.close()

    # Preparing

    def _begin_stage(self) -> None:
        """Make the tranche of the next stage; before the first operation of the program, set the scheme up."""
        program, stage = self._program, self._stages.popleft()
        self._starts_left = stage.starts
        if program.is_set_up and not stage.demand:
            self._state = _State.RUNNING
            return
        self._state = _State.PREPARING
        tranche = self._tranches.popleft()
        program.pool.drain()
        # Without a demand there is but the number, in which programs that diverge later differ already here: the
        # error shall name the operation where they do.
        details = tranche.encoded if tranche.demand else b""
        program.digest.add(self._scheduler.next_round, "prepare", (), details)
        number = tranche.node
        step = in_region(self._preparing(program.context(number), tranche), CORRELATED)
        self._scheduler.start((number,), step, self._is_prepared)

    def _preparing(self, context: Context, tranche: Tranche) -> Step[None]:
        program = self._program
        if not program.is_set_up:
            program.scheme_is_set_up((yield from program.scheme.setup(context)))
        if tranche.demand and program.preparation is not None:
            yield from program.preparation.ensure(context, program.pool, tranche)

    def _is_prepared(self, _: None) -> None:
        self._state = _State.RUNNING

    # Running

    def _flow(self) -> None:
        """Compute and start all that can be, until only rounds are left to wait for."""
        waves = self._waves
        while self._state is _State.RUNNING and not self._scheduler.is_working:
            while waves.local:
                self._compute(waves.pop_local())
            if self._stages and not self._starts_left:
                if self._under_way:
                    return
                self._begin_stage()
            elif self._divided is not None:
                self._starts_left -= 1
                self._start_piece(self._divided)
            elif waves.interactive:
                self._start(waves.pop_interactive())
            elif self._reveals and not waves.unfinished:
                self._start_outputs()
            else:
                return

    def _start(self, ready: Sequence[Node]) -> None:
        """Start the batches of ready nodes, as many as start in this stage."""
        if len(ready) == 1 and not self._stages:  # scalar programs do nothing else
            self._write_down(ready[0])
            self._start_batch(ready)
            return
        batches = batched(ready)
        if self._stages:
            left = self._starts_left
            if len(batches) > left:
                self._waves.put_back([node for batch in batches[left:] for node in batch])
                batches = batches[:left]
                ready = sorted((node for batch in batches for node in batch), key=by_number)
            self._starts_left = left - len(batches)
        for node in ready:
            self._write_down(node)
        for batch in batches:
            if self._pieces and batch[0].number in self._pieces:
                program = self._program
                context, sizes = program.context(batch[0].number), self._pieces[batch[0].number]
                self._start_piece(DividedBatch(program.scheme, context, batch, sizes))
            else:
                self._start_batch(batch)

    def _compute(self, node: Node) -> None:
        operation = cast("Local", node.operation)
        self._write_down(node)
        program = self._program
        node.finish(operation.apply(program.scheme, program.local_context, node.shape, node.operands()))
        self._waves.complete(node)

    def _start_batch(self, batch: Sequence[Node]) -> None:
        operation = cast("Interactive", batch[0].operation)
        program, number = self._program, batch[0].number
        self._under_way += 1
        step = operation.run(program.scheme, program.context(number), batch, [node.operands() for node in batch])
        self._scheduler.start((number,), step, partial(self._finish_batch, batch))

    def _start_piece(self, divided: DividedBatch) -> None:
        """The next one; a stage has one piece of a batch at most, so that it has its place in messages alone."""
        step = divided.next_piece()
        self._divided = None if divided.is_begun else divided
        self._under_way += 1
        self._scheduler.start((divided.nodes[0].number,), step, partial(self._finish_piece, divided))

    def _finish_piece(self, divided: DividedBatch, result: Share) -> None:
        results = divided.add(result)
        if results is None:
            self._under_way -= 1
        else:
            self._finish_batch(divided.nodes, results)

    def _finish_batch(self, batch: Sequence[Node], results: Sequence[object]) -> None:
        waves = self._waves
        self._under_way -= 1
        for node, result in zip(batch, results, strict=True):
            if isinstance(result, Share):
                node.finish(result)
            else:
                self._receive(node, result)
            waves.complete(node)

    def _start_outputs(self) -> None:
        """Everything else is computed: let the scheme verify it, then open the outputs."""
        reveals, self._reveals = self._reveals, []
        program, number = self._program, self._verify_number

        def verified(_: None) -> None:
            self._waves.add(reveals)

        self._scheduler.start((number,), program.scheme.verify(program.context(number)), verified)

    def _receive(self, node: Node, opened: object) -> None:
        if opened is None:
            return
        operation = cast("Reveal", node.operation)  # no other operation gives plaintexts
        self.results[operation.name] = _decoded(operation.domain, cast("Words", opened), node)

    def _write_down(self, node: Node) -> None:
        bounds, operation, program = node.range, node.operation, self._program
        parents = b" ".join(
            [b"%d" % parent.number if parent.program is program else _foreign(parent) for parent in node.parents]
        )
        details = b"%d;%d,%d;%s;%s" % (node.number, bounds.low, bounds.high, parents, operation.details())
        program.digest.add(self._scheduler.next_round, operation.kind, node.shape, details)


def evaluate(program: Program, targets: Sequence[Node], outputs: Sequence[Output] = ()) -> Evaluation:
    """Plan an evaluation and start it.

    Raises:
        LocalError, JobEnded: see `plan_evaluation`.
    """
    evaluation = Evaluation(program, plan_evaluation(program, targets, outputs))
    evaluation.start()
    return evaluation


def _reveal(program: Program, output: Output) -> Node:
    operation = Reveal(output.name, output.receivers, output.denominator, output.domain)
    return program.add(operation, (output.node,), output.node.shape, facts.reveal(output.node.facts))


def _foreign(parent: Node) -> bytes:
    """How a value of another fork is written down; in brackets, as no number of our own is."""
    return repr((cast("Program", parent.program).fork, parent.number)).encode()


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
