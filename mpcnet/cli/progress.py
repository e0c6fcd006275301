"""What a job is doing, for somebody who waits for it: live on a terminal, elsewhere in lines when it takes long.

    Course      what is known of one party's job: events, and looks at whom it waits for
    Crowd       the same of all parties of a simulation
    watch_run   shows a course while a job runs;  watch_crowd  the same for a simulation

Nothing is made up: a bar stands only where the number of rounds is known, which is while an evaluation runs; the
time that is left is that of its rounds so far. A program may evaluate again, and nobody can know that before.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from mpcnet.cli.reporting import is_live, stderr
from mpcnet.session import events
from mpcnet.session.events import Agreed, Ended, Evaluating, Event, PeerDown, PeerUp, Prepared, RoundDone
from mpcnet.session.job import Plan

__all__ = ("Course", "Crowd", "Lines", "Watch", "event_of", "watch_crowd", "watch_run")

_AT_ONCE_SECONDS = 0.4
"""What is over sooner shows nothing: a display that flashes is a nuisance."""
_SHOWN_AFTER_SECONDS = 1.0
_LINE_AFTER_SECONDS = 5.0
"""Where lines stay, waiting is told when it takes longer than parties that start together need for it."""
_LINE_AGAIN_SECONDS = 60.0
_GUESS_AFTER_SECONDS = 2.0
_MOST_SHOWN = 8
_NARROW = 60
_REFRESH = 8

Clock = Callable[[], float]


@dataclass(slots=True)
class _Evaluation:
    total: int
    preparing: bool
    began: float
    done: int = 0


@dataclass(slots=True)
class Course:
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

    def take(self, event: Event) -> None:
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
                # Somebody came: whoever is awaited from now on is awaited anew.
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
        return f"waiting for {name} ({address}), {_duration(seconds)}{why}"


@dataclass(slots=True)
class Crowd:
    """All parties of a simulation.

    Args:
        parties: how many.
    """

    parties: int
    label: str = ""
    agreed: int = 0
    ended: int = 0
    leader: str = ""
    course: Course = field(default_factory=lambda: Course("", {}))

    def take(self, party: str, event: Event) -> None:
        """An event of one of them; rounds are those of the one who evaluates first."""
        self.agreed += isinstance(event, Agreed)
        self.ended += isinstance(event, Ended)
        if isinstance(event, Evaluating) and not self.leader:
            self.leader = party
            self.course.agreed = True
        if party == self.leader:
            self.course.take(event)

    @property
    def phase(self) -> str:
        """What they do."""
        if not self.leader:
            return "agreement"
        return self.course.phase if not self.ended else "endings"

    @property
    def rounds(self) -> tuple[int, int] | None:
        """How many of how many: parties that agreed or ended, or rounds."""
        if not self.leader:
            return self.agreed, self.parties
        return (self.ended, self.parties) if self.ended else self.course.rounds

    @property
    def seconds_left(self) -> float | None:
        """Of the rounds."""
        return None if self.ended else self.course.seconds_left

    def awaited(self, after: float) -> list[str]:
        """Nobody: virtual time does not wait."""
        return []


class Watch:
    """Follows a course, and shows nothing."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def listener(self, event: Event) -> None:
        """Take an event of the mesh."""
        self.course.take(event)

    def look(self, awaited: Mapping[str, str]) -> None:
        """Take a look at for whom the job waits."""
        self.course.look(awaited)


class Lines(Watch):
    """Lines on standard error that stay: for whom we wait, when it takes long."""

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        self._told: frozenset[str] = frozenset()
        self._told_at = -_LINE_AGAIN_SECONDS

    def look(self, awaited: Mapping[str, str]) -> None:
        """Tell about those who are late, when they become more or a minute has passed."""
        super().look(awaited)
        now = self.course.clock()
        late = frozenset(name for name, since in self.course.waiting.items() if now - since >= _LINE_AFTER_SECONDS)
        if not late:
            self._told = late
        elif not late <= self._told or now - self._told_at >= _LINE_AGAIN_SECONDS:
            self._told, self._told_at = late, now
            for line in self.course.awaited(_LINE_AFTER_SECONDS):
                print(f"{self.course.label}: {line}", file=sys.stderr, flush=True)


