"""The provider without a dealer: correlated randomness by oblivious transfer between each two computing parties.

    rounds 1 to 3      base transfers, unless the pair has kept some from an earlier job
    round 4 + t        as the chooser: columns of lot t; the answer to the challenge of lot t - 2
                       as the holder:  the challenge of lot t - 1; the corrections of lot t - 3
    then               the corrections of each later stage of a chain

Each ordered pair has its own sequence of lots; all pairs take as many rounds as the longest. A lot is checked
before anything of it is used, so a deviating chooser never receives corrections from which it could learn.

Every party draws its own shares from its own randomness, and the transfers make their products
(`mpcnet.correlated.ot.makers`). A lot's label holds job, fork, the tranche's and its own number, and who chooses.

Threat model: any number of computing parties, all but one of whom may collude, as semi-honest parties. A party that
deviates is caught by the checks of base transfers and extension, or makes results wrong by using other bits or
words than it should; it learns nothing by that. No party has to be trusted.
Rounds: 6 and one for each lot of 2^19 transfers, and one for each further stage.
Source: [CSW20], [Roy22], [GKWY20], [Gilboa99]; see the modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Final

import numpy as np

from mpcnet.algebra import Buffer, Words
from mpcnet.algebra.prg import Label, prefixed
from mpcnet.correlated.cost import Cost, SentBytes
from mpcnet.correlated.items import Item, MaskedBits
from mpcnet.correlated.ot.hashing import hash_rows
from mpcnet.correlated.ot.lots import BASE_ROUNDS, LAG, LotPlan, Piece, size_of
from mpcnet.correlated.ot.makers import Maker, maker_of
from mpcnet.correlated.ot.pair import OtPair, make_pair
from mpcnet.correlated.ot.softspoken import (
    CHALLENGE_BYTES,
    CHECK_BYTES,
    MAX_LOT,
    Receiver,
    Sender,
)
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche
from mpcnet.engine import Context, Inbox, Parties, Round, Step, Work, gather
from mpcnet.errors import LocalError

__all__ = ("OtPreparation", "OtProvider")


class OtProvider(Provider):
    """Oblivious transfer. See the module."""

    name = "ot"

    def makes(self, item: Item) -> bool:
        """Every type but `MaskedBits`: comparisons without a dealer do not take them."""
        return not isinstance(item, MaskedBits)

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        """See the module."""
        if dealer is not None:
            raise LocalError("provider 'ot' works without a dealer")
        plan = LotPlan(tranche, len(parties.computing))

        def count_bytes() -> SentBytes:
            places = range(len(parties.computing))
            return {
                (parties.computing[one], parties.computing[other]): plan.sent_bytes(one, other)
                for one in places
                for other in places
                if one != other
            }

        return Cost(plan.rounds, {}, count_bytes)

    def open(self, opening: Opening) -> OtPreparation:
        """Begin with the base correlations that are kept, or with none."""
        return OtPreparation(self, opening)


class OtPreparation(Preparation):
    """Makes what one fork takes, with the base correlations of each pair."""

    def __init__(self, provider: Provider, opening: Opening) -> None:
        super().__init__(provider)
        self._opening = opening
        self._bases: dict[int, OtPair] = {}
        for peer, pair in opening.pairs.items():
            if isinstance(pair.base, OtPair):
                self._bases[peer] = pair.base

    def ensure(self, context: Context, pool: Pool, tranche: Tranche) -> Step[None]:
        """See `Preparation.ensure` and the module."""
        parties = context.parties
        plan = LotPlan(tranche, len(parties.computing))
        if not parties.computes:
            for _ in range(plan.rounds):
                yield Round()
            return
        yield from self._connect(context)
        run = _Run(plan, context, self._opening.job, tranche.node, self._bases)
        for turn in range(plan.lots + LAG):
            yield from run.turn(turn)
        for stage in range(plan.stages):
            if stage:
                yield from run.stage(stage)
            run.finish_stage(stage)
        for (item, units), maker in zip(tranche.demand.items(), run.makers, strict=True):
            pool.put(item, units, maker.arrays())

    def _connect(self, context: Context) -> Step[None]:
        """Base transfers with those with whom there are none; as many rounds if there are."""
        missing = [peer for peer in context.parties.peers if peer not in self._bases]
        steps = [self._base(context, peer) for peer in missing]
        if not steps:
            for _ in range(BASE_ROUNDS):
                yield Round()
            return
        made = yield from gather(steps)
        for peer, base in zip(missing, made, strict=True):
            self._bases[peer] = base
            self._opening.pairs[peer].keep(base)

    def _base(self, context: Context, peer: int) -> Step[OtPair]:
        pair = self._opening.pairs[peer]
        name = context.parties.names[peer]
        return make_pair(context.me, peer, name, prefixed(pair.seed) + pair.name, context.randomness)


class _Run:
    """One tranche under way at a computing party."""

    def __init__(self, plan: LotPlan, context: Context, job: bytes, node: int, bases: Mapping[int, OtPair]) -> None:
        parties = context.parties
        self._plan = plan
        self._context = context
        self._job = job
        self._node = node
        self._bases = bases
        self._me = parties.computing.index(parties.me)
        self._places = {peer: parties.computing.index(peer) for peer in parties.peers}
        self.makers: list[Maker] = [
            maker_of(shape, self._me, _drawing(context.randomness)) for shape in plan.shapes
        ]
        bits = [maker.choices() for maker in self.makers]
        self._choices = {
            peer: _joined(
                [own for own, shape in zip(bits, plan.shapes, strict=True) if shape.transfers(self._me, place)]
            )
            for peer, place in self._places.items()
        }
        self._choosing: dict[tuple[int, int], Receiver] = {}
        self._holding: dict[tuple[int, int], Sender] = {}
        self._challenges: dict[tuple[int, int], bytes] = {}
        self._answers: dict[tuple[int, int], bytes] = {}
        self._corrections: dict[tuple[int, int], bytes] = {}
        self._keys: dict[int, list[tuple[Piece, Words]]] = {}

    # Rounds of lots

    def turn(self, turn: int) -> Step[None]:
        """One round: what is sent was made in the turns before."""
        plan, me = self._plan, self._me
        yield from Work(partial(self._begin, turn))
        to: dict[int, Buffer] = {}
        expect: dict[int, int] = {}
        for peer, place in self._places.items():
            if nbytes := plan.message(me, place, turn):
                to[peer] = self._message(peer, turn)
                assert len(to[peer]) == nbytes  # noqa: S101 -- both follow from the plan
            if nbytes := plan.message(place, me, turn):
                expect[peer] = nbytes
        inbox = yield Round(to, expect)
        # Challenges are drawn here: a work takes no randomness.
        drawn = {peer: self._context.randomness(CHALLENGE_BYTES) for peer in self._places}
        yield from Work(partial(self._read, turn, inbox, drawn))

    def _label(self, chooser: int, lot: int) -> bytes:
        label = Label("ot", chooser, self._context.fork, self._node, lot)
        return prefixed(self._job) + label.encode()

    def _begin(self, turn: int) -> None:
        """Columns of the next lot, for every holder."""
        for peer, place in self._places.items():
            count = self._plan.count(self._me, place, turn)
            if count:
                start = turn * MAX_LOT // 64
                choices = self._choices[peer][start : start + count // 64]
                self._choosing[peer, turn] = self._bases[peer].receiver.lot(
                    self._label(self._me, turn), count, choices=choices, randomness=self._context.randomness
                )

    def _message(self, peer: int, turn: int) -> bytes:
        parts: list[Buffer] = []
        if (peer, turn) in self._choosing:
            parts.append(self._choosing[peer, turn].columns)
        parts.append(self._challenges.pop((peer, turn - 1), b""))
        parts.append(self._answers.pop((peer, turn - 2), b""))
        parts.append(self._corrections.pop((peer, turn - LAG), b""))
        return b"".join(parts)

    def _read(self, turn: int, inbox: Inbox, drawn: Mapping[int, bytes]) -> None:
        for peer, place in self._places.items():
            # Also if it sent nothing: the keys of a lot without corrections are kept for a later stage.
            self._read_from(peer, place, turn, inbox.get(peer, _NOTHING), drawn[peer])

    def _read_from(self, peer: int, place: int, turn: int, message: memoryview, challenge: bytes) -> None:
        plan, me = self._plan, self._me
        sizes = [
            plan.columns(place, me, turn),
            CHALLENGE_BYTES if plan.count(me, place, turn - 1) else 0,
            CHECK_BYTES if plan.count(place, me, turn - 2) else 0,
            plan.corrections(me, place, turn - LAG),
        ]
        ends = list(accumulate(sizes))
        columns, asked, answer, corrections = (
            message[end - size : end] for end, size in zip(ends, sizes, strict=True)
        )
        if columns:
            lot = self._bases[peer].sender.lot(self._label(place, turn), plan.count(place, me, turn), chosen=True)
            self._holding[peer, turn] = lot
            self._challenges[peer, turn] = lot.read(columns, lambda _: challenge)
        if asked:
            self._answers[peer, turn - 1] = self._choosing[peer, turn - 1].check(asked)
        if answer:
            self._hold(peer, place, turn - 2, answer)
        if plan.count(me, place, turn - LAG):
            self._choose(peer, place, turn - LAG, corrections)

    def _hold(self, peer: int, place: int, number: int, answer: memoryview) -> None:
        """A lot has been checked: give its keys to the makers."""
        lot = self._holding.pop((peer, number))
        lot.check(answer)
        rows, delta = lot.rows(), self._bases[peer].sender.delta
        made: list[bytes] = []
        for piece, first in _numbered(self._plan.pieces(place, self._me)[number]):
            own = rows[piece.first : piece.first + size_of(piece)]
            zero = hash_rows(own, lot.label, piece.blocks, first)
            one = hash_rows(own ^ delta, lot.label, piece.blocks, first)
            made.append(self.makers[piece.index].hold(place, piece.part, zero, one))
        self._corrections[peer, number] = b"".join(made)

    def _choose(self, peer: int, place: int, number: int, corrections: memoryview) -> None:
        lot = self._choosing.pop((peer, number))
        rows = lot.rows()
        data, at = np.frombuffer(corrections, np.uint8), 0
        for piece, first in _numbered(self._plan.pieces(self._me, place)[number]):
            keys = hash_rows(rows[piece.first : piece.first + size_of(piece)], lot.label, piece.blocks, first)
            if piece.stage:
                self._keys.setdefault(peer, []).append((piece, keys))
                continue
            correction = data[at : at + piece.correction_bytes]
            at += piece.correction_bytes
            self.makers[piece.index].choose(place, piece.part, keys, correction)

    # Later stages

    def stage(self, stage: int) -> Step[None]:
        """One round: corrections that had to wait for those before."""
        plan, me = self._plan, self._me
        to: dict[int, Buffer] = {}
        expect: dict[int, int] = {}
        for peer, place in self._places.items():
            if plan.staged(place, me, stage):
                to[peer] = b"".join(
                    maker.correct(place)
                    for maker in self.makers
                    if maker.shape.transfers(place, me) and maker.shape.stage(place, me) == stage
                )
            if nbytes := plan.staged(me, place, stage):
                expect[peer] = nbytes
        inbox = yield Round(to, expect)
        for peer, place in self._places.items():
            if peer in inbox:
                self._choose_staged(peer, place, stage, np.frombuffer(inbox[peer], np.uint8))

    def _choose_staged(self, peer: int, place: int, stage: int, data: Words8) -> None:
        waiting, at = self._keys.pop(peer, []), 0
        for piece, keys in waiting:
            if piece.stage != stage:
                self._keys.setdefault(peer, []).append((piece, keys))
                continue
            correction = data[at : at + piece.correction_bytes]
            at += piece.correction_bytes
            self.makers[piece.index].choose(place, piece.part, keys, correction)

    def finish_stage(self, stage: int) -> None:
        """All corrections of a stage are in."""
        for maker in self.makers:
            if stage < maker.shape.stages:
                maker.finish_stage(stage)


_NOTHING: Final = memoryview(b"")
Words8 = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def _numbered(pieces: Sequence[Piece]) -> list[tuple[Piece, int]]:
    """The pieces of a lot, each with the number of its first block."""
    found: list[tuple[Piece, int]] = []
    number = 0
    for piece in pieces:
        found.append((piece, number))
        number += size_of(piece) * piece.blocks
    return found


def _joined(bits: Sequence[Words]) -> Words:
    return np.concatenate(bits) if bits else np.zeros(0, np.uint64)


def _drawing(randomness: Callable[[int], bytes]) -> Callable[[int], Words]:
    """Uniform words from uniform bytes."""
    return lambda count: np.frombuffer(randomness(8 * count), np.uint64).copy()
