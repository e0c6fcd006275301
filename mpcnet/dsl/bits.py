"""`SecretBits`: shared booleans, packed 64 to a word until they are needed as numbers; and what makes them.

    x < y            the sign of x - y, in as many bits as the range of x - y needs
    x == y           whether x - y is zero
    ~a, a ^ b        without a message;   a & b, a | b    one round
    a + ..., a * x   as the numbers 0 and 1: one round; a bit times a number is one round too

A difference that needs more than 64 bits is taken modulo 2^64 and corrected by the signs of both sides.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain
from mpcnet.algebra.bits import BITS
from mpcnet.dsl import maps
from mpcnet.dsl.compute import BitMap, Compute
from mpcnet.dsl.indexing import read_index
from mpcnet.dsl.nodes import AddPublic, Linear, Node
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import PublicLike
from mpcnet.dsl.ranges import Range
from mpcnet.dsl.secret import Convertible, Secret, aligned, broadcast_shapes, number_of
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind

__all__ = ("SecretBits", "domain_of", "equal", "greater", "less", "where")

Booleans = bool | np.bool_ | NDArray[np.bool_]
_BIT = Range(0, 1)
_TEACH = "a secret bit has no value here: 'if' and 'and' would have to know it; use & | ~ and `where`"


class SecretBits(Convertible):
    """A shared array of booleans.

    Supported: `~ & | ^` with each other and with public booleans; `any`, `all`, `sum`; indexing, `reshape`; and all
    arithmetic of `Secret`, as the numbers 0 and 1.
    """

    __slots__ = ("_node", "_number", "_program")
    __array_ufunc__ = None
    __hash__: typing.ClassVar[None]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, program: Program, node: Node) -> None:
        self._program = program
        self._node = node
        self._number: Secret | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._node.shape

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
        raise LocalError(_TEACH)

    def __iter__(self) -> typing.Iterator[SecretBits]:
        raise LocalError("secret bits are not iterated: operate on the whole array, or take x[i]")

    def number(self) -> Secret:
        """The same as numbers 0 and 1. One round, one bit an element to each peer; computed once."""
        if self._number is None:
            self._number = Secret(self._program, self._compute(Kind.TO_NUMBER, (self._node,), self.shape))
        return self._number

    # Logic

    def __invert__(self) -> SecretBits:
        return self ^ True

    def __xor__(self, other: SecretBits | Booleans) -> SecretBits:
        if isinstance(other, SecretBits):
            left, right = _same_shape(self, other)
            node = self._program.add(Linear("xor", np.bitwise_xor), (left.node, right.node), left.shape, _BIT)
            return SecretBits(self._program, node)
        base, value = self._met_by(other)
        words = BITS.encode(value.astype(np.int64))
        node = self._program.add(AddPublic(words, value.tobytes(), "xor-public"), (base.node,), base.shape, _BIT)
        return SecretBits(self._program, node)

    __rxor__ = __xor__

    def __and__(self, other: SecretBits | Booleans) -> SecretBits:
        if isinstance(other, SecretBits):
            left, right = _same_shape(self, other)
            return SecretBits(self._program, self._compute(Kind.AND, (left.node, right.node), left.shape))
        base, value = self._met_by(other)
        mask = value.astype(np.uint8)
        return base._mapped("and-public", lambda a: a & mask, base.shape, value.tobytes())

    __rand__ = __and__

    def __or__(self, other: SecretBits | Booleans) -> SecretBits:
        return ~(~self & (~other if isinstance(other, SecretBits) else np.logical_not(other)))

    __ror__ = __or__

    def all(self, axis: int | None = None) -> SecretBits:
        """Whether all are one. A tree: log2(n) rounds."""
        bits = self.reshape(self.size) if axis is None else self._last(axis)
        while bits.shape[-1] > 1:
            half = bits.shape[-1] // 2
            joined = bits[..., :half] & bits[..., half : 2 * half]
            bits = joined if bits.shape[-1] % 2 == 0 else _joined(joined, bits[..., 2 * half :])
        if bits.shape[-1] == 0:
            raise LocalError("whether all of nothing are one is not asked of secrets")
        return bits[..., 0]

    def any(self, axis: int | None = None) -> SecretBits:
        """Whether one at least is one. A tree: log2(n) rounds."""
        return ~(~self).all(axis)

    # Structure

    def __getitem__(self, key: object) -> SecretBits:
        index = read_index(key, self.shape)
        return self._mapped("index", maps.indexed(index.key), index.shape, index.description)

    def reshape(self, *shape: int) -> SecretBits:
        """The same elements in another shape."""
        if math.prod(shape) != self.size:
            raise LocalError(f"{self.size} elements of shape {self.shape} do not fit into shape {shape}")
        # Packed in C order whatever the shape: nothing moves.
        node = self._program.add(Linear("reshape", maps.same), (self._node,), shape, _BIT)
        return SecretBits(self._program, node)

    def _last(self, axis: int) -> SecretBits:
        """The axis moved to the end."""
        if not -len(self.shape) <= axis < len(self.shape):
            raise LocalError(f"axis {axis} does not exist in shape {self.shape}")
        shape = np.moveaxis(np.broadcast_to(np.False_, self.shape), axis, -1).shape
        return self._mapped("move-axis", lambda a: np.moveaxis(a, axis, -1), shape, b"%d" % axis)

    # Arithmetic, as numbers

    def sum(self, axis: int | None = None) -> Secret:
        """How many are one."""
        return self.number().sum(axis)

    def mean(self, axis: int | None = None) -> Secret:
        """The share of ones, exact."""
        return self.number().mean(axis)

    def __add__(self, other: Secret | SecretBits | PublicLike) -> Secret:
        return self.number() + other

    __radd__ = __add__

    def __sub__(self, other: Secret | SecretBits | PublicLike) -> Secret:
        return self.number() - other

    def __rsub__(self, other: Secret | PublicLike) -> Secret:
        return -self.number() + other

    def __neg__(self) -> Secret:
        return -self.number()

    def __mul__(self, other: Secret | SecretBits | PublicLike) -> Secret:
        if isinstance(other, SecretBits):
            return (self & other).number()
        if isinstance(other, Secret):
            return self.select(other)
        return self.number() * other

    __rmul__ = __mul__

    def select(self, numbers: Secret) -> Secret:
        """The number where the bit is one, zero elsewhere. One round, 65 bits an element to each peer."""
        program = numbers.program
        shape = broadcast_shapes(self.shape, numbers.shape)
        bits, numbers = self._repeated(shape), numbers.repeated(shape)
        bound = numbers.node.range.union(Range(0, 0))
        node = program.add(Compute(Kind.SELECT), (bits.node, numbers.node), shape, bound)
        return Secret(program, node, numbers.denominator)

    # Inner workings

    def _met_by(self, value: object) -> tuple[SecretBits, NDArray[np.bool_]]:
        array = np.asarray(value)
        if array.dtype != np.bool_:
            raise LocalError(f"secret bits meet public booleans, not {array.dtype}")
        shape = broadcast_shapes(self.shape, array.shape)
        return self._repeated(shape), np.ascontiguousarray(np.broadcast_to(array, shape))

    def _repeated(self, shape: tuple[int, ...]) -> SecretBits:
        if shape == self.shape:
            return self
        return self._mapped("broadcast", lambda a: np.broadcast_to(a, shape), shape)

    def _mapped(
        self, kind: str, function: Callable[..., typing.Any], shape: tuple[int, ...], parameters: bytes = b""
    ) -> SecretBits:
        node = self._program.add(BitMap(kind, function, parameters), (self._node,), shape, _BIT)
        return SecretBits(self._program, node)

    def _compute(self, kind: Kind, parents: tuple[Node, ...], shape: tuple[int, ...]) -> Node:
        return self._program.add(Compute(kind), parents, shape, _BIT)


def domain_of(value: Secret | SecretBits) -> Domain:
    """Where its shares live."""
    return BITS if isinstance(value, SecretBits) else value.program.domain


def less(x: Secret, y: Secret | SecretBits | PublicLike) -> SecretBits:
    """[x < y]. 64-bit range: 6 rounds, 19 bytes to a peer (5 and 13 for few elements); less for smaller ranges."""
    return _less(*_sides(x, y))


def greater(x: Secret, y: Secret | SecretBits | PublicLike) -> SecretBits:
    """[x > y]; costs what `less` costs."""
    left, right = _sides(x, y)
    return _less(right, left)


def _less(left: Secret, right: Secret) -> SecretBits:
    bound = left.node.range - right.node.range
    if bound.low >= left.program.domain.lowest and bound.high <= left.program.domain.highest:
        return _sign(left - right)
    # The difference wraps around if the signs differ, and then the sign of x decides.
    wrapped = _sign(_wrapped(left, right))
    x_negative, y_negative = _sign(left), _sign(right)
    return wrapped ^ ((x_negative ^ y_negative) & (x_negative ^ wrapped))


def equal(x: Secret, y: Secret | SecretBits | PublicLike) -> SecretBits:
    """[x = y]. 64-bit range: 6 rounds at most."""
    left, right = _sides(x, y)
    bound = left.node.range - right.node.range
    fits = bound.low >= left.program.domain.lowest and bound.high <= left.program.domain.highest
    difference = left - right if fits else _wrapped(left, right)
    width = min(64, max(1, bound.high.bit_length(), bound.low.bit_length()))
    node = difference.program.add(Compute(Kind.IS_ZERO, width), (difference.node,), difference.shape, _BIT)
    return SecretBits(difference.program, node)


def where(condition: SecretBits, x: Secret | PublicLike, y: Secret | PublicLike) -> Secret:
    """x where the bit is one, y elsewhere. One round."""
    if isinstance(x, Secret) or isinstance(y, Secret):
        left, right = _sides(x, y) if isinstance(x, Secret) else _sides(y, x)[::-1]  # type: ignore[arg-type]
        chosen = right + condition.select(left - right)
        return chosen.bounded(left.node.range.union(right.node.range))
    difference = np.asarray(x) - np.asarray(y)
    public: Secret = condition.number() * difference + y
    return public


def _sides(x: Secret, y: Secret | SecretBits | PublicLike) -> tuple[Secret, Secret]:
    """Both sides as secrets of one fork, denominator and shape."""
    other = number_of(y)
    if not isinstance(other, Secret):
        # A public side is zero plus itself, so that from here on both are secrets.
        other = x.repeated(broadcast_shapes(x.shape, np.shape(typing.cast("typing.Any", other)))) * 0 + other
    left, right = aligned([x, other])
    shape = broadcast_shapes(left.shape, right.shape)
    return left.repeated(shape), right.repeated(shape)


def _sign(x: Secret) -> SecretBits:
    bound = x.node.range
    width = 1 + max((-1 - bound.low).bit_length() if bound.low < 0 else 0, max(0, bound.high).bit_length())
    node = x.program.add(Compute(Kind.SIGN, width), (x.node,), x.shape, _BIT)
    return SecretBits(x.program, node)


def _wrapped(x: Secret, y: Secret) -> Secret:
    """x - y modulo 2^64."""
    full = Range(x.program.domain.lowest, x.program.domain.highest)
    node = x.program.add(Linear("subtract-wrapped", maps.subtracted), (x.node, y.node), x.shape, full)
    return Secret(x.program, node, x.denominator)


def _same_shape(x: SecretBits, y: SecretBits) -> tuple[SecretBits, SecretBits]:
    if x.program is not y.program:
        raise LocalError("bits of two forks do not meet")
    shape = broadcast_shapes(x.shape, y.shape)
    return x._repeated(shape), y._repeated(shape)


def _joined(x: SecretBits, y: SecretBits) -> SecretBits:
    """Side by side along the last axis."""
    shape = (*x.shape[:-1], x.shape[-1] + y.shape[-1])

    def join(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.concatenate([a, b], axis=-1)

    node = x.program.add(BitMap("concatenate", join), (x.node, y.node), shape, _BIT)
    return SecretBits(x.program, node)
