"""Pages of the project that stand beside `docs/`, where forges look: how to contribute, security, changelog.

They become pages of the site, and links between them and the documentation stay links.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ("pages", "within_site")

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}
_NAMES = "|".join(re.escape(name) for name in _PAGES)
_INNER = re.compile(rf"\]\(({_NAMES})([)#])")
_UPWARD = re.compile(rf"\]\((?:\.\./)+({_NAMES})([)#])")
_DOCUMENT = re.compile(r"\]\(docs/")
_FOLDER = re.compile(r"\[([^\]]+)\]\([\w-]+/\)")


def pages() -> dict[str, str]:
    """File name to text."""
    return {page: _as_page((_ROOT / name).read_text(encoding="utf-8")) for name, page in _PAGES.items()}


def within_site(text: str) -> str:
    """A page of `docs/` whose links to the project's pages lead to the site's."""
    return _UPWARD.sub(lambda found: f"](/generated/{_PAGES[found[1]]}{found[2]}", text)


def _as_page(text: str) -> str:
    text = _INNER.sub(lambda found: f"]({_PAGES[found[1]]}{found[2]}", text)
    text = _DOCUMENT.sub("](/", text)
    return _FOLDER.sub(r"\1", text)
