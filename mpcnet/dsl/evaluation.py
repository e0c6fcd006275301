"""An evaluation: the nodes of a plan, computed in waves, whose rounds leave merged.

    plan_evaluation ──▶ Evaluation ──start()──▶ take() / feed() ... take() gives None: `results`

    planned ──start──▶ preparing ──▶ running ──no round is left──▶ ended
                            └───── an error, or close() ─────▶ given up

Preparing sets the scheme up, once in a program, and makes the correlated randomness of the plan; it is skipped if
there is nothing of the kind to do. Then the evaluation runs: local nodes are computed as far as they go, in the
order of their numbers; all interactive nodes that are ready are batched (`mpcnet.dsl.waves`) and started as steps
of one scheduler, which merges their rounds. So the number of rounds is the depth of the program, not its length,
and it is the same on all parties. When every node is computed the scheme verifies, and the outputs are revealed.

Invariants and orders that matter:

1. Nothing of a planned evaluation is visible in the program: only `start` takes numbers, writes into the digest and
   draws randomness.
2. The numbers of outputs are taken when the evaluation starts. They follow the program's text, and not the time at
   which everything else has been computed.
3. Every operation is in the digest before the round that carries its first message is taken, so that parties whose
   programs differ learn which operation differs. What is batched is written down node by node, by number.
4. Steps are numbered by the first node of their batch, which orders their pieces inside a merged message.
5. While a step's work is due nothing is computed or started: what is ready then would depend on how much each party
   works, and how fast (`mpcnet.engine.scheduler`, rule 5).
6. An evaluation that fails, or is closed before its end, gives its program up: other parties may have seen a part
   of its rounds, which must not be run a second time with other values.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Words
from mpcnet.correlated.provider import Request, make_request
from mpcnet.dsl import facts
from mpcnet.dsl.nodes import Interactive, Local, Node, Reveal
from mpcnet.dsl.planning import EvaluationPlan, Output, plan_evaluation
from mpcnet.dsl.program import Program
from mpcnet.dsl.waves import batched
from mpcnet.engine import Context, Inbox, MergedRound, Outcome, Scheduler, Step, Work
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
        self._demand = plan.demand
        self._scheduler = Scheduler(program.job, digest=program.digest, first_round=program.next_round)
        self._state = _State.PLANNED
        self._reveals: list[Node] = []
        self._verify_number = -1

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
                self._verify_number = program.take_number()
                self._reveals = [_reveal(program, output) for output in self._outputs]
            if program.is_set_up and not self._demand:
                self._state = _State.RUNNING
            else:
                self._prepare()
            self._flow()
        except BaseException:
            self.close()
            raise

    @property
    def is_preparing(self) -> bool:
        """Whether the round under way sets the scheme up or asks for correlated randomness: no online round."""
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

    def _prepare(self) -> None:
        """Set the scheme up, once in a program; ask for the correlated randomness of the whole evaluation."""
        program, demand = self._program, self._demand
        number = program.take_number()
        request = make_request(number, demand)
        # Without a demand there is but the number, in which programs that diverge later differ already here: the
        # error shall name the operation where they do.
        details = request.encoded if demand else b""
        program.digest.add(self._scheduler.next_round, "prepare", (), details)
        self._scheduler.start((number,), self._preparation(program.context(number), request), self._is_prepared)

    def _preparation(self, context: Context, request: Request) -> Step[None]:
        program = self._program
        if not program.is_set_up:
            program.scheme_is_set_up((yield from program.scheme.setup(context)))
        if request.demand and program.provider is not None:
            yield from program.provider.ensure(context, program.pool, request)

    def _is_prepared(self, _: None) -> None:
        self._state = _State.RUNNING

    # Running

    def _flow(self) -> None:
        """Compute and start all that can be, until only rounds are left to wait for."""
        waves = self._waves
        while self._state is _State.RUNNING and not self._scheduler.is_working:
            while (node := waves.pop_local()) is not None:
                self._compute(node)
            if ready := waves.pop_interactive():
                for node in ready:
                    self._write_down(node)
                for batch in batched(ready):
                    self._start_batch(batch)
            elif self._reveals and not waves.unfinished:
                self._start_outputs()
            else:
                return

    def _compute(self, node: Node) -> None:
        operation = cast("Local", node.operation)
        self._write_down(node)
        program = self._program
        node.finish(operation.apply(program.scheme, program.local_context, node.shape, node.operands()))
        self._waves.complete(node)

    def _start_batch(self, batch: Sequence[Node]) -> None:
        operation = cast("Interactive", batch[0].operation)
        program, number = self._program, batch[0].number
        step = operation.run(program.scheme, program.context(number), batch, [node.operands() for node in batch])
        self._scheduler.start((number,), step, partial(self._finish_batch, batch))

    def _finish_batch(self, batch: Sequence[Node], results: Sequence[object]) -> None:
        waves = self._waves
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
