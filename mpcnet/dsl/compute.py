"""Nodes that compute products: each is one of the scheme's primitives on flat arrays.

Ready nodes of one primitive are joined to one array, whatever their shapes, so scalar code runs as vectors.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from mpcnet.dsl.nodes import Divisible, Interactive, Node, joined, reshaped, split
from mpcnet.engine import Context, Setting, Step
from mpcnet.errors import LocalError
from mpcnet.schemes import Cost, Kind, Primitive, Scheme, Share

__all__ = ("Compute", "MatrixProduct")


@dataclass(frozen=True, slots=True, eq=False)
class Compute(Divisible):
    """An elementwise primitive. All operands have the node's shape."""

    primitive: Kind
    bits: int = 0

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The primitive's name, for the digest and for errors."""
        return str(self.primitive)

    def details(self) -> bytes:
        return b"%d" % self.bits

    def batch_key(self) -> Hashable:
        return self.primitive, self.bits

    def cost(self, scheme: Scheme, setting: Setting, nodes: Sequence[Node]) -> Cost:
        return _cost(scheme, setting, self._primitive(nodes))

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        primitive = self._primitive(nodes)
        if len(nodes) == 1:
            flat = (primitive.count,)
            operands = [reshaped(share, flat) for share in shares[0]]
            return [reshaped((yield from scheme.compute(context, primitive, operands)), nodes[0].shape)]
        operands = [joined(column) for column in zip(*shares, strict=True)]
        result = yield from scheme.compute(context, primitive, operands)
        return split(result, [node.shape for node in nodes])

    def count(self, nodes: Sequence[Node]) -> int:
        return sum([math.prod(node.shape) for node in nodes])

    def piece_cost(self, scheme: Scheme, setting: Setting, count: int) -> Cost:
        return _cost(scheme, setting, Primitive(self.primitive, count, self.bits))

    def run_piece(self, scheme: Scheme, context: Context, operands: Sequence[Share], count: int) -> Step[Share]:
        return scheme.compute(context, Primitive(self.primitive, count, self.bits), operands)

    def _primitive(self, nodes: Sequence[Node]) -> Primitive:
        return Primitive(self.primitive, self.count(nodes), self.bits)


@dataclass(frozen=True, slots=True, eq=False)
class MatrixProduct(Interactive):
    """The product of two shared matrices."""

    inner: int
    kind: str = "matmul"

    def details(self) -> bytes:
        return b"%d" % self.inner

    def batch_key(self) -> Hashable:
        return id(self)

    def cost(self, scheme: Scheme, setting: Setting, nodes: Sequence[Node]) -> Cost:
        return _cost(scheme, setting, self._primitive(nodes[0].shape))

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        return [(yield from scheme.compute(context, self._primitive(nodes[0].shape), shares[0]))]

    def _primitive(self, shape: tuple[int, ...]) -> Primitive:
        rows, columns = shape
        return Primitive(Kind.MATMUL, rows * columns, inner=self.inner, columns=columns)


def _cost(scheme: Scheme, setting: Setting, primitive: Primitive) -> Cost:
    if primitive.kind not in scheme.kinds:
        raise LocalError(f"scheme '{scheme.name}' does not compute '{primitive.kind}': choose another for this job")
    return scheme.compute_cost(setting, primitive)
