"""Job files: what a `Job` holds, as TOML that all parties of a job have alike.

    protocol = "average"
    label = "raises-2026"
    deadline_seconds = 600          # optional, as are scheme, compute and dealer

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
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mpcnet.declare.job import Job
from mpcnet.declare.plugins import find_protocol
from mpcnet.declare.protocol import Protocol
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.identity.files import read_text
from mpcnet.identity.roster import is_name

__all__ = ("job_from_toml", "job_to_toml", "load_job")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a field must be, and how a sentence says it."""

    words: str
    types: tuple[type, ...]
    of_text: bool = False

    def fits(self, value: object) -> bool:
        if type(value) not in self.types:
            return False
        return not self.of_text or all(isinstance(item, str) for item in cast("list[object]", value))


_TEXT = _Kind("text", (str,))
_NAME = _Kind("text, the name of a party", (str,))
_NUMBER = _Kind("a number of seconds", (int, float))
_NAMES = _Kind("a list of names", (list,), of_text=True)
_TABLE = _Kind("a table", (dict,))

_FIELDS: Mapping[str, _Kind] = {
    "protocol": _TEXT,
    "label": _TEXT,
    "scheme": _TEXT,
    "deadline_seconds": _NUMBER,
    "compute": _NAMES,
    "dealer": _NAME,
    "params": _TABLE,
    "roles": _TABLE,
}
_REQUIRED = ("protocol", "label", "roles")
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
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LocalError(f"not a job file: {error}") from None
    _check_fields(fields)
    protocol = _within("protocol", find_protocol, fields["protocol"])
    params = _within("params", protocol.make_params, fields.get("params", {}))
    optional = {name: fields[name] for name in ("scheme", "dealer", "deadline_seconds") if name in fields}
    return Job(
        protocol=protocol,
        params=params,
        roles=_roles(protocol, fields["roles"]),
        label=fields["label"],
        compute=tuple(fields.get("compute", ())),
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
    values = {item.name: getattr(job.params, item.name) for item in dataclasses.fields(job.params)}
    params = [f"{_key(name)} = {_toml(value)}" for name, value in values.items() if value is not None]
    roles = [f"{_key(role)} = {_toml(list(names))}" for role, names in job.roles.items()]
    return "\n".join([*lines, "", "[params]", *params, "", "[roles]", *roles, ""])


def _check_fields(fields: Mapping[str, object]) -> None:
    if not fields:
        raise LocalError("it is empty; perhaps the command that should have written it failed")
    if unknown := next((name for name in fields if name not in _FIELDS), None):
        hint = did_you_mean(unknown, _FIELDS)
        raise LocalError(f"a job file has no field {unknown!r}; it has: {', '.join(_FIELDS)}{hint}")
    if missing := next((name for name in _REQUIRED if name not in fields), None):
        raise LocalError(f"field '{missing}' is missing")
    for name, value in fields.items():
        _check_kind(name, value, _FIELDS[name])


def _check_kind(name: str, value: object, kind: _Kind) -> None:
    if not kind.fits(value):
        raise LocalError(f"field '{name}' takes {kind.words}")
    if kind in (_NAME, _NAMES):
        # Somebody else may have written the file, and names are shown: none of them moves a terminal's cursor.
        for party in [value] if kind is _NAME else cast("list[str]", value):
            if not is_name(cast("str", party)):
                raise LocalError(
                    f"field '{name}': {party!r} is no name: 1 to 64 letters, digits, dots, underscores and hyphens"
                )


def _roles(protocol: Protocol[Any, Any], roles: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    known = ", ".join(protocol.roles)
    for role, names in roles.items():
        if role not in protocol.roles:
            hint = did_you_mean(role, protocol.roles)
            raise LocalError(
                f"field {'roles.' + role!r}: protocol '{protocol.name}' has no such role; it has: {known}{hint}"
            )
        _check_kind(f"roles.{role}", names, _NAMES)
    for role in protocol.roles:
        if role not in roles:
            raise LocalError(f"field 'roles.{role}' is missing")
    return {role: tuple(cast("Sequence[str]", roles[role])) for role in protocol.roles}


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
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case str():
            # JSON's escapes are TOML's; only the delete character must be escaped in TOML alone.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in cast("Sequence[object]", value)) + "]"
        case _:
            raise LocalError(f"a job file does not hold a value of type {type(value).__name__}")
