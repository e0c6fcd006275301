"""Waves: which nodes of an evaluation can be computed now, and which of them together.

    Waves.of(program, roots) ──▶ pop_local(), pop_interactive() ──▶ complete(node) ──▶ more are ready ──▶ ...

The graph is walked twice by this one class: by the planner, which has no data and only adds up costs, and by the
evaluation, which computes. What is ready together is batched together, and batched operations share the words of
packed bits, so both walks must group alike: the demand for correlated randomness that was planned is then exactly
what is taken, and every party finds the same.

States of a node: it waits for so many parents (`_missing`); it is ready (in `local` or `interactive`); the walker
has popped it; it is complete. A walk is over when `unfinished` is zero and nothing is ready.

Orders that matter:

1. Local nodes are popped by number, the lowest first. What they do goes into the program's digest, whose order must
   not depend on which round made a node ready first.
2. Ready interactive nodes are popped all at once, by number, once no local node is left: one local node more may
   make another interactive one ready, which then joins the same batch. Fewer batches mean fewer messages.
3. Nodes are kept only until they are popped, and children of a node only until it is complete. An evaluation refers
   to nothing that has been computed, so intermediate arrays are freed while it runs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import cast

from mpcnet.dsl.nodes import Interactive, Local, Node
from mpcnet.errors import LocalError

__all__ = ("Waves", "batched", "by_number")


@dataclass(slots=True, repr=False, eq=False)
class Waves:
    """One walk through the nodes that are still to be computed. Made by `of`.

    Args:
        local, interactive: the nodes that are ready; to be looked at by the walker, and changed by methods alone.
        unfinished: nodes that are not complete.
        is_local: whether no node of the walk takes rounds.
    """

    _children: dict[int, list[Node]]
    _missing: dict[int, int]
    local: list[tuple[int, Node]]
    interactive: list[Node]
    unfinished: int
    is_local: bool

    @classmethod
    def of(cls, program: object, roots: Sequence[Node]) -> Waves:
        """The walk that computes these nodes. Iterative: a program may be deeper than Python's stack.

        Raises:
            LocalError: a node belongs to another program and has not been computed there.
        """
        waves = cls({}, {}, [], [], 0, True)
        waves._collect(program, roots)
        return waves

    def copy(self) -> Waves:
        """The same walk once more, from where it stands. Neither disturbs the other."""
        return Waves(
            dict(self._children),
            dict(self._missing),
            list(self.local),
            list(self.interactive),
            self.unfinished,
            self.is_local,
        )

    def _collect(self, program: object, roots: Sequence[Node]) -> None:
        stack = list(roots)
        children, missing = self._children, self._missing
        while stack:
            node = stack.pop()
            if node.share is not None:
                continue
            if node.program is not program:
                raise LocalError("a value of another fork must be evaluated there before it is used here")
            number = node.number
            if number in missing:
                continue
            waiting = [parent for parent in node.parents if parent.share is None]
            missing[number] = len(waiting)
            if self.is_local and not isinstance(node.operation, Local):
                self.is_local = False
            if not waiting:
                self._ready(node)
                continue
            for parent in waiting:
                known = children.get(parent.number)
                if known is None:
                    children[parent.number] = [node]
                else:
                    known.append(node)
            stack += waiting
        self.unfinished = len(missing)

    def add(self, nodes: Sequence[Node]) -> None:
        """Put in new nodes whose parents are all complete."""
        self.unfinished += len(nodes)
        for node in nodes:
            self._ready(node)

    def pop_local(self) -> Node:
        """The local node with the lowest number that is ready; there must be one."""
        return heapq.heappop(self.local)[1]

    def pop_interactive(self) -> list[Node]:
        """All interactive nodes that are ready, by number."""
        ready, self.interactive = self.interactive, []
        if len(ready) > 1:
            ready.sort(key=by_number)
        return ready

    def put_back(self, nodes: Sequence[Node]) -> None:
        """Interactive nodes that were popped and are not started yet: they are ready again."""
        self.interactive += nodes

    def complete(self, node: Node) -> None:
        """A node that was popped has been computed: those that waited for nothing else are ready now."""
        self.unfinished -= 1
        children = self._children.pop(node.number, None)
        if children is None:
            return
        missing = self._missing
        for child in children:
            left = missing[child.number] - 1
            missing[child.number] = left
            if not left:
                self._ready(child)

    def _ready(self, node: Node) -> None:
        if isinstance(node.operation, Local):
            heapq.heappush(self.local, (node.number, node))
        else:
            self.interactive.append(node)


def batched(nodes: Sequence[Node]) -> Sequence[list[Node]]:
    """Interactive nodes grouped by kind and batch key, in the order of each group's first node.

    Args:
        nodes: by number, as `Waves.pop_interactive` gives them.
    """
    if len(nodes) == 1:
        return [list(nodes)]
    batches: dict[tuple[str, Hashable], list[Node]] = {}
    for node in nodes:
        operation = cast("Interactive", node.operation)
        batches.setdefault((operation.kind, operation.batch_key()), []).append(node)
    return list(batches.values())


by_number: Callable[[Node], int] = attrgetter("number")
"""The key that sorts nodes as the program's text has them."""
