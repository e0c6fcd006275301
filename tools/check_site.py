"""Hold the built site to what it promises: pages load nothing from other hosts, and inner links lead somewhere.

Run after Sphinx: python tools/check_site.py build/docs
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}
LOADING_LINKS = {"stylesheet", "preload", "icon", "preconnect", "dns-prefetch", "modulepreload"}


class Page(HTMLParser):
    """What a page loads, where it links to, and the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag in LOADS and LOADS[tag] in values:
            self.loads.append(values[LOADS[tag]])
        if tag == "link" and set(values.get("rel", "").split()) & LOADING_LINKS:
            self.loads.append(values.get("href", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def read(path: Path) -> Page:
    """A page of the site."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def wrong_link(path: Path, target: str, pages: Mapping[Path, Page]) -> str:
    """Why a link of a page leads nowhere; empty if it does, or leaves the site."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return ""
    there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not there.exists():
        return "which is not there"
    if parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].anchors:
        return "and that page has no such place"
    return ""


def problems(root: Path) -> Iterator[str]:
    """What is wrong, one sentence each."""
    pages = {path.resolve(): read(path) for path in root.rglob("*.html")}
    if not pages:
        yield f"there are no pages in {root}"
    for path, page in sorted(pages.items()):
        name = path.relative_to(root.resolve())
        for target in page.loads:
            if urlsplit(target).scheme not in {"", "data"} or target.startswith("//"):
                yield f"{name} loads {target}"
        for target in page.links:
            if reason := wrong_link(path, target, pages):
                yield f"{name} links to {target}, {reason}"
    for style in sorted(root.rglob("*.css")):
        text = style.read_text(encoding="utf-8")
        if "url(http" in text or "url(//" in text or "@import" in text:
            yield f"{style.relative_to(root)} loads something from elsewhere"


def main() -> int:
    """Print what is wrong; the exit code says whether anything is."""
    found = list(problems(Path(sys.argv[1])))
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
