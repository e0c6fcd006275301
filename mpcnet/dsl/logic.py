"""`BitValue`, shared booleans, and their logic. They are packed 64 to a word until they are needed as numbers.

    ~x, x ^ y                 without a message
    x & y, x | y              one round, 2 bits an element to each peer
    x as numbers 0 and 1      one round, one bit an element to each peer
    x times a number          one round, 65 bits an element: cheaper than a product of two numbers

What makes bits are comparisons; see `mpcnet.dsl.comparison`. The theory of operation is in `mpcnet.dsl.values`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Words
from mpcnet.algebra.bits import pack_bits
from mpcnet.dsl import facts, maps
from mpcnet.dsl.compute import Compute
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import AddPublic, Linear, Node, Operation
from mpcnet.dsl.program import Program
from mpcnet.dsl.shapes import Axis, Shape, broadcast_shapes, joined_shape, reduced_axes, reshaped_shape
from mpcnet.dsl.values import Value, common_program, make
from mpcnet.dsl.values import repeat as repeat_numbers
from mpcnet.schemes import Kind

__all__ = (
    "BitValue",
    "concatenate",
    "conjunction",
    "disjunction",
    "every",
    "exclusive_or",
    "index",
    "invert",
    "make_bits",
    "repeat",
    "reshape",
    "select",
    "some",
    "stack",
    "transpose",
)

Booleans = NDArray[np.bool_]
"""What all parties know, beside secret bits."""


class BitValue:
    """A shared array of booleans. Never changed; only that it was asked for as numbers is remembered.

    Args:
        program: the fork in which it can be computed on.
        node: holds the bits, packed.
    """

    __slots__ = ("_number", "node", "program")

    def __init__(self, program: Program, node: Node) -> None:
        self.program: Final = program
        self.node: Final = node
        self._number: Value | None = None

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def facts(self) -> Facts:
        """What all parties know of the bits."""
        return self.node.facts

    def in_fork(self, program: Program) -> BitValue:
        """The same bits in another fork of the job.

        Raises:
            LocalError: they have not been evaluated, or belong to another job.
        """
        return self if program is self.program else BitValue(program, program.use(self.node))

    def number(self) -> Value:
        """The bits as numbers 0 and 1. One round, one bit an element to each peer; computed once."""
        if self._number is None:
            known = facts.to_number(self.facts)
            self._number = make(self.program, _TO_NUMBER, (self.node,), self.shape, known)
        return self._number


_TO_NUMBER: Final = Compute(Kind.TO_NUMBER)
_AND: Final = Compute(Kind.AND)
_SELECT: Final = Compute(Kind.SELECT)
_XOR: Final = Linear("xor", maps.added)
_RESHAPE: Final = Linear("reshape", maps.same)
_TRANSPOSE: Final = Linear("transpose", maps.transposed)


def make_bits(
    program: Program, operation: Operation, parents: tuple[Node, ...], shape: Shape, known: Facts
) -> BitValue:
    """The bits of a new node."""
    return BitValue(program, program.add(operation, parents, shape, known))


# Logic


def invert(x: BitValue) -> BitValue:
    """~x. Without a message."""
    ones = pack_bits(np.full(x.shape, True))
    return make_bits(x.program, AddPublic(ones, b"", "not"), (x.node,), x.shape, facts.invert(x.facts))


def exclusive_or(x: BitValue, y: BitValue | Booleans) -> BitValue:
    """x ^ y. Without a message."""
    if isinstance(y, BitValue):
        return _combined(_XOR, x, y)
    base, words, digest = _with_public(x, y)
    return _combined_public(AddPublic(words, digest, "xor-public"), base)


def conjunction(x: BitValue, y: BitValue | Booleans) -> BitValue:
    """x & y. One round, 2 bits an element to each peer; with public booleans without a message."""
    if isinstance(y, BitValue):
        return _combined(_AND, x, y)
    base, words, digest = _with_public(x, y)
    return _combined_public(Linear("and-public", maps.scaled(words), digest), base)


def disjunction(x: BitValue, y: BitValue | Booleans) -> BitValue:
    """x | y; costs what `conjunction` costs."""
    if isinstance(y, BitValue):
        # They meet first: what is inverted in another fork would have to be evaluated there.
        left, right = _met(x, y)
        return invert(conjunction(invert(left), invert(right)))
    return invert(conjunction(invert(x), ~y))


def every(x: BitValue, axis: Axis = None) -> BitValue:
    """Whether all are one, over an axis or several, or over everything. A tree of &: log2(n) rounds."""
    axes, count = reduced_axes(axis, x.shape)
    rest = tuple(number for number in range(len(x.shape)) if number not in axes)
    shape = (*(x.shape[number] for number in rest), count)
    bits = x
    if (*rest, *axes) != tuple(range(len(x.shape))):  # the reduced axes to the end
        order = (*rest, *axes)
        moved = tuple(x.shape[number] for number in order)
        operation = Linear("move-axes", maps.permuted(order), repr(order).encode())
        bits = make_bits(x.program, operation, (x.node,), moved, facts.rearrange(x.facts))
    bits = reshape(bits, shape)
    if count == 0:  # as numpy has it: of nothing, all are one
        none = Linear("none", maps.zeros(shape[:-1]))
        return invert(make_bits(bits.program, none, (bits.node,), shape[:-1], facts.no_bits(bits.facts)))
    while bits.shape[-1] > 1:
        half = bits.shape[-1] // 2
        both = conjunction(index(bits, (..., slice(half))), index(bits, (..., slice(half, 2 * half))))
        odd = bits.shape[-1] % 2
        bits = _beside(both, index(bits, (..., slice(2 * half, None)))) if odd else both
    return reshape(bits, shape[:-1])


def some(x: BitValue, axis: Axis = None) -> BitValue:
    """Whether one at least is one; costs what `every` costs."""
    return invert(every(invert(x), axis))


def select(bits: BitValue, x: Value) -> Value:
    """x where the bit is one, zero elsewhere. One round, 65 bits an element to each peer."""
    program = common_program(bits.program, x.program)
    shape = broadcast_shapes(bits.shape, x.shape)
    chooser, chosen = repeat(bits.in_fork(program), shape), repeat_numbers(x.in_fork(program), shape)
    known = facts.select(chooser.facts, chosen.facts)
    return make(program, _SELECT, (chooser.node, chosen.node), shape, known, x.denominator)


# Structure: the same bits elsewhere, without a message


def index(x: BitValue, key: object) -> BitValue:
    """x[key], for a public key."""
    read = read_index(key, x.shape)
    operation = Linear("index", maps.indexed(read.key), read.description)
    return make_bits(x.program, operation, (x.node,), read.shape, facts.index(x.facts))


def reshape(x: BitValue, wanted: Sequence[int]) -> BitValue:
    """The same bits in another shape; one dimension may be -1."""
    # They are packed in C order, whatever the shape: nothing moves.
    shape = reshaped_shape(wanted, x.shape)
    if shape == x.shape:
        return x
    return make_bits(x.program, _RESHAPE, (x.node,), shape, facts.rearrange(x.facts))


def transpose(x: BitValue) -> BitValue:
    """The axes in reverse order."""
    return make_bits(x.program, _TRANSPOSE, (x.node,), x.shape[::-1], facts.rearrange(x.facts))


def repeat(x: BitValue, shape: Shape) -> BitValue:
    """The same bits repeated to a shape, as numpy's rules of broadcasting have it."""
    if shape == x.shape:
        return x
    return make_bits(x.program, Linear("broadcast", maps.broadcast(shape)), (x.node,), shape, facts.repeat(x.facts))


