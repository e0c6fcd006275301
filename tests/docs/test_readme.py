"""The README's examples run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.support.addresses import with_free_ports

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
NAMES = ("alice", "bob", "carol", "dave")
RAISES = {"alice": "3800", "bob": "2514", "carol": "2982", "dave": "3390"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def environment() -> dict[str, str]:
    """With the commands of this environment first, as after installing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1"}


def test_the_first_screen_shows_the_two_commands() -> None:
    first = README.split("## ", 1)[0]
    assert "make demo" in first
    assert "make test" in first
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)


def test_a_protocol_in_ten_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    define, run = blocks("python")[:2]
    module = types.ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    exec(compile(define + run, "README.md", "exec"), module.__dict__)  # noqa: S102 -- our own text
    expected = re.search(r"# (81\.0 1 round)", run)
    assert expected is not None
    assert capsys.readouterr().out.strip() == expected[1]


@pytest.mark.slow
@pytest.mark.processes
def test_four_terminals_and_an_embedded_party(tmp_path: Path) -> None:
    keys, roster, run = blocks("sh")
    keys = with_free_ports(keys)
    for block in (keys, roster):
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment(), check=True, timeout=60
        )
    command = run.split("#", 1)[0].strip()
    assert command == "mpcnet run job.toml --as alice"
    printed = together(
        {name: [*command.replace("alice", name).split(), "--input", "value=-"] for name in NAMES}, tmp_path
    )
    assert all("12,686" in text and "3,171.50" in text for text in printed.values())

    embedded = blocks("python")[2]
    programs = {name: embedded.replace("alice.key", f"{name}.key").replace("3800", RAISES[name]) for name in NAMES}
    printed = together({name: [sys.executable, "-c", text] for name, text in programs.items()}, tmp_path)
    assert set(printed.values()) == {"12686 3171.5\n"}


def together(commands: dict[str, list[str]], folder: Path) -> dict[str, str]:
    """Start one process per party, give each its raise on standard input, and return what they print."""
    started = {
        name: subprocess.Popen(
            command, cwd=folder, env=environment(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name, command in commands.items()
    }
    try:
        for name, process in started.items():
            assert process.stdin is not None
            process.stdin.write(RAISES[name] + "\n")
            process.stdin.close()
            process.stdin = None
        printed = {name: process.communicate(timeout=60)[0] for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
            process.wait()
    assert {name: process.returncode for name, process in started.items()} == dict.fromkeys(NAMES, 0)
    return printed
