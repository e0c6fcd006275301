"""`SecretBits`: shared booleans, packed 64 to a word until they are needed as numbers.

    ~a, a ^ b, a == b    without a message;   a & b, a | b    one round, 2 bits an element to each peer
    a + ..., a < x       as the numbers 0 and 1: one round;   a * x    one round too

What makes them are the comparisons of `Secret`; see `mpcnet.dsl.comparison`.
"""

from __future__ import annotations

import hashlib
import math
import typing
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Words
from mpcnet.algebra.bits import BITS, pack_bits
from mpcnet.dsl import maps
from mpcnet.dsl.compute import Compute
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import AddPublic, Linear, Node
from mpcnet.dsl.opaque import Opaque
from mpcnet.dsl.ordered import Comparable, Ordered
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import PublicLike
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.secret import Convertible, Operand, Secret, common_program
from mpcnet.dsl.shapes import Axis, broadcast_shapes, reduced_axes, reshaped_shape
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind

__all__ = ("SecretBits", "domain_of")

Logical = typing.Union["SecretBits", bool, np.bool_, NDArray[np.bool_]]
_BIT = Range(0, 1)


class SecretBits(Convertible, Opaque, Ordered):
    """A shared array of booleans.

    Supported: `~ & | ^ ==` with each other and with public booleans; `any`, `all`, `sum`, `mean`; indexing,
    `reshape`; and all that `Secret` can do, as the numbers 0 and 1.

    Raises:
        LocalError: shapes do not fit, or an operation is not one of secret bits.
    """

    __slots__ = ("_node", "_number", "_program")
    __array_ufunc__ = None  # numpy leaves ndarray & SecretBits to us

    def __init__(self, program: Program, node: Node) -> None:
        self._program = program
        self._node = node
        self._number: Secret | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._node.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def node(self) -> Node:
        """The graph node, for those who extend the language."""
        return self._node

    @property
    def program(self) -> Program:
        """The fork's program, for those who extend the language."""
        return self._program

    @property
    def denominator(self) -> int:
        """One: bits are whole."""
        return 1

    def __repr__(self) -> str:
        return f"SecretBits(shape={self.shape})"

    def __len__(self) -> int:
        if not self.shape:
            raise LocalError("a secret bit of shape () has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        raise LocalError(
            "a secret bit has no value here: 'if' and 'and' would have to know it; use & | ~ and `where`"
        )

    def number(self) -> Secret:
        """The same as numbers 0 and 1. One round, one bit an element to each peer; computed once."""
        if self._number is None:
            self._number = Secret(self._program, self._compute(Kind.TO_NUMBER, (self._node,), self.shape))
        return self._number

    # Logic

    def __invert__(self) -> SecretBits:
        ones = np.full(self.shape, True)
        node = self._program.add(AddPublic(pack_bits(ones), b"", "not"), (self._node,), self.shape, _BIT)
        return SecretBits(self._program, node)

    def __xor__(self, other: Logical) -> SecretBits:
        if isinstance(other, SecretBits):
            left, right = _meeting(self, other)
            node = left.program.add(Linear("xor", maps.added), (left.node, right.node), left.shape, _BIT)
            return SecretBits(left.program, node)
        base, words, digest = self._broadcast_with(other)
        node = self._program.add(AddPublic(words, digest, "xor-public"), (base.node,), base.shape, _BIT)
        return SecretBits(self._program, node)

    __rxor__ = __xor__

    def __and__(self, other: Logical) -> SecretBits:
        if isinstance(other, SecretBits):
            left, right = _meeting(self, other)
            return SecretBits(left.program, left._compute(Kind.AND, (left.node, right.node), left.shape))
        base, words, digest = self._broadcast_with(other)
        keep = Linear("and-public", maps.scaled(words), digest)
        return SecretBits(self._program, self._program.add(keep, (base.node,), base.shape, _BIT))

    __rand__ = __and__

    def __or__(self, other: Logical) -> SecretBits:
        if isinstance(other, SecretBits):
            left, right = _meeting(self, other)
            return ~(~left & ~right)
        return ~(~self & ~_booleans(other))

    __ror__ = __or__

    def __eq__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        if isinstance(other, SecretBits):
            return ~(self ^ other)
        if _is_boolean(other):
            return self ^ ~_booleans(other)
        return self.number() == other

    def __ne__(self, other: Comparable) -> SecretBits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~(self == other)

    __hash__: typing.ClassVar[None] = None  # pyright: ignore[reportIncompatibleMethodOverride]

    def all(self, axis: Axis = None) -> SecretBits:
        """Whether all are one, over an axis or several, or over everything. A tree: log2(n) rounds."""
        axes, count = reduced_axes(axis, self.shape)
        rest = tuple(number for number in range(self.ndim) if number not in axes)
        shape = (*(self.shape[number] for number in rest), count)
        bits = self
        if (*rest, *axes) != tuple(range(self.ndim)):  # the reduced axes to the end
            order = (*rest, *axes)
            moved = tuple(self.shape[number] for number in order)
            bits = self._mapped("move-axes", maps.permuted(order), moved, repr(order).encode())
        bits = bits.reshape(shape)
        if count == 0:  # as numpy has it: of nothing, all are one
            return ~bits._mapped("none", maps.zeros(shape[:-1]), shape[:-1])
        while bits.shape[-1] > 1:
            half = bits.shape[-1] // 2
            joined = bits[..., :half] & bits[..., half : 2 * half]
            bits = joined if bits.shape[-1] % 2 == 0 else _joined(joined, bits[..., 2 * half :])
        return bits.reshape(shape[:-1])

    def any(self, axis: Axis = None) -> SecretBits:
        """Whether one at least is one, as `all`."""
        return ~(~self).all(axis)

    # Structure

    def __getitem__(self, key: object) -> SecretBits:
        index = read_index(key, self.shape)
        return self._mapped("index", maps.indexed(index.key), index.shape, index.description)

    def reshape(self, *shape: int | Sequence[int]) -> SecretBits:
        """The same elements in another shape; one dimension may be -1."""
        # Packed in C order whatever the shape: nothing moves.
        result = reshaped_shape(shape, self.shape)
        if result == self.shape:
            return self
        node = self._program.add(Linear("reshape", maps.same), (self._node,), result, _BIT)
        return SecretBits(self._program, node)

    # Arithmetic, as numbers

    def sum(self, axis: Axis = None) -> Secret:
        """How many are one."""
        return self.number().sum(axis)

    def mean(self, axis: Axis = None) -> Secret:
        """The share of ones, exact."""
        return self.number().mean(axis)

    def __add__(self, other: Operand) -> Secret:
        return self.number() + other

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Secret:
        return self.number() - other

    def __rsub__(self, other: Operand) -> Secret:
        return -self.number() + other

    def __neg__(self) -> Secret:
        return -self.number()

    def __mul__(self, other: Operand) -> Secret:
        if isinstance(other, SecretBits):
            return (self & other).number()
        if isinstance(other, Secret):
            return self.select(other)
        return self.number() * other

    __rmul__ = __mul__

    def __truediv__(self, other: PublicLike) -> Secret:
        return self.number() / other

    def __matmul__(self, other: Operand) -> Secret:
        return self.number() @ other

    def __rmatmul__(self, other: Operand) -> Secret:
        return self.number().__rmatmul__(other)

    def select(self, numbers: Secret) -> Secret:
        """The number where the bit is one, zero elsewhere. One round, 65 bits an element to each peer."""
        program = common_program([self, numbers])
        shape = broadcast_shapes(self.shape, numbers.shape)
        bits, chosen = self.in_fork(program).repeated(shape), numbers.in_fork(program).repeated(shape)
        bound = chosen.node.range.union(Range(0, 0))
        node = program.add(Compute(Kind.SELECT), (bits.node, chosen.node), shape, bound)
        return Secret(program, node, numbers.denominator)

    # Inner workings

    def _secret(self) -> Secret:
        return self.number()

    def in_fork(self, program: Program) -> SecretBits:
        """The same bits in another fork of the job; for those who extend the language.

        Raises:
            LocalError: they have not been evaluated, or belong to another job.
        """
        if program is self._program:
            return self
        return SecretBits(program, program.use(self._node))

    def repeated(self, shape: tuple[int, ...]) -> SecretBits:
        """The same bits repeated to a shape, as numpy's rules have it; for those who extend the language."""
        if shape == self.shape:
            return self
        return self._mapped("broadcast", maps.broadcast(shape), shape)

    def _broadcast_with(self, value: object) -> tuple[SecretBits, Words, bytes]:
        """Ourselves in the shape of the meeting, the public side packed, and its hash."""
        array = _booleans(value)
        shape = broadcast_shapes(self.shape, array.shape)
        words = pack_bits(np.broadcast_to(array, shape))
        digest = hashlib.blake2b(words.astype("<u8", copy=False).tobytes(), digest_size=16).digest()
        return self.repeated(shape), words, digest

    def _mapped(
        self,
        kind: str,
        function: maps.LinearMap,
        shape: tuple[int, ...],
        parameters: bytes = b"",
    ) -> SecretBits:
        node = self._program.add(Linear(kind, function, parameters), (self._node,), shape, _BIT)
        return SecretBits(self._program, node)

    def _compute(self, kind: Kind, parents: tuple[Node, ...], shape: tuple[int, ...]) -> Node:
        return self._program.add(Compute(kind), parents, shape, _BIT)


def domain_of(value: Secret | SecretBits) -> Domain:
    """Where its shares live."""
    return BITS if isinstance(value, SecretBits) else value.program.domain


def _is_boolean(value: object) -> bool:
    return np.asarray(value).dtype == np.bool_


def _booleans(value: object) -> NDArray[np.bool_]:
    """A public side of secret bits."""
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise LocalError(
            f"secret bits meet public booleans here, not {array.dtype}: write x != 0, or take number()"
        )
    return array


def _meeting(x: SecretBits, y: SecretBits) -> tuple[SecretBits, SecretBits]:
    """Both in one fork and shape."""
    program = common_program([x, y])
    shape = broadcast_shapes(x.shape, y.shape)
    return x.in_fork(program).repeated(shape), y.in_fork(program).repeated(shape)


def _joined(x: SecretBits, y: SecretBits) -> SecretBits:
    """Side by side along the last axis."""
    shape = (*x.shape[:-1], x.shape[-1] + y.shape[-1])
    node = x.program.add(Linear("concatenate", maps.concatenated(-1)), (x.node, y.node), shape, _BIT)
    return SecretBits(x.program, node)
