"""Pairs of different inputs that mean the same to a party."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any, cast

from mpcnet.errors import LocalError
from mpcnet.testing.cases import Case, Inputs, Reference, givers
from mpcnet.testing.outcomes import same

__all__ = ("Pair", "find_pairs")

_MOST_TRIES = 300

Told = Mapping[str, Any]
"""By party, what it learns."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two inputs, and who must not be able to tell them apart.

    Args:
        one, other: the same case with different inputs.
        observers: parties that give the same in both, and learn the same.
        changed: parties that give something else.
        all_learn_the_same: whether no outcome differs; then the cost must not differ either.
    """

    one: Case[Any]
    other: Case[Any]
    observers: tuple[str, ...]
    changed: tuple[str, ...]
    all_learn_the_same: bool

    @property
    def covers(self) -> frozenset[tuple[str, str]]:
        """(whose input changes, who looks)."""
        return frozenset((owner, observer) for owner in self.changed for observer in self.observers)


def find_pairs(case: Case[Any], reference: Reference[Any, Any], draws: Sequence[Inputs], most: int) -> list[Pair]:
    """Pairs that together let as many parties as possible look at as many changed inputs as possible.

    Args:
        case: who takes part.
        reference: what each learns.
        draws: inputs to begin from.
        most: so many pairs.
    """
    found: dict[frozenset[tuple[str, str]], Pair] = {}
    for pair in _candidates(case, reference, draws):
        known = found.get(pair.covers)
        if known is None or _rank(pair) > _rank(known):
            found[pair.covers] = pair
    chosen: list[Pair] = []
    seen: set[tuple[str, str]] = set()
    while len(chosen) < most and found:
        covers, pair = max(found.items(), key=lambda item: (len(item[0] - seen), _rank(item[1])))
        if not covers - seen:
            break
        chosen.append(pair)
        seen |= covers
    return chosen


def _rank(pair: Pair) -> tuple[bool, bool, float]:
    """Better pairs are larger. Inputs that only change places hide leaks of sums; those far apart show more."""
    one, other = pair.one.inputs, pair.other.inputs
    rearranged = sorted(repr(one[name]) for name in pair.changed) == sorted(
        repr(other[name]) for name in pair.changed
    )
    distance = sum(_distance(one[name], other[name]) for name in pair.changed)
    return pair.all_learn_the_same, not rearranged, distance


def _distance(one: Any, other: Any) -> float:
    if isinstance(one, Mapping):
        first, second = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return sum(_distance(first[name], second[name]) for name in first)
    if isinstance(one, list):
        items, others = cast("tuple[list[Any], list[Any]]", (one, other))
        return abs(len(items) - len(others)) + sum(_distance(a, b) for a, b in zip(items, others, strict=False))
    if isinstance(one, int | Decimal):
        return float(abs(one - other))
    return float(one != other)


def told_by(case: Case[Any], reference: Reference[Any, Any]) -> Told | None:
    """What every party that runs the program learns; None if the protocol is to refuse."""
    try:
        return {name: reference(replace(case, me=name)) for name in case.programs}
    except LocalError:
        return None


def _candidates(case: Case[Any], reference: Reference[Any, Any], draws: Sequence[Inputs]) -> Iterator[Pair]:
    tries = 0
    for place, inputs in enumerate(draws):
        one = case.with_inputs(inputs)
        learned = told_by(one, reference)
        if learned is None:
            continue
        for changed in _changes(case, inputs, draws[(place + 1) % len(draws)]):
            tries += 1
            if tries > _MOST_TRIES:
                return
            pair = _pair(one, case.with_inputs(changed), learned, reference)
            if pair is not None:
                yield pair


def _changes(case: Case[Any], inputs: Inputs, others: Inputs) -> Iterator[Inputs]:
    """Two of a role change places; one, two, or all but one give something else."""
    members = list(givers(case))
    names = [name for name, _ in members]
    for (first, role), (second, same_role) in combinations(members, 2):
        if role == same_role:
            yield {**inputs, first: inputs[second], second: inputs[first]}
    groups = [{name} for name in names] + [set(pair) for pair in combinations(names, 2)]
    groups += [set(names) - {name} for name in names]
    for group in groups:
        yield {name: others[name] if name in group else own for name, own in inputs.items()}


def _pair(one: Case[Any], other: Case[Any], learned: Told, reference: Reference[Any, Any]) -> Pair | None:
    changed = tuple(name for name in one.inputs if one.inputs[name] != other.inputs[name])
    if not changed:
        return None
    learns = told_by(other, reference)
    if learns is None:
        return None
    alike = {name for name in one.programs if same(learned[name], learns[name])}
    observers = [name for name in one.programs if name in alike and name not in changed]
    all_alike = len(alike) == len(one.programs)
    if all_alike and one.dealer is not None:
        observers.append(one.dealer)
    return Pair(one, other, tuple(observers), changed, all_alike) if observers else None
