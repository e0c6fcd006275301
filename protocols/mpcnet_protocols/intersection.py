"""Which items two lists have in common, or how many, by Diffie-Hellman [Meadows86, HFH99].

    first (items x, scalar a)                                second (items y, scalar b)
    sizes, and a·H(x) in sorted order    ────────────▶
                                         ◀────────────    sizes, and b·H(y) in sorted order
    b·(a·H(x)) is made there             ◀────────────    tags of ab·H(x), if the first learns
    tags of ba·H(y), if the second learns ───────────▶    a·(b·H(y)) is made here
    compare with the tags of ba·H(y)                      compare with the tags of ab·H(x)

H hashes to Curve25519, keyed with the job id (`mpcnet.sets`). Tags are hashes of doubly blinded points, short, and
made for one receiver. They come in the order of the receiver's points, so that it knows which of its items match;
for the cardinality they come sorted, and then they only tell how many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar, get_args

import trio

from mpcnet import Example, LocalError, LocalItems, Many, Member, Party, PeerViolation, protocol
from mpcnet.sets import (
    POINT_BYTES,
    SCALAR_BYTES,
    SmallOrder,
    blind,
    multiply,
    split_points,
    split_tags,
    tag_bytes,
    tags_of,
)

__all__ = ("Outcome", "Rules", "intersection")

T = TypeVar("T")
R = TypeVar("R")

_To = Literal["first", "second", "both"]
_Reveal = Literal["items", "cardinality"]

_MOST_ITEMS = 2**22
"""Whose points take 128 MiB, about a GiB with what Python keeps for each, and a core a quarter of an hour."""
_SIZE_BYTES = 8
_CHUNK = 1024
"""Items in one piece of work: an eighth of a second of a core. Between pieces a cancelled job ends."""
_THREADS = min(4, os.cpu_count() or 1)
"""The curve's operations release the interpreter's lock: two threads on two free cores make 1.6 times the speed of
one. What holds it (hashing, conversion, calls) is a tenth, so many more gain little."""
_SHOWN = 20


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        to: who learns the result: the "first" owner, the "second", or "both".
        reveal: what it learns: which "items" both lists have, or only their number, the "cardinality".
        max_items: the most items that a list may have; also bounds the work that an owner can make for the other.

    Raises:
        LocalError: a parameter is not as said.
    """

    to: str = "both"
    reveal: str = "items"
    max_items: int = 100_000

    def __post_init__(self) -> None:
        for name, value, known in (("to", self.to, get_args(_To)), ("reveal", self.reveal, get_args(_Reveal))):
            if value not in known:
                raise LocalError(f"parameter '{name}' is one of: {', '.join(known)}")
        if not 1 <= self.max_items <= _MOST_ITEMS:
            raise LocalError(f"parameter 'max_items' lies between 1 and {_MOST_ITEMS}")

    def learns(self, place: int) -> bool:
        """Whether the owner at this place of the role, 0 or 1, learns the result."""
        return self.to in {("first", "second")[place], "both"}


@dataclass(frozen=True)
class Outcome:
    """What an owner learns.

    Args:
        size: how many items both lists have; None for an owner who is not told.
        items: these items, sorted; None for an owner who is not told, and where only the number is.
        sizes: by owner in the order of the job, how many different items its list has.
        receivers: names of the owners who are told.
    """

    size: int | None
    items: tuple[str, ...] | None
    sizes: tuple[int, int]
    receivers: tuple[str, ...]


def _explain(outcome: Outcome) -> str:
    lists = f"of {outcome.sizes[0]:,} and {outcome.sizes[1]:,} items"
    if outcome.size is None:
        return f"nothing but the sizes, {lists}: {', '.join(outcome.receivers)} is told what they have in common"
    if not outcome.items:
        return f"{lists}, {outcome.size:,} are in both"
    shown = [_printable(item) for item in outcome.items[:_SHOWN]]
    more = [f"and {outcome.size - _SHOWN:,} more; --json gives all"] if outcome.size > _SHOWN else []
    return "\n".join([f"{lists}, {outcome.size:,} are in both:", *shown, *more])


