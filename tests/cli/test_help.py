"""Help: every command has examples, and every example is what one can type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import pytest

from mpcnet.cli import app
from mpcnet.cli.click_app import Command as DeclaredCommand
from mpcnet.cli.click_app import Group

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

_SHELL = ("|", ">", "<", "&&")
_PROCESSES = (["demo"], ["run"], ["keygen", "alice", "--passphrase"])
"""What starts processes, waits for others, or asks somebody at a keyboard: its words are understood, no more."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(app))
EXAMPLES = sorted(
    {
        line
        for command in ALL.values()
        if isinstance(command, DeclaredCommand | Group)
        for line, _ in command.examples
    }
)


def words_of(line: str) -> list[str]:
    """The words that the command gets: what the shell does with the rest of the line is its own affair."""
    if line.startswith("eval "):
        line = line.removeprefix('eval "$(').removesuffix(')"')
    words = shlex.split(line)
    end = next((place for place, word in enumerate(words) if word in _SHELL), len(words))
    assert words[0] == "mpcnet", line
    return words[1:end]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
@pytest.mark.parametrize("columns", [80, 40])
def test_help(mpcnet: Command, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ended = mpcnet(*path, "--help")
    assert (ended.code, ended.err) == (0, "")
    above, _, examples = ended.out.partition("\nExamples:\n")
    lines = examples.splitlines()
    assert lines, "there are no examples"
    assert all(line.startswith(("  mpcnet ", "    ", "  eval ")) for line in lines)
    # A line to type is not broken: it would be another one.
    assert max(len(line) for line in above.splitlines()) <= 80
    assert max(len(line) for line in lines) <= 90


@pytest.mark.parametrize("path", [(), ("roster",)], ids=["mpcnet", "roster"])
def test_a_group_alone_shows_its_help(mpcnet: Command, path: tuple[str, ...]) -> None:
    assert mpcnet(*path) == mpcnet(*path, "--help")


def test_the_commands_stand_in_the_order_of_their_use(mpcnet: Command) -> None:
    lines = mpcnet("--help").out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(app.commands)
    assert lines[0].split()[0] == "demo"


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_can_be_typed(line: str) -> None:
    words = words_of(line)
    context = app.make_context("mpcnet", list(words))
    command: click.Command = app
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, [*context._protected_args, *context.args])  # pyright: ignore[reportPrivateUsage]
        assert found is not None
        command = found
        context = command.make_context(name, list(words), parent=context)


def test_examples_run(four: Path, mpcnet: Command) -> None:
    """One after the other in a folder of four parties, whatever starts no process."""
    (four / "inputs.json").write_text(
        '{"alice": {"value": 1}, "bob": {"value": 2}, "carol": {"value": 3}, "dave": {"value": 4}}'
    )
    erin = mpcnet("keygen", "erin", "--address", "127.0.0.1:9105").out
    for number, line in enumerate(EXAMPLES):
        words = words_of(line)
        if any(words[: len(start)] == start for start in _PROCESSES):
            continue
        if words[0] == "keygen":
            words = [*words, "--out", f"{number}.key"]
        words = [erin if word.startswith("$(cat") else word for word in words]
        if "*.line" in words:
            words = [*words[:-1], *map(str, sorted(four.glob("*.line")))]
        stdin = "".join(path.read_text() for path in four.glob("*.line")) if "-" in words else ""
        if words[:2] == ["roster", "make"]:
            words = [*words, "--force"]
        ended = mpcnet(*words, stdin=stdin)
        assert ended.code == 0, (line, ended.err)
        assert ended.out, line
