"""Shows the progress of a job to a user who waits: live on a terminal, elsewhere in lines when waiting takes long.

watch_run    while a job of ours runs
watch_crowd  while a simulation does
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from mpcnet.cli.click_app import is_live, stderr
from mpcnet.cli.progress_model import Clock, Course, Crowd, duration
from mpcnet.declare.plan import Plan
from mpcnet.errors import MpcnetError
from mpcnet.session.events import Ended, Event

__all__ = ("Display", "Lines", "Watch", "watch_crowd", "watch_run", "watch_runs")

_AT_ONCE_SECONDS = 0.4
"""What is over sooner shows nothing: a display that flashes is a nuisance."""
_SHOWN_AFTER_SECONDS = 1.0
_LINE_AFTER_SECONDS = 5.0
"""Where lines stay, waiting is told when it takes longer than parties that start together need for it."""
_LINE_AGAIN_SECONDS = 60.0
_NARROW = 60
_REFRESH = 8


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
        self.course.observe(event)

    def look(self, awaited: Mapping[str, str]) -> None:
        """Take a look at for whom the job waits."""
        self.course.look(awaited)

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        """The job has failed, and we stay for a while to tell those who have not come."""


def _staying(error: MpcnetError, late: Sequence[str], seconds: float) -> str:
    names = ", ".join(late[:3]) + (f" and {len(late) - 3:,} more" if len(late) > 3 else "")
    return f"{error}; staying up to {duration(seconds)} to tell {names}, not here yet; Ctrl-C ends it now"


class Lines(Watch):
    """Lines on standard error that stay: for whom we wait, when it takes long."""

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        self._told: frozenset[str] = frozenset()
        self._told_at = -_LINE_AGAIN_SECONDS

    def look(self, awaited: Mapping[str, str]) -> None:
        """Tell about those who are late, when they become more or a minute has passed."""
        super().look(awaited)
        if self.course.deals and self.course.agreed:
            return  # a dealer waits all the time: until it is asked, and until the others have ended
        now = self.course.clock()
        late = frozenset(name for name, since in self.course.waiting.items() if now - since >= _LINE_AFTER_SECONDS)
        if not late:
            self._told = late
        elif not late <= self._told or now - self._told_at >= _LINE_AGAIN_SECONDS:
            self._told, self._told_at = late, now
            for line in self.course.awaited(_LINE_AFTER_SECONDS):
                print(f"{self.course.label}: {line}", file=sys.stderr, flush=True)

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        """As a line."""
        print(f"{self.course.label}: {_staying(error, late, seconds)}", file=sys.stderr, flush=True)


class _Reports(Watch):
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

    def turn_to(self, course: Course | Crowd) -> None:
        """Draw another one from now on."""
        self._course = course

    def say(self, line: str) -> None:
        """Print a line that stays above what is drawn."""
        self._live.console.print(Text(line, style="dim"), soft_wrap=True)

    def render(self) -> RenderableType:
        """What is to be seen now."""
        course = self._course
        seconds = time.monotonic() - self._began
        if seconds < _AT_ONCE_SECONDS:
            return Text("")
        rounds = course.rounds
        description = f"{course.label}: {course.phase}" if course.label else course.phase
        count = f"{rounds[0]:,} of {rounds[1]:,}" if rounds else ""
        left = "" if course.seconds_left is None else f"about {duration(course.seconds_left)} left"
        done, total = rounds or (0, None)
        self._progress.update(
            self._task,
            description=description,
            completed=done,
            total=total,
            count=count,
            elapsed=duration(seconds),
            left=left,
        )
        lines = course.awaited(_SHOWN_AFTER_SECONDS)
        if self._narrow:
            lines.insert(0, f"{duration(seconds)}{', ' if left else ''}{left}")
        if lines and isinstance(course, Course) and course.gives_up_at is not None:
            lines.append(
                f"gives up in {duration(max(0.0, course.gives_up_at - course.clock()))}; Ctrl-C ends it now"
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

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        self._display.say(f"{self.course.label}: {_staying(error, late, seconds)}")


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
    """What shows how a simulation goes, if a user can see it."""
    return Display(crowd) if not quiet and _may_draw() else _Nothing()


@contextlib.contextmanager
def watch_runs(parties: int, label: str, runs: int, *, quiet: bool) -> Generator[Callable[[int, str, Event], None]]:
    """What shows how several simulations go, one after another; gives what is told of their events.

    Args:
        parties: how many each of them has.
        label: what one of them is called.
        runs: how many there are.
    """
    crowds = [Crowd(parties, f"{label} {number} of {runs}") for number in range(1, runs + 1)]
    display = Display(crowds[0]) if not quiet and _may_draw() else None

    def take(number: int, party: str, event: Event) -> None:
        crowds[number].observe(party, event)
        if display is not None:
            display.turn_to(crowds[number])

    with display or _Nothing():
        yield take


def _may_draw() -> bool:
    """A log on the same terminal would be drawn over."""
    return is_live(sys.stderr) and not logging.getLogger("mpcnet").isEnabledFor(logging.DEBUG)
