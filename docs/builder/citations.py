"""Keys like [CDN15], in pages and docstrings, lead to `references.md`; links out of the documentation are text."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

from .breaks import breakable
from .project import within_site

__all__ = ("in_markdown", "in_rst", "setup")

_NAME = r"(?:[A-Z][A-Za-z]+\d\d|edaBits20|Noise)"
KEYS = re.compile(rf"(?<![\w\[!\\])\[((?:cf\. )?{_NAME}(?:, {_NAME})*)\](?![(\[:{{])")
KEY = re.compile(_NAME)
_ROW = re.compile(r"^\| \[(\w+)\] \| (.*) \|$", re.MULTILINE)
_OUTSIDE = re.compile(
    r"\[([^\]]+)\]\(\.\./(?:\.\./)?(?:mpcnet|protocols|sims|tests|tools|examples|benchmarks)/[^)]*\)"
)
_CODE = re.compile(r"(```.*?```|`[^`]*`)", re.DOTALL)


def in_markdown(text: str) -> str:
    """Text whose keys are links; code is left as it is."""
    parts = _CODE.split(text)
    parts[::2] = [KEYS.sub(lambda found: _linked(found[1], "[{0}](#{1})"), part) for part in parts[::2]]
    return "".join(parts)


def in_rst(line: str) -> str:
    """A line of a docstring whose keys are links."""
    return KEYS.sub(lambda found: _linked(found[1], ":ref:`{0} <{1}>`"), line)


def setup(app: Sphinx) -> None:
    """Called by the extension."""
    app.connect("source-read", _read)


def _linked(keys: str, form: str) -> str:
    return "[" + KEY.sub(lambda found: form.format(found[0], _target(found[0])), keys) + "]"


def _target(key: str) -> str:
    return f"cite-{key.lower()}"


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    text = source[0]
    if name == "references":
        # A row of a table cannot be the target of a link; a paragraph can.
        text = _ROW.sub(lambda row: f"\n({_target(row[1])})=\n\\[{row[1]}\\] {row[2]}\n", text)
        text = text.replace("| key | |\n| --- | --- |\n", "")
    # Sources are not part of the site: what leads to them on a forge is a name here.
    text = within_site(_OUTSIDE.sub(r"\1", text))
    source[0] = breakable(in_markdown(text))
