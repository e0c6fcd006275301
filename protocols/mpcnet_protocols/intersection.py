"""Which items two lists have in common, or how many, by Diffie-Hellman [Meadows86, HFH99].

    first (items x, scalar a)                                second (items y, scalar b)
    1  how many                          ◀───────────▶    how many
    2  a·H(x) in sorted order            ◀───────────▶    b·H(y) in sorted order
       a·(b·H(y))                                         b·(a·H(x))
    3  tags of ab·H(y), if the second learns ────────▶
                                         ◀────────────    tags of ba·H(x), if the first learns
       compare with the tags of ab·H(y)                   compare with the tags of ba·H(x)

H hashes to Curve25519, keyed with the job id (`mpcnet.sets`). Tags are hashes of doubly blinded points, short, and
made for one receiver. They come in the order of the receiver's points, so that it knows which of its items match;
for the cardinality they come sorted, and then they only tell how many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar, get_args

from mpcnet import (
    Context,
    Example,
    LocalError,
    LocalItems,
    Many,
    Only,
    Party,
    PeerViolation,
    Round,
    Step,
    Work,
    Works,
    protocol,
)
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

__all__ = ("Matches", "Outcome", "Rules", "Side", "intersection", "match")

T = TypeVar("T")
R = TypeVar("R")

_To = Literal["first", "second", "both"]
_Reveal = Literal["items", "cardinality"]

_MOST_ITEMS = 2**22
"""At this length the points of a list take 128 MiB, about a GiB with what Python keeps for each, and a quarter of
an hour of a core."""
_SIZE_BYTES = 8
_CHUNK = 1024
"""Items in one piece of work: an eighth of a second of a core. The curve's operations release the interpreter's
lock: two threads on two free cores make 1.6 times the speed of one."""
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
        sizes: by the name of each owner, how many different items its list has.
        receivers: names of the owners who are told.
    """

    size: int | None
    items: tuple[str, ...] | None
    sizes: dict[str, int]
    receivers: tuple[str, ...]


def _explain(outcome: Outcome) -> str:
    (first, size), (second, other_size) = outcome.sizes.items()
    lists = f"of {size:,} items of {first} and {other_size:,} of {second}"
    if outcome.size is None:
        return f"nothing but the sizes, {lists}: {', '.join(outcome.receivers)} is told what they have in common"
    if not outcome.items:
        return f"{lists}, {outcome.size:,} are in both"
    shown = [_printable(item) for item in outcome.items[:_SHOWN]]
    more = [f"and {outcome.size - _SHOWN:,} more; --json or --output gives all"] if outcome.size > _SHOWN else []
    return "\n".join([f"{lists}, {outcome.size:,} are in both:", *shown, *more])


def _printable(item: str) -> str:
    """A list may come from anywhere: no item moves the terminal's cursor."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in item)


@protocol(
    "intersection",
    version=2,
    params=Rules,
    roles={"owners": Many(2, 2)},
    inputs={"items": LocalItems(by="owners", most="max_items", help="the texts to be found in the other list too")},
    outputs={
        "sizes": "owners",
        "common": lambda rules: Only("owners", tuple(place for place in (0, 1) if rules.learns(place))),
    },
    example=Example(
        params=Rules(to="first"),
        roles={"owners": ("alice", "bob")},
        inputs={
            "alice": {"items": ["ada@example.org", "ben@example.org", "cem@example.org", "dora@example.org"]},
            "bob": {"items": ["ben@example.org", "dora@example.org", "emil@example.org"]},
        },
    ),
    explain=_explain,
    names_rows=lambda outcome: {} if outcome.items is None else {"items": outcome.items},
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
    Rounds: 3: sizes, points, tags. An owner sends 8 bytes, 32 for each item of its list and, to a receiver, 5 to 11
    for each of the receiver's, so many that an error has a chance of at most 2^-40: 10 for 100,000 items a side.
    Its work is about 130 µs of a core for each item of its own, and 75 for each of the other.

    Raises:
        LocalError: a party computes that owns no list.
        PeerViolation: the other announces too many items, sends another number of bytes, a point of small order,
            or an item twice.
    Source: [Meadows86], [HFH99]; the cardinality [HFH99], [DGT12]. Deviates: on Curve25519, and tags are short
    hashes, as in [DT10], of what these papers compare as it is.
    """
    owners, rules = party.roles["owners"], party.params
    if party.me not in owners:
        raise LocalError("the owners compare their lists with each other: no other party computes")
    place = owners.index(party.me)
    side = Side(
        owners[1 - place].index,
        rules.learns(place),
        rules.learns(1 - place),
        rules.reveal == "cardinality",
        rules.max_items,
    )
    items: Sequence[str] = party.local("items")
    encoded, scalar = [item.encode() for item in items], party.random_bytes(SCALAR_BYTES)
    matches = await party.run("match", partial(match, side=side, items=encoded, job=party.job_id, scalar=scalar))
    by_place = (len(items), matches.peer_size) if place == 0 else (matches.peer_size, len(items))
    sizes = {owner.name: size for owner, size in zip(owners, by_place, strict=True)}
    receivers = tuple(owner.name for index, owner in enumerate(owners) if rules.learns(index))
    if rules.reveal == "cardinality" or matches.places is None:
        return Outcome(matches.size, None, sizes, receivers)
    return Outcome(matches.size, tuple(sorted(items[place] for place in matches.places)), sizes, receivers)


