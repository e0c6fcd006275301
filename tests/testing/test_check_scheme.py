"""The kit for schemes refuses each kind of mistake, and says in which operation and what it saw."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mpcnet.algebra import Buffer, Domain, Shape, Words
from mpcnet.correlated.items import Item, MatrixTriples, Triples
from mpcnet.engine import Context, Inbox, Round, Setting, Step
from mpcnet.errors import LocalError
from mpcnet.primitives import random_bytes
from mpcnet.schemes import AdditiveScheme, Cost, Kind, PlainScheme, Primitive, Scheme, Share, Threat
from mpcnet.schemes.base import FREE, Owners, Parts, bytes_between, checked_row
from mpcnet.testing import ConformanceError, check_scheme
from tests.support.shamir import ShamirScheme

pytestmark = pytest.mark.slow

SUMS = frozenset({Kind.MULTIPLY, Kind.AND})


class Additive(AdditiveScheme):
    """The bundled scheme with two kinds of products, so that a fault is found soon."""

    kinds = SUMS


# Views


class RevealsAsItIs(Additive):
    """Parts leave for a receiver without being re-randomised."""

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        return (yield from self._exchange(context, x, receivers))


class MasksByAConstant(Additive):
    """Outputs are re-randomised by the same array in every program."""

    def _rerandomise(self, context: Context, x: Share) -> Share:
        if not x.parts:
            return x
        position = context.parties.computing.index(context.me)
        last = position == len(context.parties.computing) - 1
        mask = x.domain.zeros(x.shape)
        if last:
            for other in range(position):
                x.domain.subtract_into(mask, x.domain.uniform(bytes([other] * 16), x.shape))
        else:
            x.domain.add_into(mask, x.domain.uniform(bytes([position] * 16), x.shape))
        return Share(x.domain, x.shape, (x.domain.add(mask, x.parts[0]),))


class MasksTwiceByOneArray(Additive):
    """The streams that re-randomise outputs do not depend on the operation."""

    def _rerandomise(self, context: Context, x: Share) -> Share:
        return super()._rerandomise(replace(context, node=0), x)


class TellsTheFirstParty(Additive):
    """The row of an owner that does not compute travels masked by a stream that its receiver knows."""

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
    ) -> Step[Share]:
        parties, shape = context.parties, (len(owners), *row_shape)
        first = parties.computing[0]
        own = checked_row(domain, row_shape, mine) if parties.me in owners else None
        outsiders = [owner for owner in owners if owner not in parties.computing]
        inbox: Inbox = {}
        if outsiders:
            to: dict[int, Buffer] = {}
            if own is not None and not parties.computes:
                mask = context.pair_uniform(first, domain, row_shape, purpose="input", owner=parties.me)
                to[first] = domain.to_bytes(domain.add(own, mask))
            expect = dict.fromkeys(outsiders, domain.nbytes(row_shape)) if parties.me == first else {}
            inbox = yield Round(to, expect)
        if not parties.computes:
            return Share(domain, shape, ())
        rows: list[Words] = []
        for owner in owners:
            row = context.zero_share(domain, row_shape, purpose="input")
            if owner == parties.me and own is not None:
                domain.add_into(row, own)
            elif owner in inbox:
                domain.add_into(row, domain.from_bytes_untrusted(inbox[owner], row_shape, "owner"))
                mask = context.pair_uniform(owner, domain, row_shape, purpose="input", owner=owner)
                domain.subtract_into(row, mask)
            rows.append(row)
        return Share(domain, shape, (domain.stack(rows, row_shape),))


class MultipliesInTheOpen(Additive):
    """A product opens its operands; it is right, and takes no correlated randomness."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        if primitive.kind is not Kind.MULTIPLY or not primitive.count:
            return (yield from super().compute(context, primitive, operands))
        opened: list[Words] = []
        for operand in operands:
            value = yield from self.open(context, operand)
            opened += [] if value is None else [value]
        if not opened:
            return Share(self.numbers, (primitive.count,), ())
        product = self.numbers.multiply(*opened)
        leads = context.me == context.parties.computing[0]
        return Share(self.numbers, product.shape, (product if leads else self.numbers.zeros(product.shape),))

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        if primitive.kind is not Kind.MULTIPLY or not primitive.count:
            return super().compute_cost(setting, primitive)
        computing = setting.parties.computing
        return Cost(2, {}, lambda: bytes_between(computing, computing, 16 * primitive.count))


