"""Who receives an output.

    outputs={"price": "everyone"}                      all parties of the job
    outputs={"price": ("seller", "bidders")}           all members of these roles
    outputs={"place": Each("bidders")}                 row i goes to member i, who sees no other row
    outputs={"common": lambda rules: Only("owners", rules.receivers)}
    outputs={"squares": lambda rules: "everyone" if rules.variances else ()}

A function of the parameters gives any of these; () is no party. What it gives is part of the agreement.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mpcnet.errors import LocalError
from mpcnet.identity import Member
from mpcnet.wire.canonical import Plain

__all__ = (
    "EVERYONE",
    "DeclaredReceivers",
    "Delivery",
    "Each",
    "Only",
    "Receivers",
    "Roles",
    "fixed_receivers",
    "receivers_of",
)

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A part of an output, and who receives it.

    Args:
        row: which row; None for the whole output.
        receivers: roster indices, in order; at least one.
    """

    row: int | None
    receivers: tuple[int, ...]


class Receivers(ABC):
    """Who receives an output."""

    by_row: ClassVar[bool] = False
    """Whether each receiver gets one row of it."""

    @property
    @abstractmethod
    def named_roles(self) -> tuple[str, ...]:
        """The roles that must be declared."""

    @abstractmethod
    def deliveries(self, roles: Mapping[str, Sequence[Member]], everyone: tuple[int, ...]) -> tuple[Delivery, ...]:
        """What goes to whom; empty if no party receives anything.

        Args:
            roles: by role, its members.
            everyone: roster indices of all who run the program.

        Raises:
            LocalError: a role has no member in a place that is named.
        """

    @abstractmethod
    def phrase(self) -> str:
        """In words: "everyone", "the seller and the bidders"."""

    @abstractmethod
    def describe(self) -> Plain:
        """What all parties must agree on."""


@dataclass(frozen=True, slots=True)
class Roles(Receivers):
    """All members of some roles; "everyone" is all parties of the job, and no name at all is no party."""

    names: tuple[str, ...]

    @property
    def named_roles(self) -> tuple[str, ...]:
        """See `Receivers.named_roles`."""
        return tuple(name for name in self.names if name != EVERYONE)

    def deliveries(self, roles: Mapping[str, Sequence[Member]], everyone: tuple[int, ...]) -> tuple[Delivery, ...]:
        """See `Receivers.deliveries`."""
        if EVERYONE in self.names:
            return (Delivery(None, everyone),)
        indices = {member.index for name in self.names for member in roles[name]}
        return (Delivery(None, tuple(sorted(indices))),) if indices else ()

    def phrase(self) -> str:
        """See `Receivers.phrase`."""
        if EVERYONE in self.names:
            return EVERYONE
        return " and ".join(f"the {name}" for name in self.names) or "no party"

    def describe(self) -> Plain:
        """See `Receivers.describe`."""
        return list(self.names)


@dataclass(frozen=True, slots=True)
class Only(Receivers):
    """Some members of a role.

    Args:
        role: the role.
        places: theirs in the order of the job, counted from 0; no place is no party.
    """

    role: str
    places: tuple[int, ...]

    @property
    def named_roles(self) -> tuple[str, ...]:
        """See `Receivers.named_roles`."""
        return (self.role,)

    def deliveries(self, roles: Mapping[str, Sequence[Member]], everyone: tuple[int, ...]) -> tuple[Delivery, ...]:
        """See `Receivers.deliveries`."""
        members = roles[self.role]
        if missing := [place for place in self.places if not 0 <= place < len(members)]:
            raise LocalError(f"role '{self.role}' has {len(members)} members, and none in place {missing[0]}")
        indices = {members[place].index for place in self.places}
        return (Delivery(None, tuple(sorted(indices))),) if indices else ()

    def phrase(self) -> str:
        """See `Receivers.phrase`."""
        places = ", ".join(str(place + 1) for place in self.places)
        return f"number {places} of the {self.role}" if places else "no party"

    def describe(self) -> Plain:
        """See `Receivers.describe`."""
        return {"role": self.role, "places": list(self.places)}


@dataclass(frozen=True, slots=True)
class Each(Receivers):
    """Row i of the output goes to member i of a role, and to no other party.

    Args:
        role: the role; the output has as many rows as it has members.
    """

    by_row: ClassVar[bool] = True
    role: str

    @property
    def named_roles(self) -> tuple[str, ...]:
        """See `Receivers.named_roles`."""
        return (self.role,)

    def deliveries(self, roles: Mapping[str, Sequence[Member]], everyone: tuple[int, ...]) -> tuple[Delivery, ...]:
        """See `Receivers.deliveries`."""
        return tuple(Delivery(row, (member.index,)) for row, member in enumerate(roles[self.role]))

    def phrase(self) -> str:
        """See `Receivers.phrase`."""
        return f"each of the {self.role}, its own row"

    def describe(self) -> Plain:
        """See `Receivers.describe`."""
        return {"each": self.role}


Named = str | tuple[str, ...] | Receivers
DeclaredReceivers = Named | Callable[[Any], Named]
"""What a protocol declares of an output: a role, several roles, "everyone", `Each`, `Only`, or a function of the
parameters that gives one of these."""


def receivers_of(declared: DeclaredReceivers, roles: Collection[str], params: Any) -> Receivers:
    """The receivers that a declaration stands for in a job.

    Args:
        declared: what the protocol says of the output.
        roles: the declared roles.
        params: the job's parameters.

    Raises:
        LocalError: it names a role that is not declared, or is no receiver at all.
    """
    return _named(declared(params) if callable(declared) else declared, roles)


def fixed_receivers(declared: DeclaredReceivers, roles: Collection[str]) -> Receivers | None:
    """The same for all jobs; None if only parameters can tell."""
    return None if callable(declared) else _named(declared, roles)


def _named(named: Named, roles: Collection[str]) -> Receivers:
    match named:
        case Receivers():
            found = named
        case str():
            found = Roles((named,))
        case tuple():
            found = Roles(named)
        case _:  # pyright: ignore[reportUnnecessaryComparison]
            raise LocalError(f"goes to roles, Each, Only or what a function says, not to a {type(named).__name__}")
    for name in found.named_roles:
        if name not in roles:
            raise LocalError(
                f"goes to {name!r}, which is no role; the roles are: {', '.join(roles)}; '{EVERYONE}' is all of "
                "them"
            )
    return found
