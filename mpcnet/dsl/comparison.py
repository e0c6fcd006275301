"""Comparisons of values, and choices by the bits that they give.

    x < y            the sign of x - y, in as many bits as the range of x - y needs
    x == y           whether x - y is zero
    where, abs, clip a number times a bit: one round after the bit

A difference that needs more than 64 bits is taken modulo 2^64 and corrected by the signs of both sides. Choices
are computed modulo 2^64 too: their results lie in a range that is known, whatever happens on the way.
The theory of operation is in `mpcnet.dsl.values`.
"""

from __future__ import annotations

import math
import typing
from typing import Final

import numpy as np

from mpcnet.algebra import Domain
from mpcnet.dsl import arithmetic, facts, logic, maps, values
from mpcnet.dsl.compute import Compute
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.logic import BitValue, make_bits
from mpcnet.dsl.nodes import AddPublic, Linear, SubtractFrom
from mpcnet.dsl.program import Program
from mpcnet.dsl.public import Public, to_public
from mpcnet.dsl.ranges import Range, of_values
from mpcnet.dsl.shapes import broadcast_shapes
from mpcnet.dsl.values import Value, aligned, make
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind

__all__ = (
    "absolute",
    "choose",
    "choose_bits",
    "clip",
    "equal",
    "greater",
    "less",
    "one_hot",
)

_ZERO: Final = to_public(0)
_SUBTRACT_WRAPPED: Final = Linear("subtract-wrapped", maps.subtracted)
_CHOOSE: Final = Linear("choose", maps.added)
_MOVE: Final = Linear("move", maps.added)
_REFLECT: Final = Linear("reflect", maps.less_twice)


def less(x: Value, y: Value | Public) -> BitValue:
    """[x < y]. 64-bit range: 6 rounds, 19 bytes to a peer (5 and 13 for few elements); less for smaller ranges."""
    other = _rounded(y, x.denominator, up=True)
    if isinstance(other, Public) and _fits(x, other):
        return _sign(arithmetic.subtract(x, other))
    return _less(*_sides(x, other))


def greater(x: Value, y: Value | Public) -> BitValue:
    """[x > y]; costs what `less` costs."""
    other = _rounded(y, x.denominator, up=False)
    if isinstance(other, Public) and _fits(x, other, backwards=True):
        return _sign(arithmetic.subtract_from(other, x))
    left, right = _sides(x, other)
    return _less(right, left)


def _less(left: Value, right: Value) -> BitValue:
    if _holds(left, left.range - right.range):
        return _sign(arithmetic.subtract(left, right))
    # The difference wraps around if the signs differ, and then the sign of x decides.
    wrapped = _sign(_difference(left, right))
    x_negative, y_negative = _sign(left), _sign(right)
    differ = logic.exclusive_or(x_negative, y_negative)
    return logic.exclusive_or(wrapped, logic.conjunction(differ, logic.exclusive_or(x_negative, wrapped)))


def equal(x: Value, y: Value | Public) -> BitValue:
    """[x = y]. 64-bit range: 7 rounds at most."""
    if isinstance(y, Public) and _fits(x, y):
        return _is_zero(arithmetic.subtract(x, y))
    left, right = _sides(x, y)
    if _holds(left, left.range - right.range):
        return _is_zero(arithmetic.subtract(left, right))
    # Both lie in the ring: they are equal if and only if they are so modulo 2^64.
    return _is_zero(_difference(left, right))


def one_hot(x: Value, size: int) -> BitValue:
    """Bits of shape (*shape, size): one at the index that x is, none if it is no such index. Costs as `equal`.

    Raises:
        LocalError: the size is negative.
    """
    if size < 0:
        raise LocalError("a size is not negative")
    return equal(values.reshape(x, (*x.shape, 1)), to_public(np.arange(size)))


