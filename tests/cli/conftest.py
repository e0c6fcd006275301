"""A folder of parties, and the command as a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mpcnet.cli import app
from mpcnet.transport.free_ports import free_ports


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The only line on standard error, without its "error: "."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


Command = Callable[..., Ended]


@pytest.fixture
def mpcnet(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in this process: words, and what stands on standard input."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str, stdin: str = "") -> Ended:
        result = CliRunner().invoke(app, list(words), input=stdin, prog_name="mpcnet")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which commands run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


PARTIES = ("alice", "bob", "carol", "dave")


@pytest.fixture
def four(folder: Path, mpcnet: Command) -> Path:
    """A folder as the README makes it: keys, lines, roster, job file."""
    write_lines(mpcnet, folder, PARTIES)
    assert mpcnet("roster", "make", *(f"{name}.line" for name in PARTIES)).code == 0
    (folder / "job.toml").write_text(mpcnet("job", "average", "--label", "raises-2026").out)
    return folder


def write_lines(mpcnet: Command, folder: Path, names: Sequence[str]) -> None:
    for name, port in zip(names, free_ports(len(names)), strict=True):
        made = mpcnet("keygen", name, "--address", f"127.0.0.1:{port}")
        assert made.code == 0, made.err
        (folder / f"{name}.line").write_text(made.out)
