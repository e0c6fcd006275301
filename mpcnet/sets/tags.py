"""Tags: short hashes of doubly blinded points. Equal items have equal tags, and others are random to each other."""

from __future__ import annotations

from collections.abc import Sequence

from mpcnet.algebra import SIGMA
from mpcnet.primitives import blake2b

__all__ = ("split_tags", "tag_bytes", "tags_of")


def tag_bytes(first: int, second: int) -> int:
    """How long tags must be to compare so many with so many.

    There are first x second pairs, and each pair of different items agrees by chance with 2^-bits: with
    σ + log2(first x second) bits, rounded up to whole bytes, any does with at most 2^-σ.
    """
    pairs = max(1, first * second)
    return -(-(SIGMA + (pairs - 1).bit_length()) // 8)


def tags_of(points: Sequence[bytes], job: bytes, receiver: int, nbytes: int) -> list[bytes]:
    """The tags by which one receiver compares.

    They hide everything about points that are not compared, and those for one receiver are of no use to
    another: tags that a party sends back to their sender match nothing there.

    Args:
        points: doubly blinded.
        job: the job's id.
        receiver: roster index of the party that compares.
        nbytes: of a tag, at most 64.
    """
    head = receiver.to_bytes(4, "little")
    return [blake2b(head + point, key=job, size=nbytes, person=b"mpcnet.psi.tag") for point in points]


def split_tags(data: memoryview, nbytes: int) -> list[bytes]:
    """A message of tags, cut into them."""
    return [bytes(data[start : start + nbytes]) for start in range(0, len(data), nbytes)]
