"""A page for each registered protocol, made from its declaration, its docstrings and simulated runs of its example.

The registry is asked, so a new protocol has its page as soon as it is installed.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Sequence
from typing import Any, cast

from mpcnet.cli import sentences
from mpcnet.declare import Job, Many, Protocol, find_protocol, list_protocols
from mpcnet.declare.description import Description, describe
from mpcnet.declare.examples import example_inputs, example_job
from mpcnet.declare.explanation import explain
from mpcnet.sim import Simulation, simulate
from mpcnet.sim.dry_run import dry_run

from .citations import in_markdown
from .costs import Row, cost_rows
from .messages import draw, groups_of, say

__all__ = ("page_of", "pages")

_BUNDLED = "mpcnet_protocols"
_LIST_SIZES = (10, 100, 1000)


def pages() -> dict[str, str]:
    """File name to text: a page for each bundled protocol, and a list of them."""
    made: dict[str, str] = {}
    bundled = [
        found
        for name in list_protocols()
        if (found := find_protocol(name)).function.__module__.partition(".")[0] == _BUNDLED
    ]
    for protocol in bundled:
        made[f"protocols/{protocol.name}.md"] = page_of(protocol)
    made["protocols.md"] = _list(bundled)
    return made


def _list(found: Sequence[Protocol[Any, Any]]) -> str:
    rows = [f"| {{doc}}`{one.name} <protocols/{one.name}>` | {_cell(one.summary)} |" for one in found]
    names = [f"protocols/{one.name}" for one in found]
    return "\n".join(
        [
            "# Protocols",
            "",
            "Every bundled protocol, from its declaration, its docstrings and runs of its example.",
            "",
            "| protocol | computes |",
            "| --- | --- |",
            *rows,
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *names,
            "```",
            "",
        ]
    )


def page_of(protocol: Protocol[Any, Any]) -> str:
    """The page of one protocol."""
    told = describe(protocol)
    job = example_job(protocol, f"{protocol.name}-example")
    run = simulate(job, example_inputs(protocol))
    sections = [
        f"# {protocol.name}",
        f"{told.summary}",
        _drawing_of_module(protocol),
        "\n\n".join(told.text) if told.leaks != told.text else "",
        f"Version {protocol.version}. Try it: `mpcnet demo {protocol.name}`.",
        "## What is declared",
        _declared(protocol, told),
        "## Who learns what",
        _outputs(protocol),
        "\n".join(f"- {item}" for item in told.leaks) if told.leaks != told.text else "\n\n".join(told.text),
        "## Who must collude to learn more",
        _collusion(job),
        "## Messages",
        _messages(protocol, job, run),
        "## Cost",
        _costs(told, job, cost_rows(protocol)),
        "## Source",
        told.source,
    ]
    return in_markdown("\n\n".join(section for section in sections if section) + "\n")


def _drawing_of_module(protocol: Protocol[Any, Any]) -> str:
    """What the module's docstring draws: its indented lines."""
    lines = inspect.cleandoc(sys.modules[protocol.function.__module__].__doc__ or "").splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("    ")]
    if not places:
        return ""
    drawn = [line[4:] for line in lines[places[0] : places[-1] + 1]]
    return "\n".join(["```text", *drawn, "```"])


def _declared(protocol: Protocol[Any, Any], told: Description) -> str:
    example = protocol.example
    assert example is not None  # noqa: S101 -- `example_job` refuses that
    roles = [
        f"| `{name}` | {_members(role)} | {', '.join(_given_by(protocol, name)) or 'nothing'} |"
        for name, role in protocol.roles.items()
    ]
    inputs = [
        f"| `{name}` | `{item.by}` | {_cell(item.phrase(example.params))} | "
        f"{_cell(item.help) if item.is_given else 'computed from the local inputs'} |"
        for name, item in protocol.inputs.items()
    ]
    params = [
        f"| `{field.name}` | {_default(field)} | {_cell(told.parameters.get(field.name, ''))} |"
        for field in dataclasses.fields(protocol.params)
    ]
    return "\n".join(
        [
            "| role | members | gives |",
            "| --- | --- | --- |",
            *roles,
            "",
            "| input | of | in the example | |",
            "| --- | --- | --- | --- |",
            *inputs,
            "",
            "| parameter | default | |",
            "| --- | --- | --- |",
            *params,
        ]
    )


def _outputs(protocol: Protocol[Any, Any]) -> str:
    rows = [f"| `{name}` | {_receivers(protocol, name)} |" for name in protocol.outputs]
    if not rows:
        return "The declaration names no output: the parameters say who learns the result."
    return "\n".join(["| output | revealed to |", "| --- | --- |", *rows])


