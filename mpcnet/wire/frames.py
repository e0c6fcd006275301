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

_NOTHING = memoryview(b"")


class Kind(IntEnum):
    """What a frame is for. Kinds below 16 belong to the link, the others to the session.

    `READY` opens a link, `CLOSE` ends it, `ACK` confirms frames, `PING` and `PONG` show that the peer is alive.
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


@dataclass(frozen=True, slots=True, init=False)
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
    # Its bytes, once `codec.encode_header` has made them: a round's header goes to every peer.
    encoded: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def __init__(
        self,
        kind: Kind,
        job: bytes = b"",
        fork: bytes = b"",
        round: int = 0,  # noqa: A002  the field's name
        digest: bytes = b"",
    ) -> None:
        if (
            len(job) not in (0, JOB_BYTES)
            or len(fork) not in (0, FORK_BYTES)
            or len(digest) not in (0, DIGEST_BYTES)
            or not 0 <= round <= ROUND_MAX
        ):
            raise _misfit(job, fork, round, digest)
        _set_kind(self, kind)
        _set_job(self, job)
        _set_fork(self, fork)
        _set_round(self, round)
        _set_digest(self, digest)
        _set_encoded(self, None)

    def keep_encoded(self, encoded: bytes) -> None:
        """Remember its bytes; for the codec alone."""
        _set_encoded(self, encoded)


@dataclass(frozen=True, slots=True, init=False)
class Frame:
    """A header and its body. The body is not shown: it may hold shares.

    Args:
        header: what the body is.
        body: contiguous bytes (any contiguous buffer's `memoryview`, cast to bytes). The sender
            of a frame never writes to its body again; the receiver gets a read-only view.
    """

    header: Header
    body: memoryview = field(repr=False)

    def __init__(self, header: Header, body: memoryview = _NOTHING) -> None:
        if body.format != "B" or body.ndim != 1 or not body.contiguous:
            body = _flat(body)
        _set_header(self, header)
        _set_body(self, body)


# What stands behind the fields of the two classes. Headers and frames are made for every message at both ends, and
# the setters take half the time of `object.__setattr__`, which frozen dataclasses call.
_set_kind, _set_job, _set_fork, _set_round, _set_digest, _set_encoded = (
    Header.__dict__[name].__set__ for name in ("kind", "job", "fork", "round", "digest", "encoded")
)
_set_header, _set_body = (Frame.__dict__[name].__set__ for name in ("header", "body"))


def _misfit(job: bytes, fork: bytes, number: int, digest: bytes) -> LocalError:
    if len(job) not in (0, JOB_BYTES):
        return LocalError(f"a header's job takes 0 or {JOB_BYTES} bytes, not {len(job)}")
    if len(fork) not in (0, FORK_BYTES):
        return LocalError(f"a header's fork takes 0 or {FORK_BYTES} bytes, not {len(fork)}")
    if len(digest) not in (0, DIGEST_BYTES):
        return LocalError(f"a header's digest takes 0 or {DIGEST_BYTES} bytes, not {len(digest)}")
    return LocalError(f"a header's round lies between 0 and {ROUND_MAX}, not {number}")


def _flat(body: memoryview) -> memoryview:
    if not body.c_contiguous:
        raise LocalError("a frame's body must be contiguous in C order")
    # cast() refuses views with a zero in their shape, which have no bytes to show anyway.
    return body.cast("B") if body.nbytes else _NOTHING
