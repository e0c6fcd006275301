"""Nodes that compute products: each is one of the scheme's primitives on flat arrays.

Ready nodes of one primitive are joined to one array, whatever their shapes, so scalar code runs as vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Words
from mpcnet.algebra.bits import BITS, pack_bits, unpack_bits
from mpcnet.dsl.nodes import Interactive, Local, Node, join_bits, joined, split, split_bits
from mpcnet.engine import Context, Parties, Step
from mpcnet.schemes import Forecast, Kind, Primitive, Scheme, Share

__all__ = ("BitMap", "Compute", "MatrixProduct")

Booleans = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Compute(Interactive):
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

    def forecast(self, scheme: Scheme, parties: Parties, nodes: Sequence[Node]) -> Forecast:
        return scheme.forecast(self._primitive(nodes))

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        primitive = self._primitive(nodes)
        if len(nodes) == 1:
            operands = [_flat(share, primitive.count) for share in shares[0]]
            return [_shaped((yield from scheme.compute(context, primitive, operands)), nodes[0].shape)]
        operands = [join_any(column, scheme) for column in zip(*shares, strict=True)]
        result = yield from scheme.compute(context, primitive, operands)
        return split_any(result, [node.shape for node in nodes])

    def _primitive(self, nodes: Sequence[Node]) -> Primitive:
        return Primitive(self.primitive, sum([math.prod(node.shape) for node in nodes]), self.bits)


@dataclass(frozen=True, slots=True, eq=False)
class MatrixProduct(Interactive):
    """The product of two shared matrices."""

    inner: int
    kind: str = "matmul"

    def details(self) -> bytes:
        return b"%d" % self.inner

    def batch_key(self) -> Hashable:
        return id(self)

    def forecast(self, scheme: Scheme, parties: Parties, nodes: Sequence[Node]) -> Forecast:
        return scheme.forecast(self._primitive(nodes[0].shape))

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        return [(yield from scheme.compute(context, self._primitive(nodes[0].shape), shares[0]))]

    def _primitive(self, shape: tuple[int, ...]) -> Primitive:
        rows, columns = shape
        return Primitive(Kind.MATMUL, rows * columns, inner=self.inner, columns=columns)


@dataclass(frozen=True, slots=True, eq=False)
class BitMap(Local):
    """A map that moves or repeats bits, or adds them up modulo 2: unpacked, mapped, packed again."""

    kind: str
    function: Callable[..., NDArray[np.generic]]
    parameters: bytes = b""

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, parties: Parties, shape: tuple[int, ...], shares: Sequence[Share]) -> Share:
        shapes = [share.shape for share in shares]

        def mapped(*parts: Words) -> Words:
            unpacked = [
                unpack_bits(part, math.prod(inner)).reshape(inner)
                for part, inner in zip(parts, shapes, strict=True)
            ]
            return pack_bits(np.asarray(self.function(*unpacked)).astype(np.bool_))

        return scheme.linear(mapped, shape, *shares)


def _flat(share: Share, count: int) -> Share:
    """The share of a single operand, flat: not copied, and packed bits are flat as they are."""
    if len(share.shape) == 1:
        return share
    parts = share.parts if share.domain is BITS else tuple([part.reshape(-1) for part in share.parts])
    return Share(share.domain, (count,), parts)


def _shaped(flat: Share, shape: tuple[int, ...]) -> Share:
    """The inverse of `_flat`."""
    if len(shape) == 1:
        return flat
    parts = flat.parts if flat.domain is BITS else tuple([part.reshape(shape) for part in flat.parts])
    return Share(flat.domain, shape, parts)


def join_any(shares: Sequence[Share], scheme: Scheme) -> Share:
    """One flat share of all elements, of numbers or of bits."""
    return join_bits(shares, scheme) if shares[0].domain is BITS else joined(shares, scheme)


def split_any(flat: Share, shapes: Sequence[tuple[int, ...]]) -> list[Share]:
    """The inverse of `join_any`."""
    if len(shapes) == 1 and len(shapes[0]) == 1:
        return [flat]
    if not flat.parts:
        return [Share(flat.domain, shape, ()) for shape in shapes]
    cut = split_bits if flat.domain is BITS else split
    columns = [cut(part, shapes) for part in flat.parts]
    return [
        Share(flat.domain, shape, parts) for shape, parts in zip(shapes, zip(*columns, strict=True), strict=True)
    ]
