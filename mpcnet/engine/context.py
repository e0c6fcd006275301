"""What a step is given: who takes part, and the randomness that belongs to its operation."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpcnet.algebra import Domain, Label, Streams, Words
from mpcnet.algebra.prg import NO_OWNER
from mpcnet.errors import LocalError

__all__ = ("Context", "Parties", "Setting", "local_context", "makes_nothing")


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in a program, by roster index.

    Args:
        me: our own index.
        computing: the computing parties, in the order that was agreed; a scheme's party i is computing[i].
        everyone: all who run the program, in roster order.
        names: by index, for errors.
        computes: whether we hold shares.
        peers: the other computing parties.
    """

    me: int
    computing: tuple[int, ...]
    everyone: tuple[int, ...]
    names: Mapping[int, str]

    computes: bool = field(init=False)
    peers: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Asked for in every round: found once.
        object.__setattr__(self, "computes", self.me in self.computing)
        object.__setattr__(self, "peers", tuple(party for party in self.computing if party != self.me))


def makes_nothing(item: typing.Any) -> bool:
    """Whether an item of this type is made where the job has no provider: never."""
    return False


@dataclass(slots=True)
class Setting:
    """What costs and choices of algorithms depend on beside shapes: the same on all parties but for `parties.me`.

    Never changed; not frozen, since one is made for every operation.

    Args:
        parties: who takes part.
        makes: whether the provider of correlated randomness makes items of a type.
    """

    parties: Parties
    makes: Callable[[typing.Any], bool] = makes_nothing


class CorrelatedSource(typing.Protocol):
    """Where an operation gets the correlated randomness that it spends: `mpcnet.correlated.Pool`."""

    def spend(self, item: typing.Any, units: int) -> tuple[Words, ...]:
        """Our shares of so many units of a type, each given out once."""
        ...


class NoCorrelated:
    """For programs that spend none."""

    def spend(self, item: typing.Any, units: int) -> tuple[Words, ...]:
        """Refuses."""
        raise LocalError(f"{units} units of {item} are needed, and no party makes correlated randomness here")


@dataclass(slots=True, repr=False)
class Context:
    """The surroundings of one operation.

    Args:
        setting: who takes part, and what correlated randomness there is.
        streams: by peer, the streams of our pair in this job and fork.
        node: number of the operation; unique in its fork, so that its labels are.
        randomness: n to n uniform bytes of our own.
        correlated: where correlated randomness is taken from.
        state: what the scheme's `setup` returned.
    """

    setting: Setting
    streams: Mapping[int, Streams]
    fork: tuple[str, ...]
    node: int
    randomness: Callable[[int], bytes]
    correlated: CorrelatedSource = field(default_factory=NoCorrelated)
    state: object = None
    parties: Parties = field(init=False)
    _indices: dict[tuple[str, int, int], int] = field(init=False, default_factory=dict[tuple[str, int, int], int])

    def __post_init__(self) -> None:
        self.parties = self.setting.parties  # asked for more often than anything else

    def __repr__(self) -> str:
        return f"Context(me={self.parties.me}, fork={self.fork!r}, node={self.node})"

    @property
    def me(self) -> int:
        """Our roster index."""
        return self.parties.me

    def pair_uniform(
        self, peer: int, domain: Domain, shape: tuple[int, ...], *, purpose: str, owner: int = NO_OWNER
    ) -> Words:
        """A uniform array that only we and the peer can compute; each call gives a new one.

        The peer gets the same array when it asks for the same purpose and owner, in the same order.

        Raises:
            LocalError: we share no seed with this party.
        """
        if peer not in self.streams:
            raise LocalError(f"no seed is shared with {self.parties.names.get(peer, f'party {peer}')}")
        index = self._indices.get((purpose, owner, peer), 0)
        self._indices[purpose, owner, peer] = index + 1
        return self.streams[peer].uniform(domain, shape, Label(purpose, owner, self.fork, self.node, index))

    def zero_share(self, domain: Domain, shape: tuple[int, ...], *, purpose: str) -> Words:
        """Our share of a fresh additive sharing of zero among the computing parties, without a message.

        Each pair's stream is added by the lower and subtracted by the higher position; the sum over all parties
        telescopes to zero, and any n - 1 shares are uniform to a coalition that misses one honest pair's seed.
        """
        total = domain.zeros(shape)
        mine = self.parties.computing.index(self.me)
        for position, peer in enumerate(self.parties.computing):
            if position > mine:
                domain.add_into(total, self.pair_uniform(peer, domain, shape, purpose=purpose))
            elif position < mine:
                domain.subtract_into(total, self.pair_uniform(peer, domain, shape, purpose=purpose))
        return total


def local_context(setting: Setting, fork: tuple[str, ...], state: object) -> Context:
    """The surroundings of operations that every party does for itself: they have no number, and draw nothing."""
    return Context(setting, {}, fork, -1, _no_randomness, state=state)


def _no_randomness(count: int) -> bytes:
    raise LocalError("an operation that every party does for itself draws no randomness")
