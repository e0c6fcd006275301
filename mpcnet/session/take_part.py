"""One party of one job, on a mesh that is opened for it: what a process does that has nothing else to do."""

from __future__ import annotations

import contextlib
import typing
from collections.abc import Mapping, Sequence
from typing import TypeVar

import trio

from mpcnet.declare import Job
from mpcnet.errors import MpcnetError
from mpcnet.identity import Identity, Roster
from mpcnet.session.events import Event
from mpcnet.session.mesh import Mesh, Result
from mpcnet.session.open_mesh import open_mesh

__all__ = ("Onlooker", "take_part")

P = TypeVar("P")
T = TypeVar("T")

_LOOK_SECONDS = 0.25
_STAY_SECONDS = 10.0
"""How long we stay after a failure to tell the parties that have not come: else they wait for their deadline."""


class Onlooker(typing.Protocol):
    """Is told what happens, for a person or a program that waits."""

    def listener(self, event: Event) -> None:
        """Take an event of the mesh."""
        ...

    def look(self, awaited: Mapping[str, str]) -> None:
        """Take a look at which parties the job waits for now: by name, the newest hint why, or nothing."""
        ...

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        """Hear that the job has failed, and that we stay for a while to tell the parties that have not come."""
        ...


async def take_part(
    job: Job[P, T], roster: Roster, identity: Identity, inputs: Mapping[str, object], onlooker: Onlooker
) -> Result[T]:
    """Run a job on a mesh of its own, and stay for a while if it fails before all parties have come.

    Args:
        inputs: ours, by name.
        onlooker: told what happens.

    Raises:
        MpcnetError: as `Mesh.run`, in groups as nurseries make them.
    """
    gives_up_at = trio.current_time() + job.deadline_seconds
    async with open_mesh(roster, identity, listener=onlooker.listener) as mesh, trio.open_nursery() as nursery:
        nursery.start_soon(_look, mesh, job.label, onlooker)
        try:
            result = await mesh.execute(job, inputs)
        except MpcnetError as error:
            # Ctrl-C means that we need not stay. What went wrong is still what there is to say.
            with contextlib.suppress(KeyboardInterrupt):
                await _tell_latecomers(mesh, job.label, error, onlooker, gives_up_at)
            raise
        nursery.cancel_scope.cancel()
    return result


async def _tell_latecomers(
    mesh: Mesh, label: str, error: MpcnetError, onlooker: Onlooker, gives_up_at: float
) -> None:
    """Not longer than we would have waited for them: a deadline that has passed, here or elsewhere, ends it too."""
    seconds = min(_STAY_SECONDS, gives_up_at - trio.current_time())
    late = mesh.latecomers(label)
    if not late or seconds < 1:
        return
    onlooker.stays(error, late, seconds)
    with trio.move_on_after(seconds):
        while mesh.latecomers(label):  # noqa: ASYNC110 -- the mesh has no event for it, and needs none for this
            await trio.sleep(_LOOK_SECONDS)


async def _look(mesh: Mesh, label: str, onlooker: Onlooker) -> None:
    while True:
        onlooker.look(mesh.waiting_for(label))
        await trio.sleep(_LOOK_SECONDS)
