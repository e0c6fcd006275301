"""The extension that makes pages out of the code, when `make docs` runs.

front_page   the picture of a job
protocols    a page for each registered protocol: declaration, who learns what, messages, costs
messages     who sends what to whom in which round, from a simulated run, as a drawing
costs        rounds and bytes, from simulated runs
commands     the command line's help
project      pages that stand beside `docs/`: how to contribute, security, changelog
states       the tables that machines follow, as drawings
docstrings   docstrings as they are written here, for Sphinx
breaks       where long names in tables may break
citations    keys like [CDN15] lead to the references

The pages go into `docs/generated/`, which is not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from . import citations, commands, docstrings, front_page, project, protocols, states

__all__ = ("setup",)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", _make_pages)
    citations.setup(app)
    docstrings.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _make_pages(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "generated"
    made = {**protocols.pages(), **commands.pages(), **front_page.pages(), **project.pages(), **states.pages()}
    for name, text in made.items():
        _write(folder / name, text)
    for old in folder.rglob("*.*"):
        if str(old.relative_to(folder)) not in made:
            old.unlink()


def _write(path: Path, text: str) -> None:
    """Only what changed: Sphinx reads again what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
