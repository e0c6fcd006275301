"""Labels and stream keys: every pseudorandom array of mpcnet is named here, and nowhere else.

Two parties that hold a pair seed derive the same array from the same label without a message. A stream key is

    BLAKE2b(key = seed, person = "mpcnet.stream", job id || purpose || owner || fork path || node || index)

with every variable-length field prefixed by its length, so that no two labels have one encoding. One key expands
to one array (see `expand`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from mpcnet.algebra.domain import Domain, Words
from mpcnet.algebra.parameters import SEED_BYTES
from mpcnet.errors import LocalError
from mpcnet.primitives import blake2b

__all__ = ("NO_OWNER", "Label", "Streams", "pair_seed", "prefixed", "stream_key")

NO_OWNER = 0xFFFF_FFFF
"""The owner field of labels that belong to no single party, such as zero shares."""


@dataclass(frozen=True, slots=True)
class Label:
    """What one pseudorandom array is for.

    Args:
        purpose: the use, for example "input" or "zero".
        owner: roster index of the party whose value it hides, or `NO_OWNER`.
        fork: path of fork labels, outermost first.
        node: number of the operation in its fork.
        index: how many arrays of this purpose, owner and node came before.
    """

    purpose: str
    owner: int
    fork: tuple[str, ...]
    node: int
    index: int

    def encode(self) -> bytes:
        """The one encoding of this label."""
        head = prefixed(self.purpose.encode()) + self.owner.to_bytes(4, "little")
        return head + _fork_part(self.fork) + self.node.to_bytes(8, "little") + self.index.to_bytes(8, "little")


@functools.lru_cache(maxsize=1024)
def _fork_part(fork: tuple[str, ...]) -> bytes:
    return len(fork).to_bytes(4, "little") + b"".join(prefixed(label.encode()) for label in fork)


def prefixed(data: bytes) -> bytes:
    """A field behind its length, so that fields in a row have one reading."""
    return len(data).to_bytes(4, "little") + data


def pair_seed(first: tuple[int, bytes, bytes], second: tuple[int, bytes, bytes]) -> bytes:
    """The seed of two parties.

    Args:
        first, second: each party's roster index, 32 random bytes that it sent in an encrypted record, and its
            incarnation, in any order of the two.
    Returns:
        32 bytes, the same for both. Uniform to all other parties if one of the two contributions is.
    """
    parts = [
        b"".join([index.to_bytes(4, "little"), prefixed(share), prefixed(life)])
        for index, share, life in sorted([first, second])
    ]
    return blake2b(b"".join(parts), size=SEED_BYTES, person=b"mpcnet.pair")


def stream_key(seed: bytes, job: bytes, label: Label) -> bytes:
    """The 16-byte key of the one array that this label names in this job."""
    return blake2b(prefixed(job) + label.encode(), key=seed, size=16, person=b"mpcnet.stream")


@dataclass(frozen=True, slots=True, repr=False)
class Streams:
    """The arrays that the seed of a pair gives to one fork of one job.

    The code that draws from it numbers the arrays of one operation (`mpcnet.engine.Context` does), so that no label
    is ever used twice.
    """

    seed: bytes
    job: bytes
    fork: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Streams(fork={self.fork!r})"

    def uniform(self, domain: Domain, shape: tuple[int, ...], label: Label) -> Words:
        """The uniform array of this label."""
        if label.fork != self.fork or not label.purpose:
            raise LocalError("a label is drawn in its own fork, and has a purpose")
        return domain.uniform(stream_key(self.seed, self.job, label), shape)
