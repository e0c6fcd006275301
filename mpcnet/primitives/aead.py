"""Authenticated encryption: AES-256-GCM and ChaCha20-Poly1305."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from mpcnet.primitives.hashing import Buffer, check_size, wipe

__all__ = (
    "AEAD_TAG_BYTES",
    "Aead",
    "AeadName",
    "AuthenticationError",
    "openssl_version",
)

AeadName: TypeAlias = Literal["AESGCM", "ChaChaPoly"]

AEAD_TAG_BYTES = 16
_KEY_BYTES: Final = 32


class AuthenticationError(ValueError):
    """A ciphertext is not what the holder of the key made: wrong key, nonce, associated data or bytes."""


class Aead:
    """One AEAD cipher under one 32-byte key. A nonce is used once: the caller counts.

    Args:
        name: "AESGCM" (AES-256-GCM) or "ChaChaPoly" (ChaCha20-Poly1305 of RFC 8439).
        key: 32 bytes.

    Everywhere `ad`, the associated data, is authenticated and not encrypted; None is the same as empty.
    """

    __slots__ = ("_cipher", "encrypt_into", "name")

    def __init__(self, name: AeadName, key: Buffer) -> None:
        check_size("an AEAD key", key, _KEY_BYTES)
        self.name: AeadName = name
        self._cipher = AESGCM(key) if name == "AESGCM" else ChaCha20Poly1305(key)
        # Write ciphertext and tag to `out`, exactly 16 bytes longer than the plaintext; returns its size. Every
        # record passes here: the library's own method, without one of ours around it.
        self.encrypt_into: Callable[[Buffer, Buffer, Buffer | None, Buffer], int] = self._cipher.encrypt_into

    def __repr__(self) -> str:
        return f"Aead({self.name!r})"

    def decrypt_into(
        self, nonce: Buffer, ciphertext: Buffer, ad: Buffer | None, out: bytearray | memoryview
    ) -> int:
        """Write the plaintext to `out`, exactly 16 bytes shorter than the ciphertext; returns its size.

        Raises:
            AuthenticationError: wrong tag, or too short to have one. `out` holds zeros: the library
                decrypts before it knows the tag, and what it wrote is the attacker's choice.
        """
        try:
            return self._cipher.decrypt_into(nonce, ciphertext, ad, out)
        except InvalidTag:
            wipe(out)
            raise AuthenticationError("the authentication tag does not fit") from None

    def encrypt(self, nonce: Buffer, plaintext: Buffer, ad: Buffer | None) -> bytes:
        """Ciphertext and tag."""
        return self._cipher.encrypt(nonce, plaintext, ad)

    def decrypt(self, nonce: Buffer, ciphertext: Buffer, ad: Buffer | None) -> bytes:
        """The plaintext.

        Raises:
            AuthenticationError: wrong tag, or too short to have one.
        """
        try:
            return self._cipher.decrypt(nonce, ciphertext, ad)
        except InvalidTag:
            raise AuthenticationError("the authentication tag does not fit") from None


def openssl_version() -> str:
    """Of the OpenSSL that computes AES here; Python's own may be another one."""
    # Here, because it brings in what signs and encrypts to public keys, which nothing of ours uses.
    from cryptography.hazmat.backends.openssl import backend

    return backend.openssl_version_text()