class OpensAnOperand(Additive):
    """A product opens its first operand before it is computed as it should be."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        opened: Words | None = None
        # Those who do not compute yield as many rounds as we declare, in the bundled scheme.
        if primitive.kind is Kind.MULTIPLY and primitive.count and context.parties.computes:
            opened = yield from self.open(context, operands[0])
        result = yield from super().compute(context, primitive, operands)
        if opened is not None and context.me == context.parties.computing[0]:
            self.spoil(result, opened)
        return result

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        cost = super().compute_cost(setting, primitive)
        if primitive.kind is not Kind.MULTIPLY or not primitive.count:
            return cost
        computing = setting.parties.computing
        return Cost(cost.rounds + 1, cost.demand, lambda: bytes_between(computing, computing, 24 * primitive.count))

    def spoil(self, result: Share, operand: Words) -> None:
        """Leaves the product as it is."""


class SharesAgainOnOneLine(ShamirScheme):
    """Products are shared anew with slopes that are the same in every run."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        return (yield from super().compute(replace(context, randomness=bytes), primitive, operands))


class SplitsOff(Additive):
    """The first party is handed the row itself."""

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        checked_row(domain, shape, row)
        return (row,), *[(domain.zeros(shape),) for _ in range(computing - 1)]


class SplitsBadly(Additive):
    """The parts do not open to the row."""

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        parts = super().split(domain, shape, row, computing, randomness)
        return (*parts[:-1], (domain.uniform(randomness(16), shape),))


class SplitsForTooFew(Additive):
    """One party gets nothing."""

    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        return super().split(domain, shape, row, computing - 1, randomness)


# Costs


class CountsTooManyBytes(Additive):
    """An output costs less than is declared."""

    def reveal_cost(self, setting: Setting, domain: Domain, shape: Shape, receivers: Sequence[int]) -> Cost:
        cost = super().reveal_cost(setting, domain, shape, receivers)
        if receivers == setting.parties.computing:  # as for `open`, which is right
            return cost
        return Cost(cost.rounds, {}, lambda: {pair: nbytes + 8 for pair, nbytes in cost.sent_bytes.items()})


class CountsTheWrongWay(ShamirScheme):
    """The bytes are right, and their senders and receivers changed places."""

    def open_cost(self, setting: Setting, domain: Domain, shape: Shape) -> Cost:
        cost = super().open_cost(setting, domain, shape)
        return Cost(cost.rounds, {}, lambda: {(b, a): nbytes for (a, b), nbytes in cost.sent_bytes.items()})


class CountsTooManyRounds(Additive):
    """A product takes fewer rounds than is declared."""

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        cost = super().compute_cost(setting, primitive)
        return Cost(cost.rounds + 1, cost.demand, cost.count_bytes)

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        if context.parties.computes:
            return (yield from super().compute(context, primitive, operands))
        for _ in range(super().compute_cost(context.setting, primitive).rounds):
            yield Round()
        return (yield from PlainScheme().compute(context, primitive, operands))


class DemandsTooMuch(Additive):
    """More randomness is demanded than taken."""

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        cost = super().compute_cost(setting, primitive)
        return Cost(cost.rounds, {item: units + 1 for item, units in cost.demand.items()}, cost.count_bytes)


class DemandsTooLittle(Additive):
    """Less randomness is demanded than taken."""

    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        cost = super().compute_cost(setting, primitive)
        return Cost(cost.rounds, {item: units - 1 for item, units in cost.demand.items()}, cost.count_bytes)


class DemandsBeforehand(Additive):
    """The setup demands randomness."""

    def setup_cost(self, setting: Setting) -> Cost:
        return Cost(0, {Triples(): 1}, FREE.count_bytes)


