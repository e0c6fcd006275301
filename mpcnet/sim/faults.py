"""Faults and lies that a simulation plays on purpose."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from mpcnet.errors import MpcnetError
from mpcnet.wire.frames import Frame

__all__ = ("Adversary", "Crash", "CrashAfter", "Crashed", "Fault", "Stall")


@dataclass(frozen=True, slots=True)
class Crash:
    """A party's process dies when it is about to send in a round; its connections end without goodbye.

    Args:
        party: its name.
        round: the first round of which nothing is sent any more, counted in the fork that comes to it first;
            one that does not come does no harm.
    """

    party: str
    round: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """A party's connections stay, but from this round on none of its messages leaves."""

    party: str
    round: int = 0


@dataclass(frozen=True, slots=True)
class CrashAfter:
    """A party's process dies in the middle of what it says: `Crash` for protocols with messages of their own.

    Args:
        party: its name.
        messages: how many messages of the job, of rounds and byte messages together, still leave, in the order of
            the trace.
    """

    party: str
    messages: int = 0


Fault = Crash | CrashAfter | Stall


class Crashed(MpcnetError):
    """Stands in `Simulation.errors` for a party that a fault has killed."""


class Adversary(typing.Protocol):
    """An adversary on every link, which rewrites what corrupted parties send.

    The links are authenticated, so only frames of parties that the experiment calls corrupted should change.
    """

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame | None:
        """The frame that the receiver gets instead; None drops it."""
        ...
