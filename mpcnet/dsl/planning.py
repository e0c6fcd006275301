"""What an evaluation will take, found before it begins: the waves that it will run, walked without data.

Correlated randomness is asked for before it is used. How much that is depends on which nodes are ready together,
since joined nodes share the words of packed bits; so the planner walks a copy of the evaluation's `Waves` with each
operation's declared rounds. All parties find the same. Planning changes nothing in the program: a plan that is
refused, or never started, leaves it as it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from mpcnet.algebra import Domain
from mpcnet.correlated.items import Demand, Item
from mpcnet.correlated.provider import encode_request
from mpcnet.dsl.nodes import Interactive, Node
from mpcnet.dsl.program import Program
from mpcnet.dsl.waves import Waves, batched
from mpcnet.engine import Parties, Setting
from mpcnet.errors import LocalError
from mpcnet.schemes import Scheme

__all__ = ("EvaluationPlan", "Output", "plan_evaluation")


@dataclass(frozen=True, slots=True)
class Output:
    """A value to reveal: its name, node, receivers (roster indices) and public denominator."""

    name: str
    node: Node
    receivers: tuple[int, ...]
    denominator: int
    domain: Domain


@dataclass(frozen=True, slots=True, repr=False)
class EvaluationPlan:
    """What an evaluation is to do, and what that will take.

    Args:
        waves: the walk through the nodes that are to be computed, at its beginning.
        outputs: what is revealed when they have been computed.
        rounds: online rounds, of the outputs too.
        demand: correlated randomness.
    """

    waves: Waves
    outputs: tuple[Output, ...]
    rounds: int
    demand: Demand


def plan_evaluation(program: Program, targets: Sequence[Node], outputs: Sequence[Output] = ()) -> EvaluationPlan:
    """Plan to compute values and to reveal outputs.

    Args:
        targets: nodes to be computed, beside those of the outputs.

    Raises:
        LocalError: another evaluation is under way, a value belongs to another fork and has not been computed
            there, an output has a name or receivers that cannot be, or the values take more correlated randomness
            than a dealer makes at once, or some although no one makes it.
        JobEnded: an earlier evaluation was given up.
    """
    program.check_free()
    _check_outputs(program.parties, outputs)
    waves = Waves.of(program, [*targets, *(output.node for output in outputs)])
    rounds, demand = _cost_of(waves, program.scheme, program.setting)
    if demand and program.provider is None:
        raise LocalError("products and comparisons need correlated randomness: name a dealer in the job")
    if demand:
        encode_request(0, demand)  # refuses what no dealer would answer, while nothing has been started
    return EvaluationPlan(waves, tuple(outputs), rounds + bool(outputs), demand)


def _check_outputs(parties: Parties, outputs: Sequence[Output]) -> None:
    names: set[str] = set()
    for output in outputs:
        if output.name in names:
            raise LocalError(f"two outputs are called '{output.name}'")
        names.add(output.name)
        receivers = set(output.receivers)
        if len(receivers) != len(output.receivers) or not receivers <= set(parties.everyone):
            raise LocalError(f"the receivers of output '{output.name}' must be different parties of this program")


def _cost_of(waves: Waves, scheme: Scheme, setting: Setting) -> tuple[int, Demand]:
    """Online rounds and correlated randomness of a walk, which stays where it is."""
    demand: dict[Item, int] = {}
    if waves.is_local:
        return 0, demand
    walk = waves.copy()
    now = 0
    under_way: list[tuple[int, int, Sequence[Node]]] = []  # a heap: the round in which a batch ends, a number, it
    while True:
        while (node := walk.pop_local()) is not None:
            walk.complete(node)
        if ready := walk.pop_interactive():
            for batch in batched(ready):
                cost = cast("Interactive", batch[0].operation).cost(scheme, setting, batch)
                for item, units in cost.demand.items():
                    demand[item] = demand.get(item, 0) + units
                if cost.rounds:
                    heapq.heappush(under_way, (now + cost.rounds, batch[0].number, batch))
                else:
                    _complete_all(walk, batch)
        elif under_way:
            now = under_way[0][0]
            while under_way and under_way[0][0] == now:
                _complete_all(walk, heapq.heappop(under_way)[2])
        else:
            return now, demand


def _complete_all(walk: Waves, batch: Sequence[Node]) -> None:
    for node in batch:
        walk.complete(node)
