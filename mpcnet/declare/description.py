"""What a protocol says of itself, taken from its docstrings: for `mpcnet protocols`, `mpcnet explain`, the docs.

    Sum and mean of one number each; ...                 summary
                                                         (blank)
    Mean, variance and gaps follow from ...              how it works, up to the first section
                                                         (blank)
    Leaks:                                               sections, each begins a line
        - Everyone learns the sum and the count, ...     a list; each item begins with a hyphen
    Threat model: that of the scheme; ...
    Rounds: 1 if the owners compute, else 2.
    Source: [CDN15] §3, secure summation.

Lines of one paragraph or item are joined, so that a page or terminal of any width can break them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mpcnet.declare.protocol import Protocol

__all__ = ("Description", "describe")

_SECTIONS = ("Args", "Returns", "Raises", "Leaks", "Threat model", "Rounds", "Source", "Deviates")
_SECTION = re.compile(rf"({'|'.join(_SECTIONS)}):(?: (.*))?")
_ARGUMENT = re.compile(r" {4}(\w+(?:, \w+)*): (.*)")


@dataclass(frozen=True, slots=True)
class Description:
    """The docstrings of a protocol, taken apart.

    Args:
        summary: the first line.
        text: the paragraphs between it and the first section: how it works and who learns what.
        leaks: what each party learns beyond its own input: the items of the section "Leaks" if there is one, else
            the text.
        threat: the section "Threat model".
        rounds: the section "Rounds".
        source: the section "Source".
        parameters: by name, what the section "Args" of the parameters' docstring says.
    """

    summary: str
    text: tuple[str, ...]
    leaks: tuple[str, ...]
    threat: str
    rounds: str
    source: str
    parameters: Mapping[str, str]


def describe(protocol: Protocol[Any, Any]) -> Description:
    """Take the docstrings of a protocol's function and parameters apart. What is not there is empty."""
    lines = inspect.cleandoc(protocol.function.__doc__ or "").splitlines()
    text, sections = _parts(lines[1:])
    leaks = _items(sections["Leaks"]) if "Leaks" in sections else text
    threat, rounds, source = (sections.get(name, "") for name in ("Threat model", "Rounds", "Source"))
    return Description(protocol.summary, text, leaks, threat, rounds, source, _arguments(protocol.params))


def _parts(lines: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The paragraphs before the first section, and the sections with a text; lines joined."""
    paragraphs: list[str] = []
    sections: dict[str, str] = {}
    section = ""
    fresh = True
    for line in lines:
        if found := _SECTION.fullmatch(line):
            section = found[1]
            sections[section] = found[2] or ""
        elif line and section:
            sections[section] = f"{sections[section]}{_joint(line)}{line.strip()}".strip()
        elif line and fresh:
            paragraphs.append(line.strip())
        elif line:
            paragraphs[-1] += f"{_joint(line)}{line.strip()}"
        fresh = not line
    return tuple(paragraphs), sections


def _joint(line: str) -> str:
    """What goes between a line and the text before it: an item of a list begins a line of its own."""
    return "\n" if line.lstrip().startswith("- ") else " "


def _items(section: str) -> tuple[str, ...]:
    """The items of a list, without their hyphens; a section that is no list is one item."""
    return tuple(item.removeprefix("- ") for item in section.split("\n"))


def _arguments(params: type) -> dict[str, str]:
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in inspect.cleandoc(params.__doc__ or "").splitlines():
        if not line.startswith(" "):
            inside = line == "Args:"
        elif inside and (entry := _ARGUMENT.fullmatch(line)):
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif inside:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
