"""What a link carries: frames, each a small header and a raw body.

The header says which stream the body belongs to (job and fork), its place there (round) and the digest of the
program so far. The body is never encoded: a 64 MiB array travels as the bytes it already is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from mpcnet.errors import LocalError

__all__ = (
    "DIGEST_BYTES",
    "FORK_BYTES",
    "JOB_BYTES",
    "ROUND_MAX",
    "SESSION_KINDS_START",
    "Frame",
    "Header",
    "Kind",
)

JOB_BYTES = 16
FORK_BYTES = 8
DIGEST_BYTES = 16
ROUND_MAX = 2**32 - 1
SESSION_KINDS_START = 16


class Kind(IntEnum):
    """What a frame is for. Kinds below 16 belong to the link, the others to the session.

    `READY` opens a link, `CLOSE` ends it, `ACK` confirms frames, `PING` and `PONG` show that somebody lives.
    """

    READY = 0
    ACK = 1
    PING = 2
    PONG = 3
    CLOSE = 4
    PAIR_SEED = 16
    AGREE = 17
    CONFIRM = 18
    ROUND = 19
    DATA = 20
    CREDIT = 21
    FINISH = 22
    ABORT = 23

    @property
    def is_session(self) -> bool:
        """Whether the session sends it. These are numbered and acknowledged; the link's own are not."""
        return self >= SESSION_KINDS_START


@dataclass(frozen=True, slots=True)
class Header:
    """What a frame says about its body.

    Args:
        kind: what the frame is for.
        job: the job's id, 16 bytes, or empty outside a job.
        fork: the fork's id inside the job, 8 bytes, or empty for its main stream.
        round: number of the round (or of the message) in its stream.
        digest: 16 bytes over the program so far, or empty.

    Raises:
        LocalError: a field has the wrong length or is negative.
    """

    kind: Kind
    job: bytes = b""
    fork: bytes = b""
    round: int = 0
    digest: bytes = b""

    def __post_init__(self) -> None:
        # Written out: this runs twice for each frame, and a loop costs as much as the rest of it.
        if len(self.job) not in (0, JOB_BYTES):
            raise LocalError(f"a header's job takes 0 or {JOB_BYTES} bytes, not {len(self.job)}")
        if len(self.fork) not in (0, FORK_BYTES):
            raise LocalError(f"a header's fork takes 0 or {FORK_BYTES} bytes, not {len(self.fork)}")
        if len(self.digest) not in (0, DIGEST_BYTES):
            raise LocalError(f"a header's digest takes 0 or {DIGEST_BYTES} bytes, not {len(self.digest)}")
        if not 0 <= self.round <= ROUND_MAX:
            raise LocalError(f"a header's round lies between 0 and {ROUND_MAX}, not {self.round}")


@dataclass(frozen=True, slots=True)
class Frame:
    """A header and its body. The body is not shown: it may hold shares.

    Args:
        header: what the body is.
        body: contiguous bytes (any contiguous buffer's `memoryview`, cast to bytes). Who sends a frame never
            writes to its body again; who receives one gets a read-only view.
    """

    header: Header
    body: memoryview = field(default_factory=lambda: memoryview(b""), repr=False)

    def __post_init__(self) -> None:
        if self.body.format != "B" or self.body.ndim != 1 or not self.body.contiguous:
            if not self.body.c_contiguous:
                raise LocalError("a frame's body must be contiguous in C order")
            # cast() refuses views with a zero in their shape, which have no bytes to show anyway.
            flat = self.body.cast("B") if self.body.nbytes else memoryview(b"")
            object.__setattr__(self, "body", flat)
