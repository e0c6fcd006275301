"""Exit codes, and one sentence for whatever goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mpcnet import AgreementMismatch, DeadlineExceeded, LocalError, PeerAborted, PeerLost, RangeError
from mpcnet.cli.click_app import App, note_json, say, stdout
from mpcnet.cli.formatting import explained
from mpcnet.declare import list_protocols
from mpcnet.declare.plugins import find_protocol

if TYPE_CHECKING:
    from tests.cli.conftest import Command

LOST = PeerLost("bob", "left in the middle")


def failing(error: BaseException) -> App:
    group = App()

    @group.command()
    @click.option("--json", "as_json", is_flag=True, is_eager=True, callback=note_json)
    def fail(as_json: bool) -> None:
        raise error

    return group


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (LocalError("a role is missing"), 2, "error: a role is missing"),
        (RangeError("outside"), 2, "error: outside"),
        (LOST, 1, "error: bob: left in the middle"),
        (DeadlineExceeded(["bob"], "to agree"), 1, "error: the deadline passed while waiting for bob (to agree)"),
        (PeerAborted("bob", "ended the job:\nsomehow"), 1, "error: bob: ended the job: somehow"),
        (ExceptionGroup("many", [ValueError(), ExceptionGroup("more", [LOST])]), 1, f"error: {LOST}"),
        (LocalError("a \x1b[2Jscreen"), 2, "error: a \N{REPLACEMENT CHARACTER}[2Jscreen"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (BaseExceptionGroup("many", [LOST, KeyboardInterrupt()]), 130, "interrupted"),
    ],
)
def test_code_and_line(error: BaseException, code: int, line: str) -> None:
    result = CliRunner().invoke(failing(error), ["fail"])
    assert result.exit_code == code
    assert result.stderr.splitlines() == [line]
    assert result.stdout == ""


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9b2J", "\r\x08\x7f", "abc\u202egnp.exe"])
def test_no_text_of_others_moves_the_cursor(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(text)
    table.add_row(text)
    for shown in (Text(text), text, table, Padding(Text(text), 1)):
        stdout().print(shown)
    say(text)
    captured = capsys.readouterr()
    found = captured.out + captured.err + explained(replace(find_protocol("tally"), explain=None), {text: [text]})
    assert not set(text) & set(found) & set("\x1b\x07\x9b\r\x08\x7f\u202e")


def test_an_error_of_a_plugin_is_not_quoted() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("3800 / 0")), ["fail"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: the program failed with ZeroDivisionError; 'mpcnet --verbose' shows where"
    ]


@pytest.mark.parametrize(
    ("error", "parties"),
    [
        (LOST, ["bob"]),
        (AgreementMismatch("bob", {"label": ("1", "2")}), ["bob"]),
        (DeadlineExceeded(["bob", "carol"], "to agree"), ["bob", "carol"]),
        (LocalError("no"), []),
    ],
)
def test_errors_for_programs(error: Exception, parties: list[str]) -> None:
    result = CliRunner().invoke(failing(error), ["fail", "--json"])
    document = json.loads(result.stdout)["error"]
    assert document == {"type": type(error).__name__, "message": str(error), "parties": parties}
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.processes
@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_a_pipe_in_place_of_a_file_ends_no_command(tmp_path: Path) -> None:
    """As a process does that has mpcnet loaded and forks for each command."""
    program = """
import os, sys
import mpcnet.cli
os.dup2(int(sys.argv[1]), 2)
sys.argv = ["mpcnet", "--version"]
mpcnet.cli.main()
"""
    ours, theirs = os.pipe()
    with (tmp_path / "errors").open("w") as errors:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", program, str(theirs)],
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=[theirs],
            text=True,
            check=False,
        )
    os.close(ours)
    os.close(theirs)
    assert (ended.returncode, ended.stdout[:8]) == (0, "mpcnet 0")


def test_the_version(mpcnet: Command) -> None:
    assert mpcnet("--version").out.startswith("mpcnet 0.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "there is no command 'fly' (see 'mpcnet --help')"),
        (["rum"], "there is no command 'rum'; did you mean 'run'? (see 'mpcnet --help')"),
        (["roster", "mkae"], "there is no command 'mkae'; did you mean 'make'? (see 'mpcnet roster --help')"),
        (["run", "job.toml"], "Missing option '--as' (see 'mpcnet run --help')"),
        (
            ["run", "job.toml", "--inptu=3800"],
            "there is no such option: --inptu; did you mean '--input'? (see 'mpcnet run --help')",
        ),
        (["run", "job.toml", "-3800"], "there is no such option (see 'mpcnet run --help')"),
        (
            ["run", "job.toml", "--as", "alice", "3800"],
            "there is a word too many; quote values with blanks (see 'mpcnet run --help')",
        ),
        (
            ["protocols", "averag"],
            f"there is no protocol named 'averag'; installed: {', '.join(list_protocols())}"
            "; did you mean 'average'?",
        ),
    ],
)
def test_words_that_are_no_command(mpcnet: Command, words: list[str], message: str) -> None:
    ended = mpcnet(*words)
    assert (ended.code, ended.complaint, ended.out) == (2, message, "")