class OutsidersLeaveEarly(Additive):
    """Those who do not compute yield no round for a product."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        if context.parties.computes:
            return (yield from super().compute(context, primitive, operands))
        return (yield from PlainScheme().compute(context, primitive, operands))


class SpeaksInSetup(Additive):
    """The setup takes a round that is not declared."""

    def setup(self, context: Context) -> Step[object]:
        yield Round()
        return None


# Results


class LeavesOnePartyOut(Additive):
    """The summand of the last party is dropped by a receiver."""

    def _exchange(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        opened = yield from super()._exchange(context, x, receivers)
        if opened is not None and not context.parties.computes:
            opened[...] = 0
        return opened


class IsWrongAtAnEnd(OpensAnOperand):
    """A product is wrong where the first operand is the lowest number."""

    def spoil(self, result: Share, operand: Words) -> None:
        result.parts[0][operand == self.numbers.encode(np.array(self.numbers.lowest))] += np.uint64(1)


class ForgetsTheEmpty(Additive):
    """The product of nothing has an element."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        result = yield from super().compute(context, primitive, operands)
        if primitive.count or not result.parts:
            return result
        return Share(result.domain, (0,), (np.zeros(1, np.uint64),))


class EverybodyAdds(Additive):
    """A public value is added once by each party."""

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        return Share(x.domain, x.shape, tuple(x.domain.add(part, value) for part in x.parts))


class TheLowestIndexAdds(Additive):
    """A public value is added by the party with roster index 0, who need not compute."""

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        return super().add_public(context, x, value) if context.me == 0 else x


class DrawsWithoutAMessage(Additive):
    """An operation that every party does for itself wants randomness of a pair."""

    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        context.zero_share(x.domain, x.shape, purpose="zero")
        return super().add_public(context, x, value)


class ForgetsOperands(Additive):
    """Linear maps take zeros for all operands but the first."""

    def linear(self, function: Callable[..., Words], shape: Shape, *shares: Share) -> Share:
        forgotten = [Share(x.domain, x.shape, (x.domain.zeros(x.shape),)) for x in shares[1:] if x.parts]
        return super().linear(function, shape, *shares[:1], *(forgotten or shares[1:]))


class GivesItsOwnArray(PlainScheme):
    """What is opened is the share itself."""

    def open(self, context: Context, x: Share) -> Step[Words | None]:
        yield from ()
        return x.parts[0] if x.parts else None


class TellsEverybody(PlainScheme):
    """An output goes to all who compute, receivers or not."""

    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        opened = yield from super().reveal(context, x, receivers)
        return x.parts[0].copy() if x.parts else opened


class SharesAnything(Additive):
    """An owner may give a row of another shape."""

    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
    ) -> Step[Share]:
        if mine is not None:
            mine = np.resize(mine, domain.array_shape(row_shape))
        return (yield from super().input(context, domain, row_shape, owners, mine))


# Randomness and threat


class DrawsElsewhere(ShamirScheme):
    """Randomness comes from the operating system."""

    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        return (yield from super().compute(replace(context, randomness=random_bytes), primitive, operands))


class ToleratesAll(Additive):
    """All parties together are said to learn nothing."""

    threat: typing.ClassVar[Threat] = Threat("semi-honest", tolerates=lambda n: n, least=2)


class ToleratesNone(ShamirScheme):
    """Private, and no party may be corrupted."""

    threat: typing.ClassVar[Threat] = Threat("semi-honest", tolerates=lambda n: 0, least=3, most=3)


class TakesAnyNumber(Additive):
    """One party is taken, against its own word."""

    def check_parties(self, computing: Sequence[int]) -> None:
        pass


class TakesWhatIsNotMade(AdditiveScheme):
    """Products of matrices are said to need no other item, whatever the provider makes."""

    kinds = frozenset({Kind.MATMUL})


