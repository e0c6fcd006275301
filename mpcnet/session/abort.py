"""Aborts: why a job ended, as one code and our own words.

A party that ends a job early tells every other one. What travels is a code from a fixed list, the parties that
it concerns, and, where programs diverged, the last operations (kinds and shapes). No text of a peer's choosing
reaches a message, and nothing secret is in it.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import trio

from mpcnet.declare.job import MAX_LABEL
from mpcnet.engine.digest import Operation, parse_operations_untrusted
from mpcnet.errors import (
    AgreementMismatch,
    DeadlineExceeded,
    JobEnded,
    LocalError,
    PeerAborted,
    PeerError,
    PeerLost,
    PeerViolation,
    ProgramMismatch,
)
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = ("MAX_ABORT_BYTES", "NONCE_BYTES", "Abort", "Diverged", "Reason", "reason_of")

MAX_ABORT_BYTES = 32 * 1024
NONCE_BYTES = 32
"""Of the nonce that each party gives to each run of a job."""
_MAX_CONCERNED = 1024
_MAX_INDEX = 2**16


class Reason(StrEnum):
    """Why a party ended a job."""

    REFUSED_INPUT = "refused-input"
    LOCAL = "local-error"
    PROGRAM = "program-error"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    LOST = "peer-lost"
    VIOLATION = "violation"
    DISAGREES = "disagrees"
    DIVERGED = "diverged"
    ABORTED = "aborted"
    NOT_IN_JOB = "not-in-job"


_WORDS = {
    Reason.REFUSED_INPUT: "it refused its own input",
    Reason.LOCAL: "its program made a mistake",
    Reason.PROGRAM: "its program failed",
    Reason.CANCELLED: "it was cancelled there",
    Reason.DEADLINE: "its deadline passed while waiting for {}",
    Reason.LOST: "it lost its connection to {}",
    Reason.VIOLATION: "it says that {} broke the protocol",
    Reason.DISAGREES: "it does not agree to the job of {}",
    Reason.DIVERGED: "its program and that of {} differ",
    Reason.ABORTED: "it was told so by {}",
    Reason.NOT_IN_JOB: "in its job of this label we have no part",
}


class Diverged(Exception):
    """A peer's frame does not fit our program; what it was doing is still to be asked."""

    def __init__(self, peer: int, fork: bytes) -> None:
        super().__init__(peer, fork)
        self.peer = peer
        self.fork = fork


@dataclass(frozen=True, slots=True)
class Abort:
    """The message.

    Args:
        label: the job's label.
        nonce: our own in this run, or empty if we never agreed: labels may be used again, and an abort of an
            earlier run must not end this one.
        reply_to: the receiver's nonce if we have seen it, for the same reason; else empty.
        reason: why.
        concerned: roster indices of the parties that the reason names.
        operations: our last operations, where programs diverged.
    """

    label: str
    nonce: bytes
    reply_to: bytes
    reason: Reason
    concerned: tuple[int, ...] = ()
    operations: tuple[Operation, ...] = ()

    def encode(self) -> bytes:
        operations = typing.cast("list[Plain]", [operation.pack() for operation in self.operations])
        return encode_canonical(
            [self.label, self.nonce, self.reply_to, str(self.reason), list(self.concerned), operations]
        )

    @classmethod
    def decode_untrusted(cls, data: bytes | memoryview, party: str) -> Abort:
        match decode_canonical_untrusted(data, party, max_bytes=MAX_ABORT_BYTES):
            case [
                str(label),
                bytes(nonce),
                bytes(reply_to),
                str(reason),
                [*concerned],
                operations,
            ] if (
                len(label) <= MAX_LABEL
                and len(nonce) in (0, NONCE_BYTES)
                and len(reply_to) in (0, NONCE_BYTES)
                and reason in _CODES
                and len(concerned) <= _MAX_CONCERNED
                and all(type(index) is int and 0 <= index < _MAX_INDEX for index in concerned)
            ):
                indices = tuple(typing.cast("list[int]", concerned))
                parsed = parse_operations_untrusted(operations, party)
                return cls(label, nonce, reply_to, Reason(reason), indices, parsed)
            case _:
                raise PeerViolation(party, "sent an abort of the wrong form")

    @property
    def is_echo(self) -> bool:
        """Whether the sender only passes on that somebody else ended the job, who tells everybody itself."""
        return self.reason is Reason.ABORTED

    def sentence(self, names: Mapping[int, str]) -> str:
        """Our words for it."""
        concerned = ", ".join(names[index] for index in dict.fromkeys(self.concerned) if index in names)
        return "ended the job: " + _WORDS[self.reason].format(concerned or "somebody")

    def error(self, sender: int, names: Mapping[int, str]) -> PeerAborted:
        """What we raise when the sender sent it to us."""
        concerned = [names[index] for index in self.concerned if index in names]
        return PeerAborted(names[sender], self.sentence(names), concerned)


_CODES = frozenset(str(reason) for reason in Reason)


_REASONS: tuple[tuple[type[BaseException], Reason], ...] = (
    (trio.Cancelled, Reason.CANCELLED),
    (KeyboardInterrupt, Reason.CANCELLED),
    (JobEnded, Reason.CANCELLED),
    (Diverged, Reason.DIVERGED),
    (ProgramMismatch, Reason.DIVERGED),
    (AgreementMismatch, Reason.DISAGREES),
    (DeadlineExceeded, Reason.DEADLINE),
    (PeerLost, Reason.LOST),
    (PeerViolation, Reason.VIOLATION),
    (PeerAborted, Reason.ABORTED),
    (LocalError, Reason.LOCAL),
)


def reason_of(error: BaseException, indices: Mapping[str, int]) -> tuple[Reason, tuple[int, ...]]:
    """The code for an error that ended the job here, and whom it concerns (roster indices)."""
    reason = next((code for kind, code in _REASONS if isinstance(error, kind)), Reason.PROGRAM)
    if isinstance(error, Diverged):
        return reason, (error.peer,)
    names: tuple[str, ...] = ()
    if isinstance(error, DeadlineExceeded):
        names = error.waiting_for
    elif isinstance(error, PeerError | AgreementMismatch | ProgramMismatch):
        names = (error.party,)
    return reason, tuple(indices[name] for name in names if name in indices)
