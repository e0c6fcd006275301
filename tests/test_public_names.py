"""The names of `mpcnet` itself: type checkers read what one gets, and nothing heavy comes before it is used."""

from __future__ import annotations

import ast
import importlib
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
