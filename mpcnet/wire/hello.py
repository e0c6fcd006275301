"""The clear message before the handshake: who calls whom, and with which roster.

    bytes   0..6    magic "mpcnet"
            6..8    wire version
            8..10   roster index of the sender          10..12   roster index of the receiver
           12..44   hash of the roster                  44..60   incarnation of the sender

Integers are big-endian. Later versions keep these 60 bytes, so that two versions can name each other. Nothing
in a hello is authentic when it comes: what it says is a hint for the log. Both hellos go whole into the
prologue of the handshake, which fails if one was changed on the way.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mpcnet.errors import LocalError, PeerViolation

__all__ = ("HELLO_BYTES", "INCARNATION_BYTES", "WIRE_VERSION", "Hello")

WIRE_VERSION = 1
INCARNATION_BYTES = 16

_MAGIC = b"mpcnet"
_ROSTER_HASH_BYTES = 32
_INDEX_MAX = 2**16 - 1
_LAYOUT = struct.Struct(">6sHHH32s16s")
HELLO_BYTES = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class Hello:
    """One party's opening words.

    Args:
        sender: roster index of the party that speaks.
        receiver: roster index of the party it means to reach.
        roster_hash: 32 bytes.
        incarnation: 16 bytes, random for each start of a process.
        version: of the wire format.

    Raises:
        LocalError: a field does not fit.
    """

    sender: int
    receiver: int
    roster_hash: bytes
    incarnation: bytes
    version: int = WIRE_VERSION

    def __post_init__(self) -> None:
        if not (0 <= self.sender <= _INDEX_MAX and 0 <= self.receiver <= _INDEX_MAX):
            raise LocalError(f"roster indices of a hello lie between 0 and {_INDEX_MAX}")
        if len(self.roster_hash) != _ROSTER_HASH_BYTES or len(self.incarnation) != INCARNATION_BYTES:
            raise LocalError("a hello takes a roster hash of 32 bytes and an incarnation of 16")

    def encode(self) -> bytes:
        """The 60 bytes."""
        return _LAYOUT.pack(_MAGIC, self.version, self.sender, self.receiver, self.roster_hash, self.incarnation)

    @classmethod
    def decode_untrusted(cls, data: bytes, peer: str) -> Hello:
        """The hello of a caller or listener. It is not authentic.

        Args:
            data: exactly `HELLO_BYTES` bytes.
            peer: whom the caller takes for its sender, for the error.

        Raises:
            PeerViolation: it is not a hello of mpcnet. Another version is one: the caller compares.
        """
        if len(data) != HELLO_BYTES or data[: len(_MAGIC)] != _MAGIC:
            raise PeerViolation(peer, "the first bytes are not a hello of mpcnet")
        _, version, sender, receiver, roster_hash, incarnation = _LAYOUT.unpack(data)
        return cls(sender, receiver, roster_hash, incarnation, version)
