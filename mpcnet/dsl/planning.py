"""What an evaluation will take, found before it begins: the same waves as it runs, without data.

Correlated randomness is asked for once, for a whole evaluation. How much that is depends on which nodes are ready
together, since joined nodes share the words of packed bits; so the planner plays the evaluation through with each
operation's declared rounds. All parties find the same.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from mpcnet.correlated.items import Demand, Item
from mpcnet.dsl.nodes import Interactive, Local, Node
from mpcnet.engine import Parties
from mpcnet.schemes import Scheme

__all__ = ("EvaluationPlan", "plan_of")


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What an evaluation will take, outputs not counted.

    Args:
        demand: correlated randomness.
        rounds: online rounds.
    """

    demand: Demand
    rounds: int


def plan_of(
    nodes: Sequence[Node], children: Mapping[int, Sequence[Node]], scheme: Scheme, parties: Parties
) -> EvaluationPlan:
    """The correlated randomness and the rounds that the evaluation of these nodes takes.

    Args:
        nodes: all that are to be computed.
        children: by number, the nodes among them that wait for it.
    """
    if all(isinstance(node.operation, Local) for node in nodes):
        return EvaluationPlan({}, 0)
    return _DryRun(nodes, children, scheme, parties).run()


class _DryRun:
    def __init__(
        self, nodes: Sequence[Node], children: Mapping[int, Sequence[Node]], scheme: Scheme, parties: Parties
    ) -> None:
        self._children = children
        self._scheme = scheme
        self._parties = parties
        self._missing = {node.number: sum(parent.share is None for parent in node.parents) for node in nodes}
        self._local: list[Node] = []
        self._interactive: list[Node] = []
        self._under_way: list[tuple[int, int, list[Node]]] = []
        self._demand: dict[Item, int] = defaultdict(int)
        for node in nodes:
            if not self._missing[node.number]:
                self._ready(node)

    def run(self) -> EvaluationPlan:
        now = 0
        while True:
            self._flow(now)
            if not self._under_way:
                return EvaluationPlan(dict(self._demand), now)
            now = self._under_way[0][0]
            while self._under_way and self._under_way[0][0] == now:
                for node in heapq.heappop(self._under_way)[2]:
                    self._complete(node)

    def _ready(self, node: Node) -> None:
        (self._local if isinstance(node.operation, Local) else self._interactive).append(node)

    def _flow(self, now: int) -> None:
        while self._local or self._interactive:
            while self._local:
                self._complete(self._local.pop())
            if self._interactive:
                self._start(now)

    def _start(self, now: int) -> None:
        ready, self._interactive = sorted(self._interactive, key=lambda node: node.number), []
        batches: dict[tuple[str, Hashable], list[Node]] = {}
        for node in ready:
            operation = cast("Interactive", node.operation)
            batches.setdefault((operation.kind, operation.batch_key()), []).append(node)
        for batch in batches.values():
            forecast = cast("Interactive", batch[0].operation).forecast(self._scheme, self._parties, batch)
            for item, units in forecast.demand.items():
                self._demand[item] += units
            if forecast.rounds:
                heapq.heappush(self._under_way, (now + forecast.rounds, batch[0].number, batch))
            else:
                for node in batch:
                    self._complete(node)

    def _complete(self, node: Node) -> None:
        for child in self._children.get(node.number, ()):
            self._missing[child.number] -= 1
            if self._missing[child.number] == 0:
                self._ready(child)
