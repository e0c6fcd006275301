"""The skeleton of a protocol: complete, working, and refused where it would not work."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpcnet.cli import new

if TYPE_CHECKING:
    from tests.cli.conftest import Command

FILES = {
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "src/mpcnet_wage_floor/__init__.py",
    "src/mpcnet_wage_floor/py.typed",
    "tests/test_wage_floor.py",
}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_it_writes_and_says(folder: Path, mpcnet: Command) -> None:
    ended = mpcnet("new", "wage-floor")
    assert (ended.code, ended.err) == (0, "")
    for line in (
        "cd wage-floor",
        "pip install -e '.[dev]'",
        "mpcnet sim wage-floor",
        "mpcnet demo wage-floor",
        "pytest",
    ):
        assert f"\n  {line}\n" in ended.out
    assert "make it yours: wage-floor/src/mpcnet_wage_floor/__init__.py" in ended.out
    made = folder / "wage-floor"
    assert files_in(folder) == {f"wage-floor/{name}" for name in FILES}
    assert made.stat().st_mode & 0o777 == 0o755
    project = tomllib.loads((made / "pyproject.toml").read_text())
    assert project["project"]["name"] == "mpcnet-wage-floor"
    points = {"mpcnet.protocols": {"wage-floor": "mpcnet_wage_floor:wage_floor"}}
    assert project["project"]["entry-points"] == points
    assert project["project"]["dependencies"] == ["mpcnet>=0.1"]
    for name in FILES:
        text = (made / name).read_text()
        assert "$" not in text
        if name.endswith(".py"):
            ast.parse(text)
    readme = (made / "README.md").read_text()
    for line in ("pip install -e '.[dev]'", "mpcnet protocols", "mpcnet sim wage-floor", "mpcnet demo wage-floor"):
        assert f"\n    {line}" in readme


def test_its_code_is_tidy(folder: Path, mpcnet: Command) -> None:
    """That it runs and passes its own test, `make wheel` shows, where pip has installed it."""
    mpcnet("new", "wage-floor")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--line-length", "120"]
    for command in (
        [*ruff, "check", *options, "--select", "E,F,W,I,B,UP,RUF", "."],
        [*ruff, "format", *options, "--check", "."],
    ):
        ended = subprocess.run(
            command, cwd=folder / "wage-floor", capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_another_folder(folder: Path, mpcnet: Command) -> None:
    ended = mpcnet("new", "floor", "--folder", "deep/down/here")
    assert ended.code == 0
    assert "cd deep/down/here" in ended.out
    assert (folder / "deep/down/here/src/mpcnet_floor/__init__.py").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Wage_Floor", "lower case words joined by hyphens, 40 letters at most; try 'wage-floor'"),
        ("2nd price", "try 'nd-price'"),
        ("wage--floor", "try 'wage-floor'"),
        ("../floor", "try 'floor'"),
        ("ж", "lower case words joined by hyphens, 40 letters at most"),
        ("a" * 41, "40 letters at most"),
        ("class", "has a meaning in Python or mpcnet"),
        ("protocol", "has a meaning in Python or mpcnet"),
        ("average", "a protocol named 'average' is installed already"),
        ("sims", "a package named 'mpcnet_sims' is installed already"),
    ],
)
def test_names_that_are_no_good(folder: Path, mpcnet: Command, name: str, text: str) -> None:
    ended = mpcnet("new", name)
    assert ended.code == 2
    assert text in ended.complaint
    assert not list(folder.iterdir())


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_not_touched(folder: Path, mpcnet: Command, kind: str) -> None:
    there = folder / "floor"
    if kind == "folder":
        there.mkdir()
    elif kind == "file":
        there.write_text("mine")
    else:
        there.symlink_to("nowhere")
    ended = mpcnet("new", "floor")
    assert ended.code == 2
    assert "floor exists already; remove it, or name another folder with --folder" in ended.complaint
    assert [path.name for path in folder.iterdir()] == ["floor"]
    assert kind != "file" or there.read_text() == "mine"


def test_all_or_nothing(folder: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = new._FILES  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(new, "_FILES", {**whole, "last": "no-such-template.in"})
    ended = mpcnet("new", "floor")
    assert ended.code == 2
    assert "floor cannot be made: No such file or directory" in ended.complaint
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_made(folder: Path, mpcnet: Command) -> None:
    (folder / "file").write_text("")
    ended = mpcnet("new", "floor", "--folder", "file/floor")
    assert ended.code == 2
    assert "file/floor cannot be made: " in ended.complaint
