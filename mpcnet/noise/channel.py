"""Channel: records in both directions, after a handshake.

A record is a two-byte big-endian length and so many bytes of ciphertext: plaintext and a 16-byte tag. Each
direction has its own key and counter; the counter is not sent, so a record that was lost, repeated, moved or
changed fails, and then the channel is FAILED for good. How a stream ends is the caller's matter: a record of
its own must say so, or a cut connection looks like an end.

The channel copies nothing: it encrypts into and decrypts straight into buffers of the caller.

Source: Noise Protocol Framework, revision 34, §3, §5.1, §11.3 (Rekey). Length prefixes are those of §13.
"""

from __future__ import annotations

import struct
from typing import Final

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.noise.cipherstate import CipherState, NonceExhausted
from mpcnet.primitives import AEAD_TAG_BYTES, AuthenticationError, Buffer

__all__ = ("CIPHERTEXT_MAX", "RECORD_OVERHEAD", "RECORD_PLAINTEXT_MAX", "REKEY_RECORDS", "Channel")

#: A Noise message, which is a record without its length, has at most so many bytes (§3).
CIPHERTEXT_MAX: Final = 65535
RECORD_PLAINTEXT_MAX: Final = CIPHERTEXT_MAX - AEAD_TAG_BYTES
#: Two bytes of length, 16 of tag.
RECORD_OVERHEAD: Final = 2 + AEAD_TAG_BYTES

#: Both sides rekey a direction after so many records in it. AES-GCM differs from a random function by an
#: advantage of about q^2 / 2^129 for q blocks under one key: 2^20 full records are 2^32 blocks, 2^-65. TLS
#: 1.3 (RFC 8446 §5.5) stops at 2^-57. A key then covers at most 64 GiB, and Rekey, a few µs, is never felt.
#: A power of two: the test for it stands in the hot path.
REKEY_RECORDS: Final = 1 << 20

_REKEY_MASK: Final = REKEY_RECORDS - 1
_LENGTH: Final = struct.Struct(">H")


class Channel:
    """Both directions of one connection.

    Args:
        send: our sending state; None on the receiving side of a one-way pattern.
        receive: our receiving state; None on the sending side of a one-way pattern.
        handshake_hash: of the handshake that made the channel; public.
        peer: the peer's name, for `PeerViolation`.
    """

    __slots__ = ("_failure", "_handshake_hash", "_peer", "_receive", "_send")

    def __init__(
        self, send: CipherState | None, receive: CipherState | None, *, handshake_hash: bytes, peer: str
    ) -> None:
        self._send = send
        self._receive = receive
        self._handshake_hash = handshake_hash
        self._peer = peer
        self._failure: str | None = None

    def __repr__(self) -> str:
        state = "open" if self._failure is None else "FAILED"
        return f"Channel(peer={self._peer!r}, {state})"

    @property
    def handshake_hash(self) -> bytes:
        """Names the connection, the same on both sides. It is public: never a key."""
        return self._handshake_hash

    @property
    def failed(self) -> bool:
        """Whether the peer broke the channel."""
        return self._failure is not None

    def seal_into(self, plaintext: Buffer, out: memoryview) -> int:
        """Write one record, its length in front; return its size, `RECORD_OVERHEAD` more than the plaintext.

        What is sealed must be sent, all of it and in this order: the peer counts.

        Args:
            plaintext: at most `RECORD_PLAINTEXT_MAX` bytes, not overlapping `out`.
            out: writable bytes, at least as many as the record has.

        Raises:
            LocalError: too long for a record or for `out`, or this channel's counter is at its end. Nothing
                changed.
            PeerViolation: the channel has failed.
        """
        size = len(plaintext)
        total = size + RECORD_OVERHEAD
        send = self._send
        if size > RECORD_PLAINTEXT_MAX or len(out) < total or send is None or self._failure is not None:
            raise self._cannot_seal(size, len(out))
        try:
            send.encrypt_into(plaintext, out[2:total])
        except NonceExhausted:
            raise LocalError("the channel's counter is at its end: connect anew") from None
        _LENGTH.pack_into(out, 0, total - 2)
        if not send.n & _REKEY_MASK:
            send.rekey()
        return total

    def open_into(self, ciphertext: Buffer, out: memoryview) -> int:
        """Decrypt one record straight into `out` and return the size of its plaintext.

        Args:
            ciphertext: one record without its length, not overlapping `out`.
            out: writable bytes, at least as many as the plaintext has. After a failure the part that the
                record would have filled holds zeros, the rest is untouched.

        Raises:
            LocalError: `out` is too small, or nothing comes in this direction. Nothing changed.
            PeerViolation: the record is not the next one that the peer sealed; or an earlier one was not.
        """
        size = len(ciphertext) - AEAD_TAG_BYTES
        receive = self._receive
        if not 0 <= size <= RECORD_PLAINTEXT_MAX or len(out) < size or receive is None or self._failure is not None:
            raise self._cannot_open(size, len(out))
        try:
            receive.decrypt_into(ciphertext, out[:size])
        except (AuthenticationError, NonceExhausted) as error:
            raise self._broken_record(error) from None
        if not receive.n & _REKEY_MASK:
            receive.rekey()
        return size

    def rekey_send(self) -> None:
        """Rekey our sending direction now; the peer must call `rekey_receive` at the same record.

        Only for test vectors and for tests beside other implementations: mpcnet rekeys by count.
        """
        if self._send is None:
            raise LocalError("this side of a one-way channel never sends")
        self._send.rekey()

    def rekey_receive(self) -> None:
        """Rekey our receiving direction now; see `rekey_send`."""
        if self._receive is None:
            raise LocalError("this side of a one-way channel never receives")
        self._receive.rekey()

    def _cannot_seal(self, size: int, room: int) -> LocalError | PeerViolation:
        if self._failure is not None:
            return PeerViolation(self._peer, self._failure)
        if self._send is None:
            return LocalError("this side of a one-way channel never sends")
        if size > RECORD_PLAINTEXT_MAX:
            return LocalError(f"a record takes at most {RECORD_PLAINTEXT_MAX} bytes, not {size}")
        return LocalError(f"a record of {size + RECORD_OVERHEAD} bytes does not fit into {room}")

    def _cannot_open(self, size: int, room: int) -> LocalError | PeerViolation:
        if self._failure is not None:
            return PeerViolation(self._peer, self._failure)
        if self._receive is None:
            return LocalError("this side of a one-way channel never receives")
        if 0 <= size <= RECORD_PLAINTEXT_MAX:
            return LocalError(f"a plaintext of {size} bytes does not fit into {room}")
        return self._fail(
            f"a ciphertext of {size + AEAD_TAG_BYTES} bytes: {AEAD_TAG_BYTES} to {CIPHERTEXT_MAX} fit"
        )

    def _broken_record(self, error: Exception) -> PeerViolation:
        count = 0 if self._receive is None else self._receive.n
        what = "comes after the last" if isinstance(error, NonceExhausted) else "is not authentic"
        return self._fail(f"record {count} {what}")

    def _fail(self, reason: str) -> PeerViolation:
        self._failure = reason
        return PeerViolation(self._peer, reason)
