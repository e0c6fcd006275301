"""What peers said about jobs that do not run here yet: they started first, and we must not forget it.

Bounded for each peer; what a peer said goes with its link.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mpcnet.errors import PeerViolation
from mpcnet.session.abort import Abort
from mpcnet.session.agreement import Agree

__all__ = ("MAX_PENDING_BYTES", "MAX_PENDING_JOBS", "EarlyAgreements")

MAX_PENDING_JOBS = 1024
"""Jobs that one peer may have started before us. Aborts count too."""
MAX_PENDING_BYTES = 4 * 2**20
"""Bytes of their agreements; at most this much for each peer."""


@dataclass(slots=True)
class _Entry:
    agree: Agree | None = None
    abort: Abort | None = None
    size: int = 0


class EarlyAgreements:
    """By peer and label, the last agreement and the abort that followed it."""

    def __init__(self) -> None:
        self._entries: dict[int, dict[str, _Entry]] = {}

    def put_agree(self, peer: int, name: str, agree: Agree, size: int) -> None:
        """A peer has started a job; what it said before under this label is void.

        Raises:
            PeerViolation: too many.
        """
        entries = self._entries.setdefault(peer, {})
        entries.pop(agree.label, None)
        if (
            len(entries) >= MAX_PENDING_JOBS
            or size + sum(entry.size for entry in entries.values()) > MAX_PENDING_BYTES
        ):
            raise PeerViolation(name, "started more jobs than we keep for it while none of them runs here")
        entries[agree.label] = _Entry(agree, None, size)

    def put_abort(self, peer: int, abort: Abort) -> None:
        """A peer has ended a job that it had started, or refused to start."""
        entries = self._entries.setdefault(peer, {})
        agree = entries[abort.label].agree if abort.label in entries else None
        if agree is not None and abort.nonce and abort.nonce != agree.nonce:
            return  # of a run before the one that it agreed to last
        if abort.reply_to or abort.is_echo:
            # It is about a run that is over here, or that never was: what it agreed to then is void, no more.
            entries.pop(abort.label, None)
        elif abort.label in entries or len(entries) < MAX_PENDING_JOBS:
            entries.setdefault(abort.label, _Entry()).abort = replace(abort, operations=())

    def take(self, label: str) -> list[tuple[int, Agree | None, Abort | None]]:
        """All that was said about a label, which now runs here."""
        found = [(peer, entries.pop(label, None)) for peer, entries in sorted(self._entries.items())]
        return [(peer, entry.agree, entry.abort) for peer, entry in found if entry is not None]

    def hints(self, peer: int, name: str) -> tuple[str, ...]:
        """Why a peer that is there takes no part in our job: it waits in others, the last of which is named."""
        waits = [label for label, entry in self._entries.get(peer, {}).items() if entry.agree and not entry.abort]
        return (f"{name} waits in another job, whose label is {waits[-1]!r}",) if waits else ()

    def forget(self, peer: int) -> None:
        """The peer's link ended."""
        self._entries.pop(peer, None)
