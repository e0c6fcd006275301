"""The page about failures quotes sentences that the code says, and leaves out no kind of error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mpcnet.errors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "read-a-failure.md").read_text()
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "mpcnet").rglob("*.py")))
QUOTED = re.findall(r"^\| `([^`]+)`", PAGE.split("## By sentence")[1], re.MULTILINE)


def fixed_parts(sentence: str) -> list[str]:
    """What of a sentence does not depend on names and numbers: between the fields of a format string."""
    parts = re.split(r"\bbob\b|'x'|\bplain\b|'|\d+|\.\.\.", sentence)
    return [part.strip(" ()") for part in parts if len(part.strip(" ()")) > 8]


def test_there_are_sentences() -> None:
    assert len(QUOTED) >= 10
    assert all(fixed_parts(sentence) for sentence in QUOTED)


@pytest.mark.parametrize("sentence", QUOTED)
def test_the_code_says_so(sentence: str) -> None:
    missing = [part for part in fixed_parts(sentence) if part not in SOURCES]
    assert not missing


KINDS = [name for name in mpcnet.errors.__all__ if isinstance(getattr(mpcnet.errors, name), type)]


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"MpcnetError", "PeerError"}))
def test_every_kind_of_error_is_told(name: str) -> None:
    assert f"| `{name}` |" in PAGE
