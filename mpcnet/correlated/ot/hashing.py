"""From correlated rows to independent keys: a tweakable, circularly correlation-robust hash of many rows at once.

    H(i, x) = P(P(x) + i) + P(x),    P = AES-128 under a public key, + is XOR, i is the row's number

Source: [GKWY20] §7.4 (TCCR), in the ideal-cipher model. A key serves `ROWS_PER_KEY` rows and is derived from the
lot's label, which holds the nonces of both parties through the job id: an adversary who works ahead attacks one
key's rows, not all rows there ever are. With R rows a key, 128 - log2(R) bits are left: 112.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mpcnet.algebra import Words
from mpcnet.primitives import AesBlocks, blake2b

__all__ = ("ROWS_PER_KEY", "hash_rows")

ROWS_PER_KEY: Final = 2**16


def hash_rows(rows: Words, label: bytes) -> Words:
    """The hash of each row of a lot.

    Args:
        rows: shape (n, 2), 128 bits each; both parties number them alike.
        label: the lot's.
    Returns:
        Shape (n, 2).
    """
    hashed = np.empty_like(rows)
    room = AesBlocks.room(min(len(rows), ROWS_PER_KEY))
    other = AesBlocks.room(min(len(rows), ROWS_PER_KEY))
    numbers = np.arange(min(len(rows), ROWS_PER_KEY), dtype=np.uint64)
    for start in range(0, len(rows), ROWS_PER_KEY):
        piece = np.ascontiguousarray(rows[start : start + ROWS_PER_KEY])
        number = (start // ROWS_PER_KEY).to_bytes(4, "little")
        cipher = AesBlocks(blake2b(number + label, size=16, person=b"mpcnet.ot.tccr"))
        inner = cipher.encrypt(piece, room).view(np.uint64).reshape(-1, 2)
        tweaked = inner.copy()
        tweaked[:, 0] ^= numbers[: len(piece)]
        outer = cipher.encrypt(tweaked, other).view(np.uint64).reshape(-1, 2)
        np.bitwise_xor(inner, outer, out=hashed[start : start + len(piece)])
    return hashed
