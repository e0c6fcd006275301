"""The core of the language: `Value`, a shared array of numbers; where values meet, and how they are rearranged.

Theory of operation
-------------------

A **value** is a node of a program and a public denominator: it stands for the shared integers of the node, divided
by the denominator. Functions of the core take values, add nodes to the program and return new values. Nothing is
computed and no message is sent until an evaluation asks for a node. The core never sees an operator:
`mpcnet.dsl.secret` gives values the operators and names of numpy, and does nothing else.

    secret, functions       `Secret`, `SecretBits`: operators and numpy's names
      selection             the order of a list
      comparison            signs, equality, choices by bits
      logic                 `BitValue`, packed booleans
      arithmetic            sums and products
      values                `Value`, numbers: this file
      program, nodes        nodes, each with its facts, and what evaluates them

**Public** are the program that the parties run, and with it every shape, denominator and public operand, and the
facts of every node (`mpcnet.dsl.facts`): they follow from the declared inputs and the program's text. The core may
branch on them, and on nothing else. A public operand comes in as a `Public`, int64 over a denominator, exact; it
must not depend on a secret.

**Without a message** goes everything that is linear in the shares: sums, differences, products with public numbers
and matrices, structure, and for bits ~ and ^. **One round** each take products of secrets, & and |, turning bits
into numbers, and choosing by a bit. **Several rounds** take comparisons. What is ready at the same time shares its
rounds, so the rounds of a program are its depth. Whatever takes rounds takes correlated randomness too.

**Fractions** cost little, because denominators are public: x / 3 is the node of x over another denominator. Values
meet over a common denominator, which scales their integers up; that these still fit is checked by the facts.

**Forks** are programs of their own. Values meet in the deepest of their forks; those of the forks around it must
have been evaluated, and stand there as nodes called "use".

The **order** in which a function makes its nodes is part of the language: nodes are numbered, and the numbers are
in the digest that the parties compare and in the labels of their randomness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mpcnet.dsl import facts, maps
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import Linear, Node, Operation
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, to_public, with_cause
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.shapes import Shape, broadcast_shapes, joined_shape, reshaped_shape
from mpcnet.errors import LocalError, RangeError

__all__ = (
    "Value",
    "aligned",
    "bound",
    "common_program",
    "concatenate",
    "index",
    "make",
    "repeat",
    "reshape",
    "scale",
    "stack",
    "transpose",
)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A shared array of numbers: the integers of a node, over a public denominator.

    Args:
        program: the fork in which it can be computed on.
        node: holds the integers.
        denominator: by which they are divided.
    """

    program: Program
    node: Node
    denominator: int = 1

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def facts(self) -> Facts:
        """What all parties know of the integers."""
        return self.node.facts

    @property
    def range(self) -> Range:
        """The lowest and the highest of the integers."""
        return self.node.facts.range

    def in_fork(self, program: Program) -> Value:
        """The same value in another fork of the job.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        return self if program is self.program else Value(program, program.use(self.node), self.denominator)

    def with_denominator(self, denominator: int) -> Value:
        """The same value over a multiple of its denominator.

        Raises:
            RangeError: the integers would leave the domain.
        """
        if denominator == self.denominator:
            return self
        factor, rest = divmod(denominator, self.denominator)
        if rest:
            raise LocalError(f"{denominator} is no multiple of the denominator {self.denominator}")
        domain, bounds = self.program.domain, Range(factor, factor)
        try:
            for needed in (bounds, self.range.times(bounds)):
                needed.check(domain, "bringing fractions to a common denominator")
        except RangeError as error:
            raise RangeError(with_cause(str(error), denominator)) from None
        return Value(self.program, scale(self, to_public(factor)).node, denominator)


# Operations without parameters are the same for all nodes: an operation is never changed.
_TRANSPOSE: Final = Linear("transpose", maps.transposed)
_BOUND: Final = Linear("bound", maps.same)


def make(
    program: Program,
    operation: Operation,
    parents: tuple[Node, ...],
    shape: Shape,
    known: Facts,
    denominator: int = 1,
) -> Value:
    """A value of a new node.

    Raises:
        RangeError: by its facts it could leave the domain.
    """
    try:
        node = program.add(operation, parents, shape, known)
    except RangeError as error:
        raise RangeError(with_cause(str(error), denominator)) from None
    return Value(program, node, denominator)


# Where values meet


def common_program(first: Program, second: Program) -> Program:
    """The fork in which values of two forks meet: the deeper one, which must lie in the other.

    Raises:
        LocalError: neither lies in the other, or they are of two jobs.
    """
    if first is second:
        return first
    outer, inner = (first, second) if len(first.fork) < len(second.fork) else (second, first)
    if outer.job != inner.job or outer.fork != inner.fork[: len(outer.fork)]:
        raise LocalError("values of two forks, or of two jobs, do not meet; reveal them, or use `in_fork`")
    return inner


def aligned(x: Value, y: Value) -> tuple[Value, Value]:
    """Both in one fork and over one denominator."""
    if x.program is y.program and x.denominator == y.denominator:
        return x, y
    first, second = _all_aligned([x, y])
    return first, second


def _all_aligned(values: Sequence[Value]) -> list[Value]:
    program = values[0].program
    for value in values:
        program = common_program(program, value.program)
    denominator = math.lcm(*(value.denominator for value in values))
    return [value.in_fork(program).with_denominator(denominator) for value in values]


def scale(x: Value, factor: Public) -> Value:
    """x * factor, element by element. Without a message."""
    if factor.shape == () and int(factor.numerators) == 1 == factor.denominator:
        return x
    shape = broadcast_shapes(x.shape, factor.shape)
    operation = Linear("scale", maps.scaled(x.program.domain.encode(factor.numerators)), factor.digest())
    known = facts.scale(x.facts, factor.numerators)
    return make(x.program, operation, (x.node,), shape, known, x.denominator * factor.denominator)


# Structure: the same elements elsewhere, without a message


def index(x: Value, key: object) -> Value:
    """x[key], for a public key."""
    read = read_index(key, x.shape)
    operation = Linear("index", maps.indexed(read.key), read.description)
    return make(x.program, operation, (x.node,), read.shape, facts.index(x.facts), x.denominator)


def reshape(x: Value, wanted: Sequence[int]) -> Value:
    """The same elements in another shape; one dimension may be -1."""
    shape = reshaped_shape(wanted, x.shape)
    operation = Linear("reshape", maps.reshaped(shape))
    return make(x.program, operation, (x.node,), shape, facts.rearrange(x.facts), x.denominator)


def transpose(x: Value) -> Value:
    """The axes in reverse order."""
    return make(x.program, _TRANSPOSE, (x.node,), x.shape[::-1], facts.rearrange(x.facts), x.denominator)


def repeat(x: Value, shape: Shape) -> Value:
    """The same elements repeated to a shape, as numpy's rules of broadcasting have it."""
    if shape == x.shape:
        return x
    operation = Linear("broadcast", maps.broadcast(shape))
    return make(x.program, operation, (x.node,), shape, facts.repeat(x.facts), x.denominator)


def bound(x: Value, bounds: Range) -> Value:
    """The same value with a range of its integers that its construction is known to keep."""
    if bounds == x.range:
        return x
    return make(x.program, _BOUND, (x.node,), x.shape, facts.assume(x.facts, bounds), x.denominator)


def concatenate(values: Sequence[Value], axis: int = 0) -> Value:
    """Values one after the other along an axis, as `numpy.concatenate`."""
    return _joined("concatenate", maps.concatenated(axis), values, axis)


def stack(values: Sequence[Value], axis: int = 0) -> Value:
    """Values of one shape side by side along a new axis, as `numpy.stack`."""
    return _joined("stack", maps.stacked(axis), values, axis)


def _joined(kind: str, function: maps.Rearrangement, values: Sequence[Value], axis: int) -> Value:
    sides = _all_aligned(values)
    shape = joined_shape(kind, function, [side.shape for side in sides], axis)
    operation, nodes = Linear(kind, function, repr(axis).encode()), tuple([side.node for side in sides])
    known = facts.join([side.facts for side in sides])
    return make(sides[0].program, operation, nodes, shape, known, sides[0].denominator)