def _receivers(protocol: Protocol[Any, Any], output: str) -> str:
    fixed = protocol.fixed_receivers(output)
    if fixed is not None:
        return fixed.phrase()
    example = protocol.example
    assert example is not None  # noqa: S101 -- `example_job` refuses that
    return f"whom the parameters say; in the example {protocol.receivers(output, example.params).phrase()}"


def _collusion(job: Job[Any, Any]) -> str:
    """What `mpcnet explain` says of the example."""
    found = explain(job)
    said = [*sentences.collusion(found.collusion), *map(sentences.risk_text, found.risks)]
    lines = [f"- {line}" for line in said]
    return "\n".join(["What `mpcnet explain` says of the example:", "", *lines])


def _messages(protocol: Protocol[Any, Any], job: Job[Any, Any], run: Simulation[Any]) -> str:
    computing = set(job.compute or _givers(protocol, job))
    order = [*(name for names in job.roles.values() for name in names), *job.compute]
    order += [job.dealer] if job.dealer is not None else []
    parties = list(dict.fromkeys(order))
    kinds = {
        name: "dealer" if name == job.dealer else "computes" if name in computing else "does not compute"
        for name in parties
    }
    groups = groups_of(run.trace, parties, job.dealer)
    title = f"Messages of {protocol.name}; the list below the drawing says the same"
    dealt = "" if job.dealer is None else " Questions to the dealer and its answers do not count as online rounds."
    return "\n".join(
        [
            "The messages of the example, inside of the job: the agreement comes before them. A ring marks a party "
            f"that sends and receives, a dot one that sends, an arrow one that receives.{dealt}",
            "",
            "```{raw} html",
            f'<div class="drawing">{draw(title, parties, kinds, groups)}</div>',
            "```",
            "",
            *(f"- {group.when.capitalize()}: {say(group)}." for group in groups),
        ]
    )


def _list_costs(job: Job[Any, Any]) -> list[str]:
    """What lists of several sizes cost, where all that is sent follows from them."""
    sizes = {count: dry_run(job, count) for count in _LIST_SIZES}
    names = list(next(iter(sizes.values())).sent_bytes)
    lines = [
        f"| items in each list | {' | '.join(f'bytes of {name}' for name in names)} | seconds on a WAN |",
        "|" + " ---: |" * (len(names) + 2),
    ]
    for count, found in sizes.items():
        sent = [f"{found.sent_bytes[name][1]:,}" for name in names]
        lines.append(f"| {count:,} | {' | '.join(sent)} | {found.wan_seconds:.2f} |")
    return lines


def _costs(told: Description, job: Job[Any, Any], rows: Sequence[Row]) -> str:
    outside = any(row.outside_bytes is not None for row in rows)
    dealt = any(row.dealer_bytes is not None for row in rows)
    head = ["parties", "of them compute", "rounds", "bytes of a computing party"]
    head += ["bytes of another"] if outside else []
    head += ["bytes of the dealer"] if dealt else []
    head += ["seconds on a WAN"]
    table = [f"| {' | '.join(head)} |", "|" + " ---: |" * len(head)]
    for row in rows:
        cells = [f"{row.parties}", f"{row.computing}", f"{row.rounds}", f"{row.computing_bytes:,}"]
        cells += [_count(row.outside_bytes)] if outside else []
        cells += [_count(row.dealer_bytes)] if dealt else []
        cells += [f"{row.wan_seconds:.2f}"]
        table.append(f"| {' | '.join(cells)} |")
    text = (
        "Counted in simulated runs of the example and of the same with more parties, when this page was made. "
        "Bytes are payload that one party sends to all others but the dealer; the most that any party sends. "
        "Seconds are virtual: the network of the simulator's WAN (100 ms there and back, 100 Mbit/s), with the "
        "agreement, without computing."
    )
    if not job.protocol.shares_secrets:
        table += ["", *_list_costs(job)]
    words = f"Rounds, in the protocol's own words: {told.rounds}" if told.rounds else ""
    return "\n\n".join(part for part in (text, "\n".join(table), words) if part)


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _given_by(protocol: Protocol[Any, Any], role: str) -> list[str]:
    return [f"`{name}`" for name, item in protocol.inputs.items() if item.by == role]


def _givers(protocol: Protocol[Any, Any], job: Job[Any, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for item in protocol.inputs.values() for name in job.roles[item.by]))


def _members(role: Many) -> str:
    if role.least == role.most:
        return f"{role.most}"
    return f"{role.least} or more" if role.most is None else f"{role.least} to {role.most}"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "none: must be given"
    value: Any = field.default
    shown = (
        ", ".join(str(item) for item in cast("tuple[object, ...]", value))
        if isinstance(value, tuple)
        else str(value)
    )
    return f"`{shown}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