def _printable(item: str) -> str:
    """A list may come from anywhere: no item moves the terminal's cursor."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in item)


@protocol(
    "intersection",
    version=1,
    params=Rules,
    roles={"owners": Many(2, 2)},
    inputs={"items": LocalItems(by="owners", most="max_items", help="the texts to be found in the other list too")},
    outputs={},  # nothing is opened from shares, and who learns the result is a parameter
    example=Example(
        params=Rules(to="first"),
        roles={"owners": ("alice", "bob")},
        inputs={
            "alice": {"items": ["ada@example.org", "ben@example.org", "cem@example.org", "dora@example.org"]},
            "bob": {"items": ["ben@example.org", "dora@example.org", "emil@example.org"]},
        },
    ),
    explain=_explain,
)
async def intersection(party: Party[Rules]) -> Outcome:
    """Which items two lists have in common, or how many.

    The parties agree on who learns it: the first owner, the second, or both. Items are texts, equal as `LocalItems`
    says; an item that an owner gives twice counts once.

    Leaks:
        - Both owners learn how many different items the other's list has.
        - With reveal="items" a receiver learns which of its items the other has too, and so nothing that is not in
          its own list.
        - With reveal="cardinality" a receiver learns how many they are, and not which.
        - An owner that is no receiver learns nothing else: what it gets are points that look random.
        - A receiver learns about an item by naming it: lists of few possible items (telephone numbers, ages) are no
          secret to an owner that names them all, which `max_items` bounds.
        - The cardinality can tell an item too: of a list of one, or by two runs that differ by one.
    Threat model: semi-honest, one of the two; no third party. Hashes are random oracles, and the decisional
    Diffie-Hellman problem is hard on Curve25519. For an owner who runs another program nothing is proven. It can
    choose any list, leave items out, lie about the result, and if both learn it, stop when it has it: there is no
    fairness. Of the other's items it learns, as far as we know, whether they match those that it names, `max_items`
    at most (compare [JL10], where that is proven). But the cardinality protects against honest programs only: a
    receiver that blinds each item with a scalar of its own finds out which ones match. Points of small order, items
    that are listed twice, and messages of another size are violations, and name their sender.
    Rounds: 2 message delays: points, then tags. An owner sends 32 bytes for each item of its list and, to a
    receiver, 5 to 11 for each of the receiver's, so many that an error has a chance of at most 2^-40: 10 for
    100,000 items a side. Its work is about 130 µs of a core for each item of its own, and 75 for each of the other.

    Raises:
        LocalError: somebody else computes.
        PeerViolation: the other announces too many items, sends another number of bytes, a point of small order,
            or an item twice.
    Source: [Meadows86], [HFH99]; the cardinality [HFH99], [DGT12]. Deviates: on Curve25519, and tags are short
    hashes, as in [DT10], of what these papers compare as it is.
    """
    sides = _Sides.of(party)
    items, scalar = party.local("items"), party.random_bytes(SCALAR_BYTES)
    encoded = [item.encode() for item in items]
    ours = await _in_chunks(party, partial(blind, job=party.job_id, scalar=scalar), encoded)
    # Sorted points tell nothing of the order of the list; which of them is whose, only we know.
    places = await party.offload(lambda: sorted(range(len(ours)), key=ours.__getitem__))
    theirs = await _swap_points(party, sides.peer, [ours[place] for place in places])
    common = await _blind_theirs(party, sides.peer, theirs, scalar)
    nbytes = tag_bytes(len(ours), len(theirs))
    received = await _swap_tags(party, sides, common, nbytes, len(ours))
    sizes = (len(ours), len(theirs)) if sides.place == 0 else (len(theirs), len(ours))
    if not sides.we_learn:
        return Outcome(None, None, sizes, sides.receivers)
    known = set(await _tags_for(party, party.me, common, nbytes))
    matches = [place for place, tag in zip(places, received, strict=True) if tag in known]
    if party.params.reveal == "cardinality":
        return Outcome(len(matches), None, sizes, sides.receivers)
    found = tuple(sorted(items[place] for place in matches))
    return Outcome(len(found), found, sizes, sides.receivers)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The two owners as one of them sees them.

    Args:
        place: ours in the role, 0 or 1.
        peer: the other.
        we_learn, peer_learns: who receives the result.
        receivers: their names.
    """

    place: int
    peer: Member
    we_learn: bool
    peer_learns: bool
    receivers: tuple[str, ...]

    @staticmethod
    def of(party: Party[Rules]) -> _Sides:
        """Ours.

        Raises:
            LocalError: we own no list.
        """
        owners, rules = party.roles["owners"], party.params
        if party.me not in owners:
            raise LocalError("the owners compare their lists with each other: nobody else computes")
        place = owners.index(party.me)
        receivers = tuple(owner.name for index, owner in enumerate(owners) if rules.learns(index))
        return _Sides(place, owners[1 - place], rules.learns(place), rules.learns(1 - place), receivers)


