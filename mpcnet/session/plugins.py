"""Protocols, schemes and scenarios by entry points; the bundled ones take the same door as everybody's."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Any

from mpcnet.errors import LocalError, did_you_mean
from mpcnet.schemes import Scheme
from mpcnet.session.protocol import Protocol

__all__ = ("find_protocol", "find_scheme", "list_protocols", "list_schemes", "load_entry_point")

PROTOCOLS = "mpcnet.protocols"
SCHEMES = "mpcnet.schemes"


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
        raise LocalError(
            f"more than one installed distribution offers a {what} named {name!r}: {', '.join(distinct)}"
        )
    (point,) = distinct.values()
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise LocalError(f"the {what} {name!r} cannot be loaded from {point.value}: {error}") from error


def find_protocol(name: str) -> Protocol[Any, Any]:
    """The installed protocol of this name."""
    found = load_entry_point(PROTOCOLS, name, "protocol")
    if not isinstance(found, Protocol):
        raise LocalError(f"entry point {name!r} of {PROTOCOLS} is no protocol")
    return found  # pyright: ignore[reportUnknownVariableType]


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