@dataclass(frozen=True, slots=True)
class Side:
    """The exchange as one of the two owners takes part in it.

    Args:
        peer: roster index of the other.
        we_learn, peer_learns: who receives the result.
        cardinality: whether a receiver learns only how many items match.
        max_items: the most that the peer may announce.
    """

    peer: int
    we_learn: bool
    peer_learns: bool
    cardinality: bool
    max_items: int


@dataclass(frozen=True, slots=True)
class Matches:
    """What one side has learned.

    Args:
        peer_size: how many items the peer has.
        size: how many of ours it has too; None if we are not told.
        places: which of ours these are; None if we are not told, or only how many.
    """

    peer_size: int
    size: int | None
    places: tuple[int, ...] | None


def match(context: Context, side: Side, items: Sequence[bytes], job: bytes, scalar: bytes) -> Step[Matches]:
    """One side of the exchange; see `intersection` for what it is worth.

    Three rounds: 8 bytes, 32 for each of our items, and a tag for each of the peer's, if it learns.

    Args:
        side: ours.
        items: ours, each once.
        job: keys the hashes, the same on both sides and fresh.
        scalar: 32 uniform bytes, fresh.
    Raises:
        PeerViolation: too many items, a point of small order, or an item twice.
    """
    peer, name = side.peer, context.parties.names[side.peer]
    inbox = yield Round({peer: len(items).to_bytes(_SIZE_BYTES, "little")}, {peer: _SIZE_BYTES})
    peer_size = int.from_bytes(inbox[peer], "little")
    if peer_size > side.max_items:
        raise PeerViolation(name, f"announces {peer_size} items, where at most {side.max_items} are agreed on")
    points = yield from _in_chunks(partial(blind, job=job, scalar=scalar), items)
    # Sorted points tell nothing of the order of the list; which of them is whose, only we know.
    places, message = yield from Work(partial(_sorted_points, points))
    inbox = yield Round({peer: message}, {peer: POINT_BYTES * peer_size})
    common = yield from _blind_theirs(name, inbox[peer], scalar)
    nbytes = tag_bytes(len(items), peer_size)
    message = b""
    if side.peer_learns:
        message = yield from _tags_message(common, job, peer, nbytes, hide_order=side.cardinality)
    inbox = yield Round(
        {peer: message} if side.peer_learns else {}, {peer: nbytes * len(items)} if side.we_learn else {}
    )
    if not side.we_learn:
        return Matches(peer_size, None, None)
    known = yield from _in_chunks(partial(tags_of, job=job, receiver=context.me, nbytes=nbytes), common)
    found = yield from Work(partial(_matching, places, split_tags(inbox[peer], nbytes), known))
    return Matches(peer_size, len(found), None if side.cardinality else tuple(found))


def _sorted_points(points: Sequence[bytes]) -> tuple[list[int], bytes]:
    """The places of the points in the order in which they are sent, and the message."""
    places = sorted(range(len(points)), key=points.__getitem__)
    return places, b"".join([points[place] for place in places])


def _blind_theirs(name: str, message: memoryview, scalar: bytes) -> Step[list[bytes]]:
    """The peer's points times our scalar, in its order."""
    try:
        common = yield from _in_chunks(partial(multiply, scalar=scalar), split_points(message))
    except SmallOrder:
        raise PeerViolation(name, "sent a point of small order, which is no item's") from None
    # Else a receiver could weigh its items, and read which of them match from their number.
    if (yield from Work(lambda: len(set(common)))) != len(common):
        raise PeerViolation(name, "listed an item twice")
    return common


def _tags_message(
    common: Sequence[bytes], job: bytes, receiver: int, nbytes: int, *, hide_order: bool
) -> Step[bytes]:
    """The tags of the receiver's items."""
    tags = yield from _in_chunks(partial(tags_of, job=job, receiver=receiver, nbytes=nbytes), common)
    # The order of its points would tell which of its items match.
    return (yield from Work(lambda: b"".join(sorted(tags) if hide_order else tags)))


def _matching(places: Sequence[int], received: Sequence[bytes], known: Sequence[bytes]) -> list[int]:
    """The places whose tags are known, in order."""
    tags = set(known)
    return sorted(place for place, tag in zip(places, received, strict=True) if tag in tags)


def _in_chunks(function: Callable[[Sequence[T]], list[R]], values: Sequence[T]) -> Step[list[R]]:
    """The function of all values, in pieces; results in the order of the values."""
    chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
    results = yield from Works([partial(function, chunk) for chunk in chunks])
    return [result for chunk in results for result in chunk]