class _Reports(Watch):
    """Every event as one JSON object a line on standard error, for a program that started us."""

    def listener(self, event: Event) -> None:
        super().listener(event)
        if isinstance(event, Ended):
            return  # the result or the error says it
        document = {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}
        plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in document.items()}
        print(json.dumps({"event": type(event).__name__, **plain}), file=sys.stderr, flush=True)


def event_of(line: str) -> Event | None:
    """The event of such a line; None if it is none, for example a line of a library."""
    try:
        document: Any = json.loads(line)
        kind: Any = getattr(events, document.pop("event"))
        made: object = kind(**document)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return made if isinstance(made, Event) else None


class Display:
    """A course or a crowd on a terminal, drawn anew several times a second until the block is left."""

    def __init__(self, course: Course | Crowd) -> None:
        self._course = course
        console = stderr()
        self._narrow = console.width < _NARROW
        self._progress = Progress(*_columns(narrow=self._narrow), console=console, auto_refresh=False)
        self._task = self._progress.add_task("", total=None)
        self._began = time.monotonic()
        self._live = Live(
            console=console,
            get_renderable=self.render,
            refresh_per_second=_REFRESH,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def render(self) -> RenderableType:
        """What is to be seen now."""
        course = self._course
        seconds = time.monotonic() - self._began
        if seconds < _AT_ONCE_SECONDS:
            return Text("")
        rounds = course.rounds
        description = f"{course.label}: {course.phase}" if course.label else course.phase
        count = f"{rounds[0]:,} of {rounds[1]:,}" if rounds else ""
        left = "" if course.seconds_left is None else f"about {_duration(course.seconds_left)} left"
        done, total = rounds or (0, None)
        self._progress.update(
            self._task,
            description=description,
            completed=done,
            total=total,
            count=count,
            elapsed=_duration(seconds),
            left=left,
        )
        lines = course.awaited(_SHOWN_AFTER_SECONDS)
        if self._narrow:
            lines.insert(0, f"{_duration(seconds)}{', ' if left else ''}{left}")
        if lines and isinstance(course, Course) and course.gives_up_at is not None:
            lines.append(
                f"gives up in {_duration(max(0.0, course.gives_up_at - course.clock()))}; Ctrl-C ends it now"
            )
        return Group(self._progress, *(Text(line, style="dim") for line in lines))


class _Bar(BarColumn):
    """A bar where the whole is known, and nothing where it is not."""

    def render(self, task: Task) -> ProgressBar:
        bar = super().render(task)
        bar.width = 0 if task.total is None else self.bar_width
        return bar


def _columns(*, narrow: bool) -> Sequence[ProgressColumn]:
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    if narrow:
        return [*columns, TextColumn("{task.fields[count]}")]
    return [
        *columns,
        _Bar(bar_width=20),
        *(TextColumn(f"{{task.fields[{name}]}}") for name in ("count", "elapsed", "left")),
    ]


class _OnTerminal(Watch):
    def __init__(self, course: Course) -> None:
        super().__init__(course)
        self._display = Display(course)

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.__exit__(kind, error, trace)


def watch_run(plan: Plan[Any, Any], clock: Clock, *, quiet: bool, reports: bool) -> Watch:
    """What shows how a job of ours goes.

    Args:
        clock: a clock that only goes forward, in seconds.
        quiet: show nothing.
        reports: tell every event for a program.
    """
    addresses = {plan.roster.members[peer].name: plan.roster.members[peer].address for peer in plan.peers}
    course = Course(plan.job.label, addresses, clock, clock() + plan.job.deadline_seconds, plan.is_dealer)
    if reports:
        return _Reports(course)
    if quiet:
        return Watch(course)
    return _OnTerminal(course) if _may_draw() else Lines(course)


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def watch_crowd(crowd: Crowd, *, quiet: bool) -> Display | _Nothing:
    """What shows how a simulation goes, if somebody can see it."""
    return Display(crowd) if not quiet and _may_draw() else _Nothing()


def _may_draw() -> bool:
    """A log on the same terminal would be drawn over."""
    return is_live(sys.stderr) and not logging.getLogger("mpcnet").isEnabledFor(logging.DEBUG)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"