def concatenate(values: Sequence[BitValue], axis: int = 0) -> BitValue:
    """Bits one after the other along an axis, as `numpy.concatenate`."""
    return _joined("concatenate", maps.concatenated(axis), values, axis)


def stack(values: Sequence[BitValue], axis: int = 0) -> BitValue:
    """BitValue of one shape side by side along a new axis, as `numpy.stack`."""
    return _joined("stack", maps.stacked(axis), values, axis)


def _joined(kind: str, function: maps.Rearrangement, values: Sequence[BitValue], axis: int) -> BitValue:
    program = values[0].program
    for value in values:
        program = common_program(program, value.program)
    sides = [value.in_fork(program) for value in values]
    shape = joined_shape(kind, function, [side.shape for side in sides], axis)
    operation = Linear(kind, function, repr(axis).encode())
    known = facts.join([side.facts for side in sides])
    return make_bits(program, operation, tuple([side.node for side in sides]), shape, known)


_BESIDE: Final = Linear("concatenate", maps.concatenated(-1))


def _beside(x: BitValue, y: BitValue) -> BitValue:
    """Side by side along the last axis; of one fork."""
    shape = (*x.shape[:-1], x.shape[-1] + y.shape[-1])
    return make_bits(x.program, _BESIDE, (x.node, y.node), shape, facts.join((x.facts, y.facts)))


def _combined(operation: Operation, x: BitValue, y: BitValue) -> BitValue:
    """A function of both, in one fork and shape."""
    left, right = _met(x, y)
    known = facts.combine(left.facts, right.facts)
    return make_bits(left.program, operation, (left.node, right.node), left.shape, known)


def _met(x: BitValue, y: BitValue) -> tuple[BitValue, BitValue]:
    """Both in one fork and shape."""
    program = common_program(x.program, y.program)
    shape = broadcast_shapes(x.shape, y.shape)
    return repeat(x.in_fork(program), shape), repeat(y.in_fork(program), shape)


def _combined_public(operation: Operation, x: BitValue) -> BitValue:
    return make_bits(x.program, operation, (x.node,), x.shape, facts.combine_public(x.facts))


def _with_public(x: BitValue, y: Booleans) -> tuple[BitValue, Words, bytes]:
    """The bits in the shape in which both meet, the public side packed, and its hash."""
    shape = broadcast_shapes(x.shape, y.shape)
    words = pack_bits(np.broadcast_to(y, shape))
    digest = hashlib.blake2b(words.astype("<u8", copy=False).tobytes(), digest_size=16).digest()
    return repeat(x, shape), words, digest
