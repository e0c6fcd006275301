"""What the kit for schemes computes with: values of a domain, its ends first, and the products of each kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Shape
from mpcnet.algebra.bits import BITS
from mpcnet.algebra.expand import expand
from mpcnet.dsl import maps
from mpcnet.engine import lockstep
from mpcnet.schemes import Kind, PlainScheme, Primitive, Scheme, Share
from mpcnet.testing.lockstep import make_programs

__all__ = (
    "MATRICES",
    "TO_BITS",
    "Operand",
    "clear_product",
    "domains_of",
    "ends_of",
    "integers",
    "linear_maps",
    "operands_of",
    "primitives",
    "widest",
)

Operand = tuple[Domain, NDArray[np.int64]]
"""Values, and the domain in which they are shared."""

MATRICES = ((1, 1, 1), (2, 3, 4), (5, 1, 2), (1, 70, 1))
"""Rows, inner dimension and columns of products that are tried."""
TO_BITS = frozenset({Kind.SIGN, Kind.IS_ZERO, Kind.AND})
_OF_BITS = {Kind.AND: (True, True), Kind.TO_NUMBER: (True,), Kind.SELECT: (True, False)}
"""By kind, which of its operands are bits; of the others, none is."""


def domains_of(scheme: Scheme) -> tuple[Domain, ...]:
    """That of numbers, and that of bits if the scheme computes with bits at all."""
    return (scheme.numbers, BITS) if scheme.kinds & (TO_BITS | _OF_BITS.keys()) else (scheme.numbers,)


def integers(
    domain: Domain, shape: Shape, seed: int, low: int | None = None, high: int | None = None
) -> NDArray[np.int64]:
    """Integers between two ends, by default the domain's: the ends and what is near them and zero, then others."""
    low, high = domain.lowest if low is None else low, domain.highest if high is None else high
    count = math.prod(shape)
    edges = [low, high, 0, 1, -1, low + 1, high - 1, high // 2, low // 2]
    edges = [min(max(item, low), high) for item in edges]
    drawn = expand(b"%16d" % seed, 16 * count).reshape(count, 16)
    values = [low + int.from_bytes(row.tobytes(), "little") % (high - low + 1) for row in drawn]
    for place in range(0, count, 2):  # every second one, so that ends meet random values in pairs of arrays
        values[place] = edges[(place // 2 + seed) % len(edges)]
    return np.array(values, np.int64).reshape(shape)


def widest(domain: Domain) -> int:
    """Bits, with the sign, in which every number of the domain fits."""
    return 1 + max((-1 - domain.lowest).bit_length(), domain.highest.bit_length())


def primitives(scheme: Scheme, count: int) -> list[Primitive]:
    """Products of every kind of the scheme but of matrices; comparisons in several widths."""
    found: list[Primitive] = []
    for kind in Kind:
        if kind not in scheme.kinds or kind is Kind.MATMUL:
            continue
        widths = (1, 9, widest(scheme.numbers)) if kind in (Kind.SIGN, Kind.IS_ZERO) else (0,)
        found += [Primitive(kind, count, bits) for bits in widths]
    return found


def operands_of(scheme: Scheme, primitive: Primitive, seed: int = 0) -> list[Operand]:
    """Values of a product's operands."""
    numbers, kind, count = scheme.numbers, primitive.kind, primitive.count
    if kind is Kind.MATMUL:
        shapes = (count // primitive.columns, primitive.inner), (primitive.inner, primitive.columns)
        return [(numbers, integers(numbers, shape, seed + place)) for place, shape in enumerate(shapes)]
    if primitive.bits:
        return [(numbers, integers(numbers, (count,), seed, *_limits(numbers, primitive.bits)))]
    of_bits = _OF_BITS.get(kind, (False, False))
    return [
        (domain, integers(domain, (count,), seed + place))
        for place, domain in enumerate(BITS if bits else numbers for bits in of_bits)
    ]


def ends_of(scheme: Scheme, primitive: Primitive) -> tuple[list[Operand], list[Operand]]:
    """Operands of a product that are all as low as can be; and the first as high as can be, the others one.

    Not all as high: in a field around zero the product would be the same.
    """
    lowest: list[Operand] = []
    others: list[Operand] = []
    for domain, values in operands_of(scheme, primitive):
        low, high = _limits(domain, primitive.bits)
        lowest.append((domain, np.full(values.shape, low, np.int64)))
        others.append((domain, np.full(values.shape, 1 if others else high, np.int64)))
    return lowest, others


def _limits(domain: Domain, bits: int) -> tuple[int, int]:
    """The ends of a domain, or of the numbers in it that have so many bits."""
    if not bits:
        return domain.lowest, domain.highest
    return max(-(2 ** (bits - 1)), domain.lowest), min(2 ** (bits - 1) - 1, domain.highest)


def linear_maps(domain: Domain) -> list[tuple[str, maps.LinearMap, Sequence[Shape], Shape]]:
    """Maps of every kind: a name, the map, the shapes of its operands and of its result."""
    x: Shape = (2, 3)
    factor = domain.encode(integers(domain, x, 5))
    found: list[tuple[str, maps.LinearMap, Sequence[Shape], Shape]] = [
        ("sum of two", maps.added, (x, x), x),
        ("difference", maps.subtracted, (x, x), x),
        ("negative", maps.negated, (x,), x),
        ("multiple", maps.scaled(factor), (x,), x),
        ("sum over an axis", maps.summed((0,)), (x,), (3,)),
        ("sum over all", maps.summed((0, 1)), (x,), ()),
        ("sum of nothing", maps.summed((0,)), ((0, 3),), (3,)),
        ("zero", maps.zeros((4,)), (x,), (4,)),
    ]
    rearrangements: list[tuple[str, maps.Rearrangement, Sequence[Shape]]] = [
        ("transposition", maps.transposed, (x,)),
        ("index", maps.indexed((1, slice(None, None, -1))), (x,)),
        ("one element", maps.indexed((1, 2)), (x,)),
        ("another shape", maps.reshaped((3, 2)), (x,)),
        ("repetition", maps.broadcast((4, 2, 3)), (x,)),
        ("concatenation", maps.concatenated(0), (x, (1, 3), (0, 3))),
        ("stack", maps.stacked(1), (x, x)),
    ]
    found += [(name, move, shapes, maps.shape_of(move, *shapes)) for name, move, shapes in rearrangements]
    if not domain.packed:
        right, left = (domain.encode(integers(domain, shape, 6)) for shape in ((3, 2), (4, 2)))
        found += [
            ("matrix on the right", maps.matrix_on_the_right(right), (x,), (2, 2)),
            ("matrix on the left", maps.matrix_on_the_left(left), (x,), (4, 3)),
        ]
    return found


def clear_product(scheme: Scheme, primitive: Primitive, operands: Sequence[Operand]) -> NDArray[np.int64]:
    """A product in the clear, over the domain of the scheme."""
    plain = PlainScheme(scheme.numbers)
    context = make_programs(computing=1, scheme=plain)[0].context(0)
    shares = [Share(domain, values.shape, (domain.encode(values),)) for domain, values in operands]
    (result,) = lockstep({0: plain.compute(context, primitive, shares)}).results.values()
    return result.domain.decode(result.parts[0], result.shape)
