"""The command line's help, as pages say it: every command with its options, as `--help` prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mpcnet.cli import app

__all__ = ("pages",)


def pages() -> dict[str, str]:
    """File name to text."""
    parts = ["# Command line\n\nWhat `--help` says of each command.\n"]
    for path, command, context in _walk(
        app, click.Context(app, info_name="mpcnet", terminal_width=80, **app.context_settings)
    ):
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return {"commands.md": "\n".join(parts)}


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    context.color = False
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _walk(inner, click.Context(inner, info_name=name, parent=context, terminal_width=80))
