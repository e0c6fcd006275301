"""Telling two inputs apart by what a party sees, in many runs of each: exact tests, one run being one sample.

    views of S runs with inputs X    ─┐
                                      ├─▶ yes-no features ─▶ how many say yes on either side ─▶ Fisher's exact test
    views of S runs with inputs X'   ─┘

If a party sees the same distribution for both, its 2 S views are exchangeable, and the count of a feature on one
side is hypergeometric, however the bytes of one run depend on each other; so the chance of a false alarm is known,
and not approximate [Fisher35, ch. 2]. Over all features together it is at most 2^-40 for one pair of inputs
(Bonferroni). A screening with few runs of each chooses suspects; they are then judged in fresh runs, and only those
count. All seeds are fixed: a protocol passes or fails for good.

Features are shapes (which messages, how long), every bit, and for each word and message whether it is the most
frequent one and whether it is at least the median: of messages alone, of the sum and XOR of what several parties
send in one round, which is how shares open, and of the outputs that the party opens. It finds mistakes of programs
and proves nothing: what looks random in each of these, and tells something in combination, passes.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet.testing.views import View

__all__ = ("SCREENING_RUNS", "Suspect", "Views", "judge", "suspects")

Views = Sequence[View]
Flags = NDArray[np.bool_]

SCREENING_RUNS = 12
"""Of each input. Two sides that differ in every run have a probability of 2^-20: now and then, one of the hundred
thousands of features of a protocol with many messages is suspected by chance."""
JUDGING_RUNS = 32
"""Of each input. 2^-59: enough for 2^8 suspects, of which one differs in nearly every run."""

_SUSPICIOUS_BITS = 20
_FALSE_ALARM_BITS = 40
_MOST_BYTES = 2**16
"""Of each message: the rest is judged by whether the message as a whole is the most frequent one."""
_MOST_SUSPECTS = 256


@dataclass(frozen=True, slots=True)
class Suspect:
    """A feature: what to look at, and its place among those of that kind."""

    label: str
    place: int

    def __str__(self) -> str:
        return self.label


def suspects(one: Views, other: Views) -> list[Suspect]:
    """Features that look different between the runs of two inputs; the most suspicious first, and not too many."""
    found: list[tuple[float, Suspect]] = []
    for label, flags in _features([*one, *other]):
        evidence = _evidence(flags, len(one))
        places = np.flatnonzero(evidence >= _SUSPICIOUS_BITS)
        found += [(float(evidence[place]), Suspect(label, int(place))) for place in places]
    found.sort(key=lambda item: -item[0])
    return [suspect for _, suspect in found[:_MOST_SUSPECTS]]


def judge(one: Views, other: Views, suspected: Sequence[Suspect], count: int) -> Suspect | None:
    """The suspect that differs most, if chance does not explain it.

    Args:
        one, other: views of fresh runs.
        suspected: at least one.
        count: how many are judged, of all observers.
    """
    evidence: dict[Suspect, float] = {}
    columns = dict(_features([*one, *other]))
    for suspect in suspected:
        flags = columns.get(suspect.label)
        if flags is not None and suspect.place < flags.shape[1]:
            evidence[suspect] = float(_evidence(flags[:, [suspect.place]], len(one))[0])
    worst = max(evidence, key=lambda suspect: evidence[suspect], default=None)
    needed = _FALSE_ALARM_BITS + math.log2(count)
    return worst if worst is not None and evidence[worst] >= needed else None


def _evidence(flags: Flags, runs: int) -> NDArray[np.float64]:
    """Of each column, minus the binary logarithm of the probability that chance separates the sides as much."""
    counts = flags[:runs].sum(axis=0), flags[runs:].sum(axis=0)
    evidence: NDArray[np.float64] = _table(runs)[counts]
    return evidence


@functools.cache
def _table(runs: int) -> NDArray[np.float64]:
    """By how many of `runs` say yes on each side: the evidence of Fisher's exact test, two-sided."""
    ways = [math.comb(runs, count) for count in range(runs + 1)]
    table = np.zeros((runs + 1, runs + 1))
    for total in range(2 * runs + 1):
        places = range(max(0, total - runs), min(runs, total) + 1)
        weights = {place: ways[place] * ways[total - place] for place in places}
        everything = sum(weights.values())
        for place in places:
            as_far = sum(
                weight for other, weight in weights.items() if abs(2 * other - total) >= abs(2 * place - total)
            )
            table[place, total - place] = math.log2(everything) - math.log2(as_far)
    return table


