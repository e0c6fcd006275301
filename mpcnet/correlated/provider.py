"""Providers: where correlated randomness comes from. The interface; `mpcnet.correlated.dealer` is the first one.

    Provider            one object in a process, found by the entry-point group `mpcnet.providers`; without state
    Preparation         the provider at work for one fork of a job, made by `Provider.open`
    ensure(tranche)     a step that fills the pool with one tranche

Rules that every provider keeps, and that `mpcnet.testing.check_provider` tries:

1. Each unit is made for one fork of one job and taken once. Two forks have no order between them, so what one of
   them has left over is not used by another: it belongs to the `Preparation`, and is forgotten with it.
2. Whatever is drawn from a pair's streams has a label that holds job, fork, and the tranche's number.
3. How many rounds `ensure` takes, and how many bytes, follows from the tranche and from who takes part. `forecast`
   says it, and parties that do not compute yield as many empty rounds.
4. A pair's base correlations are used as `Opening.pairs` gives them, and never copied.
5. `ensure` needs no input and no share: what it makes is random. A driver may therefore run it long before the
   tranche is used (work ahead), in the order of the tranches of a fork. It puts units into the pool, and does
   nothing else that an evaluation could notice.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from mpcnet.correlated.base_correlations import ForkPair
from mpcnet.correlated.cost import Cost
from mpcnet.correlated.items import Item
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.tranches import Tranche
from mpcnet.engine import Context, Parties, Step

__all__ = ("CORRELATED", "Opening", "Preparation", "Provider")

CORRELATED: typing.Final = "correlated"
"""The region under which rounds of making correlated randomness are counted; they are no online rounds."""


@dataclass(frozen=True, slots=True, repr=False)
class Opening:
    """What a provider is given when a fork of a job begins.

    Args:
        parties: who takes part.
        dealer: the dealer's roster index, if the job names one.
        job: the job id.
        fork: path of the fork.
        fork_id: how frames name it, which is all that a dealer knows of it.
        pairs: by peer, what we have in common. Parties that do not compute meet the computing parties alone, and
            neither each other nor a dealer.
    """

    parties: Parties
    dealer: int | None
    job: bytes
    fork: tuple[str, ...]
    fork_id: bytes
    pairs: Mapping[int, ForkPair]


class Preparation(ABC):
    """A provider at work for one fork of a job."""

    def __init__(self, provider: Provider) -> None:
        self.provider: Provider = provider

    @abstractmethod
    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        """Fill the pool with a tranche. All parties of the program run it, with one tranche.

        Args:
            context: of the operation `tranche.node`.
            pool: where a computing party puts each type of the tranche; others put nothing.
            tranche: what is to be made. Tranches of a fork come in order, each once.

        Raises:
            PeerViolation: what a peer sent is not what it should be; it names the peer.
        """


class Provider(ABC):
    """Makes correlated randomness for the computing parties. It has no state; what `open` returns has."""

    name: typing.ClassVar[str]
    """What a job names it by."""
    takes_dealer: typing.ClassVar[bool] = False
    """Whether it works with a party of the job that deals; then the job must name one, and otherwise must not."""

    @abstractmethod
    def makes(self, item: Item) -> bool:
        """Whether it makes items of this type. Schemes choose between algorithms by it."""

    @abstractmethod
    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        """What `ensure` of a tranche takes: rounds, and bytes by sender and receiver; its demand is empty.

        Making base correlations is among the rounds of every tranche, whether there are some already or not: not
        every party knows, and rounds without messages take no time. It is not among the bytes.

        Args:
            dealer: the dealer's roster index, for a provider that takes one.
        """

    @abstractmethod
    def open(self, opening: Opening) -> Preparation:
        """Begin to work for one fork of a job."""
