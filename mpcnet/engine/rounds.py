"""Steps and rounds: how a protocol talks without touching a socket, a clock or a scheduler.

    Step = Generator[Round | Work, Inbox, T]

A step yields what it sends and how many bytes it expects from whom, is resumed with exactly those bytes, and
returns its result. Long computing it yields as `Work`, and is resumed with what that returns. Its driver decides
where the bytes travel: `lockstep` joins the steps of n parties in a loop, the session joins them over encrypted
links, the simulator over a modelled network. Sizes are known before bytes come, so a peer can never make us
allocate; those that only the data knows travel in a first round of fixed size.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mpcnet.algebra import Buffer
from mpcnet.engine.work import Work, outcome_of, resume

__all__ = ("Inbox", "Round", "Step", "in_region")

T = TypeVar("T")

Inbox = Mapping[int, memoryview]
"""By sender (roster index): what it sent, of the expected size, read-only."""


def _nothing_to_send() -> dict[int, Buffer]:
    return {}


def _nothing_expected() -> dict[int, int]:
    return {}


@dataclass(slots=True)
class Round:
    """One exchange of messages, seen from one party. Never changed; not frozen, which would cost more than its use.

    Buffers given to a round are frozen: no code writes them again. All parties of a program yield the same number
    of rounds, also those that neither send nor expect anything in one.

    Args:
        to: by receiver (roster index), the bytes for it; an entry may be empty, and is then still a message.
        expect: by sender (roster index), how many bytes it will send.
        region: what it is counted under; empty for the region that the caller of the program is in.
    """

    to: Mapping[int, Buffer] = field(default_factory=_nothing_to_send)
    expect: Mapping[int, int] = field(default_factory=_nothing_expected)
    region: str = ""


Step = Generator[Round | Work[Any], Inbox, T]
"""What a party does together with others: yields rounds and works, and returns a result."""


def in_region(step: Step[T], region: str) -> Step[T]:
    """The same step, whose rounds are counted under a region of their own."""
    try:
        due = next(step)
        while True:
            if isinstance(due, Round):
                due = step.send((yield Round(due.to, due.expect, region)))
            else:
                due = resume(step, (yield from outcome_of(due)))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        step.close()
