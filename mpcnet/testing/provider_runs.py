"""Run a provider for all parties in one loop: no network, no clock, everything derived from a seed.

A `World` holds what outlives a job: the pair seeds of incarnations, and the base correlations that they keep.
`make` runs the provider for one fork of one job, and returns what every party then holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mpcnet.algebra import Streams, Words
from mpcnet.correlated.base_correlations import BaseCorrelations, ForkPair, base_name
from mpcnet.correlated.dealing import dealer_path, make_correction
from mpcnet.correlated.items import Demand, Item
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Provider
from mpcnet.correlated.tranches import Tranche, make_tranche, read_tranche_untrusted
from mpcnet.engine import Context, Inbox, Parties, Round, Setting, Step, Transcript, lockstep
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import aes_ctr, blake2b

__all__ = ("DeviatingPartyEnds", "Fork", "Made", "Tamper", "World", "make")

Shares = Mapping[int, tuple[Words, ...]]
"""By computing party, its arrays of one item."""


@dataclass(frozen=True, slots=True)
class Tamper:
    """One byte of one message is another one when it arrives.

    Args:
        sender, receiver: roster indices.
        number: which of the messages between them, from 0.
        place: which byte, from either end.
    """

    sender: int
    receiver: int
    number: int
    place: int


class DeviatingPartyEnds(Exception):
    """The party whose message was changed is the first to notice; what it says of others does not count.

    Keys that a peer makes from a wrong message do not fit. To the others it is a party that ends the job.
    """


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork of a job.

    Args:
        job: the job id.
        path: of the fork.
    """

    job: bytes = bytes(32)
    path: tuple[str, ...] = ()

    @property
    def identifier(self) -> bytes:
        """As frames name it."""
        return blake2b(repr(self.path).encode(), size=8, person=b"mpcnet.kit") if self.path else b""


@dataclass(slots=True)
class World:
    """Parties that stay the same from job to job.

    Args:
        computing: roster indices of the computing parties, in the order of the job.
        outsiders: of those who only run the program.
        dealer: of the dealer, if the provider takes one.
        seed: from which the pair seeds and the parties' own randomness are derived.
        kept: by party and peer, the base correlations that the party's process holds.
    """

    computing: tuple[int, ...]
    outsiders: tuple[int, ...] = ()
    dealer: int | None = None
    seed: int = 0
    kept: dict[tuple[int, int], BaseCorrelations] = field(default_factory=dict[tuple[int, int], BaseCorrelations])

    @property
    def everyone(self) -> tuple[int, ...]:
        """All who run the program, in roster order."""
        return tuple(sorted((*self.computing, *self.outsiders)))

    def parties(self, me: int) -> Parties:
        """As one party knows them."""
        return Parties(me, self.computing, self.everyone, {party: f"party{party}" for party in range(64)})

    def pair_seed(self, one: int, other: int) -> bytes:
        """Of two incarnations."""
        return self._derived(b"pair %d %d" % (min(one, other), max(one, other)))

    def pairs(self, me: int, fork: Fork) -> dict[int, ForkPair]:
        """What a party has in common with those whom it meets, as the confirmations of the job settle it."""
        meets = (*self.everyone, *self._dealing) if me in self.computing else self.computing
        found: dict[int, ForkPair] = {}
        for peer in meets:
            if peer == me:
                continue
            kept = self._kept(me, peer)
            common = kept.newest_common(self._kept(peer, me).names, ours_first=me < peer)
            name = base_name(fork.job, fork.identifier)
            found[peer] = ForkPair(self.pair_seed(me, peer), kept, common, name)
        return found

    def randomness(self, me: int, fork: Fork) -> Callable[[int], bytes]:
        """A party's own, new in each fork of each job."""
        calls = iter(range(2**63))
        label = b"own %d %r" % (me, (fork.job, fork.path))
        return lambda count: aes_ctr(self._derived(label + b" %d" % next(calls))[:16], count).tobytes()

    def streams(self, me: int, fork: Fork) -> dict[int, Streams]:
        """By peer, the streams of a pair in this fork."""
        return {peer: Streams(pair.seed, fork.job, fork.path) for peer, pair in self.pairs(me, fork).items()}

    def dealer_streams(self, dealer: int, fork: Fork) -> dict[int, Streams]:
        """By computing party, the streams of its pair with the dealer."""
        path = dealer_path(fork.identifier)
        return {party: Streams(self.pair_seed(party, dealer), fork.job, path) for party in self.computing}

    @property
    def _dealing(self) -> tuple[int, ...]:
        return () if self.dealer is None else (self.dealer,)

    def _kept(self, me: int, peer: int) -> BaseCorrelations:
        return self.kept.setdefault((me, peer), BaseCorrelations())

    def _derived(self, label: bytes) -> bytes:
        return blake2b(b"%d|" % self.seed + label, size=32, person=b"mpcnet.kit")


class _ShapedPool(Pool):
    """Takes arrays only as their type says, so that a mistake is told where it is made."""

    def put(self, item: Item, units: int, arrays: tuple[Words, ...]) -> None:
        wanted = [(spec.shape(units), np.dtype(np.uint64)) for spec in item.arrays]
        if (got := [(array.shape, array.dtype) for array in arrays]) != wanted:
            raise LocalError(f"{units} units of {item.key} are arrays {_listed(wanted)}, and not {_listed(got)}")
        super().put(item, units, arrays)


