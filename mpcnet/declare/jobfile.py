"""Job files: what a `Job` holds, as TOML that all parties of a job have alike.

    protocol = "average"
    label = "raises-2026"
    deadline_seconds = 600          # optional, as are scheme, compute, dealer and provider

    [params]                        # what the protocol's defaults do not say
    high = 20000

    [roles]
    owners = ["alice", "bob", "carol", "dave"]

Nothing is guessed: an unknown field, a missing one or a value of another type is refused with one sentence that
names the file and the field.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from mpcnet.declare.job import Job
from mpcnet.declare.plugins import find_protocol
from mpcnet.declare.protocol import Protocol
from mpcnet.errors import LocalError
from mpcnet.identity.files import read_text
from mpcnet.identity.roster import is_name
from mpcnet.toml_tables import INTEGERS, TABLE, TEXT, Field, check_table, read_table

__all__ = ("job_from_toml", "job_to_toml", "load_job")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


_NAMES = Field("a list of names", _is_texts)
_FIELDS: Mapping[str, Field] = {
    "protocol": replace(TEXT, required=True),
    "label": replace(TEXT, required=True),
    "scheme": TEXT,
    "provider": TEXT,
    "deadline_seconds": Field("a number of seconds", lambda value: type(value) in (int, float)),
    "compute": _NAMES,
    "dealer": replace(TEXT, takes="text, the name of a party"),
    "params": TABLE,
    "roles": replace(TABLE, required=True),
}
_OPTIONAL = ("scheme", "dealer", "provider", "deadline_seconds")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def load_job(path: str | Path) -> Job[Any, Any]:
    """Read a job file.

    Raises:
        LocalError: it is missing or unreadable, a field is unknown, missing or of another type, or the protocol is
            not installed or takes other parameters or roles; the path stands in front.
    """
    text = read_text(Path(path), private=False)
    try:
        return job_from_toml(text)
    except LocalError as error:
        raise LocalError(f"{path}: {error}") from None


def job_from_toml(text: str) -> Job[Any, Any]:
    """The job of a file's text.

    Raises:
        LocalError: as `load_job`, without a path.
    """
    table: dict[str, Any] = read_table(text, "a job file")
    if not table:
        raise LocalError("it is empty; perhaps the command that should have written it failed")
    check_table(table, _FIELDS, "a job file")
    _check_names("compute", table.get("compute", []))
    _check_names("dealer", [table["dealer"]] if "dealer" in table else [])
    protocol = _within("protocol", find_protocol, table["protocol"])
    params = _within("params", protocol.make_params, table.get("params", {}))
    optional = {name: table[name] for name in _OPTIONAL if name in table}
    return Job(
        protocol=protocol,
        params=params,
        roles=_roles(protocol, table["roles"]),
        label=table["label"],
        compute=tuple(table.get("compute", ())),
        **optional,
    )


def job_to_toml(job: Job[Any, Any]) -> str:
    """The text of a job's file: `job_from_toml` gives the same job. The same job gives the same text.

    Raises:
        LocalError: a parameter is of a kind that a file does not hold.
    """
    lines = [f"{name} = {_toml(getattr(job, name))}" for name in ("label", "scheme")]
    lines.insert(0, f"protocol = {_toml(job.protocol.name)}")
    lines.append(f"deadline_seconds = {_toml(job.deadline_seconds)}")
    if job.compute:
        lines.append(f"compute = {_toml(list(job.compute))}")
    if job.dealer is not None:
        lines.append(f"dealer = {_toml(job.dealer)}")
    if job.provider:
        lines.append(f"provider = {_toml(job.provider)}")
    values = {item.name: getattr(job.params, item.name) for item in dataclasses.fields(job.params)}
    params = [f"{_key(name)} = {_toml(value)}" for name, value in values.items() if value is not None]
    roles = [f"{_key(role)} = {_toml(list(names))}" for role, names in job.roles.items()]
    return "\n".join([*lines, "", "[params]", *params, "", "[roles]", *roles, ""])


def _check_names(place: str, names: Sequence[str]) -> None:
    """Another party may have written the file, and names are shown: none of them moves a terminal's cursor."""
    for name in names:
        if not is_name(name):
            raise LocalError(
                f"field '{place}': {name!r} is no name: 1 to 64 letters, digits, dots, underscores and hyphens"
            )


def _roles(protocol: Protocol[Any, Any], roles: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    fields = dict.fromkeys(protocol.roles, replace(_NAMES, required=True))
    check_table(roles, fields, f"field 'roles': protocol '{protocol.name}'", inside="roles", noun="role")
    given = {role: tuple(cast("Sequence[str]", roles[role])) for role in protocol.roles}
    for role, names in given.items():
        _check_names(f"roles.{role}", names)
    return given


def _within(field: str, function: Any, value: object) -> Any:
    try:
        return function(value)
    except LocalError as error:
        raise LocalError(f"field '{field}': {error}") from None


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _toml(name)


def _toml(value: object) -> str:
    """A plain value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case int() if value not in INTEGERS:
            raise LocalError("a job file does not hold an integer that leaves 64 bits")
        case int():
            return str(value)
        case float() if not math.isfinite(value):
            raise LocalError("a job file does not hold a number that is not finite")
        case float():
            return repr(value)
        case str():
            # JSON's escapes are TOML's; only the delete character must be escaped in TOML alone.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in cast("Sequence[object]", value)) + "]"
        case _:
            raise LocalError(f"a job file does not hold a value of type {type(value).__name__}")