def choose_bits(condition: BitValue, x: BitValue, y: BitValue) -> BitValue:
    """x where the condition is one, y elsewhere. One round, 2 bits an element to each peer."""
    program = _program_of(condition, x, y)
    chooser, left, right = condition.in_fork(program), x.in_fork(program), y.in_fork(program)
    return logic.exclusive_or(right, logic.conjunction(chooser, logic.exclusive_or(left, right)))


def choose(condition: BitValue, x: Value | BitValue | Public, y: Value | BitValue | Public) -> Value:
    """x where the condition is one, y elsewhere; bits as numbers. One round, 65 bits an element to each peer.

    Between public numbers one bit an element, since the condition only has to become a number.
    """
    program = _program_of(condition, *(side for side in (x, y) if not isinstance(side, Public)))
    first, second = _number_in(program, x), _number_in(program, y)
    if isinstance(first, Public) and isinstance(second, Public):
        return _choose_public(condition, first, second)
    if isinstance(first, Public):
        right, left = _sides(typing.cast("Value", second), first)
    else:
        left, right = _sides(first, second)
    difference, exact = _difference(left, right), left.range - right.range
    if _holds(left, exact):
        difference = values.bound(difference, exact)
    chosen, other = _sides(logic.select(condition, difference), right)
    known = facts.choose(condition.facts, left.facts, right.facts)
    return _linear(_CHOOSE, chosen, other, known)


def _choose_public(condition: BitValue, x: Public, y: Public) -> Value:
    denominator = math.lcm(x.denominator, y.denominator)
    left, right = x.scaled_to(denominator), y.scaled_to(denominator)
    shape = broadcast_shapes(condition.shape, broadcast_shapes(left.shape, right.shape))
    program, number = condition.program, values.repeat(condition.number(), shape)
    otherwise = program.domain.encode(np.ascontiguousarray(np.broadcast_to(right.numerators, shape)))
    steps = program.domain.subtract(program.domain.encode(left.numerators), otherwise)
    scale = Linear("choose-public", maps.scaled(steps), left.digest())
    scaled = make(program, scale, (number.node,), shape, facts.wrap(number.facts, domain=program.domain))
    known = facts.choose_public(condition.facts, left.numerators, right.numerators)
    shift = AddPublic(otherwise, right.digest())
    return make(program, shift, (scaled.node,), shape, known, denominator)


def absolute(x: Value) -> Value:
    """|x|. A comparison and one round; nothing, if the range says which sign x has."""
    low, high = x.range.low, x.range.high
    if low >= 0:
        return x
    if high <= 0:
        return arithmetic.negate(x)
    negative = values.bound(logic.select(less(x, _ZERO), x), Range(low, 0))
    return _linear(_REFLECT, x, negative, facts.absolute(x.facts))


def clip(x: Value, low: Public, high: Public) -> Value:
    """x, at least `low` and at most `high`. A comparison and one round; nothing, if the range says that x is so.

    Raises:
        LocalError: `low` is above `high` somewhere.
    """
    denominator = math.lcm(x.denominator, low.denominator, high.denominator)
    lower, upper = low.scaled_to(denominator), high.scaled_to(denominator)
    if np.any(lower.numerators > upper.numerators):
        raise LocalError("clip takes a lower end that is nowhere above the upper end")
    shape = broadcast_shapes(broadcast_shapes(x.shape, lower.shape), upper.shape)
    base = values.repeat(x.with_denominator(denominator), shape)
    result = base
    # Both comparisons are of x itself, so they share their rounds; at most one of them moves an element.
    if of_values(lower.numerators).high > base.range.low:
        result = _moved(result, base, less(base, lower), lower)
    if of_values(upper.numerators).low < base.range.high:
        result = _moved(result, base, greater(base, upper), upper)
    return values.bound(result, facts.clip(base.facts, lower.numerators, upper.numerators).range)


