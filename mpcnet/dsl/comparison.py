"""Comparisons and choices of secrets.

    x < y            the sign of x - y, in as many bits as the range of x - y needs
    x == y           whether x - y is zero
    where, abs, clip a number times a bit: one round after the bit

A difference that needs more than 64 bits is taken modulo 2^64 and corrected by the signs of both sides. Choices
are computed modulo 2^64 too: their results lie in a range that is known, whatever happens on the way.
"""

from __future__ import annotations

import math
import typing

import numpy as np

from mpcnet.algebra import Domain
from mpcnet.dsl import maps
from mpcnet.dsl.bits import SecretBits
from mpcnet.dsl.compute import Compute
from mpcnet.dsl.nodes import AddPublic, Linear, SubtractFrom
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, PublicLike, to_public
from mpcnet.dsl.ranges import Range, of_values
from mpcnet.dsl.secret import Operand, Secret, aligned, common_program, number_of
from mpcnet.dsl.shapes import broadcast_shapes
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind

__all__ = ("absolute", "clipped", "equal", "greater", "less", "where")

_BIT = Range(0, 1)


def less(x: Secret, y: Operand) -> SecretBits:
    """[x < y]. 64-bit range: 6 rounds, 19 bytes to a peer (5 and 13 for few elements); less for smaller ranges."""
    other = _rounded(_read(y), x.denominator, up=True)
    if isinstance(other, Public) and _fits(x, other):
        return _sign(x - other)
    return _less(*_sides(x, other))


def greater(x: Secret, y: Operand) -> SecretBits:
    """[x > y]; costs what `less` costs."""
    other = _rounded(_read(y), x.denominator, up=False)
    if isinstance(other, Public) and _fits(x, other, backwards=True):
        return _sign(other - x)
    left, right = _sides(x, other)
    return _less(right, left)


def _less(left: Secret, right: Secret) -> SecretBits:
    if _holds(left, left.node.range - right.node.range):
        return _sign(left - right)
    # The difference wraps around if the signs differ, and then the sign of x decides.
    wrapped = _sign(_wrapped("subtract-wrapped", maps.subtracted, left, right))
    x_negative, y_negative = _sign(left), _sign(right)
    return wrapped ^ ((x_negative ^ y_negative) & (x_negative ^ wrapped))


def equal(x: Secret, y: Operand) -> SecretBits:
    """[x = y]. 64-bit range: 7 rounds at most."""
    other = _read(y)
    if isinstance(other, Public) and _fits(x, other):
        return _zero(x - other)
    left, right = _sides(x, other)
    if _holds(left, left.node.range - right.node.range):
        return _zero(left - right)
    # Both lie in the ring: they are equal if and only if they are so modulo 2^64.
    return _zero(_wrapped("subtract-wrapped", maps.subtracted, left, right))


