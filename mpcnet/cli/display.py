"""A job or a simulation on a terminal, drawn anew several times a second; it takes most of rich."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from mpcnet.cli.click_app import stderr
from mpcnet.cli.progress_model import JobProgress, SimulationProgress, duration
from mpcnet.cli.watch import Watch, staying_text
from mpcnet.errors import MpcnetError

__all__ = ("Display", "OnTerminal")

_AT_ONCE_SECONDS = 0.4
"""What is over sooner shows nothing: a display that flashes is a nuisance."""
_SHOWN_AFTER_SECONDS = 1.0
_NARROW = 60
_REFRESH = 8


class Display:
    """The progress of a job or a simulation on a terminal, drawn several times a second until the block is left."""

    def __init__(self, model: JobProgress | SimulationProgress) -> None:
        self._model = model
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

    def turn_to(self, model: JobProgress | SimulationProgress) -> None:
        """Draw another one from now on."""
        self._model = model

    def say(self, line: str) -> None:
        """Print a line that stays above what is drawn."""
        self._live.console.print(Text(line, style="dim"), soft_wrap=True)

    def render(self) -> RenderableType:
        """What is to be seen now."""
        model = self._model
        seconds = time.monotonic() - self._began
        if seconds < _AT_ONCE_SECONDS:
            return Text("")
        rounds = model.rounds
        description = f"{model.label}: {model.phase}" if model.label else model.phase
        count = f"{rounds[0]:,} of {rounds[1]:,}" if rounds else ""
        left = "" if model.seconds_left is None else f"about {duration(model.seconds_left)} left"
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
        lines = model.awaited(_SHOWN_AFTER_SECONDS)
        if self._narrow:
            lines.insert(0, f"{duration(seconds)}{', ' if left else ''}{left}")
        if lines and isinstance(model, JobProgress) and model.gives_up_at is not None:
            lines.append(f"gives up in {duration(max(0.0, model.gives_up_at - model.clock()))}; Ctrl-C ends it now")
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


class OnTerminal(Watch):
    def __init__(self, model: JobProgress) -> None:
        super().__init__(model)
        self._display = Display(model)

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.__exit__(kind, error, trace)

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        self._display.say(f"{self.progress.label}: {staying_text(error, late, seconds)}")
