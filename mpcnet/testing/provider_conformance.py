"""`check_provider`: what every provider of correlated randomness must do, tried in one loop for all parties.

    relation       shares of all parties add up to uniform arrays, and to what the type derives from them
    distribution   what any but one of the computing parties hold together is uniform
    independence   no two tranches, forks, jobs or parties have anything in common
    forecast       rounds on every party, and bytes by sender and receiver, are those that were forecast
    order          nothing depends on which party is fast; the same seeds give the same shares
    failure        what goes wrong in a message is said of its sender, or not noticed; never another exception
    base           base correlations are kept by both sides or by neither, and made anew only if one side lost them

Statistics are on fixed seeds: a provider passes or fails for good. They find mistakes and prove nothing.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from mpcnet.algebra import Words
from mpcnet.correlated.base_correlations import BaseCorrelations
from mpcnet.correlated.items import (
    ArraySpec,
    BitTimesWord,
    BitTriples,
    DaBits,
    Demand,
    Item,
    MaskedBits,
    MatrixTriples,
    SharedTriples,
    Triples,
)
from mpcnet.correlated.provider import Provider
from mpcnet.engine import LockstepError
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.testing.cases import ConformanceError
from mpcnet.testing.provider_runs import DeviatingPartyEnds, Fork, Made, Shares, Tamper, World, make

__all__ = ("ITEMS", "check_provider")

# pytest leaves out frames of modules that say so: of a provider that fails, the message tells everything.
__tracebackhide__: operator.methodcaller = operator.methodcaller("errisinstance", ConformanceError)

ITEMS: Final[tuple[Item, ...]] = (
    Triples(),
    BitTriples(),
    SharedTriples(),
    DaBits(),
    BitTimesWord(),
    MatrixTriples(2, 3, 4),
    MaskedBits(1, 1),
    MaskedBits(32, 4),
    MaskedBits(33, 2, skip_top=False),
    MaskedBits(64, 2),
)
"""Each type of item, in several sizes."""

_WORDS: Final = 640
"""Of each array: 20 of each value of a byte are expected."""
_DEALER: Final = 40
_THRESHOLD: Final = 450.0
"""Of the chi-square statistic of bytes: 255 degrees of freedom, deviation 22.6; chance exceeds it once in 10^12."""

_DEVIATIONS: Final = 8
"""Of how often a bit is set; chance exceeds it once in 10^15."""

_JOB = Fork(b"job".ljust(32, b"."))
_OTHERS: Final[Mapping[str, Fork]] = {
    "another job": Fork(b"another job".ljust(32, b"."), _JOB.path),
    "a fork": Fork(_JOB.job, ("left", "inner")),
    "a fork of another path with the same last label": Fork(_JOB.job, ("right", "inner")),
    "a fork whose labels join to the same letters": Fork(_JOB.job, ("leftinner",)),
}


def check_provider(provider: Provider, *, items: Sequence[Item] = ITEMS, counts: Sequence[int] = (2, 3)) -> None:
    """Check a provider against what every provider must do.

    It needs no session: all parties, and a dealer if the provider takes one, run in one loop. So what is tried is
    the provider, and not whether a session gives it the right seeds and names.

    Args:
        provider: as `mpcnet.declare.plugins.find_provider` would make it.
        items: types to try, as far as it makes them; at least one that it makes.
        counts: numbers of computing parties.

    Raises:
        ConformanceError: a check failed: which, in which case, and what to look at. An `AssertionError`.
        LocalError: it makes none of the items.
    """
    if not provider.name:
        raise ConformanceError("name", "a job could not name it: `name` is empty")
    made = [item for item in items if provider.makes(item)]
    if not made:
        raise LocalError(f"provider '{provider.name}' makes none of the items that are to be tried")
    for count in counts:
        for outsiders in (0, 1):
            world = _world(provider, count, outsiders)
            _check_shares(provider, world, made)
            _check_base(provider, world, made)
        _check_independence(provider, _world(provider, count, 0), made)
        _check_order(provider, count, made)
        _check_failures(provider, count, made)


def _world(provider: Provider, count: int, outsiders: int) -> World:
    """Computing parties that are not in roster order, and outsiders on either side of them."""
    computing = tuple(range(count + 1, 1, -1))
    return World(computing, (1, count + 3)[: 2 * outsiders], _DEALER if provider.takes_dealer else None)


def _units(item: Item) -> int:
    return -(-_WORDS // min(spec.rows for spec in item.arrays))


def _run(provider: Provider, world: World, demands: Sequence[Demand], fork: Fork = _JOB, **how: object) -> Made:
    """`make`, whose errors are the provider's fault."""
    try:
        return make(provider, world, demands, fork=fork, **how)  # type: ignore[arg-type]
    except (LockstepError, LocalError) as error:
        raise ConformanceError("form", f"{error}{_among(world)}") from error


