"""Protocols, schemes, providers and scenarios by entry points: bundled ones, and those of third parties alike."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Any

from mpcnet.correlated.provider import Provider
from mpcnet.declare.protocol import Protocol
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.schemes import Scheme

__all__ = (
    "find_protocol",
    "find_provider",
    "find_scheme",
    "list_protocols",
    "list_providers",
    "list_schemes",
    "load_entry_point",
    "load_protocols",
)

PROTOCOLS = "mpcnet.protocols"
SCHEMES = "mpcnet.schemes"
PROVIDERS = "mpcnet.providers"


@functools.cache
def load_entry_point(group: str, name: str, what: str) -> object:
    """The object that an installed distribution registers under this name. Looked up once in a process.

    Raises:
        LocalError: nothing is registered, more than one distribution claims the name, or it cannot be imported.
    """
    found = importlib.metadata.entry_points(group=group, name=name)
    distinct = {point.value: point for point in found}
    if not distinct:
        known = sorted({point.name for point in importlib.metadata.entry_points(group=group)})
        hint = did_you_mean(name, known)
        raise LocalError(f"there is no {what} named {name!r}; installed: {', '.join(known) or 'none'}{hint}")
    if len(distinct) > 1:
        offers = ", ".join(f"{value} of {_distribution(point)}" for value, point in distinct.items())
        raise LocalError(f"more than one installed distribution offers a {what} named {name!r}: {offers}")
    (point,) = distinct.values()
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # whatever another's module does when it is imported
        reason = str(error) if isinstance(error, LocalError) else f"{type(error).__name__}: {error}"
        where = f"{point.value} of {_distribution(point)}"
        raise LocalError(f"the {what} {name!r} cannot be loaded from {where}: {reason}") from error


def _distribution(point: importlib.metadata.EntryPoint) -> str:
    return "an unknown distribution" if point.dist is None else point.dist.name


def find_protocol(name: str) -> Protocol[Any, Any]:
    """The installed protocol of this name.

    Raises:
        LocalError: there is none, it cannot be loaded, or what stands there is another one or none.
    """
    found = load_entry_point(PROTOCOLS, name, "protocol")
    if not isinstance(found, Protocol):
        kind = type(found).__name__
        raise LocalError(f"entry point {name!r} of {PROTOCOLS} is no protocol but a {kind}: see @mpcnet.protocol")
    if found.name != name:
        raise LocalError(f"entry point {name!r} of {PROTOCOLS} holds protocol {found.name!r}: give both one name")
    return found  # pyright: ignore[reportUnknownVariableType]


def load_protocols() -> tuple[list[Protocol[Any, Any]], dict[str, str]]:
    """All installed protocols, and by name why others cannot be used: one broken plugin stops no other."""
    found: list[Protocol[Any, Any]] = []
    broken: dict[str, str] = {}
    for name in list_protocols():
        try:
            found.append(find_protocol(name))
        except LocalError as error:
            broken[name] = str(error)
    return found, broken


def list_protocols() -> list[str]:
    """Names of all installed protocols."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=PROTOCOLS)})


def find_scheme(name: str) -> Scheme:
    """The installed scheme of this name."""
    found = load_entry_point(SCHEMES, name, "scheme")
    if not (isinstance(found, type) and issubclass(found, Scheme)):
        raise LocalError(f"entry point {name!r} of {SCHEMES} is no scheme")
    return found()


def list_schemes() -> list[str]:
    """Names of all installed schemes."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=SCHEMES)})


def find_provider(name: str) -> Provider:
    """The installed provider of correlated randomness of this name."""
    found = load_entry_point(PROVIDERS, name, "provider")
    if not (isinstance(found, type) and issubclass(found, Provider)):
        raise LocalError(f"entry point {name!r} of {PROVIDERS} is no provider")
    return found()


def list_providers() -> list[str]:
    """Names of all installed providers."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=PROVIDERS)})
