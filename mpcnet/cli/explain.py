"""`mpcnet explain`: what a job file means, in plain words, before anybody agrees to it.

What is said comes from three places: the job and the protocol's declaration (who gives, computes, deals, receives),
the protocol's docstring (what it reveals, in its author's words), and a rehearsal in the simulator (what it costs).
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mpcnet.cli.click_app import stdout
from mpcnet.cli.commands import Explain
from mpcnet.cli.formatting import listed, party_table, plain, time_text
from mpcnet.cli.protocol_commands import plan_of
from mpcnet.cli.rehearsal import ROWS, Refused, Rehearsal, rehearse
from mpcnet.cli.risks import givers_of, risks, some_of
from mpcnet.declare import Job, load_job
from mpcnet.declare.description import describe
from mpcnet.declare.outputs import Receivers
from mpcnet.declare.plan import Plan
from mpcnet.errors import MpcnetError
from mpcnet.identity import Roster

__all__ = ("Explanation", "explain", "explain_job")


Row = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about a job.

    Args:
        title: label, protocol and what it computes.
        gives: by who gives, what.
        part: who computes, deals, takes part.
        learns: by output, who receives it.
        words: what is revealed, in the words of the protocol's author.
        besides: what everybody sees besides.
        collusion: who must act together to learn more.
        risks: what is to be considered before.
        cost: of the rehearsal; None if it was not wanted or did not run, and then `refusal` is a sentence that says
            why.
    """

    title: Row
    gives: Sequence[Row]
    part: Sequence[Row]
    learns: Sequence[Row]
    words: Sequence[str]
    besides: Sequence[Row]
    collusion: Sequence[str]
    risks: Sequence[str]
    cost: Rehearsal | None = None
    refusal: str = ""


def explain_job(asked: Explain) -> None:
    """Explain a job file, and print it."""
    job = load_job(asked.job_path)
    roster = None if asked.roster_path is None else Roster.load(asked.roster_path)
    found = explain(job, roster, rows=asked.rows, costs=asked.costs, quiet=asked.as_json)
    if asked.as_json:
        click.echo(json.dumps(plain(found)))
    else:
        _show(stdout(), found)


def explain(
    job: Job[Any, Any], roster: Roster | None = None, *, rows: int = ROWS, costs: bool = True, quiet: bool = True
) -> Explanation:
    """What a job means.

    Args:
        roster: the real one, if it is there: it must have the job's parties, and their addresses are looked at.
        rows: how many rows or items each owner is taken to have, where that is open.
        costs: rehearse it.
        quiet: show nothing meanwhile.

    Raises:
        LocalError: the job contradicts itself, or the roster has not all of its parties.
    """
    plan = plan_of(job, roster)
    cost, refusal = _rehearsed(job, rows, quiet=quiet) if costs else (None, "")
    told = describe(job.protocol)
    return Explanation(
        title=(f"job '{job.label}': protocol {job.protocol.name}, version {job.protocol.version}", told.summary),
        gives=_gives(job),
        part=_part(plan),
        learns=_learns(plan),
        words=told.leaks,
        besides=_besides(plan),
        collusion=_collusion(plan, told.threat),
        risks=[*risks(plan, of_roster=roster is not None), *_found_by(job, cost, refusal)],
        cost=cost,
        refusal=refusal,
    )


def _rehearsed(job: Job[Any, Any], rows: int, *, quiet: bool) -> tuple[Rehearsal | None, str]:
    try:
        return rehearse(job, rows, quiet=quiet), ""
    except Refused as error:
        return None, f"It was not rehearsed, since it refuses the inputs that a rehearsal has: {error}."
    except MpcnetError as error:
        return None, f"This job does not run: {error}."


# What it says


def _gives(job: Job[Any, Any]) -> list[Row]:
    found: list[Row] = []
    for role, names in job.roles.items():
        inputs = job.protocol.asked_of(role)
        if not inputs:
            found.append((some_of(names), f"nothing ({role})"))
        for name, item in inputs.items():
            help_text = f" ({item.help})" if item.help else ""
            found.append((some_of(names), f"{name}: {item.phrase(job.params)}{help_text}"))
    return found


def _part(plan: Plan[Any, Any]) -> list[Row]:
    names = plan.parties.names
    computing = [names[index] for index in plan.parties.computing]
    found: list[Row] = []
    if plan.job.protocol.shares_secrets:
        found.append(("compute", f"{some_of(computing)}, on shares by the scheme '{plan.scheme.name}'"))
    else:
        found.append(
            ("compute", f"{some_of(computing)}, by the protocol's own cryptography: no secret is shared out")
        )
    if plan.dealer is None:
        found.append(("deals", "nobody"))
    else:
        found.append(("deals", f"{names[plan.dealer]}: makes randomness for them, and has no other part"))
    watching = [
        names[index] for index in plan.parties.everyone if index not in givers_of(plan) | {*plan.parties.computing}
    ]
    if watching:
        found.append(("only listen", some_of(watching)))
    found.append(("time", f"{plan.job.deadline_seconds:g} s in all, waiting for each other included"))
    return found


