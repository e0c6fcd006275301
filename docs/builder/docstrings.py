"""Docstrings as they are written in this project, turned into what Sphinx reads; and types that it cannot link.

Here a docstring is plain text in Google's layout: single backticks are code, indented blocks are drawings or code,
and a star is a star.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import mpcnet

from .citations import in_rst

__all__ = ("setup", "to_rst")

_SECTION = re.compile(r"(Args|Arguments|Returns|Yields|Raises|Attributes|Note|Example):$")
_CODE = re.compile(r"(`[^`]+`)")
_LOG = logging.getLogger(__name__)

FOREIGN = re.compile(
    r"(?:collections|typing|types|fractions|decimal|enum|abc|contextlib|pathlib|numpy|trio|asyncio|np)\.|"
    r"(?:int|str|bytes|bytearray|float|bool|object|dict|dict\[str|list|tuple|set|frozenset|type|None|memoryview"
    r"|Exception|BaseException|KeyError|TypeError|ValueError|ABC|StrEnum|IntEnum|Path|ellipsis|Ellipsis)$"
)
"""Types of Python and of libraries: their manuals are elsewhere, and the build reads nothing from the network."""

INTERNAL = frozenset(
    {"P", "T", "R", "Role", "Operand", "Receivers", "PublicLike", "Number", "Texts", "Limits", "Plain"}
)
"""Short names in signatures that are no part of the public interface."""


def to_rst(lines: Sequence[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    result: list[str] = []
    section = literal = False
    for line in lines:
        indented = line.startswith("    ")
        if line.strip() and not indented:
            section, literal = _SECTION.match(line) is not None, False
        if indented and not section and not literal:
            literal = True
            result += ["", "::", ""]
        result.append(line if literal or not line.strip() else _text(line))
    return result


def setup(app: Sphinx) -> None:
    """Called by the extension."""
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon
    app.connect("missing-reference", _resolve)
    app.connect("env-check-consistency", _check_complete)


def _text(line: str) -> str:
    parts = _CODE.split(line)
    parts[::2] = [in_rst(re.sub(r"([*|]|(?<=\w)_(?=\W|$))", r"\\\1", part)) for part in parts[::2]]
    # Between two backticks and a letter reStructuredText wants something: "`Secret`s" would else be no code.
    parts[1::2] = [f"\\ ``{part[1:-1]}``\\ " for part in parts[1::2]]
    return "".join(parts).rstrip()


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_rst(lines)
    if what in {"attribute", "property"}:
        lines[:0] = ["..", ""]  # an empty comment; else napoleon takes what is before a colon for a type


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Node | None:
    """A type that an inner module defines is documented under its public name; foreign types are plain text."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    last = target.rpartition(".")[2]
    known = env.domains.python_domain.objects
    found = [name for name in known if name.rpartition(".")[2] == last and "." in name]
    public = [name for name in found if _is_module_level(name)]
    if len(public) == 1:
        entry = known[public[0]]
        uri = app.builder.get_relative_uri(str(node["refdoc"]), entry.docname) + "#" + entry.node_id
        return nodes.reference("", "", content, internal=True, refuri=uri)
    # A full path in mpcnet comes from an annotation, which mypy has seen; a docstring says short names.
    inner = target.startswith("mpcnet.") and _is_module(target.rpartition(".")[0])
    return content if inner or FOREIGN.match(target) or last in INTERNAL else None


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _is_module_level(name: str) -> bool:
    return name.rpartition(".")[0].rpartition(".")[2].islower()


def _check_complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Everything public has a place in the reference."""
    known = {name.rpartition(".")[2] for name in env.domains.python_domain.objects}
    for name in mpcnet.__all__:
        if name not in known:
            _LOG.warning("mpcnet.%s is public, and not in the reference", name)
