"""Every work that code or documentation cites is in the references, and every one there is cited."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = (ROOT / "docs" / "references.md").read_text()
KEYS = re.findall(r"^\| \[(\w+)\] \|", REFERENCES, re.MULTILINE)
STANDARDS = re.findall(r"^\| (RFC \d+|SP 800-\d+[A-Z]?) \|", REFERENCES, re.MULTILINE)
CITED = re.compile(r"\[((?:cf\. )?(?:[A-Za-z]+\d\d|Noise)(?:(?:, | )(?:[A-Za-z]+\d\d|Noise))*)\](?!\()")
# Not a citation, though it looks like one: names of types and versions in brackets of code.
LETTERS = re.compile(r"(?=.*[A-Z])[A-Za-z]+\d\d|Noise")
TYPES = {"uint16", "uint32", "uint64", "int32", "int64", "SP80", "Z64"}


def texts() -> dict[str, str]:
    """By path, docstrings and comments of code with the code around them, and pages."""
    folders = ("mpcnet", "protocols", "sims", "tests", "benchmarks", "tools")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    pages = [path for path in (ROOT / "docs").rglob("*.md") if "generated" not in path.parts]
    found = [*code, *pages, ROOT / "README.md"]
    own = {ROOT / "docs" / "references.md", Path(__file__).resolve()}
    return {str(path.relative_to(ROOT)): path.read_text() for path in found if path not in own}


TEXTS = texts()


def cited() -> dict[str, str]:
    """By key, a file that cites it."""
    found: dict[str, str] = {}
    for name, text in TEXTS.items():
        for group in CITED.findall(text):
            for key in LETTERS.findall(group):
                if key not in TYPES:
                    found.setdefault(key, name)
    return found


def test_every_cited_work_is_there() -> None:
    missing = {key: name for key, name in cited().items() if key not in KEYS}
    assert not missing


def test_every_work_is_cited() -> None:
    assert set(KEYS) <= cited().keys()


def test_standards_are_there_and_cited() -> None:
    sources = {name: text for name, text in TEXTS.items() if name.startswith(("mpcnet", "protocols"))}
    named = {match for text in sources.values() for match in re.findall(r"RFC \d{4}|SP 800-\d+[A-Z]?", text)}
    assert named <= set(STANDARDS)
    everywhere = " ".join(TEXTS.values())
    assert all(standard in everywhere for standard in STANDARDS)


def test_each_work_is_listed_once_and_can_be_found() -> None:
    assert len(set(KEYS)) == len(KEYS)
    for line in REFERENCES.splitlines():
        if re.match(r"\| \[\w+\]", line):
            assert re.search(
                r"doi 10\.\d{4,}/\S|ePrint \d{4}/\d+|ISBN [\d-]+|noiseprotocol\.org|, chapter ", line
            ), line
