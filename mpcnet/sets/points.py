"""Items as points of Curve25519, and points times secret scalars: a pseudorandom function that two parties share.

    item ──BLAKE2b, keyed with the job id──▶ 32 bytes ──Elligator 2, cofactor cleared──▶ point of order q
         ──Montgomery u──▶ 32 bytes ──X25519 with our scalar a──▶ a·H(item)      a's owner can do this alone
                                    ──X25519 with the peer's b──▶ ab·H(item)     takes both, in any order

A point is always its u-coordinate, 32 bytes little-endian (RFC 7748 §5): X25519 needs nothing else, and P and -P
are the same here. That two items have one point takes a collision among 2^251 points.

Assumptions: BLAKE2b is a random oracle, and the decisional Diffie-Hellman problem is hard in the subgroup of prime
order q, with scalars as X25519 clamps them. Elligator 2 reaches about half of the curve's points, not all. That is
enough: the map can be inverted, so a simulator draws multiples of the base point, plus torsion, until one has a
preimage, and programs the oracle with that; hashes and their multiples then look random [Elligator13] §5.

What a peer can send that follows no protocol. Every 32 bytes are the u-coordinate of a point, on the curve or on
its quadratic twist, and X25519 is defined for both:

- A clamped scalar is a multiple of 8, the cofactor of the curve, and so of 4, that of the twist. A component of
  small order vanishes, and tells nothing of the scalar. A point of small order gives zero, whatever the scalar;
  `multiply` refuses it, since all such points would have one tag.
- What is left has a prime order, on the curve or on the twist, where discrete logarithms are as hard (about 2^126
  steps; RFC 7748 §7). A point on the twist is no multiple of an item's point, and stays on the twist: its tag
  equals no honest one.
- Encodings that are not canonical (u >= p, or the top bit set) mean the same as their reduction, and are taken, as
  RFC 7748 §5 asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mpcnet.algebra import Buffer
from mpcnet.primitives import blake2b, ed25519_from_uniform, x25519

__all__ = (
    "POINT_BYTES",
    "SCALAR_BYTES",
    "SmallOrder",
    "blind",
    "hash_to_points",
    "montgomery_u",
    "multiply",
    "split_points",
)

POINT_BYTES: Final = 32
SCALAR_BYTES: Final = 32

_P: Final = 2**255 - 19
_Y_MASK: Final = 2**255 - 1


class SmallOrder(ValueError):
    """A point whose multiples by clamped scalars are all zero."""


def hash_to_points(items: Sequence[bytes], job: bytes) -> list[bytes]:
    """Items as points of the prime-order subgroup, whose discrete logarithms no party knows.

    The job id is the hash's key, so that points of two jobs have nothing in common, and what a party learned about
    an item in one job is worth nothing in another.

    Args:
        items: in any canonical encoding; equal bytes are the same item.
        job: the job's id, at most 64 bytes.
    Returns:
        u-coordinates in the order of the items; about 55 µs each.
    """
    uniform = (blake2b(item, key=job, size=32, person=b"mpcnet.psi.point") for item in items)
    return montgomery_u([ed25519_from_uniform(each) for each in uniform])


def montgomery_u(points: Sequence[bytes]) -> list[bytes]:
    """The u-coordinates of Ed25519 points: u = (1 + y) / (1 - y) (RFC 7748 §4.1).

    One inversion for all, three multiplications for each [Montgomery87] §10.3.1: 5 µs a point, where libsodium's
    conversion takes 115, because it checks the order of points which come from `ed25519_from_uniform` and have the
    right one. Python's integers do not promise the same time for all values; nor does libsodium's conversion. What
    runs through here are hashes of items, no scalars, and a peer sees the time of the whole list only.

    Raises:
        ValueError: one is the neutral element, which no hash is (but with a chance of 2^-250).
    """
    ys = [int.from_bytes(point, "little") & _Y_MASK for point in points]
    products = [1]
    for y in ys:
        products.append(products[-1] * (1 - y) % _P)
    inverse = pow(products[-1], -1, _P)
    found = [b""] * len(ys)
    for place in range(len(ys) - 1, -1, -1):
        y = ys[place]
        u = (1 + y) * inverse * products[place] % _P
        found[place] = u.to_bytes(POINT_BYTES, "little")
        inverse = inverse * (1 - y) % _P
    return found


def multiply(points: Sequence[Buffer], scalar: bytes) -> list[bytes]:
    """Every point times our scalar, clamped as X25519 does it; about 75 µs each.

    Args:
        points: u-coordinates, of our own or of a peer.
        scalar: 32 uniform bytes, fresh for every job.
    Raises:
        SmallOrder: a point has small order.
    """
    try:
        return [x25519(scalar, point) for point in points]
    except ValueError:  # the sizes are ours: only the point can be at fault
        raise SmallOrder("a point of small order") from None


def blind(items: Sequence[bytes], job: bytes, scalar: bytes) -> list[bytes]:
    """Items as points, times our scalar: what a peer may see of them. About 130 µs each."""
    return multiply(hash_to_points(items, job), scalar)


def split_points(data: memoryview) -> list[memoryview]:
    """A message of points, cut into them; its size is a multiple of `POINT_BYTES`."""
    return [data[start : start + POINT_BYTES] for start in range(0, len(data), POINT_BYTES)]