@typing.overload
def where(condition: SecretBits, x: SecretBits, y: SecretBits) -> SecretBits: ...
@typing.overload
def where(condition: SecretBits, x: Secret | PublicLike, y: Operand) -> Secret: ...
@typing.overload
def where(condition: SecretBits, x: Operand, y: Secret | PublicLike) -> Secret: ...
def where(condition: SecretBits, x: Operand, y: Operand) -> Secret | SecretBits:
    """x where the bit is one, y elsewhere. One round; of bits, bits."""
    if not isinstance(condition, SecretBits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise LocalError("the condition of `where` is made of secret bits, as comparisons give them")
    secrets = [value for value in (x, y) if isinstance(value, Secret | SecretBits)]
    program = common_program([condition, *secrets])
    if isinstance(x, SecretBits) and isinstance(y, SecretBits):
        condition, left_bits, right_bits = (bits.in_fork(program) for bits in (condition, x, y))
        return right_bits ^ (condition & (left_bits ^ right_bits))
    first, second = _read_within(x, program), _read_within(y, program)
    if isinstance(first, Public) and isinstance(second, Public):
        return _where_public(condition, first, second)
    if isinstance(first, Secret):
        left, right = _sides(first, second)
    else:
        right, left = _sides(typing.cast("Secret", second), first)
    difference = _wrapped("subtract-wrapped", maps.subtracted, left, right)
    exact = left.node.range - right.node.range
    if _holds(left, exact):
        difference = difference.bounded(exact)
    bound = left.node.range.union(right.node.range)
    return _wrapped("choose", maps.added, condition.select(difference), right, bound)


def _where_public(condition: SecretBits, x: Public, y: Public) -> Secret:
    denominator = math.lcm(x.denominator, y.denominator)
    left, right = x.scaled_to(denominator), y.scaled_to(denominator)
    shape = np.broadcast_shapes(condition.shape, broadcast_shapes(left.shape, right.shape))
    program, number = condition.program, condition.number().repeated(shape)
    otherwise = program.domain.encode(np.ascontiguousarray(np.broadcast_to(right.numerators, shape)))
    steps = program.domain.subtract(program.domain.encode(left.numerators), otherwise)
    scale = Linear("choose-public", maps.scaled(steps), left.digest())
    node = program.add(scale, (number.node,), shape, _full(program.domain))
    bound = of_values(left.numerators).union(of_values(right.numerators))
    return Secret(program, program.add(AddPublic(otherwise, right.digest()), (node,), shape, bound), denominator)


def absolute(x: Secret) -> Secret:
    """|x|. A comparison and one round."""
    low, high = x.node.range.low, x.node.range.high
    if low >= 0:
        return x
    if high <= 0:
        return -x
    negative = (x < 0).select(x).bounded(Range(low, 0))
    return _wrapped("reflect", maps.less_twice, x, negative, Range(0, max(-low, high)))


def clipped(x: Secret, low: PublicLike, high: PublicLike) -> Secret:
    """x, at least `low` and at most `high`. A comparison and one round; nothing, if the range says that x is so."""
    lower, upper = to_public(low), to_public(high)
    denominator = math.lcm(x.denominator, lower.denominator, upper.denominator)
    lower, upper = lower.scaled_to(denominator), upper.scaled_to(denominator)
    if np.any(lower.numerators > upper.numerators):
        raise LocalError("clip takes a lower end that is nowhere above the upper end")
    shape = broadcast_shapes(broadcast_shapes(x.shape, lower.shape), upper.shape)
    base = x.with_denominator(denominator).repeated(shape)
    bound, low_range, high_range = base.node.range, of_values(lower.numerators), of_values(upper.numerators)
    result = base
    # Both comparisons are of x itself, so they share their rounds; at most one of them moves an element.
    if low_range.high > bound.low:
        result = _moved(result, base, base < lower, lower)
    if high_range.low < bound.high:
        result = _moved(result, base, base > upper, upper)
    least = min(max(bound.low, low_range.low), high_range.low)
    most = max(min(bound.high, high_range.high), low_range.high)
    return result.bounded(Range(least, most))


def _moved(result: Secret, base: Secret, condition: SecretBits, end: Public) -> Secret:
    """The result plus end - base, where the condition holds."""
    program = base.program
    words = program.domain.encode(np.ascontiguousarray(np.broadcast_to(end.numerators, base.shape)))
    node = program.add(SubtractFrom(words, end.digest()), (base.node,), base.shape, _full(program.domain))
    return _wrapped("move", maps.added, result, condition.select(Secret(program, node, base.denominator)))


def _read(value: Operand) -> Secret | Public:
    """The other side of a comparison."""
    value = number_of(value)
    if isinstance(value, Secret):
        return value
    try:
        return to_public(value)
    except LocalError as error:
        raise type(error)(f"beside a secret: {error}") from None


def _read_within(value: Operand, program: Program) -> Secret | Public:
    """The same, in a fork that its choice is made in."""
    return _read(value.in_fork(program) if isinstance(value, Secret | SecretBits) else value)


def _rounded(y: Secret | Public, denominator: int, *, up: bool) -> Secret | Public:
    """Public numbers brought to the next multiple of 1 / denominator, where multiples are compared with them.

    So a comparison with 0.1, whose denominator as a float is 2^55, takes no bit more than one with 1.
    """
    if isinstance(y, Secret) or denominator % y.denominator == 0:
        return y
    items: list[int] = [item * denominator for item in y.numerators.reshape(-1).tolist()]
    multiples = [-(-item // y.denominator) if up else item // y.denominator for item in items]
    if not all(-(2**63) <= item < 2**63 for item in multiples):  # the denominator is larger than theirs
        return y
    return Public(np.array(multiples, np.int64).reshape(y.shape), denominator)


def _sides(x: Secret, y: Secret | Public) -> tuple[Secret, Secret]:
    """Both sides as secrets of one fork, denominator and shape."""
    if isinstance(y, Public):
        # A public side is zero plus itself, so that from here on both are secrets.
        y = x.repeated(broadcast_shapes(x.shape, y.shape)) * 0 + y
    left, right = aligned([x, y])
    shape = broadcast_shapes(left.shape, right.shape)
    return left.repeated(shape), right.repeated(shape)


def _fits(x: Secret, y: Public, *, backwards: bool = False) -> bool:
    """Whether the ring holds x - y, or y - x, over their common denominator."""
    denominator = math.lcm(x.denominator, y.denominator)
    mine, theirs = denominator // x.denominator, denominator // y.denominator
    left, right = x.node.range.times(Range(mine, mine)), of_values(y.numerators).times(Range(theirs, theirs))
    return _holds(x, left) and _holds(x, right) and _holds(x, right - left if backwards else left - right)


def _holds(x: Secret, bound: Range) -> bool:
    return bound.low >= x.program.domain.lowest and bound.high <= x.program.domain.highest


def _sign(x: Secret) -> SecretBits:
    bound = x.node.range
    width = 1 + max((-1 - bound.low).bit_length() if bound.low < 0 else 0, max(0, bound.high).bit_length())
    node = x.program.add(Compute(Kind.SIGN, width), (x.node,), x.shape, _BIT)
    return SecretBits(x.program, node)


def _zero(x: Secret) -> SecretBits:
    bound = x.node.range
    width = min(64, max(1, bound.high.bit_length(), bound.low.bit_length()))
    node = x.program.add(Compute(Kind.IS_ZERO, width), (x.node,), x.shape, _BIT)
    return SecretBits(x.program, node)


def _wrapped(kind: str, function: maps.LinearMap, x: Secret, y: Secret, bound: Range | None = None) -> Secret:
    """A linear function modulo 2^64; the bound is what its construction keeps, by default the whole ring."""
    left, right = _sides(x, y)
    program = left.program
    node = program.add(Linear(kind, function), (left.node, right.node), left.shape, bound or _full(program.domain))
    return Secret(program, node, left.denominator)


def _full(domain: Domain) -> Range:
    return Range(domain.lowest, domain.highest)
