"""Nodes: the graph that operators build and an evaluation runs.

A node knows its number, operation, parents, shape and range while the program is built; its share comes when it
is evaluated, and then it forgets its parents, so that what nobody refers to is freed.
"""

from __future__ import annotations

import itertools
import math
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from mpcnet.algebra import Domain, Words
from mpcnet.algebra.bits import BITS, pack_bits, unpack_bits
from mpcnet.dsl import maps
from mpcnet.dsl.ranges import Range
from mpcnet.engine import Context, Parties, Step
from mpcnet.schemes import Forecast, Scheme, Share

__all__ = ("AddPublic", "Input", "Interactive", "Linear", "Local", "Node", "Operation", "Reveal", "SubtractFrom")


class Operation(ABC):
    """What a node does. `kind` and `details` go into the program digest."""

    kind: str

    @abstractmethod
    def details(self) -> bytes:
        """A canonical encoding of the public parameters, beside shape, range and parents."""


class Local(Operation):
    """An operation that every party does for itself, without a message."""

    @abstractmethod
    def apply(self, scheme: Scheme, parties: Parties, shape: tuple[int, ...], shares: Sequence[Share]) -> Share:
        """The result's share from the parents' shares."""


class Interactive(Operation):
    """An operation that takes rounds. Ready ones of one `batch_key` are run as one step."""

    @abstractmethod
    def batch_key(self) -> Hashable:
        """Nodes whose keys are equal may be run together."""

    @abstractmethod
    def forecast(self, scheme: Scheme, parties: Parties, nodes: Sequence[Node]) -> Forecast:
        """What `run` of this batch takes: rounds, bytes, correlated randomness."""

    @abstractmethod
    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        """Run a batch.

        Args:
            nodes: those of the batch, by number; this operation is that of the first.
            shares: of each node, its parents' shares.
        Returns:
            One result per node: a `Share`, or a plaintext for `Reveal`.
        """


class Node:
    """One value of the program."""

    __slots__ = ("number", "operation", "parents", "program", "range", "shape", "share")

    def __init__(
        self,
        number: int,
        operation: Operation,
        parents: tuple[Node, ...],
        shape: tuple[int, ...],
        range_: Range,
        program: object,
    ) -> None:
        self.number: int = number
        self.operation: Operation = operation
        self.parents: tuple[Node, ...] = parents
        self.shape: tuple[int, ...] = shape
        self.range: Range = range_
        self.program: object = program
        self.share: Share | None = None

    def finish(self, share: Share) -> None:
        """Take the share, and forget parents and operands: references alone decide what stays in memory."""
        self.share = share
        self.parents = ()
        self.operation = _Done(self.operation.kind)

    def __repr__(self) -> str:
        return f"Node({self.number}, {self.operation.kind}, shape={self.shape}, range={self.range})"


@dataclass(frozen=True, slots=True)
class _Done(Operation):
    """What an evaluated node did."""

    kind: str

    def details(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True, eq=False)
class Linear(Local):
    """A function that is linear over the domain."""

    kind: str
    function: Callable[..., Words]
    parameters: bytes = b""

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, parties: Parties, shape: tuple[int, ...], shares: Sequence[Share]) -> Share:
        return scheme.linear(self.function, shape, *shares)


@dataclass(frozen=True, slots=True, eq=False)
class AddPublic(Local):
    """Addition of numbers that all know."""

    value: Words
    parameters: bytes
    kind: str = "add-public"

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, parties: Parties, shape: tuple[int, ...], shares: Sequence[Share]) -> Share:
        (x,) = shares
        return scheme.add_public(parties, x, self.value) if x.parts else x


@dataclass(frozen=True, slots=True, eq=False)
class SubtractFrom(Local):
    """Numbers that all know, less the secret."""

    value: Words
    parameters: bytes
    kind: str = "subtract-from"

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, parties: Parties, shape: tuple[int, ...], shares: Sequence[Share]) -> Share:
        negative = scheme.linear(maps.negated, shape, *shares)
        return scheme.add_public(parties, negative, self.value) if negative.parts else negative


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Input(Interactive):
    """Rows that their owners share. `mine` is ours, if we own one; it is never shown."""

    name: str
    domain: Domain
    row_shape: tuple[int, ...]
    owners: tuple[int, ...]
    mine: Words | None
    kind: str = "input"

    def details(self) -> bytes:
        return repr((self.name, self.domain.name, self.row_shape, self.owners)).encode()

    def batch_key(self) -> Hashable:
        return id(self)

    def forecast(self, scheme: Scheme, parties: Parties, nodes: Sequence[Node]) -> Forecast:
        cost = scheme.input_cost(parties, self.domain, self.row_shape, self.owners)
        return Forecast(cost.rounds, max(cost.sent_bytes.values(), default=0), {})

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        share = yield from scheme.input(context, self.domain, self.row_shape, self.owners, self.mine)
        return [share]


