"""How long the first guest waits for the last one; nobody learns when the others come.

    every guest i                                    every party
    time_i, as a minute  ──secret-shared──▶  latest - earliest  ──revealed──▶  minutes

Its input is of a kind of its own: a time of day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet import Example, LocalError, Many, Party, protocol
from mpcnet.declare import Shared

__all__ = ("Clock", "Outcome", "Rules", "longest_wait")


@dataclass(frozen=True, kw_only=True)
class Clock(Shared):
    """A time of day, shared as its minute."""

    kind: ClassVar[str] = "clock"
    range: Any = (0, 24 * 60 - 1)

    def parse(self, texts: Sequence[str], params: Any) -> time:
        """One text, such as 07:30."""
        if len(texts) != 1:
            raise LocalError(f"one time was expected, not {len(texts)}")
        try:
            return time.fromisoformat(texts[0].strip())
        except ValueError:
            raise LocalError("a time such as 07:30 was expected", row=0) from None

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """The minute."""
        if not isinstance(value, time):
            raise LocalError(f"a time was expected, not a {type(value).__name__}")
        return np.array(60 * value.hour + value.minute)

    def value_of(self, number: int, params: Any) -> time:
        """The time of a minute: samples and edges are made of it."""
        return time(number // 60, number % 60)

    def phrase(self, params: Any = None) -> str:
        """For explanations and prompts."""
        return "a time of day, such as 07:30"


@dataclass(frozen=True)
class Rules:
    """No parameters."""


@dataclass(frozen=True)
class Outcome:
    """What every party learns.

    Args:
        minutes: from the first arrival to the last.
    """

    minutes: int


@protocol(
    "longest-wait",
    version=1,
    api=1,
    params=Rules,
    roles={"guests": Many(3)},
    inputs={"arrival": Clock(by="guests", help="when you come")},
    outputs={"minutes": "everyone"},
    example=Example(
        params=Rules(),
        roles={"guests": ("alice", "bob", "carol")},
        inputs={"alice": {"arrival": ["19:30"]}, "bob": {"arrival": ["20:05"]}, "carol": {"arrival": ["18:45"]}},
        dealer="dora",
    ),
    explain=lambda outcome: f"the first waits {outcome.minutes} minutes for the last",
)
async def longest_wait(party: Party[Rules]) -> Outcome:
    """How long the first guest waits for the last one; not who, and no time of day.

    Everyone learns the number of minutes; whoever knows all arrivals but one can often tell that one.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer and one computing party together learn everything. Inputs may be untrue.
    """
    arrival = party.share("arrival")
    out = await party.reveal(minutes=arrival.max() - arrival.min())
    return Outcome(int(out["minutes"]))
