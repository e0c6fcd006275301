"""The names of `mpcnet` itself: type checkers read what one gets, and nothing heavy comes before it is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mpcnet
from mpcnet.identity import Identity, Member


def test_names_are_those_that_type_checkers_see() -> None:
    tree = ast.parse(Path(mpcnet.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen: dict[str, str] = {}
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom)
        seen |= {alias.name: str(statement.module) for alias in statement.names}
    assert sorted(seen) == sorted(mpcnet.__all__)
    for name, module in seen.items():
        assert getattr(mpcnet, name) is getattr(importlib.import_module(module), name), name
    assert set(mpcnet.__all__) <= set(dir(mpcnet))


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="'mpcnet' has no attribute 'Program'"):
        _ = mpcnet.Program  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


HEAVY = ("numpy", "trio", "rich", "asyncio", "mpcnet.declare", "mpcnet.session", "mpcnet.sim")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("lines", "loaded"),
    [
        (["keygen alice --address localhost:1", "roster line alice --address localhost:1"], {"rich"}),
        (["roster make a.line b.line --out r.toml", "roster fingerprint --roster r.toml"], {"rich"}),
        (["job average"], {"numpy", "mpcnet.declare"}),
        (["protocols --json"], {"numpy", "rich", "mpcnet.declare"}),
        (["run none.toml --as alice --events"], {"numpy", "trio", "rich", "mpcnet.declare", "mpcnet.session"}),
    ],
)
def test_a_command_loads_what_it_uses(tmp_path: Path, lines: list[str], loaded: set[str]) -> None:
    """rich shows remarks and errors; what else is loaded that a command does not use is time that people wait."""
    for name, seed in (("a", 1), ("b", 2)):
        key = Identity(bytes([seed]) * 32).public
        (tmp_path / f"{name}.line").write_text(Member(0, name, key, f"localhost:{seed}").line)
    program = f"""
import sys
from mpcnet.cli import app
for line in {lines!r}:
    try:
        app.main(line.split(), prog_name="mpcnet")
    except SystemExit as ended:
        assert not ended.code or "none.toml" in line, ended.code
print(" ".join(set({HEAVY!r}) & set(sys.modules)))
"""
    command = [sys.executable, "-P", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(ended.stdout.splitlines()[-1].split()) == loaded


@pytest.mark.processes
def test_a_party_that_a_program_started_loads_no_display() -> None:
    program = "import sys, mpcnet.cli.run; print(sorted({'rich', 'asyncio', 'mpcnet.sim'} & set(sys.modules)))"
    command = [sys.executable, "-P", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.processes
def test_help_and_completion_wait_for_nothing_heavy() -> None:
    """In a fresh interpreter: this one has everything already."""
    program = """
import os, sys
os.environ |= {"_MPCNET_COMPLETE": "bash_complete", "COMP_WORDS": "mpcnet demo second", "COMP_CWORD": "2"}
from mpcnet.cli import app
for words in (["--help"], ["run", "--help"], ["completion", "fish"], []):
    try:
        app.main(words, prog_name="mpcnet", complete_var=None if words else "_MPCNET_COMPLETE")
    except SystemExit as ended:
        assert not ended.code, ended.code
    os.environ.pop("_MPCNET_COMPLETE", None) if not words else None
print(sorted({"numpy", "trio", "nacl", "cryptography", "mpcnet.session", "rich"} & set(sys.modules)))
"""
    command = [sys.executable, "-P", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    *_, completed, heavy = ended.stdout.splitlines()
    assert completed == "plain,second-price-auction"
    assert heavy == "[]"
