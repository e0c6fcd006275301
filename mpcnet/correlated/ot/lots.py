"""How a tranche is cut into lots: the same at all parties, and known before a byte is sent.

The transfers that the items of a tranche take from one party to another stand in one row, item after item, and are
cut every `MAX_LOT`. A lot so consists of pieces, each of one item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mpcnet.correlated.ot.makers import Shape, shape_of
from mpcnet.correlated.ot.pair import DEPTH
from mpcnet.correlated.ot.softspoken import CHALLENGE_BYTES, CHECK_BYTES, MAX_LOT, columns_bytes
from mpcnet.correlated.tranches import Tranche
from mpcnet.errors import LocalError

__all__ = ("BASE_ROUNDS", "LAG", "MAX_PAIR_BYTES", "LotPlan", "Piece", "size_of")

MAX_PAIR_BYTES: Final = 2**31
"""What one tranche may make a party send to another: some minutes on a link of 100 Mbit/s."""
BASE_ROUNDS: Final = 3
LAG: Final = 3
"""Rounds from the columns of a lot to its corrections."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a lot that belongs to one item.

    Args:
        index: of the item in the tranche.
        first: number of its first transfer in the lot.
        part: its transfers, as the item numbers them.
        stage: at which its correction is sent.
        correction_bytes: size of that.
        blocks: of each key.
    """

    index: int
    first: int
    part: tuple[int, int]
    stage: int
    correction_bytes: int
    blocks: int


class LotPlan:
    """What all parties know of a tranche: lots and sizes between any two places.

    Args:
        tranche: what is made.
        count: of computing parties.

    Raises:
        LocalError: it would take too many bytes.
    """

    def __init__(self, tranche: Tranche, count: int) -> None:
        self.shapes: list[Shape] = [shape_of(item, units, count) for item, units in tranche.demand.items()]
        self._count = count
        self._lots: dict[tuple[int, int], list[list[Piece]]] = {}
        self.stages: int = max(shape.stages for shape in self.shapes)
        pairs = [(one, other) for one in range(count) for other in range(count) if one != other]
        self.lots: int = max(len(self.pieces(*pair)) for pair in pairs)
        most = max(self.sent_bytes(*pair) for pair in pairs)
        if most > MAX_PAIR_BYTES:
            names = ", ".join(shape.item.key for shape in self.shapes)
            raise LocalError(
                f"oblivious transfer would send {most / 1e9:.1f} GB from each party to each other one for {names}; "
                "name a dealer in the job, or multiply smaller matrices"
            )

    @property
    def rounds(self) -> int:
        """Of `ensure`."""
        return BASE_ROUNDS + self.lots + LAG + self.stages - 1

    def pieces(self, chooser: int, holder: int) -> list[list[Piece]]:
        """The lots of an ordered pair."""
        known = self._lots.get((chooser, holder))
        if known is None:
            known = self._lots[chooser, holder] = list(self._cut(chooser, holder))
        return known

    def _cut(self, chooser: int, holder: int) -> list[list[Piece]]:
        lots: list[list[Piece]] = []
        filled = MAX_LOT
        for index, shape in enumerate(self.shapes):
            start, count = 0, shape.transfers(chooser, holder)
            stage = shape.stage(chooser, holder)
            while start < count:
                if filled == MAX_LOT:
                    lots.append([])
                    filled = 0
                end = min(count, start + MAX_LOT - filled)
                nbytes = shape.correction_bytes((start, end))
                lots[-1].append(Piece(index, filled, (start, end), stage, nbytes, shape.key_blocks))
                filled, start = filled + end - start, end
        return lots

    def count(self, chooser: int, holder: int, lot: int) -> int:
        """Transfers in a lot; 0 if there is no such lot."""
        lots = self.pieces(chooser, holder)
        return 0 if not 0 <= lot < len(lots) else lots[lot][-1].first + size_of(lots[lot][-1])

    def columns(self, chooser: int, holder: int, lot: int) -> int:
        """Bytes of a lot's columns."""
        count = self.count(chooser, holder, lot)
        return columns_bytes(count, DEPTH, chosen=True) if count else 0

    def corrections(self, chooser: int, holder: int, lot: int) -> int:
        """Bytes of those corrections of a lot that are sent at once."""
        lots = self.pieces(chooser, holder)
        if not 0 <= lot < len(lots):
            return 0
        return sum(piece.correction_bytes for piece in lots[lot] if piece.stage == 0)

    def staged(self, chooser: int, holder: int, stage: int) -> int:
        """Bytes of the corrections of a later stage."""
        lots = self.pieces(chooser, holder)
        return sum(piece.correction_bytes for lot in lots for piece in lot if piece.stage == stage)

    def message(self, sender: int, receiver: int, turn: int) -> int:
        """Bytes in a round of lots."""
        return (
            self.columns(sender, receiver, turn)
            + (CHALLENGE_BYTES if self.count(receiver, sender, turn - 1) else 0)
            + (CHECK_BYTES if self.count(sender, receiver, turn - 2) else 0)
            + self.corrections(receiver, sender, turn - LAG)
        )

    def sent_bytes(self, sender: int, receiver: int) -> int:
        """In all rounds but those of base transfers."""
        turns = sum(self.message(sender, receiver, turn) for turn in range(self.lots + LAG))
        return turns + sum(self.staged(receiver, sender, stage) for stage in range(1, self.stages))


def size_of(piece: Piece) -> int:
    """Transfers of a piece."""
    return piece.part[1] - piece.part[0]
