"""The page of states, drawn from the literal tables that the machines follow.

The table of a handshake says which state comes next, and is drawn. The machines decide nothing outside of their
tables, so the page is as complete as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from html import escape
from typing import TypeVar

from mpcnet.noise import handshake

__all__ = ("draw", "pages", "said")

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

_BEGIN = """# States

This page is made from the tables that the machines of mpcnet follow."""

_BOX = 168
_PORT = 26
_GAP = 34
_LETTER = 7.6
_LANE = 18


def pages() -> dict[str, str]:
    """File name to text."""
    return {"states.md": "\n\n".join([_BEGIN, *_handshake()]) + "\n"}


def _handshake() -> Iterator[str]:
    yield "## Handshake"
    yield (
        "One table serves both sides, since states and events name the two roles. A call of our own that is not in "
        "the table raises `LocalError` and changes nothing. A message that is not in it is the peer's violation."
    )
    drawing = draw("States of a handshake", handshake.TRANSITIONS)
    yield f'```{{raw}} html\n<div class="drawing">{drawing}</div>\n```'
    yield "\n".join(f"- {line}" for line in said(handshake.TRANSITIONS))


def said(transitions: Mapping[tuple[S, E], S]) -> list[str]:
    """The transitions as sentences, for those who do not see the drawing."""
    return [
        f"After `{event.name}`, `{before.name}` becomes `{after.name}`."
        for (before, event), after in transitions.items()
    ]


def draw(title: str, transitions: Mapping[tuple[S, E], S]) -> str:
    """A drawing of all transitions, as SVG that a page holds.

    States stand below each other in the order of their enumeration. Each transition leaves its state to the right,
    with the event on the line, and comes back to the state that follows.
    """
    states = [state for state in next(iter(transitions))[0].__class__ if _is_used(state, transitions)]
    ports = {state: _ports(state, transitions) for state in states}
    tops: dict[S, int] = {}
    y = 2
    for state in states:
        tops[state] = y
        y += max(1, len(ports[state])) * _PORT + _GAP
    labels = int(max(len(_words(event)) for _, event in transitions) * _LETTER) + 24
    width = _BOX + labels + _LANE * len(transitions) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y - _GAP + 4}" width="{width}" '
        f'height="{y - _GAP + 4}" role="img">',
        f"<title>{escape(title)}; the list below the drawing says the same</title>",
    ]
    for state in states:
        height = max(1, len(ports[state])) * _PORT
        parts.append(f'<rect x="1" y="{tops[state]}" width="{_BOX - 1}" height="{height}" rx="6" class="state"/>')
        parts.append(
            f'<text x="{_BOX // 2}" y="{tops[state] + height // 2 + 5}" text-anchor="middle" class="name">'
            f"{escape(_words(state))}</text>"
        )
    for lane, ((before, event), after) in enumerate(_by_length(transitions, states)):
        start = tops[before] + _port_y(ports[before].index((before, event)))
        end = tops[after] + _port_y(ports[after].index((before, event)))
        x = _BOX + labels + _LANE * lane
        parts += _arrow(start, end, x, _words(event))
    return "\n".join([*parts, "</svg>"])


def _is_used(state: S, transitions: Mapping[tuple[S, E], S]) -> bool:
    return any(state in (before, after) for (before, _), after in transitions.items())


def _ports(state: S, transitions: Mapping[tuple[S, E], S]) -> list[tuple[S, E]]:
    """What leaves or reaches a state: first what leaves it."""
    leaving = [key for key in transitions if key[0] is state]
    return [*leaving, *(key for key, after in transitions.items() if after is state and key[0] is not state)]


def _by_length(transitions: Mapping[tuple[S, E], S], states: Sequence[S]) -> list[tuple[tuple[S, E], S]]:
    """Short ones first: they take the inner lanes, and cross fewer others."""
    return sorted(transitions.items(), key=lambda item: abs(states.index(item[0][0]) - states.index(item[1])))


def _port_y(place: int) -> int:
    return place * _PORT + _PORT // 2


def _arrow(start: int, end: int, x: int, label: str) -> Iterator[str]:
    yield f'<path d="M {_BOX} {start} H {x} V {end} H {_BOX + 9}" class="edge"/>'
    yield f'<path d="M {_BOX + 1} {end} L {_BOX + 11} {end - 5} L {_BOX + 11} {end + 5} Z" class="arrow"/>'
    yield f'<text x="{_BOX + 12}" y="{start - 5}" class="size">{escape(label)}</text>'


def _words(member: Enum) -> str:
    return member.name.lower().replace("_", " ")
