"""`mpcnet protocols`: what is installed, and what each protocol declares."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mpcnet.cli.click_app import stdout
from mpcnet.cli.commands import Protocols
from mpcnet.cli.formatting import plain
from mpcnet.cli.tables import party_table
from mpcnet.declare import (
    Declaration,
    Example,
    Many,
    Protocol,
    find_protocol,
)
from mpcnet.declare.description import Description, describe
from mpcnet.declare.plugins import load_protocols

__all__ = ("show_protocols",)


def show_protocols(asked: Protocols) -> None:
    """List the installed protocols, or describe one."""
    if asked.name and asked.as_json:
        click.echo(json.dumps(_document(find_protocol(asked.name))))
    elif asked.name:
        _describe(stdout(), find_protocol(asked.name))
    else:
        found, broken = load_protocols()
        if asked.as_json:
            errors = [{"name": item, "error": reason} for item, reason in broken.items()]
            click.echo(json.dumps([*map(_document, found), *errors]))
        else:
            _list(stdout(), found, broken)


# Descriptions


def _list(console: Console, found: Sequence[Protocol[Any, Any]], broken: Mapping[str, str]) -> None:
    table = party_table(("protocol", "what it computes"))
    for item in found:
        table.add_row(Text(item.name), Text(item.summary))
    console.print(table)
    if broken:
        console.print()
        _section(console, "installed, but cannot be used", broken)
    console.print(Text("\nmpcnet protocols NAME tells more; mpcnet demo NAME runs its example.", style="dim"))


def _describe(console: Console, protocol: Protocol[Any, Any]) -> None:
    console.print(Text.assemble((protocol.name, "bold"), f"  version {protocol.version}\n"))
    told = describe(protocol)
    for paragraph in _paragraphs(told):
        console.print(Text(paragraph + "\n"))
    _section(console, "roles", {name: _members(role) for name, role in protocol.roles.items()})
    _section(console, "parameters", _parameters(protocol, told.parameters))
    given = {f"{name} (of {item.by})": _asked(item) for name, item in protocol.inputs.items() if item.is_given}
    _section(console, "inputs", given)
    _section(console, "outputs", {name: f"to {_receivers(protocol, name)}" for name in protocol.outputs})
    _section(console, "in the example", _surroundings(protocol.example))
    if protocol.example is not None:
        console.print(Text(f"mpcnet demo {protocol.name} runs an example.", style="dim"))


def _surroundings(example: Example[Any] | None) -> dict[str, str]:
    """Who takes part in the example without a role."""
    rows: dict[str, str] = {}
    if example is not None and example.compute:
        rows["compute"] = ", ".join(example.compute)
    if example is not None and example.dealer is not None:
        rows["deals"] = f"{example.dealer}: makes randomness for those who compute, and takes no other part"
    return rows


def _section(console: Console, title: str, rows: Mapping[str, str]) -> None:
    if not rows:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for name, text in rows.items():
        table.add_row(Text(name), Text(text))
    console.print(Text(title, style="bold"))
    console.print(Padding(table, (0, 0, 1, 2)))


def _paragraphs(told: Description) -> list[str]:
    sections = {"Threat model": told.threat, "Rounds": told.rounds, "Source": told.source}
    items = [f"- {item}" for item in told.leaks]
    leaks = ["\n".join(["Who learns what:", *items])] if told.leaks != told.text else []
    return [told.summary, *told.text, *leaks, *(f"{name}: {text}" for name, text in sections.items() if text)]


def _members(role: Many) -> str:
    if role.least == role.most:
        return "one party" if role.most == 1 else f"{role.most} parties"
    return f"at least {role.least} parties" if role.most is None else f"{role.least} to {role.most} parties"


def _parameters(protocol: Protocol[Any, Any], help_of: Mapping[str, str]) -> dict[str, str]:
    rows: dict[str, str] = {}
    for field in dataclasses.fields(protocol.params):
        has_default = field.default is not dataclasses.MISSING
        default = f" (default {_value_text(field.default)})" if has_default else " (no default)"
        rows[field.name] = help_of.get(field.name, "") + default
    return rows


def _value_text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)


def _asked(declaration: Declaration) -> str:
    help_text = f": {declaration.help}" if declaration.help else ""
    return f"{declaration.phrase()}{help_text}"


def _receivers(protocol: Protocol[Any, Any], output: str) -> str:
    fixed = protocol.fixed_receivers(output)
    return "whom the parameters say" if fixed is None else fixed.phrase()


def _described_receivers(protocol: Protocol[Any, Any], output: str) -> object:
    fixed = protocol.fixed_receivers(output)
    return None if fixed is None else fixed.describe()


def _document(protocol: Protocol[Any, Any]) -> dict[str, Any]:
    inputs = {
        name: {"kind": item.kind, "by": item.by, "help": item.help, "derived": not item.is_given}
        for name, item in protocol.inputs.items()
    }
    parameters = {
        field.name: {} if field.default is dataclasses.MISSING else {"default": plain(field.default)}
        for field in dataclasses.fields(protocol.params)
    }
    return {
        "name": protocol.name,
        "version": protocol.version,
        "summary": protocol.summary,
        "description": inspect.cleandoc(protocol.function.__doc__ or ""),
        "roles": {name: {"least": role.least, "most": role.most} for name, role in protocol.roles.items()},
        "parameters": parameters,
        "inputs": inputs,
        "outputs": {name: _described_receivers(protocol, name) for name in protocol.outputs},
        "example": _example_document(protocol.example),
    }


def _example_document(example: Example[Any] | None) -> dict[str, Any] | None:
    if example is None:
        return None
    roles = {name: list(members) for name, members in example.roles.items()}
    return {"roles": roles, "compute": list(example.compute), "dealer": example.dealer}
