"""The page about attacks names real tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "attacks.md").read_text())))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 50


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_it_exists(file: str, name: str) -> None:
    defined = {
        node.name
        for node in ast.parse((ROOT / file).read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in defined


def test_every_path_is_of_this_form() -> None:
    text = (ROOT / "docs" / "attacks.md").read_text()
    assert len(re.findall(r"tests/[\w/]+\.py", text)) == len(re.findall(r"`tests/[\w/]+\.py::\w+`", text))


@pytest.mark.parametrize("kind", ["PAIR_SEED", "AGREE", "CONFIRM", "ROUND", "DATA", "CREDIT", "FINISH", "ABORT"])
def test_every_kind_of_message_is_looked_at(kind: str) -> None:
    assert kind in (ROOT / "docs" / "attacks.md").read_text()
