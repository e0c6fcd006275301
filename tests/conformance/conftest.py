"""A scheme that is installed as a plugin's is: by an entry point of a distribution."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpcnet.declare.plugins import load_entry_point


@pytest.fixture
def shamir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name by which jobs find the scheme of `tests.support.shamir`."""
    info = tmp_path / "threshold-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: threshold\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mpcnet.schemes]\nshamir = tests.support.shamir:ShamirScheme\n")
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]
    load_entry_point.cache_clear()
    return "shamir"