@dataclass(frozen=True, slots=True, eq=False)
class Reveal(Interactive):
    """An output to its receivers. All outputs of one evaluation to the same receivers leave as one array."""

    name: str
    receivers: tuple[int, ...]
    denominator: int
    domain: Domain
    kind: str = "reveal"

    def details(self) -> bytes:
        return repr((self.name, self.receivers, self.denominator, self.domain.name)).encode()

    def batch_key(self) -> Hashable:
        return self.domain.name, self.receivers

    def forecast(self, scheme: Scheme, parties: Parties, nodes: Sequence[Node]) -> Forecast:
        shape = (sum(math.prod(node.shape) for node in nodes),)
        cost = scheme.reveal_cost(parties, self.domain, shape, self.receivers)
        return Forecast(cost.rounds, max(cost.sent_bytes.values(), default=0), {})

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        columns, shapes = [share for (share,) in shares], [node.shape for node in nodes]
        if self.domain is BITS:
            opened = yield from scheme.reveal(context, _exactly(join_bits(columns, scheme), scheme), self.receivers)
            return [None] * len(nodes) if opened is None else split_bits(opened, shapes)
        opened = yield from scheme.reveal(context, joined(columns, scheme), self.receivers)
        return [None] * len(nodes) if opened is None else split(opened, shapes)


def joined(shares: Sequence[Share], scheme: Scheme) -> Share:
    """One flat share of all elements, in order; a single share is not copied."""
    if len(shares) == 1 and len(shares[0].shape) == 1:
        return shares[0]

    def flatten(*arrays: Words) -> Words:
        flat = [array.reshape(-1) for array in arrays]
        return flat[0] if len(flat) == 1 else np.concatenate(flat)

    return scheme.linear(flatten, (sum(math.prod(share.shape) for share in shares),), *shares)


def split(flat: Words, shapes: Sequence[tuple[int, ...]]) -> list[Words]:
    """The inverse of `joined`."""
    ends = itertools.accumulate(math.prod(shape) for shape in shapes)
    return [flat[end - math.prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]


def join_bits(shares: Sequence[Share], scheme: Scheme) -> Share:
    """One flat packed share of bits; a single one is not copied."""
    counts = [math.prod(share.shape) for share in shares]
    total = (sum(counts),)
    if len(shares) == 1:
        return Share(BITS, total, shares[0].parts)

    def join(*parts: Words) -> Words:
        bits = [unpack_bits(part, count) for part, count in zip(parts, counts, strict=True)]
        return pack_bits(np.concatenate(bits).astype(np.bool_))

    return scheme.linear(join, total, *shares)


def _exactly(bits: Share, scheme: Scheme) -> Share:
    """The same without what stands behind the last bit of the last word: leftovers that no output declares."""
    used = math.prod(bits.shape) % 64
    if not used:
        return bits

    def cleared(part: Words) -> Words:
        copy = part.copy()
        copy[-1] &= np.uint64((1 << used) - 1)
        return copy

    return scheme.linear(cleared, bits.shape, bits)


def split_bits(flat: Words, shapes: Sequence[tuple[int, ...]]) -> list[Words]:
    """The inverse of `join_bits` on one part."""
    if len(shapes) == 1:
        return [flat]
    counts = [math.prod(shape) for shape in shapes]
    bits = unpack_bits(flat, sum(counts)).astype(np.bool_)
    ends = itertools.accumulate(counts)
    return [pack_bits(bits[end - count : end]) for end, count in zip(ends, counts, strict=True)]


if typing.TYPE_CHECKING:
    _: tuple[type[Operation], ...] = (Linear, AddPublic, SubtractFrom, Input, Reveal)