def _among(world: World) -> str:
    outside = f", {len(world.outsiders)} who do not compute" if world.outsiders else ""
    return f"; with {len(world.computing)} computing parties{outside}"


# Relation, distribution, forecast


def _check_shares(provider: Provider, world: World, items: Sequence[Item]) -> None:
    demands: list[Demand] = [{item: _units(item)} for item in items]
    demands += [{item: 1} for item in items]
    demands.append(dict.fromkeys(items, 3))  # several types in one tranche
    _run(provider, world, demands[-1:], Fork(b"earlier".ljust(32, b".")))  # what is made once for many jobs is made
    made = _run(provider, world, demands)
    for tranche, shares in zip(made.tranches, made.shares, strict=True):
        for item, units in tranche.demand.items():
            _check_relation(world, item, units, shares[item])
    for item, shares in zip(items, made.shares, strict=False):
        _check_distribution(world, item, shares[item])
    _check_forecast(provider, world, made)


def _check_relation(world: World, item: Item, units: int, shares: Shares) -> None:
    opened = _opened(item, shares, world.computing)
    randoms = {spec.name: opened[spec.name] for spec in item.randoms}
    for spec, derived in zip(item.dependents, item.derive(randoms, units), strict=True):
        if not np.array_equal(opened[spec.name], derived.reshape(opened[spec.name].shape)):
            raise ConformanceError(
                "relation",
                f"{item.key}: shares of '{spec.name}' do not add up to what the other arrays say{_among(world)}",
            )


def _opened(item: Item, shares: Shares, parties: Sequence[int]) -> dict[str, Words]:
    """By array, what the shares of these parties add up to."""
    return {
        spec.name: np.asarray(_adding(spec)([shares[party][place] for party in parties], axis=0))
        for place, spec in enumerate(item.arrays)
    }


def _adding(spec: ArraySpec) -> Callable[..., Words]:
    return np.add.reduce if spec.additive else np.bitwise_xor.reduce


def _check_distribution(world: World, item: Item, shares: Shares) -> None:
    for size in range(1, len(world.computing) + 1):
        for parties in itertools.combinations(world.computing, size):
            together = _opened(item, shares, parties)
            uniform = item.arrays if size < len(world.computing) else item.randoms
            for spec in uniform:
                if not _looks_uniform(together[spec.name]):
                    names = " and ".join(f"party{party}" for party in parties)
                    raise ConformanceError(
                        "distribution",
                        f"{item.key}: what {names} hold of '{spec.name}' is not uniform{_among(world)}",
                    )


def _looks_uniform(words: Words) -> bool:
    """By how often each byte appears, and each of the 64 bits is set."""
    flat = np.ascontiguousarray(words).reshape(-1)
    data = flat.view(np.uint8)
    counts, expected = np.bincount(data, minlength=256), data.size / 256
    if float(((counts - expected) ** 2 / expected).sum()) > _THRESHOLD:
        return False
    bits = np.unpackbits(data.reshape(flat.size, 8), axis=1).sum(axis=0, dtype=np.int64)
    return bool((np.abs(2 * bits - flat.size) < _DEVIATIONS * math.sqrt(flat.size)).all())


