"""`mpcnet run`: one party of a job, in this process, over encrypted TCP."""

from __future__ import annotations

import json
import time
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
from mpcnet.declare import Job, load_job
from mpcnet.declare.plan import make_plan
from mpcnet.declare.table import Reading
from mpcnet.errors import LocalError
from mpcnet.identity import Member, Roster
from mpcnet.session import Result
from mpcnet.session.take_part import take_part

__all__ = ("run_party",)


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
