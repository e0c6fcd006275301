"""`mpcnet new`: the skeleton of a protocol in a distribution of its own."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import importlib.util
import keyword
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

import click

from mpcnet.cli.commands import New
from mpcnet.declare.plugins import list_protocols
from mpcnet.declare.protocol import NAME
from mpcnet.errors import LocalError

__all__ = ("make_skeleton",)

_MOST_LETTERS = 40
_FILES = {
    "pyproject.toml": "pyproject.toml.in",
    "README.md": "README.md.in",
    ".gitignore": "gitignore.in",
    "src/{package}/__init__.py": "protocol.py.in",
    "src/{package}/py.typed": None,
    "tests/test_{function}.py": "test_protocol.py.in",
}
_OUR_PACKAGES = ("mpcnet_protocols", "mpcnet_sims")
_NAMES_IN_THE_TEMPLATE = ("annotations", "dataclass", "protocol")


def make_skeleton(asked: New) -> None:
    """Write the files, all of them or none, and say what to do next.

    The distribution of protocol NAME is called mpcnet-NAME, its package mpcnet_NAME.

    Raises:
        LocalError: the name is no good or is taken, or the folder exists or cannot be made.
    """
    name = asked.name
    _check_name(name)
    target = Path(asked.folder or name)
    if os.path.lexists(target):
        raise LocalError(f"{target} exists already; remove it, or name another folder with --folder")
    function = name.replace("-", "_")
    words = {
        "name": name,
        "function": function,
        "package": f"mpcnet_{function}",
        "distribution": f"mpcnet-{name}",
        "mpcnet": ".".join(importlib.metadata.version("mpcnet").split(".")[:2]),
    }
    try:
        _write(target, words)
    except OSError as error:
        raise LocalError(f"{target} cannot be made: {error.strerror}") from error
    inside = "" if target.resolve() == Path.cwd() else f"cd {target}\n  "
    click.echo(
        f"{target} holds a protocol that works. Next:\n\n"
        f"  {inside}pip install -e '.[dev]'\n"
        f"  mpcnet sim {name}\n"
        f"  mpcnet demo {name}\n"
        f"  pytest\n\n"
        f"Then make it yours: {target / 'src' / words['package'] / '__init__.py'}"
    )


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > _MOST_LETTERS:
        better = "-".join(re.findall(r"[a-z0-9]+", name.lower())).lstrip("0123456789-")[:_MOST_LETTERS].rstrip("-")
        hint = f"; try '{better}'" if better and better != name else ""
        raise LocalError(
            f"a protocol's name is lower case words joined by hyphens, {_MOST_LETTERS} letters at most{hint}"
        )
    function = name.replace("-", "_")
    if keyword.iskeyword(function) or function in _NAMES_IN_THE_TEMPLATE:
        raise LocalError(f"'{name}' has a meaning in Python or mpcnet, so no function can be called so: add a word")
    if name in list_protocols():
        raise LocalError(f"a protocol named '{name}' is installed already: choose another name")
    package = f"mpcnet_{function}"
    if package in _OUR_PACKAGES or package in sys.modules or importlib.util.find_spec(package) is not None:
        raise LocalError(f"a package named '{package}' is installed already: choose another name")


def _write(target: Path, words: dict[str, str]) -> None:
    """Beside the target, then renamed: what is there is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        templates = importlib.resources.files("mpcnet.cli") / "skeleton"
        for place, template in _FILES.items():
            path = draft / place.format_map(words)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "" if template is None else (templates / template).read_text("utf-8")
            path.write_text(Template(text).substitute(words), "utf-8")
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
