"""The base correlation of two parties: made once for a pair of incarnations, 128 base transfers in each direction.

    us                                                        peer
    1. points of our choices  ──────────▶   ◀──────────       points of its choices
    2. challenges, trees      ──────────▶   ◀──────────       challenges, trees
    3. answer                 ──────────▶   ◀──────────       answer

In each direction the one who will *hold Δ* chooses in the base transfers, so that Δ is its choice bits; the other
one holds the trees. The two directions run side by side and have nothing in common: Δ, keys and names are each its
own.

Threat model: malicious; see the three modules beside this one. Rounds: 3. Bytes to the peer, at k = 2: 12.1 KB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpcnet.algebra.prg import prefixed
from mpcnet.correlated.ot.base import BaseReceiver, BaseSender, first_bytes, second_bytes, third_bytes
from mpcnet.correlated.ot.punctured import message_bytes, paths_of, puncture, spread
from mpcnet.correlated.ot.softspoken import KAPPA, ReceiverBase, SenderBase
from mpcnet.engine import Round, Step, Work

__all__ = ("DEPTH", "OtPair", "make_pair")

DEPTH = 2
"""k: trees of four leaves. A larger one sends fewer bytes and works more ([Roy22] Table 1)."""


@dataclass(frozen=True, slots=True)
class OtPair:
    """What one party holds of a pair.

    Args:
        sender: for transfers in which we hold Δ and the peer chooses.
        receiver: for those in which we choose.
    """

    sender: SenderBase
    receiver: ReceiverBase

    def discard(self) -> None:
        """Give both directions up, for good."""
        self.sender.discard()
        self.receiver.discard()


def make_pair(
    me: int, peer: int, name: str, session: bytes, randomness: Callable[[int], bytes], depth: int = DEPTH
) -> Step[OtPair]:
    """Make the base correlation with a peer.

    Args:
        me, peer: roster indices.
        name: of the peer, for errors.
        session: binds the pair of incarnations; the same on both sides, and never used for another correlation.
        randomness: n to n uniform bytes of our own.
        depth: k.
    Raises:
        PeerViolation: the peer did not follow.
    """
    choices = np.unpackbits(np.frombuffer(randomness(KAPPA // 8), np.uint8))
    ours = BaseReceiver(_sid(session, me, peer), choices.tolist(), randomness, name)
    theirs = BaseSender(_sid(session, peer, me), KAPPA, randomness, name)
    inbox = yield Round({peer: ours.first}, {peer: first_bytes(KAPPA)})
    points = inbox[peer]
    answer = yield from Work(lambda: theirs.read(points))
    leaves, trees = spread(theirs.keys, depth)
    size = second_bytes(KAPPA)
    inbox = yield Round({peer: answer + trees}, {peer: size + message_bytes(KAPPA // depth, depth)})
    challenges, tree_message = inbox[peer][:size], inbox[peer][size:]
    last = yield from Work(lambda: ours.read(challenges))
    punctured = puncture(ours.keys, choices, depth, tree_message, name)
    inbox = yield Round({peer: last}, {peer: third_bytes()})
    theirs.finish(inbox[peer])
    return OtPair(SenderBase(punctured, paths_of(choices, depth), name), ReceiverBase(leaves, name))


def _sid(session: bytes, chooser: int, other: int) -> bytes:
    return b"mpcnet base ot" + prefixed(session) + chooser.to_bytes(4, "little") + other.to_bytes(4, "little")
