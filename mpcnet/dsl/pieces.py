"""A batch that takes more correlated randomness than a tranche holds: run piece by piece, a stage for each.

Elements of such an operation have nothing to do with each other, so any cut gives the same results. The cuts are
the planner's (`mpcnet.dsl.planning`), the same on all parties.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import cast

from mpcnet.dsl.nodes import Divisible, Node, joined, split
from mpcnet.engine import Context, Step
from mpcnet.schemes import Scheme, Share

__all__ = ("DividedBatch",)


class DividedBatch:
    """One batch while its pieces run, one after the other.

    Args:
        scheme: of the program.
        context: one for all pieces, so that no piece draws from the label of another.
        nodes: the batch.
        sizes: elements of each piece.
    """

    def __init__(self, scheme: Scheme, context: Context, nodes: Sequence[Node], sizes: Sequence[int]) -> None:
        self.nodes: Sequence[Node] = nodes
        self._scheme = scheme
        self._context = context
        shapes = [(size,) for size in sizes]
        columns = zip(*[node.operands() for node in nodes], strict=True)
        cut = [split(joined(column), shapes) for column in columns]
        self._operands: deque[tuple[Share, ...]] = deque(zip(*cut, strict=True))
        self._results: list[Share] = []

    @property
    def is_begun(self) -> bool:
        """Whether all pieces have been started."""
        return not self._operands

    def next_piece(self) -> Step[Share]:
        """The step of the next piece; its operands are forgotten when it has ended."""
        operands = self._operands.popleft()
        operation = cast("Divisible", self.nodes[0].operation)
        return operation.run_piece(self._scheme, self._context, operands, operands[0].shape[0])

    def add(self, result: Share) -> list[Share] | None:
        """Add the result of a piece that has ended: one share for each node if it was the last, else None."""
        self._results.append(result)
        if self._operands:
            return None
        return split(joined(self._results), [node.shape for node in self.nodes])
