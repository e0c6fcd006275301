"""Jobs that ended here before everybody had come: whoever comes later, while the mesh is open, is told so.

Otherwise a latecomer would wait for its whole deadline for a job that is over.
"""

from __future__ import annotations

from collections.abc import Iterable

from mpcnet.session.abort import Abort
from mpcnet.wire.frames import Frame, Header, Kind

__all__ = ("MAX_REFUSALS", "UndeliveredAborts")

MAX_REFUSALS = 1024
"""Labels that are remembered; beyond that the oldest is forgotten, and its latecomers run into their deadline."""


class UndeliveredAborts:
    """By label, why the job ended, and who does not know it."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Abort, set[int]]] = {}

    def remember(self, abort: Abort, peers: Iterable[int]) -> None:
        """These peers have not been told."""
        untold = set(peers)
        self._entries.pop(abort.label, None)
        if untold:
            self._entries[abort.label] = (abort, untold)
        while len(self._entries) > MAX_REFUSALS:
            del self._entries[next(iter(self._entries))]

    def forget(self, label: str) -> None:
        """The label is run again."""
        self._entries.pop(label, None)

    def take(self, peer: int) -> list[Frame]:
        """What this peer is to be told, once."""
        frames: list[Frame] = []
        for label, (abort, untold) in list(self._entries.items()):
            if peer in untold:
                untold.discard(peer)
                frames.append(Frame(Header(Kind.ABORT), memoryview(abort.encode())))
            if not untold:
                del self._entries[label]
        return frames

    def untold(self, label: str) -> tuple[int, ...]:
        """Who does not know yet."""
        return tuple(sorted(self._entries[label][1])) if label in self._entries else ()

    def is_told(self, label: str) -> bool:
        """Whether everybody knows."""
        return label not in self._entries
