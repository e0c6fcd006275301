"""From a 16-byte key to uniform bytes: AES-128 in counter mode, or one BLAKE2b call where the bytes are few.

Setting up a cipher takes ten times as long as hashing once, and programs of many parties draw many arrays of one
element. Both are pseudorandom functions of the key; a key is used for one array, so never for both.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.primitives import aes_ctr, blake2b

__all__ = ("SHORT_BYTES", "expand")

SHORT_BYTES: Final = 64
"""Up to here the bytes are one BLAKE2b digest of their own length, keyed; the length is part of the hash."""


def expand(key: bytes, nbytes: int) -> NDArray[np.uint8]:
    """Uniform bytes; may be read-only.

    Args:
        key: 16 bytes, used for this call alone.
        nbytes: how many.
    """
    if nbytes == 0:
        return np.empty(0, np.uint8)
    if nbytes <= SHORT_BYTES:
        return np.frombuffer(blake2b(b"", key=key, size=nbytes, person=b"mpcnet.expand"), np.uint8)
    return aes_ctr(key, nbytes)
