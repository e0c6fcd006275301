"""`mpcnet explain`: what a job file means, in plain words, before a party agrees to it.

What is said is found out by `mpcnet.declare.explanation` (who gives, computes, deals, receives, must collude) and
by a dry run in the simulator (what it costs).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mpcnet.cli import sentences
from mpcnet.cli.click_app import stdout
from mpcnet.cli.commands import Explain
from mpcnet.cli.formatting import explained, listed, plain, time_text
from mpcnet.cli.progress import watch_runs
from mpcnet.cli.tables import party_table
from mpcnet.declare import Job, Protocol, load_job
from mpcnet.declare.explanation import Explanation, explain
from mpcnet.declare.risks import IdleDealer
from mpcnet.errors import MpcnetError
from mpcnet.identity import Roster
from mpcnet.sim.dry_run import DryRun, InputsRefused, dry_run

__all__ = ("explain_job", "find_cost")

T = TypeVar("T")


def explain_job(asked: Explain) -> None:
    """Explain a job file, and print it. One that no party could run is explained too, and ends with exit code 2."""
    job = load_job(asked.job_path)
    found = explain(job, None if asked.roster_path is None else Roster.load(asked.roster_path))
    cost, refusal, runs = find_cost(job, asked.rows, quiet=asked.as_json) if asked.costs else (None, "", True)
    if cost is not None and job.dealer is not None and not cost.asks_dealer:
        found = replace(found, risks=(*found.risks, IdleDealer(job.dealer)))
    if asked.as_json:
        click.echo(json.dumps(_document(job, found, cost, refusal)))
    else:
        _show(stdout(), job.protocol, found, cost, refusal)
    if not runs:
        raise click.exceptions.Exit(2)


def find_cost(job: Job[Any, Any], rows: int, *, quiet: bool = True) -> tuple[DryRun | None, str, bool]:
    """What a dry run finds, or a sentence that says why there is none; and whether a party could run the job."""
    try:
        with watch_runs(len(job.names), "dry run", 2, quiet=quiet) as watcher:
            return dry_run(job, rows, watcher=watcher), "", True
    except InputsRefused as error:
        return None, f"There was no dry run, since the job refuses the inputs that a dry run has: {error}.", True
    except MpcnetError as error:
        return None, f"This job does not run: {error}.", False


def _document(job: Job[Any, Any], found: Explanation, cost: DryRun | None, refusal: str) -> dict[str, object]:
    """For programs: the facts, and of what is to be considered also the sentence."""
    document: dict[str, object] = plain(found)
    document["risks"] = [
        {"kind": risk.kind, **plain(risk), "text": sentences.risk_text(risk)} for risk in found.risks
    ]
    if cost is None:
        document["cost"] = None
    else:
        document["cost"] = {**plain(cost), "source": cost.source.name.lower(), "texts": _texts(job.protocol, cost)}
    document["refusal"] = refusal
    return document


def _texts(protocol: Protocol[Any, Any], cost: DryRun) -> dict[str, str]:
    return {name: explained(protocol, outcome) for name, outcome in cost.outcomes.items()}


def _show(
    console: Console, protocol: Protocol[Any, Any], found: Explanation, cost: DryRun | None, refusal: str
) -> None:
    title = f"job '{found.label}': protocol {found.protocol}, version {found.version}"
    console.print(Text(title, style="bold"))
    console.print(Text(found.summary + "\n"))
    _rows(console, "Who gives what", sentences.gives(found))
    _rows(console, "Who does what", sentences.part(found))
    _rows(console, "Who learns what", sentences.learns(found))
    _paragraphs(console, "In the words of the protocol", found.leaks)
    _rows(console, "What is seen besides", sentences.besides(found))
    _paragraphs(console, "Who must collude to learn more", sentences.collusion(found.collusion))
    if cost is not None:
        _show_cost(console, protocol, cost)
    considered = [*map(sentences.risk_text, found.risks), *([refusal] if refusal else [])]
    _paragraphs(console, "Consider", considered, style="yellow")


def _rows(console: Console, title: str, rows: Sequence[sentences.Row]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    # Names may be long: on a narrow terminal both columns wrap.
    table.add_column(style="cyan", max_width=max(12, console.width // 3))
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    console.print(Text(title, style="bold"))
    console.print(Padding(table, (0, 0, 1, 2)))


def _paragraphs(console: Console, title: str, paragraphs: Sequence[str], style: str = "") -> None:
    if not paragraphs:
        return
    console.print(Text(title, style=f"bold {style}".strip()))
    for place, paragraph in enumerate(paragraphs, 1):
        console.print(Padding(Text(paragraph.replace("`", "")), (0, 0, 1 if place == len(paragraphs) else 0, 2)))


def _show_cost(console: Console, protocol: Protocol[Any, Any], cost: DryRun) -> None:
    rounds = f"{_span(cost.rounds)} {'round' if cost.rounds == (1, 1) else 'rounds'}"
    waiting = f"{time_text(cost.lan_seconds)} of waiting on a LAN, {time_text(cost.wan_seconds)} on a WAN (100 ms)"
    rows = "" if cost.rows is None else f" with {cost.rows:,} rows or items of each owner"
    fixed = "two runs cost the same" if cost.is_fixed else "two runs cost unlike: it goes on by what it has opened"
    told = [
        f"{rounds if cost.rounds[1] else 'Messages of its own'}; {waiting}. Computing comes on top.",
        f"Found by a dry run on {cost.source.value}{rows}; {fixed}.",
    ]
    console.print(Text("What it costs", style="bold"))
    console.print(Padding(Text(" ".join(told)), (0, 0, 1, 2)))
    table = party_table(("party", "sends", "receives"))
    sizes = {name: (_bytes(cost.sent_bytes[name]), _bytes(cost.received_bytes[name])) for name in cost.outcomes}
    for names, (sent, received) in _grouped(sizes):
        table.add_row(Text(names), Text(sent), Text(received))
    console.print(Padding(table, (0, 0, 1, 2)))
    texts = {name: (text,) for name, text in _texts(protocol, cost).items()}
    _rows(
        console,
        f"What they would read, for {cost.source.value}",
        [(names, text) for names, (text,) in _grouped(texts)],
    )


def _grouped(rows: Mapping[str, T]) -> list[tuple[str, T]]:
    """Parties with the same row, together."""
    groups: dict[T, list[str]] = defaultdict(list)
    for name, row in rows.items():
        groups[row].append(name)
    return [
        (listed(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1:,} more", row)
        for row, names in groups.items()
    ]


def _span(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,}" if pair[0] == pair[1] else f"{pair[0]:,} to {pair[1]:,}"


def _bytes(pair: tuple[int, int]) -> str:
    texts = list(dict.fromkeys(_size(nbytes) for nbytes in pair))
    return " to ".join(texts)


def _size(nbytes: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if nbytes >= unit:
            return f"{nbytes / unit:.3g} {name}"
    return f"{nbytes} B"
