"""Who sends what to whom in which round, from the trace of a simulated run, as a drawing without scripts.

Colours and type sizes are those of the site's style sheet, so that the drawing follows the theme.

One column for each party, one line for each group of messages of a round: those that a set of parties send to each
other, and those that several send to the same receivers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mpcnet.sim import TraceEvent

__all__ = ("Group", "draw", "groups_of", "say")

Sizes = dict[tuple[str, str], int]
"""By (sender, receiver), payload bytes."""

_COLUMN = 112
_LEFT = 136
_RIGHT = 190
_LINE = 34
_TOP = 60


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one round that belong together.

    Args:
        when: "randomness", "round 3", or "message 3" of those that a protocol sends by itself.
        senders: who send; if `mutual`, each also receives from all others.
        receivers: who receive from each of the senders.
        text: how many bytes.
    """

    when: str
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    text: str

    @property
    def mutual(self) -> bool:
        """Whether each of these parties sends to each other one."""
        return self.senders == self.receivers


def groups_of(trace: Sequence[TraceEvent], parties: Sequence[str], dealer: str | None) -> list[Group]:
    """The messages of a run. Rounds without a message do not count."""
    phases: dict[tuple[int, str, int], Sizes] = defaultdict(dict)
    for event in trace:
        if event.kind not in {"ROUND", "DATA"}:
            continue
        deals = dealer in {event.sender, event.receiver}
        # A question to the dealer and its answer carry the number of the round before which they are asked.
        answer = int(event.sender == dealer)
        place = (event.round * 2 - 1 + answer, "randomness", answer) if deals else (event.round * 2, event.kind, 0)
        sizes = phases[place]
        key = (event.sender, event.receiver)
        sizes[key] = sizes.get(key, 0) + event.body_bytes
    found: list[Group] = []
    count = {"ROUND": 0, "DATA": 0}
    for place in sorted(phases):
        kind, when = place[1], "randomness"
        if kind in count:
            count[kind] += 1
            when = f"{'round' if kind == 'ROUND' else 'message'} {count[kind]}"
        found += _groups(when, phases[place], parties)
    return found


def say(group: Group) -> str:
    """The group as a sentence, for those who do not see the drawing."""
    if group.mutual:
        return f"{_names(group.senders)} to each other, {group.text}"
    return f"{_names(group.senders)} to {_names(group.receivers)}, {group.text}"


def draw(title: str, parties: Sequence[str], roles: Mapping[str, str], groups: Sequence[Group]) -> str:
    """The drawing, as SVG that a page holds.

    Args:
        parties: by column.
        roles: by party, what stands under its name.
    """
    columns = {name: _LEFT + place * _COLUMN for place, name in enumerate(parties)}
    width = _LEFT + (len(parties) - 1) * _COLUMN + _RIGHT
    height = _TOP + _LINE * len(groups) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img">',
        f"<title>{escape(title)}</title>",
    ]
    for name, x in columns.items():
        parts += [
            f'<text x="{x}" y="20" text-anchor="middle" class="name">{escape(name)}</text>',
            f'<text x="{x}" y="38" text-anchor="middle" class="role">{escape(roles[name])}</text>',
            f'<line x1="{x}" y1="46" x2="{x}" y2="{height - 4}" class="column"/>',
        ]
    shown = ""
    for place, group in enumerate(groups):
        y = _TOP + _LINE * place + 12
        if group.when != shown:
            shown = group.when
            parts.append(f'<text x="0" y="{y + 5}">{escape(shown)}</text>')
        parts += _line(group, columns, y)
        parts.append(f'<text x="{max(columns.values()) + 16}" y="{y + 5}" class="size">{escape(group.text)}</text>')
    return "\n".join([*parts, "</svg>"])


def _line(group: Group, columns: Mapping[str, int], y: int) -> Iterator[str]:
    """One line: dots where it begins, arrows where it ends, rings where it does both."""
    places = [columns[name] for name in {*group.senders, *group.receivers}]
    yield f'<line x1="{min(places)}" y1="{y}" x2="{max(places)}" y2="{y}" class="message"/>'
    middle = sum(columns[name] for name in group.senders) / len(group.senders)
    for name in group.senders:
        yield f'<circle cx="{columns[name]}" cy="{y}" r="5" class="{"ring" if group.mutual else "dot"}"/>'
    for name in group.receivers:
        if name not in group.senders:
            x = columns[name]
            back = x - 10 if middle < x else x + 10
            yield f'<path d="M {x} {y} L {back} {y - 5} L {back} {y + 5} Z" class="arrow"/>'


def _groups(when: str, sizes: Sizes, parties: Sequence[str]) -> list[Group]:
    talkers = [
        name for name in parties if any((name, other) in sizes and (other, name) in sizes for other in parties)
    ]
    mutual = tuple(
        name
        for name in talkers
        if all((name, other) in sizes and (other, name) in sizes for other in talkers if other != name)
    )
    found: list[Group] = []
    rest = dict(sizes)
    if len(mutual) > 1:
        inside = [rest.pop((one, other)) for one in mutual for other in mutual if one != other]
        found.append(Group(when, mutual, mutual, f"{_bytes(inside)} to each"))
    by_sender: dict[str, list[str]] = defaultdict(list)
    for sender, receiver in rest:
        by_sender[sender].append(receiver)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for sender in sorted(by_sender, key=list(parties).index):
        alike[tuple(sorted(by_sender[sender], key=list(parties).index))].append(sender)
    for receivers, senders in alike.items():
        counts = [rest[sender, receiver] for sender in senders for receiver in receivers]
        each = " each" if len(counts) > 1 else ""
        found.append(Group(when, tuple(senders), receivers, f"{_bytes(counts)}{each}"))
    return found


def _bytes(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    if low == high:
        return f"{low:,} bytes" if low != 1 else "1 byte"
    return f"{low:,} to {high:,} bytes"


def _names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