def _learns(plan: Plan[Any, Any]) -> list[Row]:
    names = plan.parties.names
    found = [
        (output.replace("_", " "), _receivers([names[index] for index in plan.receivers(output)], receivers))
        for output, receivers in plan.outputs.items()
    ]
    if not found:
        found.append(("its result", "as the protocol says below, with the parameters of this job"))
    if plan.dealer is not None:
        found.append(("nothing of it", names[plan.dealer]))
    return found


def _receivers(names: Sequence[str], receivers: Receivers) -> str:
    if not names:
        return "nobody"
    return f"{some_of(names)}, each its own row" if receivers.by_row else some_of(names)


def _besides(plan: Plan[Any, Any]) -> list[Row]:
    values = {item.name: getattr(plan.job.params, item.name) for item in dataclasses.fields(plan.job.params)}
    params = ", ".join(f"{name} = {_value(value)}" for name, value in values.items())
    return [
        ("parameters", params or "none"),
        ("all parties", "the parameters, and the names and parts above"),
        ("the network", "who sends to whom, when and how much; no content"),
    ]


def _value(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, cast('tuple[object, ...]', value)))}]"
    return "none" if value is None else str(value)


def _collusion(plan: Plan[Any, Any], threat: str) -> list[str]:
    words = [f"In the words of the protocol: {threat}"] if threat else []
    if not plan.job.protocol.shares_secrets:
        return words
    names = plan.parties.names
    computing = [names[index] for index in plan.parties.computing]
    if not plan.scheme.private:
        return [f"Nobody need collude: with the scheme '{plan.scheme.name}' all who compute see every input."]
    scheme, count = plan.scheme.threat, len(computing)
    tolerated = scheme.tolerates(count)
    found = [
        f"Scheme '{plan.scheme.name}', {scheme.model}: {_any_of(tolerated, count)} may put together what they see, "
        "and learn nothing beyond the results, as long as all follow the protocol."
    ]
    if tolerated == count - 1:
        found.append(f"Only {some_of(computing)} all together could learn every input.")
    else:
        found.append(f"Any {tolerated + 1} of {some_of(computing)} together could learn every input.")
    if plan.dealer is not None:
        dealer = names[plan.dealer]
        found.append(f"{dealer} and any one of them together could learn every input; {dealer} alone learns none.")
    return [*found, *words]


def _any_of(tolerated: int, count: int) -> str:
    """Who may collude, in words."""
    if tolerated == count - 1:
        return "all but one of the computing parties"
    return f"any {'one' if tolerated == 1 else tolerated} of the {count} computing parties"


def _found_by(job: Job[Any, Any], cost: Rehearsal | None, refusal: str) -> list[str]:
    if refusal:
        return [refusal]
    if cost is not None and job.dealer is not None and not cost.asks_dealer:
        return [
            f"{job.dealer} deals, and nobody asks for anything: leave the dealer out, and trust one party less."
        ]
    return []


# How it shows it


def _show(console: Console, found: Explanation) -> None:
    console.print(Text(found.title[0], style="bold"))
    console.print(Text(found.title[1] + "\n"))
    _rows(console, "Who gives what", found.gives)
    _rows(console, "Who does what", found.part)
    _rows(console, "Who learns what", found.learns)
    _paragraphs(console, "In the words of the protocol", found.words)
    _rows(console, "What is seen besides", found.besides)
    _paragraphs(console, "Who must collude to learn more", found.collusion)
    if found.cost is not None:
        _show_cost(console, found.cost)
    if found.risks:
        _paragraphs(console, "Consider", found.risks, style="yellow")


def _rows(console: Console, title: str, rows: Sequence[Row]) -> None:
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


def _show_cost(console: Console, cost: Rehearsal) -> None:
    rounds = f"{_span(cost.rounds)} {'round' if cost.rounds == (1, 1) else 'rounds'}"
    waiting = f"{time_text(cost.lan_seconds)} of waiting on a LAN, {time_text(cost.wan_seconds)} on a WAN (100 ms)"
    rows = "" if cost.rows is None else f" with {cost.rows:,} rows or items of each owner"
    fixed = (
        "two draws cost the same" if cost.is_fixed else "two draws cost unlike: it goes on by what it has opened"
    )
    told = [
        f"{rounds if cost.rounds[1] else 'Messages of its own'}; {waiting}. Computing comes on top.",
        f"Rehearsed on {cost.inputs}{rows}; {fixed}.",
    ]
    console.print(Text("What it costs", style="bold"))
    console.print(Padding(Text(" ".join(told)), (0, 0, 1, 2)))
    table = party_table(("party", "sends", "receives"))
    sizes = {name: (_bytes(cost.sent_bytes[name]), _bytes(cost.received_bytes[name])) for name in cost.told}
    for names, (sent, received) in _grouped(sizes):
        table.add_row(Text(names), Text(sent), Text(received))
    console.print(Padding(table, (0, 0, 1, 2)))
    texts = {name: (text,) for name, text in cost.told.items()}
    _rows(
        console,
        f"What they would read, for {cost.inputs}",
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
