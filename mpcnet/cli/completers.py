"""What each argument and option may be, for the completion of words in a shell.

click asks these functions while a user waits at a keyboard: names come from entry points and small files, and
only what a protocol declares (roles, parameters, inputs) takes importing it. Whatever goes wrong completes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.shell_completion import CompletionItem

from mpcnet.errors import LocalError
from mpcnet.toml_tables import read_table

if TYPE_CHECKING:
    from mpcnet.declare import Protocol

__all__ = ("complete",)

_MAX_BYTES = 1 << 20


class complete:  # noqa: N801 -- a namespace: what may stand at a place
    """Completers, by what is completed."""

    @staticmethod
    def protocols(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Names of installed protocols."""
        return _matching(_registered("mpcnet.protocols"), incomplete)

    @staticmethod
    def scenarios(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Names of installed scenarios."""
        return _matching(_registered("mpcnet.scenarios"), incomplete)

    @staticmethod
    def schemes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Names of installed schemes."""
        return _matching(_registered("mpcnet.schemes"), incomplete)

    @staticmethod
    def providers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Names of installed providers of correlated randomness."""
        return _matching(_registered("mpcnet.providers"), incomplete)

    @staticmethod
    def networks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Networks that have a name."""
        return _matching(("lan", "wan"), incomplete)

    @staticmethod
    def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Any file: the shell knows them."""
        return [CompletionItem(incomplete, type="file")]

    @staticmethod
    def keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Key files, or else any."""
        found = _matching(_beside(incomplete, "*.key"), incomplete)
        return found or complete.files(ctx, param, incomplete)

    @staticmethod
    def jobs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Job files, or else any."""
        tables = ((path, _table(path)) for path in _beside(incomplete, "*.toml"))
        found = _matching((path for path, table in tables if "protocol" in table), incomplete)
        return found or complete.files(ctx, param, incomplete)

    @staticmethod
    def protocols_and_jobs(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Either."""
        named = complete.protocols(ctx, param, incomplete)
        jobs = complete.jobs(ctx, param, incomplete)
        return [*named, *(item for item in jobs if item.type == "plain" or not named)]

    @staticmethod
    def members(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Names in the roster."""
        return _matching(_in_roster(ctx), incomplete)

    @staticmethod
    def parties_of_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Who has a part in the job, or else who is in the roster."""
        return _matching(_in_job(ctx) or _in_roster(ctx), incomplete)

    @staticmethod
    def roles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Roles of the protocol."""
        found = _protocol(_argument(ctx, "name"))
        return _matching((f"{name}=" for name in (found.roles if found else ())), incomplete)

    @staticmethod
    def parameters(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Parameters of the protocol."""
        found = _protocol(_argument(ctx, "name"))
        names = found.params.__dataclass_fields__ if found else ()
        return _matching((f"{name}=" for name in names), incomplete)

    @staticmethod
    def inputs_of_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Inputs that the party gives to the job, or else all inputs."""
        table = _table(_argument(ctx, "job_path"))
        found = _protocol(table.get("protocol"))
        if found is None:
            return []
        mine = {role for role, names in _lists(table.get("roles")).items() if ctx.params.get("name") in names}
        given = [
            name
            for name, declaration in found.inputs.items()
            if (not mine or declaration.by in mine) and not getattr(declaration, "derived", False)
        ]
        return _matching((f"{name}=" for name in given), incomplete)


def _argument(ctx: click.Context, name: str) -> str:
    """The command's argument; click has not assigned it yet where an option before the cursor lacks its value."""
    return str(ctx.params.get(name) or next(iter(ctx.args), ""))


def _matching(words: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(word) for word in dict.fromkeys(words) if word.startswith(incomplete)]


def _registered(group: str) -> list[str]:
    """As `list_protocols` and its like, which come with the whole session."""
    import importlib.metadata  # a third of the time that anything here takes

    return sorted({point.name for point in importlib.metadata.entry_points(group=group)})


def _beside(incomplete: str, pattern: str) -> list[str]:
    """Files of a kind in the folder that a word begins with, written as the word is."""
    folder = incomplete[: incomplete.rfind("/") + 1]
    with contextlib.suppress(OSError):
        return sorted(folder + path.name for path in Path(folder or ".").glob(pattern) if path.is_file())
    return []


def _table(path: str) -> dict[str, Any]:
    """A TOML file, or nothing."""
    with contextlib.suppress(OSError, ValueError, LocalError), Path(path).open("rb") as file:
        return read_table(file.read(_MAX_BYTES).decode("utf-8-sig"), "a file")
    return {}


def _lists(table: object) -> dict[str, list[str]]:
    """By role, its members; what is no list of names is left out."""
    if not isinstance(table, dict):
        return {}
    items = cast("dict[str, object]", table).items()
    return {
        name: [str(item) for item in cast("list[object]", value)]
        for name, value in items
        if isinstance(value, list)
    }


def _in_job(ctx: click.Context) -> list[str]:
    table = _table(_argument(ctx, "job_path"))
    named = [name for names in _lists(table.get("roles")).values() for name in names]
    named += _lists({"compute": table.get("compute")}).get("compute", [])
    return [*named, str(table["dealer"])] if "dealer" in table else named


def _in_roster(ctx: click.Context) -> list[str]:
    parties: object = _table(str(ctx.params.get("roster_path") or "roster.toml")).get("party", [])
    if not isinstance(parties, list):
        return []
    tables = [cast("dict[str, object]", item) for item in cast("list[object]", parties) if isinstance(item, dict)]
    return [str(table["name"]) for table in tables if "name" in table]


def _protocol(name: object) -> Protocol[Any, Any] | None:
    from mpcnet.declare import find_protocol

    with contextlib.suppress(LocalError):
        return find_protocol(str(name))
    return None
