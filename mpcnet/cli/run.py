"""`mpcnet run`: one party of a job, in this process, over encrypted TCP."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import trio

from mpcnet.cli.commands import Run
from mpcnet.cli.formatting import cost_document, explained, plain
from mpcnet.cli.input_sources import read_given
from mpcnet.cli.inputs import InputOptions, formats_of, gather_inputs
from mpcnet.cli.key_files import load_identity
from mpcnet.cli.progress import watch_run
from mpcnet.cli.results import ResultFile
from mpcnet.cli.watch import Watch
from mpcnet.declare import Job, load_job
from mpcnet.declare.plan import make_plan
from mpcnet.declare.table import Reading
from mpcnet.errors import LocalError, MpcnetError
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session import Mesh, Result, open_mesh

__all__ = ("run_party", "take_part")

_LOOK_SECONDS = 0.25
_STAY_SECONDS = 10.0
"""How long we stay after a failure to tell those who have not come, who else wait for their whole deadline."""


def run_party(asked: Run) -> None:
    """Take part in a job, and print what we learn."""
    job = load_job(asked.job_path)
    roster = Roster.load(asked.roster_path)
    roster.check()
    me = roster.by_name(asked.name)
    key_file = Path(asked.key_path or f"{asked.name}.key")
    identity = load_identity(key_file, asked.passphrase_file)
    if identity.public != me.key:
        raise LocalError(f"the key in {key_file} is not the one that the roster has for {asked.name}")
    plan = make_plan(job, roster, me)
    options = InputOptions(
        Reading(asked.encoding, asked.delimiter, asked.comments), asked.skip_empty, formats_of(asked.formats)
    )
    taken = gather_inputs(plan, read_given(asked.inputs, asked.document), options)
    file = None if asked.output is None else ResultFile(asked.output, plan, taken)
    watched = job if file is None else file.watch(job)
    with watch_run(plan, time.monotonic, quiet=asked.quiet, reports=asked.reports) as watch:
        result = trio.run(take_part, watched, roster, identity, taken.values, watch)
    if asked.as_json:
        click.echo(json.dumps(_document(job, me, result)))
    else:
        click.echo(explained(job.protocol, result.outcome))
    if file is not None and file.failure is not None:
        raise file.failure


async def take_part(
    job: Job[Any, Any], roster: Roster, identity: Identity, inputs: Mapping[str, object], watch: Watch
) -> Result[Any]:
    """Run a job on a mesh of its own, and stay for a while if it fails before all parties have come."""
    gives_up_at = trio.current_time() + job.deadline_seconds
    async with open_mesh(roster, identity, listener=watch.listener) as mesh, trio.open_nursery() as nursery:
        nursery.start_soon(_look, mesh, job.label, watch)
        try:
            result = await mesh.execute(job, inputs)
        except MpcnetError as error:
            # Ctrl-C means that we need not stay. What went wrong is still what there is to say.
            with contextlib.suppress(KeyboardInterrupt):
                await _tell_latecomers(mesh, job.label, error, watch, gives_up_at)
            raise
        nursery.cancel_scope.cancel()
    return result


async def _tell_latecomers(mesh: Mesh, label: str, error: MpcnetError, watch: Watch, gives_up_at: float) -> None:
    """Not longer than we would have waited for them: a deadline that has passed, here or elsewhere, ends it too."""
    seconds = min(_STAY_SECONDS, gives_up_at - trio.current_time())
    late = mesh.latecomers(label)
    if not late or seconds < 1:
        return
    watch.stays(error, late, seconds)
    with trio.move_on_after(seconds):
        while mesh.latecomers(label):  # noqa: ASYNC110 -- the mesh has no event for it, and needs none for this
            await trio.sleep(_LOOK_SECONDS)


async def _look(mesh: Mesh, label: str, watch: Watch) -> None:
    while True:
        watch.look(mesh.waiting_for(label))
        await trio.sleep(_LOOK_SECONDS)


def _document(job: Job[Any, Any], me: Member, result: Result[Any]) -> dict[str, object]:
    return {
        "protocol": job.protocol.name,
        "version": job.protocol.version,
        "label": job.label,
        "party": me.name,
        "job": result.job.hex(),
        "outcome": plain(result.outcome),
        "text": explained(job.protocol, result.outcome),
        "cost": cost_document(result.cost),
    }
