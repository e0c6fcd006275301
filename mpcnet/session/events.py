"""What a mesh tells its listener: for progress on a terminal, for logs, for tests. Nothing secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpcnet.session.cost import Cost

__all__ = (
    "Agreed",
    "Ended",
    "Evaluating",
    "Event",
    "Listener",
    "PeerDown",
    "PeerUp",
    "Prepared",
    "RoundDone",
    "Waiting",
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened."""


@dataclass(frozen=True, slots=True)
class PeerUp(Event):
    """A link to a party is established."""

    party: str


@dataclass(frozen=True, slots=True)
class PeerDown(Event):
    """A link ended; `reason` is empty after a goodbye."""

    party: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """A job waits for parties that have not agreed yet."""

    label: str
    parties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreed(Event):
    """All parties have confirmed the job."""

    label: str
    job: bytes


@dataclass(frozen=True, slots=True)
class Evaluating(Event):
    """An evaluation begins. A program may have more of them, which cannot be known before it comes to them.

    Args:
        rounds: online rounds that it takes, to all that is known.
        prepares: whether it asks for correlated randomness first: rounds that are over until `Prepared` are that.
    """

    label: str
    fork: bytes
    rounds: int
    prepares: bool


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    """The correlated randomness of an evaluation is there; its online rounds begin."""

    label: str
    fork: bytes


@dataclass(frozen=True, slots=True)
class RoundDone(Event):
    """A round of a job is over; `fork` is its path's id, empty for the main program."""

    label: str
    fork: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """A job is over.

    Args:
        error: why it failed, or None.
        cost: what it cost us until then, without agreement.
    """

    label: str
    error: BaseException | None
    cost: Cost


Listener = Callable[[Event], None]
