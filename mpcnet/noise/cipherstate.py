"""CipherState: one key and one counter, which encrypt in one direction.

Source: Noise Protocol Framework, revision 34, §4.2 (cipher functions), §5.1 (CipherState), §11.3 (Rekey),
§12.3 and §12.4 (nonces of ChaChaPoly and AESGCM). Adds two operations that write into a caller's buffer.
"""

from __future__ import annotations

import struct
from typing import Final

from mpcnet.primitives import AEAD_TAG_BYTES, Aead, AeadName, Buffer

__all__ = ("KEY_BYTES", "LAST_NONCE", "CipherState", "NonceExhausted")

KEY_BYTES: Final = 32

#: 2^64 - 1 is reserved for Rekey (§5.1): the counter never gets there.
LAST_NONCE: Final = 2**64 - 1

# 32 zero bits, then the counter; the two ciphers differ in its byte order (§12.3, §12.4).
_NONCE: Final[dict[AeadName, struct.Struct]] = {
    "AESGCM": struct.Struct(">4xQ"),
    "ChaChaPoly": struct.Struct("<4xQ"),
}


class NonceExhausted(Exception):
    """The counter is at its end; nothing was encrypted or decrypted."""


class CipherState:
    """A key `k`, which may be missing, and a counter `n` (§5.1).

    An operation that raises leaves both as they were.

    Args:
        cipher: the AEAD.
        key: 32 bytes, or None: then nothing is encrypted, and text passes as it is.
    """

    __slots__ = ("_aead", "_pack_nonce", "cipher", "n")

    def __init__(self, cipher: AeadName, key: Buffer | None = None) -> None:
        self.cipher: AeadName = cipher
        self.n: int = 0
        self._pack_nonce = _NONCE[cipher].pack
        self._aead = None if key is None else Aead(cipher, key)

    def __repr__(self) -> str:
        return f"CipherState({self.cipher!r}, has_key={self.has_key()}, n={self.n})"

    def copy(self) -> CipherState:
        """A second state with the same key and counter: only to try a message and throw one of both away."""
        twin = CipherState(self.cipher)
        twin.n, twin._aead = self.n, self._aead
        return twin

    def initialize_key(self, key: Buffer | None) -> None:
        """InitializeKey(key): the counter starts again at zero."""
        self._aead = None if key is None else Aead(self.cipher, key)
        self.n = 0

    def has_key(self) -> bool:
        """HasKey()."""
        return self._aead is not None

    def set_nonce(self, nonce: int) -> None:
        """SetNonce(nonce): for tests; a number used twice under one key gives the plaintexts away."""
        self.n = nonce

    def encrypt_with_ad(self, ad: Buffer, plaintext: Buffer) -> bytes:
        """EncryptWithAd(ad, plaintext)."""
        if self._aead is None:
            return bytes(plaintext)
        ciphertext = self._aead.encrypt(self._nonce(), plaintext, ad)
        self.n += 1
        return ciphertext

    def decrypt_with_ad(self, ad: Buffer, ciphertext: Buffer) -> bytes:
        """DecryptWithAd(ad, ciphertext).

        Raises:
            AuthenticationError: the ciphertext is not what the peer encrypted at this count.
            NonceExhausted: no number is left.
        """
        if self._aead is None:
            return bytes(ciphertext)
        plaintext = self._aead.decrypt(self._nonce(), ciphertext, ad)
        self.n += 1
        return plaintext

    def encrypt_into(self, plaintext: Buffer, out: memoryview) -> int:
        """EncryptWithAd with empty `ad`, into `out` of exactly the size of plaintext and tag."""
        n, aead = self.n, self._aead
        if n >= LAST_NONCE or aead is None:  # one test, no call: this runs for every record
            raise self._cannot()
        size = aead.encrypt_into(self._pack_nonce(n), plaintext, None, out)
        self.n = n + 1
        return size

    def decrypt_into(self, ciphertext: Buffer, out: memoryview) -> int:
        """DecryptWithAd with empty `ad`, into `out` of exactly the size of the plaintext.

        Raises:
            AuthenticationError: as above; `out` holds zeros.
            NonceExhausted: no number is left.
        """
        n, aead = self.n, self._aead
        if n >= LAST_NONCE or aead is None:
            raise self._cannot()
        size = aead.decrypt_into(self._pack_nonce(n), ciphertext, None, out)
        self.n = n + 1
        return size

    def rekey(self) -> None:
        """Rekey(): a new key from the old by REKEY(k) of §4.2; the counter goes on."""
        if self._aead is None:
            raise self._cannot()
        encrypted = self._aead.encrypt(self._pack_nonce(LAST_NONCE), bytes(KEY_BYTES), None)
        self._aead = Aead(self.cipher, encrypted[:-AEAD_TAG_BYTES])

    def _nonce(self) -> bytes:
        if self.n >= LAST_NONCE:
            raise self._cannot()
        return self._pack_nonce(self.n)

    def _cannot(self) -> Exception:
        return ValueError("this CipherState has no key") if self._aead is None else NonceExhausted()
