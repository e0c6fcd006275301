"""Shows the progress of a job to a user who waits: live on a terminal, elsewhere in lines when waiting takes long.

watch_run    while a job of ours runs
watch_simulation  while a simulation does
watch_runs   while several simulations do, one after another
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from mpcnet.cli.click_app import is_live
from mpcnet.cli.progress_model import Clock, JobProgress, SimulationProgress
from mpcnet.cli.watch import Lines, Reports, Watch
from mpcnet.declare.plan import Plan
from mpcnet.session.events import Event

if TYPE_CHECKING:
    from mpcnet.cli.display import Display

__all__ = ("watch_run", "watch_runs", "watch_simulation")


def watch_run(plan: Plan[Any, Any], clock: Clock, *, quiet: bool, reports: bool) -> Watch:
    """What shows how a job of ours goes.

    Args:
        clock: a clock that only goes forward, in seconds.
        quiet: show nothing.
        reports: tell every event for a program.
    """
    addresses = {plan.roster.members[peer].name: plan.roster.members[peer].address for peer in plan.peers}
    progress = JobProgress(plan.job.label, addresses, clock, clock() + plan.job.deadline_seconds, plan.is_dealer)
    if reports:
        return Reports(progress)
    if quiet:
        return Watch(progress)
    if not _may_draw():
        return Lines(progress)
    from mpcnet.cli.display import OnTerminal  # rich, of which a program that started us sees nothing

    return OnTerminal(progress)


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def watch_simulation(simulation_progress: SimulationProgress, *, quiet: bool) -> Display | _Nothing:
    """What shows how a simulation goes, if a user can see it."""
    return _Nothing() if quiet or not _may_draw() else _display(simulation_progress)


@contextlib.contextmanager
def watch_runs(parties: int, label: str, runs: int, *, quiet: bool) -> Generator[Callable[[int, str, Event], None]]:
    """What shows how several simulations go, one after another; gives what is told of their events.

    Args:
        parties: how many each of them has.
        label: what one of them is called, or nothing.
        runs: how many there are.
    """
    simulations = [
        SimulationProgress(parties, label and f"{label} {number} of {runs}") for number in range(1, runs + 1)
    ]
    display = None if quiet or not _may_draw() else _display(simulations[0])

    def observe(number: int, party: str, event: Event) -> None:
        simulations[number].observe(party, event)
        if display is not None:
            display.turn_to(simulations[number])

    with display or _Nothing():
        yield observe


def _display(simulation_progress: SimulationProgress) -> Display:
    from mpcnet.cli.display import Display  # as above

    return Display(simulation_progress)


def _may_draw() -> bool:
    """A log on the same terminal would be drawn over."""
    return is_live(sys.stderr) and not logging.getLogger("mpcnet").isEnabledFor(logging.DEBUG)