async def _swap_points(party: Party[Rules], peer: Member, points: Sequence[bytes]) -> list[memoryview]:
    """Tell our size and points, and take the peer's."""
    most = party.params.max_items
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_send, party, peer, len(points).to_bytes(_SIZE_BYTES, "little"), b"".join(points))
        count = int.from_bytes(await _receive(party, peer, _SIZE_BYTES, "its size"), "little")
        if count > most:
            raise PeerViolation(peer.name, f"announces {count} items, where at most {most} are agreed on")
        received = await _receive(party, peer, POINT_BYTES * count, "its points")
    return split_points(received)


async def _blind_theirs(
    party: Party[Rules], peer: Member, points: Sequence[memoryview], scalar: bytes
) -> list[bytes]:
    """The peer's points times our scalar, in its order."""
    try:
        common = await _in_chunks(party, partial(multiply, scalar=scalar), points)
    except SmallOrder:
        raise PeerViolation(peer.name, "sent a point of small order, which is no item's") from None
    # Else a receiver could weigh its items, and read which of them match from their number.
    if len(set(common)) != len(common):
        raise PeerViolation(peer.name, "listed an item twice")
    return common


async def _swap_tags(
    party: Party[Rules], sides: _Sides, common: Sequence[bytes], nbytes: int, count: int
) -> list[bytes]:
    """Send the peer the tags of its items, if it learns the result, and receive those of ours, if we do."""
    async with trio.open_nursery() as nursery:
        if sides.peer_learns:
            tags = await _tags_for(party, sides.peer, common, nbytes)
            if party.params.reveal == "cardinality":
                # The order of its points would tell which of its items match.
                tags.sort()
            nursery.start_soon(_send, party, sides.peer, b"".join(tags))
        if not sides.we_learn:
            return []
        received = await _receive(party, sides.peer, nbytes * count, "our tags")
    return split_tags(received, nbytes)


async def _tags_for(party: Party[Rules], receiver: Member, common: Sequence[bytes], nbytes: int) -> list[bytes]:
    make = partial(tags_of, job=party.job_id, receiver=receiver.index, nbytes=nbytes)
    return await _in_chunks(party, make, common)


async def _send(party: Party[Rules], peer: Member, *messages: bytes) -> None:
    for message in messages:
        await party.send(peer, message)


async def _receive(party: Party[Rules], peer: Member, nbytes: int, what: str) -> memoryview:
    """A message whose size we know."""
    message = await party.receive(peer, max_bytes=nbytes)
    if len(message) != nbytes:
        raise PeerViolation(peer.name, f"sent {len(message)} bytes for {what}, where {nbytes} were agreed on")
    return message


async def _in_chunks(
    party: Party[Rules], function: Callable[[Sequence[T]], list[R]], values: Sequence[T]
) -> list[R]:
    """The function of all values, piece by piece on several threads; results in the order of the values."""
    chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
    results: list[list[R]] = [[] for _ in chunks]
    failures: list[SmallOrder] = []

    async def work(first: int) -> None:
        for place in range(first, len(chunks), _THREADS):
            if failures:
                return
            try:
                results[place] = await party.offload(function, chunks[place])
            except SmallOrder as error:  # two of them would leave the nursery as a group
                failures.append(error)

    async with trio.open_nursery() as nursery:
        for first in range(_THREADS):
            nursery.start_soon(work, first)
    if failures:
        raise failures[0]
    return [result for chunk in results for result in chunk]
