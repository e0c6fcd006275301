"""What an evaluation will take, found before it begins: the waves that it will run, walked without data.

Correlated randomness is made before it is used. How much that is depends on which nodes are ready together, since
joined nodes share the words of packed bits; so the planner walks a copy of the evaluation's `Waves` with each
operation's declared cost. All parties find the same. Planning changes nothing in the program: a plan that is
refused, or never started, leaves it as it was.

Stages. What does not fit into one tranche (`mpcnet.correlated.tranches`) is cut into stages:

    make tranche 0 ── start so many batches, run until all of them have ended ── make tranche 1 ── ...

A stage is told by how many batches start in it. Behind the last of them nothing interactive is started until all
that is under way has ended; what has become ready by then is batched anew. Planner and evaluation both keep this
rule, and so group alike and count alike. Nearly all evaluations are a single stage, and wait for nothing.

A batch that is more than a tranche by itself is cut into pieces (`mpcnet.dsl.pieces`), each a stage of its own; in
the last one others may join it. Products of matrices are not cut, and get a tranche of their own, as large as it
has to be.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from mpcnet.algebra import Domain
from mpcnet.correlated.items import Demand, Item
from mpcnet.correlated.tranches import MAX_TRANCHE_TYPES, MAX_TRANCHE_WORDS, make_tranche, words_of
from mpcnet.dsl.nodes import Divisible, Interactive, Node
from mpcnet.dsl.program import Program
from mpcnet.dsl.waves import Waves, batched
from mpcnet.engine import Parties, Setting
from mpcnet.errors import LocalError
from mpcnet.schemes import Cost, Scheme

__all__ = ("EvaluationPlan", "Output", "Stage", "plan_evaluation")


@dataclass(frozen=True, slots=True)
class Output:
    """A value to reveal: its name, node, receivers (roster indices) and public denominator."""

    name: str
    node: Node
    receivers: tuple[int, ...]
    denominator: int
    domain: Domain


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of an evaluation that runs with the correlated randomness of one tranche.

    Args:
        demand: what is made before it begins; used up when it ends.
        starts: how many batches, or pieces of one, start in it. The last stage of a plan runs to the end, whatever
            it says here.
    """

    demand: Demand
    starts: int


@dataclass(frozen=True, slots=True, repr=False)
class EvaluationPlan:
    """What an evaluation is to do, and what that will take.

    Args:
        waves: the walk through the nodes that are to be computed, at its beginning.
        outputs: what is revealed when they have been computed.
        rounds: online rounds, of the outputs too.
        stages: its parts, at least one.
        pieces: of batches that are cut, by the number of the first node: how many elements each piece has.
    """

    waves: Waves
    outputs: tuple[Output, ...]
    rounds: int
    stages: tuple[Stage, ...]
    pieces: Mapping[int, Sequence[int]]

    @property
    def demand(self) -> Demand:
        """Correlated randomness of all stages."""
        total: dict[Item, int] = {}
        for stage in self.stages:
            _add(total, stage.demand)
        return total


def plan_evaluation(program: Program, targets: Sequence[Node], outputs: Sequence[Output] = ()) -> EvaluationPlan:
    """Plan to compute values and to reveal outputs.

    Args:
        targets: nodes to be computed, beside those of the outputs.

    Raises:
        LocalError: another evaluation is under way, a value belongs to another fork and has not been computed
            there, an output has a name or receivers that cannot be, or the values take correlated randomness that
            the job has no provider for, or one operation more of it than can be made at once.
        JobEnded: an earlier evaluation was given up.
    """
    program.check_free()
    _check_outputs(program.parties, outputs)
    waves = Waves.of(program, [*targets, *(output.node for output in outputs)])
    planner = _Planner(program.scheme, program.setting)
    planner.walk(waves)
    for stage in planner.stages:
        _check_demand(program, stage.demand)
    rounds = planner.rounds + bool(outputs)
    return EvaluationPlan(waves, tuple(outputs), rounds, tuple(planner.stages), planner.pieces)


def _check_outputs(parties: Parties, outputs: Sequence[Output]) -> None:
    names: set[str] = set()
    for output in outputs:
        if output.name in names:
            raise LocalError(f"two outputs are called '{output.name}'")
        names.add(output.name)
        receivers = set(output.receivers)
        if len(receivers) != len(output.receivers) or not receivers <= set(parties.everyone):
            raise LocalError(f"the receivers of output '{output.name}' must be different parties of this program")


def _check_demand(program: Program, demand: Demand) -> None:
    if not demand:
        return
    if program.preparation is None:
        raise LocalError(
            'products and comparisons need correlated randomness: set provider = "ot", or name a dealer in the job'
        )
    provider = program.preparation.provider
    if missing := [item.key for item in demand if not provider.makes(item)]:
        raise LocalError(f"the program takes {missing[0]}, which provider '{provider.name}' does not make")
    make_tranche(0, demand)  # refuses what is too large, while nothing has been started