FAULTS: list[tuple[Scheme, str, str]] = [
    (RevealsAsItIs(), "secrecy", "reveal over Z/2^64: party 3 can tell two inputs apart"),
    (MasksByAConstant(), "secrecy", "reveal over Z/2^64: party 3 can tell two inputs apart"),
    (MasksTwiceByOneArray(), "randomness", "draws the same array of its pair with party"),
    (TellsTheFirstParty(), "secrecy", "input over Z/2^64: parties"),
    (MultipliesInTheOpen(), "secrecy", "product 'multiply': parties"),
    (OpensAnOperand(), "secrecy", "product 'multiply': parties"),
    (SharesAgainOnOneLine(), "secrecy", "product 'multiply': parties"),
    (SplitsOff(), "secrecy", "split over Z/2^64: parties"),
    (SplitsBadly(), "correctness", "split of shape () over Z/2^64: party 1 opens"),
    (SplitsForTooFew(), "correctness", "it gives parts for 2 parties"),
    (CountsTooManyBytes(), "cost", "party 1 sends a message of 8 bytes to party 0, and a message of 16 bytes is"),
    (CountsTheWrongWay(), "cost", "party 1 sends a message of"),
    (
        CountsTooManyRounds(),
        "cost",
        "product 'multiply' of 0 elements: outsider 0 yields 0 rounds, and 1 are declared",
    ),
    (DemandsTooMuch(), "cost", "leaves of the demanded randomness {'triples': 1}"),
    (DemandsTooLittle(), "correctness", "it ends in LocalError: 3 units of"),
    (DemandsBeforehand(), "cost", "setup: it demands correlated randomness"),
    (OutsidersLeaveEarly(), "cost", "product 'multiply' of 3 elements: outsider 0 yields 0 rounds, and 1 are"),
    (SpeaksInSetup(), "cost", "setup: outsider 0 yields 1 rounds, and 0 are declared"),
    (LeavesOnePartyOut(), "correctness", "party 0 opens 0 at"),
    (IsWrongAtAnEnd(), "correctness", "product 'multiply' of 3 elements: party 1 opens"),
    (
        ForgetsTheEmpty(),
        "correctness",
        "product 'multiply' of 0 elements: a part of party 1 is an array",
    ),
    (
        EverybodyAdds(),
        "correctness",
        "addition of public values of shape (2, 3) to (2, 3) over Z/2^64: party 1 opens",
    ),
    (TheLowestIndexAdds(), "correctness", "addition of public values"),
    (DrawsWithoutAMessage(), "correctness", "it ends in LocalError: no seed is shared"),
    (ForgetsOperands(), "correctness", "linear map 'sum of two' over Z/2^64: party 1 opens"),
    (GivesItsOwnArray(), "correctness", "opens an array that is not its own to write"),
    (TellsEverybody(), "correctness", "learns it, and is no receiver"),
    (SharesAnything(), "correctness", "an owner may share a row of another shape"),
    (DrawsElsewhere(), "randomness", "two runs of one seed differ"),
    (ToleratesAll(), "threat", "2 of 2 computing parties may collude"),
    (ToleratesNone(), "threat", "0 of 3 computing parties may collude"),
    (TakesAnyNumber(), "threat", "it accepts 1 computing parties, and takes 2 to None"),
]


@pytest.mark.parametrize(("scheme", "check", "text"), FAULTS, ids=[type(fault[0]).__name__ for fault in FAULTS])
def test_a_fault_is_found(scheme: Scheme, check: str, text: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_scheme(scheme, parties=(3,), counts=(0, 3))
    assert caught.value.check == check
    assert f"scheme '{scheme.name}'" in str(caught.value)
    assert text in str(caught.value)


def test_what_they_are_made_of_passes() -> None:
    check_scheme(Additive(), parties=(3,), counts=(0, 3))


def test_a_scheme_is_held_against_what_a_provider_makes() -> None:
    def makes_triples(item: Item) -> bool:
        return not isinstance(item, MatrixTriples)

    check_scheme(Additive(), parties=(2,), counts=(3,), makes=[makes_triples], secrecy=False)
    with pytest.raises(ConformanceError, match="demands matrix-triples/1/1/1, which the provider does not make"):
        check_scheme(TakesWhatIsNotMade(), parties=(2,), counts=(3,), makes=[makes_triples], secrecy=False)


def test_a_number_of_parties_that_a_scheme_does_not_take_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="'shamir' takes 3 computing parties, not 4"):
        check_scheme(ShamirScheme(), parties=(4,))
