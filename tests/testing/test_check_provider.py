"""The provider kit passes what is right, with base correlations too, and refuses each fault planted here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mpcnet.algebra import Label, Streams, Words
from mpcnet.algebra.bits import BITS
from mpcnet.algebra.domain import Z64
from mpcnet.correlated.cost import FREE, Cost, bytes_between
from mpcnet.correlated.dealing import DealerStreams, make_correction, shares_of
from mpcnet.correlated.items import Item, MatrixTriples, Triples
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche, make_tranche
from mpcnet.engine import Context, Parties, Round, Step
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import blake2b, random_bytes
from mpcnet.testing import ConformanceError, check_provider

ITEMS = (Triples(), MatrixTriples(2, 3, 4))
Arrays = dict[Item, tuple[Words, ...]]


class InProcess(Provider):
    """A dealer inside every party's process: right, and easily spoilt. It costs no round.

    Args:
        streams: the dealer's with a party, from the party's seed and what is opened.
        tranche: what the dealer takes the tranche for.
        spoil: changes a party's arrays.
    """

    name = "in-process"

    def __init__(
        self,
        *,
        streams: Callable[[bytes, Opening], Streams] = lambda seed, opening: Streams(
            seed, opening.job, opening.fork
        ),
        tranche: Callable[[Tranche], Tranche] = lambda tranche: tranche,
        spoil: Callable[[Parties, Arrays], Arrays] = lambda _, arrays: arrays,
        forecast: Cost = FREE,
    ) -> None:
        self.streams = streams
        self.tranche = tranche
        self.spoil = spoil
        self.said = forecast

    def makes(self, item: Item) -> bool:
        return True

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return self.said

    def open(self, opening: Opening) -> Preparation:
        return InProcessPreparation(self, opening)


class InProcessPreparation(Preparation):
    def __init__(self, provider: InProcess, opening: Opening) -> None:
        super().__init__(provider)
        self.mine = provider
        self.opening = opening

    def arrays(self, tranche: Tranche) -> Arrays:
        parties = self.opening.parties
        streams = {
            party: self.mine.streams(blake2b(b"%d" % party, size=32), self.opening) for party in parties.computing
        }
        made = self.mine.tranche(tranche)
        correction = memoryview(make_correction(parties.computing, streams, made))
        rest = correction if parties.me == parties.computing[0] else None
        draws = DealerStreams(streams[parties.me], made)
        arrays: Arrays = {}
        for item, units in tranche.demand.items():
            arrays[item], used = shares_of(item, units, draws, rest)
            rest = rest[used:] if rest is not None else None
        return self.mine.spoil(parties, arrays)

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        yield from ()
        if context.parties.computes:
            self.put(pool, tranche, self.arrays(tranche))

    def put(self, pool: Pool, tranche: Tranche, arrays: Arrays) -> None:
        for item, units in tranche.demand.items():
            pool.put(item, units, arrays[item])


def refused(provider: Provider, check: str, words: str) -> None:
    with pytest.raises(ConformanceError, match=words) as caught:
        check_provider(provider, items=ITEMS)
    assert caught.value.check == check


def test_what_is_right_passes() -> None:
    check_provider(InProcess(), items=ITEMS)


def test_what_cannot_be_tried_is_said() -> None:
    class MakesNothing(InProcess):
        def makes(self, item: Item) -> bool:
            return False

    with pytest.raises(LocalError, match="makes none of the items"):
        check_provider(MakesNothing())

    class Nameless(InProcess):
        name = ""

    refused(Nameless(), "name", "could not name it")


# What is made


def of_the_first(change: Callable[[Words], Any], item: Item, place: int) -> Callable[[Parties, Arrays], Arrays]:
    """Change one array of the first computing party."""

    def spoil(parties: Parties, arrays: Arrays) -> Arrays:
        if parties.me == parties.computing[0] and item in arrays:
            changed = list(arrays[item])
            changed[place] = change(changed[place])
            arrays[item] = tuple(changed)
        return arrays

    return spoil


def one_off(array: Words) -> Words:
    wrong = array.copy()
    wrong[-1] += np.uint64(1)
    return wrong


def test_a_triple_off_by_one() -> None:
    refused(
        InProcess(spoil=of_the_first(one_off, Triples(), 2)), "relation", "triples: shares of 'c' do not add up"
    )
    refused(InProcess(spoil=of_the_first(one_off, ITEMS[1], 0)), "relation", "matrix-triples/2/3/4: shares of 'c'")


def test_arrays_of_another_shape_or_kind() -> None:
    shorter = InProcess(spoil=of_the_first(lambda x: x[:-1], Triples(), 1))
    refused(
        shorter,
        "form",
        r"3 units of triples are arrays uint64\(3,\), .* and not uint64\(3,\), uint64\(2,\)",
    )
    signed = of_the_first(lambda x: x.view(np.int64), Triples(), 1)
    refused(InProcess(spoil=signed), "form", r"and not uint64\(3,\), int64\(3,\), uint64\(3,\)")
    refused(
        InProcess(spoil=lambda _, arrays: dict.fromkeys(arrays, ())), "form", "units of triples .* and not none"
    )


def everywhere(change: Callable[[Words], Words]) -> Callable[[Parties, Arrays], Arrays]:
    """Change all arrays of triples alike on all parties, so that the relation still holds."""

    def spoil(parties: Parties, arrays: Arrays) -> Arrays:
        return {
            item: tuple(map(change, of_item)) if item == Triples() else of_item for item, of_item in arrays.items()
        }

    return spoil


def first_again(array: Words) -> Words:
    again = array.copy()
    again[-1:] = again[:1]
    return again


def test_a_unit_given_twice() -> None:
    refused(InProcess(spoil=everywhere(first_again)), "independence", "the same word appears in '[abc]' of party")


def test_a_constant_mask() -> None:
    """Shares that are uniform each, and add up to the same in every unit."""
    refused(InProcess(spoil=everywhere(lambda x: np.repeat(x[:1], x.size))), "distribution", "is not uniform")

    def all_at_the_first(parties: Parties, arrays: Arrays) -> Arrays:
        if Triples() in arrays:
            value = np.full(arrays[Triples()][0].size, 7, np.uint64)
            a = value if parties.me == parties.computing[0] else np.zeros_like(value)
            b = arrays[Triples()][1]
            arrays[Triples()] = (a, b, value * b)
        return arrays

    refused(InProcess(spoil=all_at_the_first), "distribution", "what party3 hold of 'a' is not uniform")


def test_small_numbers_are_not_uniform() -> None:
    def low(x: Words) -> Words:
        return x & np.uint64(0xFFFFFFFF)

    def spoil(parties: Parties, arrays: Arrays) -> Arrays:
        """All of b is zero, so that c is, and a may be anything."""
        if Triples() in arrays:
            a, b, c = arrays[Triples()]
            arrays[Triples()] = (low(a), np.zeros_like(b), np.zeros_like(c))
        return arrays

    refused(InProcess(spoil=spoil), "distribution", "hold of 'a' is not uniform")


def test_parties_that_hold_the_same() -> None:
    """Two of two: what they open is even. Two of three: they know nothing new together."""
    alike = InProcess(streams=lambda seed, opening: Streams(bytes(32), opening.job, opening.fork))
    refused(alike, "distribution", "what party3 and party2 hold of 'a' is not uniform")
    with pytest.raises(ConformanceError, match="what party4 and party3 hold of 'a' is not uniform"):
        check_provider(alike, items=[MatrixTriples(2, 3, 4)], counts=[3])


# What it is bound to


UNBOUND: list[tuple[str, str, Callable[[bytes, Opening], Streams]]] = [
    ("not to the job", "another job", lambda seed, opening: Streams(seed, b"", opening.fork)),
    ("not to the fork", "a fork", lambda seed, opening: Streams(seed, opening.job, ())),
    (
        "to the last label",
        "another path with the same last label",
        lambda seed, opening: Streams(seed, opening.job, opening.fork[-1:]),
    ),
    (
        "to joined labels",
        "join to the same letters",
        lambda seed, opening: Streams(seed, opening.job, ("".join(opening.fork),)),
    ),
    ("to the depth", "a fork", lambda seed, opening: Streams(seed, opening.job, (str(len(opening.fork)),))),
]


@pytest.mark.parametrize(("where", "streams"), [case[1:] for case in UNBOUND], ids=[case[0] for case in UNBOUND])
def test_streams_that_are_not_bound(where: str, streams: Callable[[bytes, Opening], Streams]) -> None:
    refused(InProcess(streams=streams), "independence", f"the same word appears.*{where}")


def test_tranches_that_are_not_told_apart() -> None:
    again = InProcess(tranche=lambda tranche: make_tranche(0, tranche.demand))
    refused(again, "independence", "the same word appears in .*tranche 0 .* and in .*tranche [12]")


def test_a_tranche_that_tells_about_another() -> None:
    """Its words are those of another one, plus a number that everybody knows: no word appears twice."""
    calls: dict[int, int] = {}

    def more(parties: Parties, arrays: Arrays) -> Arrays:
        a, b, c = arrays[Triples()]
        calls[parties.me] = calls.get(parties.me, 0) + 1
        known = calls[parties.me] << 20
        mine = np.full_like(a, known * parties.me)
        total = np.full_like(a, known * sum(parties.computing))
        square = total * total if parties.me == parties.computing[0] else np.zeros_like(a)
        arrays[Triples()] = (a + mine, b + mine, c + total * (a + b) + square)
        return arrays

    provider = InProcess(tranche=lambda tranche: make_tranche(0, tranche.demand), spoil=more)
    with pytest.raises(ConformanceError, match=r"'[ab]' of party. tells about the same array in the next tranche"):
        check_provider(provider, items=[Triples()])


# What it costs


def test_a_forecast_that_is_wrong() -> None:
    nothing = dict[tuple[int, int], int]
    refused(InProcess(forecast=Cost(1, {}, nothing)), "forecast", "takes 0 rounds, and 1 were forecast")
    refused(
        InProcess(forecast=Cost(0, {}, lambda: {(2, 3): 8})),
        "forecast",
        r"forecast or sent but not both: \[\(\(2, 3\)",
    )


class Checked(InProcess):
    """Beside all else each party sends each other one eight bytes, the same always, and looks at what it gets.

    Args:
        judge: says what is wrong with wrong bytes of a sender.
        outsiders: rounds of parties that do not compute.
    """

    name = "checked"

    def __init__(self, judge: Callable[[str], Exception | None], outsiders: int = 1) -> None:
        super().__init__()
        self.judge = judge
        self.outsiders = outsiders

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return Cost(1, {}, lambda: bytes_between(parties.computing, parties.computing, 8))

    def open(self, opening: Opening) -> Preparation:
        return CheckedPreparation(self, opening)


class CheckedPreparation(InProcessPreparation):
    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        provider, parties = self.mine, context.parties
        assert isinstance(provider, Checked)
        if not parties.computes:
            for _ in range(provider.outsiders):
                yield Round()
            return
        inbox = yield Round(dict.fromkeys(parties.peers, b"as said."), dict.fromkeys(parties.peers, 8))
        for peer in parties.peers:
            if bytes(inbox[peer]) != b"as said." and (error := provider.judge(parties.names[peer])) is not None:
                raise error
        self.put(pool, tranche, self.arrays(tranche))


def test_outsiders_take_as_many_rounds() -> None:
    check_provider(Checked(lambda _: None), items=ITEMS)
    refused(Checked(lambda _: None, outsiders=0), "forecast", "which does not compute, takes 0 rounds, and 1 were")
    refused(Checked(lambda _: None, outsiders=2), "forecast", "which does not compute, takes 2 rounds, and 1 were")


# How it fails


def test_failures_name_the_sender() -> None:
    check_provider(Checked(lambda name: PeerViolation(name, "lied")), items=ITEMS)
    refused(
        Checked(lambda _: PeerViolation("mallory", "lied")), "failure", "sent a wrong byte, and mallory is named"
    )
    refused(Checked(lambda _: ValueError("what?")), "failure", "ends in ValueError, which names no party: what?")


# Randomness, and order


class Rerandomised(InProcess):
    """The first party adds to its share of 'a' what it tells the second to subtract.

    Args:
        draw: eight bytes.
    """

    name = "rerandomised"

    def __init__(self, draw: Callable[[Context], bytes]) -> None:
        super().__init__()
        self.draw = draw

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return Cost(1, {}, lambda: {parties.computing[:2]: 8})  # type: ignore[dict-item]

    def open(self, opening: Opening) -> Preparation:
        return RerandomisedPreparation(self, opening)


class RerandomisedPreparation(InProcessPreparation):
    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        provider, parties = self.mine, context.parties
        assert isinstance(provider, Rerandomised)
        first, second = parties.computing[:2]
        to = {second: provider.draw(context)} if parties.me == first else {}
        inbox = yield Round(to, {first: 8} if parties.me == second else {})
        if not parties.computes:
            return
        arrays = self.arrays(tranche)
        if parties.me in (first, second):
            word = np.frombuffer(to.get(second, b"") or inbox[first], "<u8")[0]
            for item, (a, *others) in arrays.items():
                arrays[item] = ((a + word if parties.me == first else a - word), *others)
        self.put(pool, tranche, arrays)


def test_randomness_that_no_seed_gives() -> None:
    check_provider(Rerandomised(lambda context: context.randomness(8)), items=ITEMS)
    refused(Rerandomised(lambda _: random_bytes(8)), "order", "shares depend on something that no seed gives")


def test_what_depends_on_who_is_fast() -> None:
    turns = iter(range(10**9))
    counted: Callable[[Context], bytes] = lambda context: context.randomness(8)  # noqa: E731
    check_provider(Rerandomised(counted), items=ITEMS)
    by_turn = Rerandomised(lambda _: (next(turns) * 2**40 + 12345).to_bytes(8, "little"))
    refused(by_turn, "order", "shares depend on")


# Base correlations


class WithBase(InProcess):
    """Each pair makes a seed by one exchange, keeps it for later jobs, and masks its shares by it: zero in all.

    Args:
        keeps: whether a party keeps what it has made with a peer.
        uses: whether it uses what it kept.
    """

    name = "with-base"

    def __init__(
        self, keeps: Callable[[int, int], bool] = lambda me, peer: True, *, uses: bool = True, bound: bool = True
    ) -> None:
        super().__init__()
        self.keeps = keeps
        self.uses = uses
        self.bound = bound

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return Cost(1, {}, dict[tuple[int, int], int])

    def open(self, opening: Opening) -> Preparation:
        return WithBasePreparation(self, opening)


class WithBasePreparation(InProcessPreparation):
    def __init__(self, provider: WithBase, opening: Opening) -> None:
        super().__init__(provider, opening)
        self.with_base = provider
        self.seeds: dict[int, bytes] = {}
        for peer in opening.parties.peers if opening.parties.computes else ():
            base = opening.pairs[peer].base
            if isinstance(base, bytes) and provider.uses:
                self.seeds[peer] = base

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        parties = context.parties
        if not parties.computes:
            yield Round()
            return
        missing = [peer for peer in parties.peers if peer not in self.seeds]
        mine = {peer: context.randomness(32) for peer in missing}
        inbox = yield Round(mine, dict.fromkeys(missing, 32))
        for peer in missing:
            halves = sorted([mine[peer], bytes(inbox[peer])])
            self.seeds[peer] = blake2b(b"".join(halves), size=32)
            if self.with_base.keeps(parties.me, peer):
                self.opening.pairs[peer].keep(self.seeds[peer])
        arrays = self.arrays(tranche)
        masked: Mapping[Item, tuple[Words, ...]] = {
            item: tuple(self.masked(tranche, item, place, array) for place, array in enumerate(of_item))
            for item, of_item in arrays.items()
        }
        self.put(pool, tranche, dict(masked))

    def masked(self, tranche: Tranche, item: Item, place: int, array: Words) -> Words:
        domain = Z64 if item.arrays[place].additive else BITS
        total = array.copy()
        for peer, seed in self.seeds.items():
            fork = self.opening.fork
            job = self.opening.job if self.with_base.bound else b""
            label = Label(f"mask:{item.key}:{place}", 0, fork, tranche.node, 0)
            mask = Streams(seed, job, fork).uniform(Z64, array.shape, label)
            if domain is BITS:
                total ^= mask
            elif self.opening.parties.me < peer:
                total += mask
            else:
                total -= mask
        return total


def test_base_correlations_are_kept_used_and_made_anew() -> None:
    check_provider(WithBase(), items=ITEMS)


def test_base_correlations_that_one_side_keeps() -> None:
    """Then each job makes them anew, and costs what was not forecast."""
    refused(WithBase(lambda me, peer: me < peer), "forecast", "bytes by sender and receiver")


def test_base_correlations_that_are_never_used() -> None:
    refused(WithBase(uses=False), "forecast", "bytes by sender and receiver")