def _moved(result: Value, base: Value, condition: BitValue, end: Public) -> Value:
    """The result plus end - base, where the condition holds."""
    program = base.program
    words = program.domain.encode(np.ascontiguousarray(np.broadcast_to(end.numerators, base.shape)))
    wrapped = facts.wrap(base.facts, domain=program.domain)
    operation = SubtractFrom(words, end.digest())
    step = make(program, operation, (base.node,), base.shape, wrapped, base.denominator)
    left, right = _sides(result, logic.select(condition, step))
    return _linear(_MOVE, left, right, facts.wrap(left.facts, right.facts, domain=program.domain))


def _program_of(first: BitValue, *others: Value | BitValue) -> Program:
    program = first.program
    for other in others:
        program = values.common_program(program, other.program)
    return program


def _number_in(program: Program, x: Value | BitValue | Public) -> Value | Public:
    """One side of a choice, in the fork that the choice is made in."""
    if isinstance(x, Public):
        return x
    there = x.in_fork(program)
    return there.number() if isinstance(there, BitValue) else there


def _rounded(y: Value | Public, denominator: int, *, up: bool) -> Value | Public:
    """Public numbers brought to the next multiple of 1 / denominator, where multiples are compared with them.

    So a comparison with 0.1, whose denominator as a float is 2^55, takes no bit more than one with 1.
    """
    if isinstance(y, Value) or denominator % y.denominator == 0:
        return y
    items: list[int] = [item * denominator for item in y.numerators.reshape(-1).tolist()]
    multiples = [-(-item // y.denominator) if up else item // y.denominator for item in items]
    if not all(-(2**63) <= item < 2**63 for item in multiples):  # the denominator is larger than theirs
        return y
    return Public(np.array(multiples, np.int64).reshape(y.shape), denominator)


def _sides(x: Value, y: Value | Public) -> tuple[Value, Value]:
    """Both sides as values of one fork, denominator and shape."""
    if isinstance(y, Public):
        # A public side is zero plus itself, so that from here on both are shared.
        y = arithmetic.add(values.scale(values.repeat(x, broadcast_shapes(x.shape, y.shape)), _ZERO), y)
    left, right = aligned(x, y)
    shape = broadcast_shapes(left.shape, right.shape)
    return values.repeat(left, shape), values.repeat(right, shape)


def _fits(x: Value, y: Public, *, backwards: bool = False) -> bool:
    """Whether the ring holds x - y, or y - x, over their common denominator."""
    denominator = math.lcm(x.denominator, y.denominator)
    mine, theirs = denominator // x.denominator, denominator // y.denominator
    left, right = x.range.times(Range(mine, mine)), of_values(y.numerators).times(Range(theirs, theirs))
    return _holds(x, left) and _holds(x, right) and _holds(x, right - left if backwards else left - right)


def _holds(x: Value, bound: Range) -> bool:
    domain: Domain = x.program.domain
    return bound.low >= domain.lowest and bound.high <= domain.highest


def _sign(x: Value) -> BitValue:
    bound = x.range
    width = 1 + max((-1 - bound.low).bit_length() if bound.low < 0 else 0, max(0, bound.high).bit_length())
    return make_bits(x.program, Compute(Kind.SIGN, width), (x.node,), x.shape, facts.compare(x.facts))


def _is_zero(x: Value) -> BitValue:
    bound = x.range
    width = min(64, max(1, bound.high.bit_length(), bound.low.bit_length()))
    return make_bits(x.program, Compute(Kind.IS_ZERO, width), (x.node,), x.shape, facts.compare(x.facts))


def _difference(left: Value, right: Value) -> Value:
    """left - right modulo 2^64."""
    return _linear(_SUBTRACT_WRAPPED, left, right, facts.wrap(left.facts, right.facts, domain=left.program.domain))


def _linear(operation: Linear, left: Value, right: Value, known: Facts) -> Value:
    """A function of two values of one fork, denominator and shape, modulo 2^64."""
    return make(left.program, operation, (left.node, right.node), left.shape, known, left.denominator)
