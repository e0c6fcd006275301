"""`mpcnet run`: one party of a job, in this process, over encrypted TCP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import trio
from rich.status import Status

from mpcnet.cli.inputs import read_given, take_inputs
from mpcnet.cli.keys import load_identity
from mpcnet.cli.reporting import say, stderr
from mpcnet.cli.show import cost_document, explained, listed, plain
from mpcnet.errors import LocalError
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session import Job, Result, load_job, open_mesh
from mpcnet.session.events import Agreed, Event, Waiting
from mpcnet.session.job import make_plan

__all__ = ("run_party",)


def run_party(
    job_path: str,
    name: str,
    *,
    roster_path: str,
    key_path: str | None,
    passphrase_file: str | None,
    options: Sequence[str],
    document: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take part in a job, and print what we learn."""
    job = load_job(job_path)
    roster = Roster.load(roster_path)
    roster.check()
    me = roster.by_name(name)
    key_file = Path(key_path or f"{name}.key")
    identity = load_identity(key_file, passphrase_file)
    if identity.public != me.key:
        raise LocalError(f"the key in {key_file} is not the one that the roster has for {name}")
    inputs = take_inputs(make_plan(job, roster, me), read_given(options, document))
    with _Progress(job.label) as progress:
        result = trio.run(_take_part, job, roster, identity, inputs, progress.listener)
    if as_json:
        click.echo(json.dumps(_document(job, me, result)))
    else:
        click.echo(explained(job.protocol, result.outcome))


async def _take_part(
    job: Job[Any, Any],
    roster: Roster,
    identity: Identity,
    inputs: Mapping[str, object],
    listener: Callable[[Event], None],
) -> Result[Any]:
    async with open_mesh(roster, identity, listener=listener) as mesh:
        return await mesh.execute(job, inputs)


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


class _Progress:
    """Says on a terminal for whom we wait; is quiet everywhere else."""

    def __init__(self, label: str) -> None:
        self._label = label
        console = stderr()
        self._status = Status("connecting", console=console) if console.is_terminal else None

    def __enter__(self) -> _Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def listener(self, event: Event) -> None:
        """Take an event of the mesh."""
        if self._status is None:
            return
        match event:
            case Waiting(parties=parties) if parties:
                self._status.update(f"{self._label}: waiting for {listed(parties)}")
            case Agreed():
                self._status.stop()
                say(f"{self._label}: everybody is here and has agreed")
                self._status.update(f"{self._label}: computing")
                self._status.start()
            case _:
                pass
