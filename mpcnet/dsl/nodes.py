"""Nodes: the graph that operators build and an evaluation runs.

A node knows its number, operation, parents, shape and facts while the program is built; its share comes when it
is evaluated, and then it forgets its parents, so that what nothing refers to is freed.
"""

from __future__ import annotations

import math
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from mpcnet.algebra import Domain, Shape, Words
from mpcnet.dsl import maps
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.ranges import Range
from mpcnet.engine import Context, Setting, Step
from mpcnet.schemes import Cost, Scheme, Share

__all__ = (
    "AddPublic",
    "Divisible",
    "Input",
    "Interactive",
    "Linear",
    "Local",
    "Node",
    "Operation",
    "Reveal",
    "SubtractFrom",
    "joined",
    "reshaped",
    "split",
)


class Operation(ABC):
    """What a node does. `kind` and `details` go into the program digest."""

    kind: str

    @abstractmethod
    def details(self) -> bytes:
        """A canonical encoding of the public parameters, beside shape, range and parents."""


class Local(Operation):
    """An operation that every party does for itself, without a message."""

    @abstractmethod
    def apply(self, scheme: Scheme, context: Context, shape: Shape, shares: Sequence[Share]) -> Share:
        """The result's share from the parents' shares.

        Args:
            context: the program's; it has the scheme's state, and no randomness.
        """


class Interactive(Operation):
    """An operation that takes rounds. Ready ones of one `batch_key` are run as one step."""

    @abstractmethod
    def batch_key(self) -> Hashable:
        """Nodes whose keys are equal may be run together."""

    @abstractmethod
    def cost(self, scheme: Scheme, setting: Setting, nodes: Sequence[Node]) -> Cost:
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


class Divisible(Interactive):
    """An operation on elements that have nothing to do with each other: a large batch may run piece by piece."""

    @abstractmethod
    def count(self, nodes: Sequence[Node]) -> int:
        """How many elements a batch has."""

    @abstractmethod
    def piece_cost(self, scheme: Scheme, setting: Setting, count: int) -> Cost:
        """What `run_piece` of so many elements takes."""

    @abstractmethod
    def run_piece(self, scheme: Scheme, context: Context, operands: Sequence[Share], count: int) -> Step[Share]:
        """Compute so many elements.

        Args:
            operands: flat shares.
        Returns:
            A flat share.
        """


class Node:
    """One value of the program."""

    __slots__ = ("facts", "number", "operation", "parents", "program", "shape", "share")

    def __init__(
        self,
        number: int,
        operation: Operation,
        parents: tuple[Node, ...],
        shape: tuple[int, ...],
        facts: Facts,
        program: object,
    ) -> None:
        self.number: int = number
        self.operation: Operation = operation
        self.parents: tuple[Node, ...] = parents
        self.shape: tuple[int, ...] = shape
        self.facts: Facts = facts
        self.program: object = program
        self.share: Share | None = None

    @property
    def range(self) -> Range:
        """The lowest and the highest integer that its elements can be."""
        return self.facts.range

    def operands(self) -> list[Share]:
        """The parents' shares, once all have been computed."""
        return [parent.share for parent in self.parents if parent.share is not None]

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

    def apply(self, scheme: Scheme, context: Context, shape: Shape, shares: Sequence[Share]) -> Share:
        return scheme.linear(self.function, shape, *shares)


@dataclass(frozen=True, slots=True, eq=False)
class AddPublic(Local):
    """Addition of numbers that all know."""

    value: Words
    parameters: bytes
    kind: str = "add-public"

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, context: Context, shape: Shape, shares: Sequence[Share]) -> Share:
        (x,) = shares
        return scheme.add_public(context, x, self.value) if x.parts else x


@dataclass(frozen=True, slots=True, eq=False)
class SubtractFrom(Local):
    """Numbers that all know, less the secret."""

    value: Words
    parameters: bytes
    kind: str = "subtract-from"

    def details(self) -> bytes:
        return self.parameters

    def apply(self, scheme: Scheme, context: Context, shape: Shape, shares: Sequence[Share]) -> Share:
        negative = scheme.linear(maps.negated, shape, *shares)
        return scheme.add_public(context, negative, self.value) if negative.parts else negative


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

    def cost(self, scheme: Scheme, setting: Setting, nodes: Sequence[Node]) -> Cost:
        return scheme.input_cost(setting, self.domain, self.row_shape, self.owners)

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

    def cost(self, scheme: Scheme, setting: Setting, nodes: Sequence[Node]) -> Cost:
        shape = (sum(math.prod(node.shape) for node in nodes),)
        return scheme.reveal_cost(setting, self.domain, shape, self.receivers)

    def run(
        self, scheme: Scheme, context: Context, nodes: Sequence[Node], shares: Sequence[Sequence[Share]]
    ) -> Step[Sequence[object]]:
        domain, outputs = self.domain, joined([share for (share,) in shares])
        # What stands in an array beside its elements was never declared as an output.
        cleared = tuple([domain.clear_padding(part, outputs.shape) for part in outputs.parts])
        opened = yield from scheme.reveal(context, Share(domain, outputs.shape, cleared), self.receivers)
        return [None] * len(nodes) if opened is None else domain.split(opened, [node.shape for node in nodes])


def reshaped(share: Share, shape: Shape) -> Share:
    """The same elements in another shape; not copied."""
    if share.shape == shape:
        return share
    domain = share.domain
    return Share(domain, shape, tuple([domain.reshape(part, shape) for part in share.parts]))


def joined(shares: Sequence[Share]) -> Share:
    """One flat share of all elements, in order; a single share is not copied."""
    shapes = [share.shape for share in shares]
    count = (sum([math.prod(shape) for shape in shapes]),)
    if len(shares) == 1:
        return reshaped(shares[0], count)
    domain = shares[0].domain
    columns = zip(*[share.parts for share in shares], strict=True)
    return Share(domain, count, tuple([domain.join(arrays, shapes) for arrays in columns]))


def split(flat: Share, shapes: Sequence[Shape]) -> list[Share]:
    """The inverse of `joined`."""
    domain = flat.domain
    if not flat.parts:
        return [Share(domain, shape, ()) for shape in shapes]
    columns = [domain.split(part, shapes) for part in flat.parts]
    return [Share(domain, shape, parts) for shape, parts in zip(shapes, zip(*columns, strict=True), strict=True)]


if typing.TYPE_CHECKING:
    _: tuple[type[Operation], ...] = (Linear, AddPublic, SubtractFrom, Input, Reveal)
