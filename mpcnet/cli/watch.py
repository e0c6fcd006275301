"""What follows a job of ours: nothing that is shown, lines that stay, or reports for a program."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from mpcnet.cli.progress_model import JobProgress, duration
from mpcnet.errors import MpcnetError
from mpcnet.session.events import Ended, Event

__all__ = ("Lines", "Reports", "Watch", "staying_text")

_LINE_AFTER_SECONDS = 5.0
"""Where lines stay, waiting is told when it takes longer than parties that start together need for it."""
_LINE_AGAIN_SECONDS = 60.0


class Watch:
    """Follows the progress of a job, and shows nothing."""

    def __init__(self, progress: JobProgress) -> None:
        self.progress = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def listener(self, event: Event) -> None:
        """Take an event of the mesh."""
        self.progress.observe(event)

    def look(self, awaited: Mapping[str, str]) -> None:
        """Take a look at for whom the job waits."""
        self.progress.look(awaited)

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        """The job has failed, and we stay for a while to tell those who have not come."""


def staying_text(error: MpcnetError, late: Sequence[str], seconds: float) -> str:
    names = ", ".join(late[:3]) + (f" and {len(late) - 3:,} more" if len(late) > 3 else "")
    return f"{error}; staying up to {duration(seconds)} to tell {names}, not here yet; Ctrl-C ends it now"


class Lines(Watch):
    """Lines on standard error that stay: for whom we wait, when it takes long."""

    def __init__(self, progress: JobProgress) -> None:
        super().__init__(progress)
        self._told: frozenset[str] = frozenset()
        self._told_at = -_LINE_AGAIN_SECONDS

    def look(self, awaited: Mapping[str, str]) -> None:
        """Tell about those who are late, when they become more or a minute has passed."""
        super().look(awaited)
        if self.progress.deals and self.progress.agreed:
            return  # a dealer waits all the time: until it is asked, and until the others have ended
        now = self.progress.clock()
        late = frozenset(
            name for name, since in self.progress.waiting.items() if now - since >= _LINE_AFTER_SECONDS
        )
        if not late:
            self._told = late
        elif not late <= self._told or now - self._told_at >= _LINE_AGAIN_SECONDS:
            self._told, self._told_at = late, now
            for line in self.progress.awaited(_LINE_AFTER_SECONDS):
                print(f"{self.progress.label}: {line}", file=sys.stderr, flush=True)

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        """As a line."""
        print(f"{self.progress.label}: {staying_text(error, late, seconds)}", file=sys.stderr, flush=True)


class Reports(Watch):
    """Every event as one JSON object a line on standard error, for a program that started us."""

    def listener(self, event: Event) -> None:
        super().listener(event)
        if isinstance(event, Ended):
            return  # the result or the error says it
        document = {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}
        plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in document.items()}
        self._print({"event": type(event).__name__, **plain})

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        self._print({"event": "Staying", "parties": list(late), "seconds": seconds})

    def _print(self, document: Mapping[str, object]) -> None:
        print(json.dumps(document), file=sys.stderr, flush=True)