def _listed(arrays: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
    return ", ".join(f"{dtype}{shape}" for shape, dtype in arrays) or "none"


@dataclass(slots=True)
class Made:
    """What a run gave.

    Args:
        tranches: what was made, in order.
        shares: of each tranche, by type, by computing party.
        rounds: of each tranche, by party, how many rounds it took.
        sent_bytes: by sender and receiver, of all tranches.
        messages: the same, how many messages.
    """

    tranches: list[Tranche]
    shares: list[dict[Item, Shares]]
    rounds: list[dict[int, int]]
    sent_bytes: Mapping[tuple[int, int], int]
    messages: Mapping[tuple[int, int], int]


def make(
    provider: Provider,
    world: World,
    demands: Sequence[Demand],
    *,
    fork: Fork | None = None,
    pick: Callable[[Sequence[int]], int] | None = None,
    tamper: Tamper | None = None,
) -> Made:
    """Let a provider make tranches in one fork of a job.

    Args:
        demands: of the tranches, in order.
        pick: chooses, among the parties that can go on, who does; see `mpcnet.engine.lockstep`.
        tamper: what goes wrong on the way.

    Raises:
        LockstepError: the parties' messages do not fit together.
        DeviatingPartyEnds: see there.
        LocalError: a party's pool is not filled with what was asked for.
    """
    where = fork or Fork()
    # Numbers as an evaluation takes them: ascending, and not in a row.
    tranches = [make_tranche(3 + 7 * place, demand) for place, demand in enumerate(demands)]
    rounds: list[dict[int, int]] = [dict.fromkeys(world.everyone, 0) for _ in tranches]
    steps: dict[int, Step[list[dict[Item, tuple[Words, ...]]]]] = {
        me: _party(provider, world, where, me, tranches, rounds, tamper) for me in world.everyone
    }
    if world.dealer is not None:
        steps[world.dealer] = _dealer(world, world.dealer, where, tranches)
    transcript: Transcript[list[dict[Item, tuple[Words, ...]]]] = lockstep(steps, pick=pick)
    shares: list[dict[Item, Shares]] = [
        {
            item: {party: transcript.results[party][place][item] for party in world.computing}
            for item in tranche.demand
        }
        for place, tranche in enumerate(tranches)
    ]
    return Made(tranches, shares, rounds, transcript.sent_bytes, transcript.messages)


def _party(
    provider: Provider,
    world: World,
    fork: Fork,
    me: int,
    tranches: Sequence[Tranche],
    rounds: Sequence[dict[int, int]],
    tamper: Tamper | None,
) -> Step[list[dict[Item, tuple[Words, ...]]]]:
    """Make all tranches on one party, and take each out of the pool."""
    parties, pairs = world.parties(me), world.pairs(me, fork)
    preparation = provider.open(Opening(parties, world.dealer, fork.job, fork.path, fork.identifier, pairs))
    streams, randomness = world.streams(me, fork), world.randomness(me, fork)
    pool = _ShapedPool()
    taken: list[dict[Item, tuple[Words, ...]]] = []
    changes = _Changes(me, tamper)
    for place, tranche in enumerate(tranches):
        context = Context(Setting(parties, provider.makes), streams, fork.path, tranche.node, randomness, pool)
        step = preparation.ensure(context, pool, tranche)
        try:
            yield from _watched(step, rounds[place], me, changes)
        except PeerViolation as error:
            if tamper is not None and tamper.sender == me:
                raise DeviatingPartyEnds(str(error)) from error
            raise
        if parties.computes:
            taken.append({item: pool.spend(item, units) for item, units in tranche.demand.items()})
        if left := pool.drain():
            said = ", ".join(f"{units} of {item.key}" for item, units in left.items())
            raise LocalError(f"party{me} finds units in its pool that it has not asked for: {said}")
    return taken


def _watched(step: Step[None], rounds: dict[int, int], me: int, changes: _Changes) -> Step[None]:
    """Count a step's rounds, and change what it receives."""
    try:
        due = next(step)
        while True:
            received = yield due
            if isinstance(due, Round):
                rounds[me] += 1
                received = changes.apply(received)
            due = step.send(received)
    except StopIteration:
        return
    finally:
        step.close()


class _Changes:
    def __init__(self, me: int, tamper: Tamper | None) -> None:
        self._tamper = tamper if tamper is not None and tamper.receiver == me else None
        self._seen = 0

    def apply(self, inbox: Any) -> Any:
        tamper, received = self._tamper, inbox
        if tamper is None or tamper.sender not in received:
            return received
        number, self._seen = self._seen, self._seen + 1
        if number != tamper.number or not len(received[tamper.sender]):
            return received
        data = bytearray(received[tamper.sender])
        data[tamper.place] ^= 0x41
        changed: Inbox = {**received, tamper.sender: memoryview(bytes(data))}
        return changed


def _dealer(
    world: World, dealer: int, fork: Fork, tranches: Sequence[Tranche]
) -> Step[list[dict[Item, tuple[Words, ...]]]]:
    """The bundled dealer, who answers each tranche when all computing parties have asked."""
    streams = world.dealer_streams(dealer, fork)
    for tranche in tranches:
        inbox = yield Round({}, dict.fromkeys(world.computing, len(tranche.encoded)))
        asked = read_tranche_untrusted(inbox[world.computing[0]], f"party{world.computing[0]}")
        yield Round({world.computing[0]: make_correction(world.computing, streams, asked)})
    return []
