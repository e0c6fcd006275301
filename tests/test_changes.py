"""Fragments of the changelog have the form that CONTRIBUTING.md asks for, and come out of towncrier whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
TYPES = ("wire", "security", "feature", "fix")
NAME = re.compile(rf"[a-z0-9]+(?:-[a-z0-9]+)*\.(?:{'|'.join(TYPES)})\.md")


def problems(folder: Path) -> list[str]:
    """What is wrong with the fragments of a folder, one sentence each."""
    found: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name in {"README.md", "template.md"}:
            continue
        if not NAME.fullmatch(path.name):
            found.append(f"{path.name}: its name is not NAME.TYPE.md, with a type of {', '.join(TYPES)}")
            continue
        text = path.read_text(encoding="utf-8").strip()
        if not re.match(r"[A-Z`]", text) or not text.endswith("."):
            found.append(f"{path.name}: it is not a sentence that begins with a capital and ends with a full stop")
        if re.search(r"^(#|[-*] )", text, re.MULTILINE):
            found.append(f"{path.name}: it has a heading or a list")
    return found


def drafted(folder: Path) -> str:
    """The changelog's next version, as towncrier says it from a project in this folder."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9", "--date", "2026-01-31"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout


def test_every_fragment_has_the_right_form() -> None:
    assert problems(ROOT / "changes") == []


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("jitter.fix.md", "Jitter keeps the order of a link.\n", ""),
        ("two-words.wire.md", "`AGREE` names the provider.\nVersion 1 is refused.\n", ""),
        ("jitter.md", "Jitter keeps the order of a link.", "jitter.md: its name"),
        ("jitter.bugfix.md", "Jitter keeps the order of a link.", "jitter.bugfix.md: its name"),
        ("Jitter.fix.md", "Jitter keeps the order of a link.", "Jitter.fix.md: its name"),
        ("jitter.fix.rst", "Jitter keeps the order of a link.", "jitter.fix.rst: its name"),
        ("jitter.fix.md", "", "jitter.fix.md: it is not a sentence"),
        ("jitter.fix.md", "jitter", "jitter.fix.md: it is not a sentence"),
        ("jitter.fix.md", "Links:\n\n# Jitter.", "jitter.fix.md: it has a heading"),
        ("jitter.fix.md", "Links:\n- of jitter.", "jitter.fix.md: it has a heading or a list"),
    ],
)
def test_the_form(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / "README.md").write_text("no fragment")
    (tmp_path / name).write_text(text)
    found = problems(tmp_path)
    assert len(found) == bool(problem)
    assert all(one.startswith(problem) for one in found)


@pytest.mark.slow
@pytest.mark.processes
def test_towncrier_makes_a_section_for_each_type(tmp_path: Path) -> None:
    (tmp_path / "changes").mkdir()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "changes" / "template.md").write_text((ROOT / "changes" / "template.md").read_text())
    (tmp_path / "changes" / "README.md").write_text("no fragment")
    for kind in TYPES:
        (tmp_path / "changes" / f"a-change.{kind}.md").write_text(f"What {kind} says,\nin two lines.\n")
    assert drafted(tmp_path).split("\n\n") == [
        "## 9.9 (2026-01-31)",
        *(
            part
            for kind, title in zip(TYPES, ("Wire format", "Security", "Features", "Fixes"), strict=True)
            for part in (f"### {title}", f"- What {kind} says,\n  in two lines.")
        ),
        "",
    ]


@pytest.mark.slow
@pytest.mark.processes
def test_towncrier_takes_the_fragments_that_are_there() -> None:
    said = " ".join(drafted(ROOT).split())
    for path in (ROOT / "changes").glob("*.*.md"):
        assert " ".join(path.read_text(encoding="utf-8").split()) in said, path.name


def test_types_are_those_of_the_project_file() -> None:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    assert tuple(kind["directory"] for kind in settings["type"]) == TYPES
    asked_for = re.findall(r"^\| `(\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(asked_for) == sorted(TYPES)


def test_the_changelog_has_a_place_for_the_next_version() -> None:
    assert "\n<!-- towncrier release notes start -->\n" in (ROOT / "CHANGELOG.md").read_text()
