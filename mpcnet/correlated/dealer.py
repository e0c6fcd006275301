"""The dealer as a provider: a party of the job that does nothing else makes all correlated randomness.

Every computing party sends it the same question for each tranche, some hundred bytes; it answers when all of them
have asked, each question once (`mpcnet.session.dealer_service`), with one correction to the first of them. What the
others hold are streams of their pairs with the dealer (`mpcnet.correlated.dealing`).

Semi-honest: the dealer alone learns nothing. The dealer together with one computing party learns everything. A
dealer that deviates makes results wrong, and is not noticed. One round for each tranche.
"""

from __future__ import annotations

from mpcnet.algebra import Streams
from mpcnet.correlated.cost import Cost, SentBytes
from mpcnet.correlated.dealing import DealerStreams, correction_bytes, dealer_path, shares_of
from mpcnet.correlated.items import Item
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche
from mpcnet.engine import Context, Parties, Round, Step
from mpcnet.errors import LocalError

__all__ = ("DealerPreparation", "DealerProvider")


class DealerProvider(Provider):
    """Asks a dealer. See the module."""

    name = "dealer"
    takes_dealer = True

    def makes(self, item: Item) -> bool:
        """Every type: the dealer derives them in the clear."""
        return True

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        """One round: the question from every computing party, one correction to the first of them."""
        if dealer is None:
            raise LocalError("provider 'dealer' works with a dealer: name one")
        deals = dealer

        def count_bytes() -> SentBytes:
            questions = {(party, deals): len(tranche.encoded) for party in parties.computing}
            return {**questions, (deals, parties.computing[0]): correction_bytes(tranche.demand)}

        return Cost(1, {}, count_bytes)

    def open(self, opening: Opening) -> DealerPreparation:
        """Draw from the streams of our pair with the dealer, under the name that it knows the fork by."""
        if opening.dealer is None:
            raise LocalError("provider 'dealer' works with a dealer: name one in the job")
        pair = opening.pairs.get(opening.dealer)  # who does not compute never meets it
        streams = None if pair is None else Streams(pair.seed, opening.job, dealer_path(opening.fork_id))
        return DealerPreparation(self, opening.dealer, streams)


class DealerPreparation(Preparation):
    """Asks a dealer for what one fork takes.

    Args:
        provider: which we are of.
        dealer: its roster index.
        streams: of our pair with it in this job, under the name that it knows our fork by; None if we do not
            compute.
    """

    def __init__(self, provider: Provider, dealer: int, streams: Streams | None) -> None:
        super().__init__(provider)
        self._dealer = dealer
        self._streams = streams

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        """One round with the dealer. See `Preparation.ensure`."""
        parties = context.parties
        if not parties.computes or self._streams is None:
            yield Round()
            return
        is_first = parties.me == parties.computing[0]
        demand = tranche.demand
        inbox = yield Round(
            {self._dealer: tranche.encoded}, {self._dealer: correction_bytes(demand)} if is_first else {}
        )
        rest = inbox[self._dealer] if is_first else None
        draws = DealerStreams(self._streams, tranche)
        for item, units in demand.items():
            arrays, used = shares_of(item, units, draws, rest)
            pool.put(item, units, arrays)
            rest = rest[used:] if rest is not None else None
