"""Randomness of the operating system, hashing, and comparing and wiping bytes."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import TypeAlias

__all__ = (
    "Buffer",
    "Randomness",
    "blake2b",
    "check_size",
    "equal",
    "random_bytes",
    "wipe",
)

#: Bytes in a row. Of a numpy array pass `array.data`, contiguous and of one-byte items.
Buffer: TypeAlias = bytes | bytearray | memoryview

#: Where secrets come from: `random_bytes`, or a fixed stream in tests and vectors.
Randomness: TypeAlias = Callable[[int], bytes]


def random_bytes(count: int) -> bytes:
    """Bytes from the operating system's generator, for keys, nonces and seeds."""
    return os.urandom(count)


def equal(a: Buffer, b: Buffer) -> bool:
    """Whether two buffers hold the same bytes, in a time that depends on their lengths only."""
    return hmac.compare_digest(a, b)


def wipe(buffer: bytearray | memoryview) -> None:
    """Overwrite a writable, contiguous buffer with zeros."""
    view = memoryview(buffer).cast("B")
    view[:] = bytes(len(view))


def blake2b(data: Buffer, *, key: Buffer = b"", size: int = 32, person: Buffer = b"") -> bytes:
    """BLAKE2b (RFC 7693), keyed if `key` is given.

    Args:
        data: what is hashed.
        key: at most 64 bytes; makes the hash a pseudorandom function.
        size: 1 to 64, bytes of the result.
        person: at most 16 bytes that tell one use from another.
    """
    return hashlib.blake2b(data, digest_size=size, key=key, person=person).digest()


def check_size(name: str, buffer: Buffer, expected: int) -> None:
    """Refuse a buffer of another size, which is our own mistake."""
    if len(buffer) != expected:
        raise ValueError(f"{name} must have {expected} bytes, not {len(buffer)}")