def _features(views: Views) -> Iterator[tuple[str, Flags]]:
    """Labels, and flags of shape (runs, places)."""
    shapes = [tuple((*entry[:3], len(entry[3])) for entry in view) for view in views]
    yield "which messages it gets, and how long they are", _is_most_frequent(shapes)
    yield "how many messages it gets", _is_large([len(view) for view in views])
    yield "how many bytes it gets", _is_large([sum(len(entry[3]) for entry in view) for view in views])
    if len(set(shapes)) > 1:
        return  # places cannot be compared
    for place, (source, fork, number, body) in enumerate(views[0]):
        where = f"{source}, number {number}" + (f", in fork {fork}" if fork else "")
        yield from _of_messages(where, [view[place][3] for view in views], len(body))
    yield from _of_sums(views)


def _of_messages(where: str, messages: Sequence[bytes], size: int) -> Iterator[tuple[str, Flags]]:
    yield where, _is_most_frequent(messages)
    if not size:
        return
    data = np.array([np.frombuffer(message[:_MOST_BYTES], np.uint8) for message in messages])
    yield from _of_bytes(where, data)


def _of_bytes(where: str, data: NDArray[np.uint8]) -> Iterator[tuple[str, Flags]]:
    bits = np.unpackbits(data, axis=1)
    yield f"{where}: its bits", bits.astype(np.bool_)
    yield f"{where}: how many of its bits are set", _is_large(bits.sum(axis=1).tolist())
    words = np.zeros((len(data), -(-data.shape[1] // 8) * 8), np.uint8)
    words[:, : data.shape[1]] = data
    numbers = words.view("<u8")
    yield f"{where}: the size of its words", numbers >= np.sort(numbers, axis=0)[len(data) // 2]
    same = (numbers[:, None, :] == numbers[None, :, :]).sum(axis=1)
    most = numbers[same.argmax(axis=0), np.arange(numbers.shape[1])]
    yield f"{where}: its words", numbers == most


def _of_sums(views: Views) -> Iterator[tuple[str, Flags]]:
    """What several parties send in one round, joined as shares are."""
    places: dict[tuple[str, int, int], list[int]] = {}
    for place, (source, fork, number, body) in enumerate(views[0]):
        if source.startswith("round") and 0 < len(body) <= _MOST_BYTES:
            places.setdefault((fork, number, len(body)), []).append(place)
    joining: tuple[tuple[str, Callable[[list[NDArray[np.uint8]]], NDArray[np.uint8]]], ...] = (
        ("sum", _sum),
        ("XOR", np.bitwise_xor.reduce),
    )
    for (fork, number, _), group in places.items():
        if len(group) > 1:
            columns = [np.array([np.frombuffer(view[place][3], np.uint8) for view in views]) for place in group]
            where = f"round number {number}" + (f" in fork {fork}" if fork else "")
            for name, join in joining:
                yield from _of_bytes(f"the {name} of what all send in {where}", join(columns))


def _sum(columns: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Modulo 2^64 in each whole word; what is left is bits, which are not summed."""
    whole = columns[0].shape[1] // 8 * 8
    if not whole:
        return columns[0]
    words = [np.ascontiguousarray(column[:, :whole]).view("<u8") for column in columns]
    total: NDArray[np.uint64] = np.add.reduce(words)
    return total.view(np.uint8)


def _is_most_frequent(values: Sequence[object]) -> Flags:
    most = Counter(values).most_common(1)[0][0]
    return np.array([[value == most] for value in values])


def _is_large(values: Sequence[int]) -> Flags:
    median = sorted(values)[len(values) // 2]
    return np.array([[value >= median] for value in values])
