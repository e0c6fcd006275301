"""Pair seeds: for each peer, one seed that only we two can compute.

When a link comes up each side sends 32 random bytes in an encrypted record. The seed is the hash of both and of
both incarnations; it is made once per pair of incarnations and outlives reconnects. Streams of a job are derived
from it together with the job id, which is fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mpcnet.algebra.prg import pair_seed
from mpcnet.errors import PeerViolation

__all__ = ("SEED_SHARE_BYTES", "Pairs")

SEED_SHARE_BYTES = 32


@dataclass(slots=True, repr=False)
class _Pair:
    incarnation: bytes
    ours: bytes
    theirs: bytes = b""
    seed: bytes = field(default=b"")


class Pairs:
    """The seeds of one party.

    Args:
        me: our roster index.
        incarnation: of this mesh.
        randomness: n to n uniform bytes.
    """

    def __init__(self, me: int, incarnation: bytes, randomness: Callable[[int], bytes]) -> None:
        self.up: set[int] = set()
        self._me = me
        self._incarnation = incarnation
        self._randomness = randomness
        self._pairs: dict[int, _Pair] = {}
        self._links: dict[int, int] = {}

    def peer_up(self, peer: int, incarnation: bytes) -> None:
        """A link is established; a new incarnation needs a new seed."""
        self.up.add(peer)
        self._links[peer] = self._links.get(peer, 0) + 1
        known = self._pairs.get(peer)
        if known is None or known.incarnation != incarnation:
            self._pairs[peer] = _Pair(incarnation, self._randomness(SEED_SHARE_BYTES))

    def peer_down(self, peer: int) -> None:
        """The link ended; the seed stays for a reconnect."""
        self.up.discard(peer)

    def links(self, peer: int) -> int:
        """How many links there have been to this peer; names the present one."""
        return self._links.get(peer, 0)

    def ours(self, peer: int) -> bytes:
        """Our contribution, to be sent to this peer alone."""
        return self._pairs[peer].ours

    def take(self, peer: int, name: str, theirs: bytes) -> None:
        """The peer's contribution.

        Raises:
            PeerViolation: of the wrong length, or another than it sent before in this incarnation.
        """
        pair = self._pairs[peer]
        if len(theirs) != SEED_SHARE_BYTES or (pair.theirs and pair.theirs != theirs):
            raise PeerViolation(name, "sent a contribution to the pair seed that is not the one expected")
        pair.theirs = theirs
        pair.seed = pair_seed((self._me, pair.ours, self._incarnation), (peer, theirs, pair.incarnation))

    def missing(self, peers: tuple[int, ...]) -> tuple[int, ...]:
        """Those with whom there is no seed yet."""
        return tuple(peer for peer in peers if peer not in self._pairs or not self._pairs[peer].seed)

    def seed(self, peer: int) -> bytes:
        """The seed that we share with this peer."""
        return self._pairs[peer].seed