class _Planner:
    """One walk, in virtual rounds.

    After it, `rounds` are the online rounds, without those of outputs.
    """

    def __init__(self, scheme: Scheme, setting: Setting) -> None:
        self.rounds: int = 0
        self.stages: list[Stage] = []
        self.pieces: dict[int, Sequence[int]] = {}
        self._scheme = scheme
        self._setting = setting
        # The stage that is filled.
        self._demand: dict[Item, int] = {}
        self._words = 0
        self._starts = 0
        self._is_full = False
        # Of a batch that is cut: the batch, and the pieces that have not started.
        self._divided: list[Node] = []
        self._sizes: deque[int] = deque()
        # A heap: the round in which something ends, its number, and the nodes that are complete then.
        self._under_way: list[tuple[int, int, Sequence[Node]]] = []

    def walk(self, waves: Waves) -> None:
        """Walk a copy to its end."""
        if not waves.is_local:
            walk, under_way = waves.copy(), self._under_way
            while True:
                while walk.local:
                    walk.complete(walk.pop_local())
                if not self._is_full and self._sizes:
                    self._start_piece(walk)
                elif not self._is_full and walk.interactive:
                    self._start(walk, walk.pop_interactive())
                elif under_way:
                    self.rounds = under_way[0][0]
                    while under_way and under_way[0][0] == self.rounds:
                        _complete_all(walk, heapq.heappop(under_way)[2])
                elif self._is_full:
                    self._close_stage()
                else:
                    break
        self._close_stage()

    def _start(self, walk: Waves, ready: Sequence[Node]) -> None:
        """Start the batches of ready nodes, until the stage is full."""
        batches = batched(ready)
        for place, batch in enumerate(batches):
            operation = cast("Interactive", batch[0].operation)
            cost = operation.cost(self._scheme, self._setting, batch)
            if not self._has_room(cost.demand):
                self._is_full = True
            elif words_of(cost.demand) > MAX_TRANCHE_WORDS and isinstance(operation, Divisible):
                self._divided, sizes = batch, self._cut(operation, operation.count(batch), words_of(cost.demand))
                self._sizes.extend(sizes)
                self.pieces[batch[0].number] = sizes
                self._start_piece(walk)
                place += 1  # noqa: PLW2901
            else:
                self._begin(walk, cost, batch[0].number, batch)
                continue
            walk.put_back([node for later in batches[place:] for node in later])
            return

    def _cut(self, operation: Divisible, count: int, words: int) -> Sequence[int]:
        """Pieces of whole words of bits, alike but for the last one, each of which fits into a tranche."""
        pieces = -(-words // MAX_TRANCHE_WORDS)
        while True:
            size = 64 * -(-count // (64 * pieces))
            demand = operation.piece_cost(self._scheme, self._setting, size).demand
            if words_of(demand) <= MAX_TRANCHE_WORDS or size == 64:
                return [min(size, count - start) for start in range(0, count, size)]
            pieces += 1

    def _start_piece(self, walk: Waves) -> None:
        size = self._sizes.popleft()
        operation = cast("Divisible", self._divided[0].operation)
        cost = operation.piece_cost(self._scheme, self._setting, size)
        self._begin(walk, cost, self._divided[0].number, [] if self._sizes else self._divided)
        self._is_full = bool(self._sizes)

    def _begin(self, walk: Waves, cost: Cost, number: int, nodes: Sequence[Node]) -> None:
        """Something starts, at whose end nodes are complete."""
        _add(self._demand, cost.demand)
        self._words += words_of(cost.demand)
        self._starts += 1
        if cost.rounds:
            heapq.heappush(self._under_way, (self.rounds + cost.rounds, number, nodes))
        else:
            _complete_all(walk, nodes)

    def _has_room(self, demand: Demand) -> bool:
        """Whether the tranche stays within its bounds. A first demand is always taken."""
        if not (demand and self._demand):
            return True
        if self._words + words_of(demand) > MAX_TRANCHE_WORDS:
            return False
        return len(self._demand.keys() | demand.keys()) <= MAX_TRANCHE_TYPES

    def _close_stage(self) -> None:
        self.stages.append(Stage(self._demand, self._starts))
        self._demand, self._words, self._starts, self._is_full = {}, 0, 0, False


def _add(total: dict[Item, int], demand: Demand) -> None:
    for item, units in demand.items():
        total[item] = total.get(item, 0) + units


def _complete_all(walk: Waves, batch: Sequence[Node]) -> None:
    for node in batch:
        walk.complete(node)
