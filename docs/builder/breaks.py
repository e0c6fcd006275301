"""Names of tests in a page, which are longer than a column of a table: they may break after each of their parts."""

from __future__ import annotations

import re

__all__ = ("breakable",)

_TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def breakable(text: str) -> str:
    """A page of Markdown whose names of tests are code that a browser may break."""
    return _TEST.sub(lambda found: _code(found[1]), text)


def _code(name: str) -> str:
    parts = re.sub(r"(/|::|(?<=\w)_)", r"\1<wbr>", name)
    return f'<code class="docutils literal notranslate">{parts}</code>'
