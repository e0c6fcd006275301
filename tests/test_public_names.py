"""The names of `mpcnet` itself: type checkers read what one gets, and nothing heavy comes before it is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mpcnet


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
