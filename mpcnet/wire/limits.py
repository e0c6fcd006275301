"""How much a peer may make us hold, and how records are cut.

`Limits` are local choices of one party. The other constants are part of the wire format: both ends must
agree.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass

from mpcnet.errors import LocalError

__all__ = (
    "ACK_EVERY_BYTES",
    "ACK_EVERY_FRAMES",
    "BATCH_RECORDS",
    "FRAME_OVERHEAD",
    "HEADER_MAX",
    "RECEIVE_BUFFER_BYTES",
    "RECORD_MAX",
    "RECORD_OVERHEAD",
    "RECORD_PLAINTEXT_MAX",
    "RUN_BYTES",
    "Limits",
    "RecordCipher",
)

# A Noise transport message has at most 65535 bytes, 16 of them the tag; two bytes of length come before it.
RECORD_PLAINTEXT_MAX = 65519
RECORD_OVERHEAD = 18
RECORD_MAX = RECORD_PLAINTEXT_MAX + RECORD_OVERHEAD

# A header of this version takes at most 53 bytes; the bound leaves room and keeps parsing cheap.
HEADER_MAX = 4096

# A big body goes in runs of four records (256 KiB): a small frame waits for 0.1 ms at 2.5 GB/s and for 20 ms
# at 100 Mbit/s. Longer runs gained nothing measurable.
RUN_BYTES = 4 * RECORD_PLAINTEXT_MAX

# One record of small frames and a whole run behind it are sealed for one call of the socket's send.
BATCH_RECORDS = 5

# A receiver acknowledges after this many frames or bytes: seldom enough to cost nothing, often enough to keep
# the sender's outbox short. Every frame counts its body and FRAME_OVERHEAD bytes for what Python keeps with
# it.
ACK_EVERY_FRAMES = 64
ACK_EVERY_BYTES = 2**22
FRAME_OVERHEAD = 256

# Large enough that one read brings a dozen records; it is allocated once per link.
RECEIVE_BUFFER_BYTES = 2**20


class RecordCipher(typing.Protocol):
    """What the record stream needs of a channel; `mpcnet.noise.channel.Channel` has this shape."""

    def seal_into(self, plaintext: bytes | bytearray | memoryview, out: memoryview) -> int:
        """Write length and ciphertext of one record to `out`; return the bytes written."""
        ...

    def open_into(self, ciphertext: bytes | bytearray | memoryview, out: memoryview) -> int:
        """Decrypt a record (without its length) into `out`; return the bytes of plaintext.

        Raises:
            PeerViolation: the record is not authentic; `out` was wiped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one party allows a link to hold.

    Args:
        max_frame_bytes: the largest body of a frame, behind the bound that the session sets by what was agreed.
        outbox_bytes: frames that were queued and not yet acknowledged, before sending waits.

    Raises:
        LocalError: a limit is not positive, or the outbox is smaller than what goes unacknowledged.
    """

    # The largest message of a bundled protocol is a matrix product's opening (16 MiB) or an oblivious PRF's
    # columns (40 MiB). The session admits each body by its agreed size; this is the bound behind that one.
    max_frame_bytes: int = 2**30
    # Frames that were queued and not yet acknowledged, besides the oldest one, before `send` waits. 64 MiB
    # covers 100 ms at 5 Gbit/s.
    outbox_bytes: int = 2**26

    def __post_init__(self) -> None:
        if self.max_frame_bytes < 1:
            raise LocalError(f"max_frame_bytes must be positive, not {self.max_frame_bytes}")
        if self.outbox_bytes < ACK_EVERY_BYTES:
            # Else we could wait for room before the peer has any reason to acknowledge.
            raise LocalError(f"outbox_bytes must be at least {ACK_EVERY_BYTES}, not {self.outbox_bytes}")
