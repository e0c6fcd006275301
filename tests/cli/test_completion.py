"""Completion of words, as a shell asks for it, and in a bash that somebody types into."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import BashComplete

from mpcnet.cli import app, completers
from mpcnet.declare import list_protocols, plugins
from mpcnet.sim import scenario
from tests.support.terminals import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Command

Completed = Callable[..., list[str]]
BASH = shutil.which("bash")


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch) -> Completed:
    """What bash is offered for the last of these words; "(files)" where it is to look for files itself."""

    def complete(*words: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", " ".join(("mpcnet", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        lines = BashComplete(app, {}, "mpcnet", "_MPCNET_COMPLETE").complete().splitlines()
        kinds = [line.partition(",") for line in lines]
        return ["(files)" if kind == "file" else value for kind, _, value in kinds]

    return complete


def test_commands(completed: Completed) -> None:
    assert completed("") == list(app.commands)
    assert completed("ro") == ["roster"]
    assert completed("roster", "ma") == ["make"]
    assert completed("completion", "") == ["bash", "zsh", "fish"]


def test_names_of_what_is_installed(completed: Completed) -> None:
    assert completed("demo", "") == list_protocols()
    assert completed("protocols", "second") == ["second-price-auction"]
    assert completed("sim", "--scenario", "r") == ["raises"]
    assert completed("sim", "--network", "") == ["lan", "wan"]
    assert completed("job", "average", "--scheme", "") == plugins.list_schemes()
    assert completed("job", "average", "--provider", "") == plugins.list_providers()


def test_groups_are_those_of_the_session(monkeypatch: pytest.MonkeyPatch, completed: Completed) -> None:
    """Their names stand in two places, since completion does not wait for the session to be imported."""
    asked: list[str] = []
    monkeypatch.setattr(completers, "_registered", lambda group: asked.append(group) or [])  # type: ignore[func-returns-value]
    for words in (("demo", ""), ("sim", "--scenario", ""), ("job", "average", "--scheme", "")):
        assert completed(*words) == []
    assert asked == [plugins.PROTOCOLS, scenario.SCENARIOS, plugins.SCHEMES]


def test_what_a_protocol_declares(completed: Completed) -> None:
    assert completed("job", "statistics", "--role", "") == ["owners="]
    assert completed("job", "statistics", "--param", "min") == ["minimum_group_size="]
    assert completed("job", "nothing", "--param", "") == []


def test_what_a_folder_holds(four: Path, completed: Completed) -> None:
    assert completed("run", "") == ["job.toml"]
    assert completed("sim", "jo") == ["job.toml"]
    assert completed("run", "job.toml", "--as", "") == ["alice", "bob", "carol", "dave"]
    assert completed("run", "job.toml", "--as", "alice", "--input", "") == ["value="]
    assert completed("run", "job.toml", "--as", "zoe", "--input", "v") == ["value="]
    assert completed("run", "job.toml", "--as", "bob", "--key", "b") == ["bob.key"]
    assert completed("job", "average", "--dealer", "c") == ["carol"]
    assert completed("run", "job.toml", "--as", "bob", "--inputs", "") == ["(files)"]


def test_who_deals_is_a_party_of_the_job(folder: Path, mpcnet: Command, completed: Completed) -> None:
    (folder / "job.toml").write_text(mpcnet("job", "first-price-auction").out)
    assert completed("run", "job.toml", "--as", "") == ["alice", "bob", "carol", "dave", "seller", "notary", "dora"]


def test_job_files_of_another_folder(folder: Path, mpcnet: Command, completed: Completed) -> None:
    (folder / "jobs").mkdir()
    (folder / "jobs" / "lunch.toml").write_text(mpcnet("job", "tally").out)
    assert completed("run", "jobs/") == ["jobs/lunch.toml"]


@pytest.mark.parametrize(
    "content", [b"\xff", b"[", b"protocol = 3\nroles = 4\ncompute = 5\n", b"roles = {owners = 1}"]
)
def test_damaged_files_complete_nothing(folder: Path, completed: Completed, content: bytes) -> None:
    for name in ("job.toml", "roster.toml"):
        (folder / name).write_bytes(content)
    assert completed("run", "job.toml", "--as", "") == []
    assert completed("run", "job.toml", "--as", "x", "--input", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_how_to_install_it(mpcnet: Command, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    ended = mpcnet("completion", shell)
    assert f"_MPCNET_COMPLETE={shell}_complete" in ended.out
    assert f"# for good:         mpcnet completion {shell} > ~/" in ended.out
    assert ended.out.startswith("#compdef mpcnet\n" if shell == "zsh" else "# Completion of mpcnet")
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert mpcnet("completion").out == ended.out


def test_a_shell_that_we_do_not_know(mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    ended = mpcnet("completion")
    assert (ended.code, ended.complaint) == (2, "name your shell: bash, zsh, fish")


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_in_bash(four: Path) -> None:
    """Somebody types, and presses the tabulator key."""
    assert BASH is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Terminal([BASH, "--norc", "--noprofile", "-i"], cwd=four, PATH=path, PS1="$ ") as bash:
        bash.sendline('bind "set enable-bracketed-paste off"; eval "$(mpcnet completion bash)"; echo re""ady')
        bash.expect_exact("ready")
        bash.send("mpcnet run j\t")
        bash.expect_exact("mpcnet run job.toml ")
        bash.send("--as al\t")
        bash.expect_exact("--as alice ")
        bash.send("--input v\t")
        bash.expect_exact("--input value=")
        bash.send("3800")
        bash.expect_exact("3800")
        assert bash.before == "", "a blank after the sign"
