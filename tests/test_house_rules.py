"""Rules of this house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path
    for folder in ("mpcnet", "protocols", "sims")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
PUBLIC = (
    "mpcnet",
    "mpcnet.aio",
    "mpcnet.dsl",
    "mpcnet.engine",
    "mpcnet.identity",
    "mpcnet.noise",
    "mpcnet.schemes",
    "mpcnet.session",
    "mpcnet.sets",
    "mpcnet.sim",
    "mpcnet.testing",
)


def test_there_are_sources() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_one_thing(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450
    assert path.stem not in {"utils", "util", "helpers", "common", "manager", "data", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_begins_with_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "a module docstring is missing"
    assert "NotImplementedError" not in text


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_a_sorted_tuple_of_what_exists(name: str) -> None:
    module = importlib.import_module(name)
    exported: tuple[str, ...] = module.__all__
    assert type(exported) is tuple
    # ruff's order: constants, classes, then functions, each sorted
    assert len(set(exported)) == len(exported)
    assert all(hasattr(module, item) for item in exported)


def test_entry_points_are_those_of_the_project_file() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group, declared in project["entry-points"].items():
        installed = {
            point.name: point.value
            for point in importlib.metadata.distribution("mpcnet").entry_points
            if point.group == group
        }
        assert installed == declared, "new entry points need 'pip install -e .' again"


def test_every_cited_work_is_in_the_references() -> None:
    known = set(re.findall(r"^\| \[(\w+)\]", (ROOT / "docs" / "references.md").read_text(), re.MULTILINE))
    cited: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                cited |= set(re.findall(r"\[([A-Z][A-Za-z]+\d\d|Noise)\]", ast.get_docstring(node) or ""))
    assert cited
    assert cited <= known


TO_BE_READ = {("mpcnet", "session"), ("mpcnet", "transport")}
"""Rooms whose comments and messages have not been rid of retired words yet."""


def retired() -> tuple[list[str], list[str]]:
    """Words and names that the glossary has retired."""
    table = (ROOT / "docs" / "glossary.md").read_text().split("## Words that are not used here\n")[1]
    entries = [
        entry.strip() for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for entry in row.split(",")
    ]
    words = [entry for entry in entries if re.fullmatch(r"[a-z]+(?: [a-z]+)*", entry)]
    names = [entry.strip("`") for entry in entries if entry.startswith("`")]
    return words[1:], names  # the first is the heading


def uses(paths: Iterable[Path], expressions: Iterable[str], flags: re.RegexFlag = re.NOFLAG) -> list[str]:
    """Where one of the expressions stands, as whole words."""
    searched = re.compile(rf"\b(?:{'|'.join(expressions)})\b", flags)
    return [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := searched.search(line))
    ]


def test_the_glossary_retires_words_and_names() -> None:
    words, names = retired()
    assert {"somebody", "whoever"} <= set(words)
    assert {"Settling", "Desk"} <= set(names)
    assert uses([Path(__file__)], ["somebody"]), "this file names it, so that the search finds it"


def test_retired_words_stand_nowhere() -> None:
    words, names = retired()
    written = [path for path in pages() if path.name != "glossary.md"]
    spoken = [path for path in SOURCES if path.relative_to(ROOT).parts[:2] not in TO_BE_READ]
    spoken += [path for folder in ("benchmarks", "examples", "docs") for path in (ROOT / folder).rglob("*.py")]
    assert uses([*written, *spoken], [re.escape(word) for word in words], re.IGNORECASE) == []
    folders = ("mpcnet", "protocols", "sims", "tests", "benchmarks", "examples", "tools", "docs")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    assert uses([*code, *written], [re.escape(name) for name in names]) == []


def pages() -> list[Path]:
    """Every page that people write; those that the builder makes are checked when the site is built."""
    written = [path for path in (ROOT / "docs").rglob("*.md") if "generated" not in path.parts]
    return [*ROOT.glob("*.md"), *written, *(ROOT / "changes").glob("*.md"), *(ROOT / "examples").glob("*.md")]


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith(("http://", "https://")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
