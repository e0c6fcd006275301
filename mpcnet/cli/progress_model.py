"""How far a job is, by what its mesh tells: one party's, or all parties' of a simulation.

Nothing is made up: rounds are counted while an evaluation runs, whose number of rounds is known; the time that is
left is that of its rounds so far. A program may evaluate again, and that cannot be known before.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mpcnet.session import events
from mpcnet.session.events import Agreed, Ended, Evaluating, Event, PeerDown, PeerUp, Prepared, RoundDone

__all__ = ("Clock", "JobProgress", "SimulationProgress", "duration", "event_of")

_GUESS_AFTER_SECONDS = 2.0
_MOST_SHOWN = 8

Clock = Callable[[], float]
"""Seconds, which only go forward."""


@dataclass(slots=True)
class _Evaluation:
    total: int
    preparing: bool
    began: float
    done: int = 0


@dataclass(slots=True)
class JobProgress:
    """One party's job.

    Args:
        label: the job's.
        addresses: by name, those with whom we have to do.
        gives_up_at: when the deadline ends it; by `clock`, as all times here.
        deals: whether we are the dealer.
    """

    label: str
    addresses: Mapping[str, str]
    clock: Clock = time.monotonic
    gives_up_at: float | None = None
    deals: bool = False
    up: set[str] = field(default_factory=set[str])
    agreed: bool = False
    evaluations: int = 0
    running: dict[object, _Evaluation] = field(default_factory=dict[object, _Evaluation])
    waiting: dict[str, float] = field(default_factory=dict[str, float])
    hints: Mapping[str, str] = field(default_factory=dict[str, str])

    def observe(self, event: Event) -> None:
        """An event of the mesh."""
        match event:
            case PeerUp(party=party) if party in self.addresses:
                self.up.add(party)
            case PeerDown(party=party):
                self.up.discard(party)
            case Agreed():
                self.agreed = True
                self.waiting.clear()
            case Evaluating(fork=fork, rounds=rounds, prepares=prepares):
                self.evaluations += 1
                self.running[fork] = _Evaluation(rounds, prepares, self.clock())
            case Prepared(fork=fork) if fork in self.running:
                self.running[fork].preparing = False
                self.running[fork].began = self.clock()
            case RoundDone(fork=fork) if fork in self.running:
                # A party came: the parties that are awaited from now on are awaited anew.
                self.waiting.clear()
                self.running[fork].done += not self.running[fork].preparing
            case Ended():
                self.running.clear()
            case _:
                pass

    def look(self, awaited: Mapping[str, str]) -> None:
        """For whom the job waits now, with hints."""
        now = self.clock()
        self.hints = awaited
        self.waiting = {name: self.waiting.get(name, now) for name in awaited}

    @property
    def phase(self) -> str:
        """What it does."""
        if not self.agreed and len(self.up) < len(self.addresses):
            return f"links: {len(self.up)} of {len(self.addresses)}"
        if not self.agreed:
            return "agreement"
        if any(item.preparing for item in self.running.values()):
            return "correlated randomness"
        if self.rounds is not None:
            evaluation = f"evaluation {self.evaluations}: " if self.evaluations > 1 else ""
            return f"{evaluation}rounds"
        return "dealing" if self.deals else "computing"

    @property
    def rounds(self) -> tuple[int, int] | None:
        """How many of how many rounds of the evaluations under way are done; None if there are none."""
        items = [item for item in self.running.values() if not item.preparing and item.done < item.total]
        if not self.agreed or not items:
            return None
        return sum(item.done for item in items), sum(item.total for item in items)

    @property
    def seconds_left(self) -> float | None:
        """As long as the rounds that are left take, if they take as long as those before; None if they are few."""
        items = [item for item in self.running.values() if not item.preparing and 0 < item.done < item.total]
        now = self.clock()
        guesses = [(now - item.began) / item.done * (item.total - item.done) for item in items]
        long_enough = any(now - item.began > _GUESS_AFTER_SECONDS for item in items)
        return max(guesses) if guesses and long_enough else None

    def awaited(self, after: float) -> list[str]:
        """Lines on those for whom it waits longer than that."""
        now = self.clock()
        late = [name for name, since in self.waiting.items() if now - since >= after]
        lines = [self._line(name, now - self.waiting[name]) for name in late[:_MOST_SHOWN]]
        return [*lines, f"and {len(late) - _MOST_SHOWN:,} more"] if len(late) > _MOST_SHOWN else lines

    def _line(self, name: str, seconds: float) -> str:
        address = self.addresses.get(name, "address unknown")
        hint = re.sub(f"^{re.escape(name)}:? ", "", self.hints.get(name, "")).replace(f" at {address}", "")
        why = f": {hint}" if hint else ""
        return f"waiting for {name} ({address}), {duration(seconds)}{why}"


@dataclass(slots=True)
class SimulationProgress:
    """All parties of a simulation.

    Args:
        parties: how many.
    """

    parties: int
    label: str = ""
    agreed: int = 0
    ended: int = 0
    leader: str = ""
    progress: JobProgress = field(default_factory=lambda: JobProgress("", {}))

    def observe(self, party: str, event: Event) -> None:
        """An event of one of them; rounds are those of the one who evaluates first."""
        self.agreed += isinstance(event, Agreed)
        self.ended += isinstance(event, Ended)
        if isinstance(event, Evaluating) and not self.leader:
            self.leader = party
            self.progress.agreed = True
        if party == self.leader:
            self.progress.observe(event)

    @property
    def phase(self) -> str:
        """What they do."""
        if not self.leader:
            return "agreement"
        return self.progress.phase if not self.ended else "endings"

    @property
    def rounds(self) -> tuple[int, int] | None:
        """How many of how many: parties that agreed or ended, or rounds."""
        if not self.leader:
            return self.agreed, self.parties
        return (self.ended, self.parties) if self.ended else self.progress.rounds

    @property
    def seconds_left(self) -> float | None:
        """Of the rounds."""
        return None if self.ended else self.progress.seconds_left

    def awaited(self, after: float) -> list[str]:
        """No party: virtual time does not wait."""
        return []


def event_of(line: str) -> Event | None:
    """The event of such a line; None if it is none, for example a line of a library."""
    try:
        document: Any = json.loads(line)
        kind: Any = getattr(events, document.pop("event"))
        made: object = kind(**document)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return made if isinstance(made, Event) else None


def duration(seconds: float) -> str:
    """Seconds as one reads a clock."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"
