"""AES-128 without authentication: streams for pseudorandom arrays, blocks, and GHASH as a universal hash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from mpcnet.primitives.hashing import Buffer, check_size

__all__ = (
    "AesBlocks",
    "Gmac",
    "aes_ctr",
    "aes_ctr_into",
)

_AES_KEY_BYTES: Final = 16
_BLOCK_BYTES: Final = 16
_GMAC_NONCE: Final = bytes(12)
_COUNTER_FROM_ZERO: Final = modes.CTR(bytes(16))
# Keystream is written in pieces this long: the zeros and the piece stay in the second-level cache.
_ZEROS: Final = bytes(1 << 17)


def aes_ctr_into(key: Buffer, out: NDArray[Any]) -> None:
    """Fill a contiguous array with the keystream of AES-128 in counter mode, counting from zero.

    The start is always the same, so a key stands for exactly one stream: derive a new key for each.

    Args:
        key: 16 bytes.
        out: contiguous, writable, of any fixed-size type.
    """
    check_size("an AES-128 key", key, _AES_KEY_BYTES)
    if not out.flags.c_contiguous:
        raise ValueError("the keystream needs a contiguous array")
    stream = out.reshape(-1).view(np.uint8).data
    encryptor = Cipher(algorithms.AES128(key), _COUNTER_FROM_ZERO).encryptor()
    for start in range(0, len(stream), len(_ZEROS)):
        piece = stream[start : start + len(_ZEROS)]
        encryptor.update_into(memoryview(_ZEROS)[: len(piece)], piece)


def aes_ctr(key: Buffer, nbytes: int) -> NDArray[np.uint8]:
    """The first bytes of the keystream of AES-128 in counter mode, counting from zero.

    A key stands for exactly one stream: two calls with one key return the same bytes.
    """
    out = np.empty(nbytes, np.uint8)
    aes_ctr_into(key, out)
    return out


class AesBlocks:
    """AES-128 under one key, on many independent blocks at once. To make one takes ten times as long as a call.

    Args:
        key: 16 bytes.
    """

    __slots__ = ("_encrypt_into",)

    def __init__(self, key: Buffer) -> None:
        check_size("an AES-128 key", key, _AES_KEY_BYTES)
        # Blocks that are encrypted one by one: what a pseudorandom permutation is, and no mode for messages.
        encryptor = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305
        self._encrypt_into: Callable[[Buffer, Buffer], int] = encryptor.update_into

    def __repr__(self) -> str:
        return "AesBlocks()"

    @staticmethod
    def room(blocks: int) -> NDArray[np.uint8]:
        """Fresh memory that `encrypt` can write so many blocks to."""
        return np.empty(_BLOCK_BYTES * (blocks + 1), np.uint8)

    def encrypt(self, source: NDArray[Any], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Encrypt every 16 bytes of a contiguous array.

        Args:
            source: contiguous, of a multiple of 16 bytes.
            out: what `room` gave for at least as many blocks; it may not overlap the source.
        Returns:
            The ciphertext, a part of `out`.
        """
        nbytes = source.nbytes
        if nbytes % _BLOCK_BYTES or not source.flags.c_contiguous or out.nbytes < nbytes + _BLOCK_BYTES:
            raise ValueError("whole blocks of a contiguous array and a block of room beyond them are needed")
        if nbytes:
            # OpenSSL wants room for one more block than it writes.
            self._encrypt_into(source.reshape(-1).view(np.uint8).data, out.data[: nbytes + _BLOCK_BYTES - 1])
        return out[:nbytes]


class Gmac:
    """GHASH under one key as a universal hash: linear over GF(2), with values in GF(2^128).

    The tags of GMAC are GHASH plus a constant that key and nonce fix [SP 800-38D §6.4]; the constant, which is the
    tag of nothing but zeros, is taken off here. What is hashed must not be chosen by one who knows the key, and the
    hash is no authenticator: the key becomes public.

    Args:
        key: 16 bytes, drawn after everything that is to be hashed has been fixed, and used for data of one length.
        nbytes: length of what is hashed.
    """

    __slots__ = ("_constant", "_nbytes", "_tag")

    def __init__(self, key: Buffer, nbytes: int) -> None:
        check_size("an AES-128 key", key, _AES_KEY_BYTES)
        cipher = AESGCM(key)
        self._nbytes = nbytes
        self._tag: Callable[[Buffer], bytes] = lambda data: cipher.encrypt(_GMAC_NONCE, b"", data)
        self._constant = np.frombuffer(self._tag(bytes(nbytes)), np.uint64)

    def __repr__(self) -> str:
        return f"Gmac(nbytes={self._nbytes})"

    def hash(self, rows: NDArray[Any]) -> NDArray[np.uint64]:
        """The hash of each row.

        Args:
            rows: shape (r, ...), each row contiguous and of `nbytes`.
        Returns:
            Shape (r, 2): 128 bits for each.
        """
        flat = np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint8)
        if flat.shape[1] != self._nbytes:
            raise ValueError(f"{self._nbytes} bytes are hashed under this key, not {flat.shape[1]}")
        tags = b"".join([self._tag(row.data) for row in flat])
        return np.frombuffer(tags, np.uint64).reshape(-1, 2) ^ self._constant