def _check_forecast(provider: Provider, world: World, made: Made) -> None:
    total: dict[tuple[int, int], int] = {}
    for tranche, rounds in zip(made.tranches, made.rounds, strict=True):
        forecasts = [provider.forecast(world.parties(me), tranche, dealer=world.dealer) for me in world.everyone]
        cost = forecasts[0]
        if any(dict(other.sent_bytes) != dict(cost.sent_bytes) for other in forecasts):
            raise ConformanceError("forecast", f"parties forecast different bytes{_among(world)}")
        for me, forecast in zip(world.everyone, forecasts, strict=True):
            if rounds[me] != forecast.rounds:
                who = "which does not compute, " if me in world.outsiders else ""
                text = f"party{me}, {who}takes {rounds[me]} rounds, and {forecast.rounds} were forecast"
                raise ConformanceError("forecast", f"{text}{_among(world)}")
        for pair, nbytes in cost.sent_bytes.items():
            total[pair] = total.get(pair, 0) + nbytes
    if total != dict(made.sent_bytes):
        said = sorted(set(total.items()) ^ set(made.sent_bytes.items()))
        raise ConformanceError(
            "forecast", f"bytes by sender and receiver, forecast or sent but not both: {said}{_among(world)}"
        )


# Independence


def _check_independence(provider: Provider, world: World, items: Sequence[Item]) -> None:
    demands: list[Demand] = [{item: _units(item)} for item in items]
    demands *= 2  # each type in two tranches
    runs = {"the main program": _run(provider, world, demands)}
    runs |= {name: _run(provider, world, demands, fork) for name, fork in _OTHERS.items()}
    for found in _in_groups(world, runs).values():
        _check_all_different(world, found)
    first = runs["the main program"]
    half = len(items)
    for place, item in enumerate(items):
        others = {"the next tranche of its type": first.shares[half + place][item]}
        others |= {name: runs[name].shares[place][item] for name in _OTHERS}
        for name, shares in others.items():
            _check_difference(world, item, first.shares[place][item], shares, name)


Found = list[tuple[Words, str]]
"""Words, and where they come from."""


def _in_groups(world: World, runs: Mapping[str, Made]) -> dict[str, Found]:
    """Words none of which may appear twice: those of each party, and those of uniform arrays of all of them.

    Words of two parties may be equal in arrays that derive from others: two shares of zero are.
    """
    groups: dict[str, Found] = {}
    for name, made in runs.items():
        for place, by_item in enumerate(made.shares):
            for item, shares in by_item.items():
                where = f"tranche {place} ({item.key}) of {name}"
                uniform = {spec.name for spec in item.randoms}
                for party, arrays in shares.items():
                    for spec, array in zip(item.arrays, arrays, strict=True):
                        found = (array.reshape(-1), f"'{spec.name}' of party{party}, {where}")
                        groups.setdefault(f"party{party}", []).append(found)
                        if spec.name in uniform:
                            groups.setdefault("all", []).append(found)
                for array_name, opened in _opened(item, shares, world.computing).items():
                    if array_name in uniform:
                        found = (opened.reshape(-1), f"'{array_name}' when it is opened, {where}")
                        groups.setdefault("all", []).append(found)
    return groups


def _check_all_different(world: World, found: Found) -> None:
    words = np.concatenate([array for array, _ in found])
    order = np.argsort(words, kind="stable")
    equal = np.flatnonzero(words[order][1:] == words[order][:-1])
    if not equal.size:
        return
    earliest = equal[np.argmin(order[equal + 1])]
    ends = np.cumsum([array.size for array, _ in found])
    first, second = (found[int(np.searchsorted(ends, order[earliest + i], side="right"))][1] for i in (0, 1))
    raise ConformanceError("independence", f"the same word appears in {first} and in {second}{_among(world)}")


def _check_difference(world: World, item: Item, one: Shares, other: Shares, name: str) -> None:
    """Two runs that depend on each other without being equal."""
    for party in world.computing:
        for spec, x, y in zip(item.arrays, one[party], other[party], strict=True):
            if not (_looks_uniform(x - y) and _looks_uniform(x ^ y)):
                text = f"{item.key}: '{spec.name}' of party{party} tells about the same array in {name}"
                raise ConformanceError("independence", f"{text}{_among(world)}")


# Order


def _check_order(provider: Provider, count: int, items: Sequence[Item]) -> None:
    demands: list[Demand] = [{item: 2} for item in items]
    runs: list[Made] = []
    # In worlds of their own: a run may leave base correlations to the next one.
    for pick in (min, min, max, _alternating()):
        world = _world(provider, count, 1)
        runs.append(_run(provider, world, demands, pick=pick))
        if not _same(runs[0], runs[-1]):
            what = "who is fast" if len(runs) > 2 else "something that no seed gives"
            raise ConformanceError("order", f"shares depend on {what}{_among(world)}")


def _alternating() -> Callable[[Sequence[int]], int]:
    turns = itertools.count()
    return lambda ready: ready[next(turns) % len(ready)]


def _same(one: Made, other: Made) -> bool:
    return all(
        np.array_equal(x, y)
        for shares, others in zip(one.shares, other.shares, strict=True)
        for item in shares
        for party in shares[item]
        for x, y in zip(shares[item][party], others[item][party], strict=True)
    )


# Failures


def _check_failures(provider: Provider, count: int, items: Sequence[Item]) -> None:
    demands: list[Demand] = [{item: 2} for item in items]
    messages = _run(provider, _world(provider, count, 0), demands).messages
    for (sender, receiver), number in messages.items():
        if receiver == _DEALER:
            continue
        for which, place in itertools.product({0, number - 1}, (0, -1)):
            world = _world(provider, count, 0)
            tamper = Tamper(sender, receiver, which, place)
            try:
                make(provider, world, demands, fork=_JOB, tamper=tamper)
            except DeviatingPartyEnds:
                continue
            except PeerViolation as error:
                if error.party != f"party{sender}":
                    raise ConformanceError(
                        "failure", f"party{sender} sent a wrong byte, and {error.party} is named{_among(world)}"
                    ) from error
            except Exception as error:
                raise ConformanceError(
                    "failure",
                    f"party{sender} sent a wrong byte, and party{receiver} ends in {type(error).__name__}, which "
                    f"names no party: {error}{_among(world)}",
                ) from error


# Base correlations


def _check_base(provider: Provider, world: World, items: Sequence[Item]) -> None:
    demands: list[Demand] = [{items[0]: _units(items[0])}]
    held = _names(world)
    for (me, peer), names in held.items():
        if names != held[peer, me]:
            raise ConformanceError(
                "base", f"party{me} kept other base correlations than party{peer}{_among(world)}"
            )
    before = _run(provider, world, demands, Fork(b"base 1".ljust(32, b".")))
    if _names(world) != held:
        raise ConformanceError(
            "base", f"base correlations are made again although both sides have some{_among(world)}"
        )
    if not any(held.values()):
        return
    lost = next(pair for pair, names in held.items() if names)
    world.kept[lost] = BaseCorrelations()
    after = _run(provider, world, demands, Fork(b"base 2".ljust(32, b".")))
    for made in (before, after):
        _check_relation(world, items[0], _units(items[0]), made.shares[0][items[0]])
    _check_difference(world, items[0], before.shares[0][items[0]], after.shares[0][items[0]], "another job")
    me, peer = lost
    if not world.kept[lost].names or world.kept[lost].names[0] != world.kept[peer, me].names[0]:
        raise ConformanceError(
            "base",
            f"party{me} has lost its base correlations, and none were made anew with party{peer}{_among(world)}",
        )


def _names(world: World) -> dict[tuple[int, int], tuple[bytes, ...]]:
    return {(me, peer): world.kept[me, peer].names for me, peer in itertools.permutations(world.computing, 2)}
