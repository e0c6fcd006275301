"""The provider without a dealer: every item at 2 to 5 parties, borders of lots, limits. The kit tries the rest."""

from __future__ import annotations

import numpy as np
import pytest

from mpcnet.algebra import Words
from mpcnet.correlated.items import (
    BitTimesWord,
    BitTriples,
    DaBits,
    Demand,
    Item,
    MaskedBits,
    MatrixTriples,
    SharedTriples,
    Triples,
)
from mpcnet.correlated.ot import lots, provider
from mpcnet.correlated.ot.provider import OtProvider
from mpcnet.correlated.tranches import make_tranche
from mpcnet.errors import LocalError
from mpcnet.testing.provider_runs import Fork, Made, World, make

EVERYTHING: Demand = {
    BitTriples(): 5,
    SharedTriples(): 3,
    Triples(): 70,
    DaBits(): 4,
    BitTimesWord(): 2,
    MatrixTriples(2, 3, 5): 2,
}


def opened(item: Item, made: Made, place: int) -> dict[str, Words]:
    """The arrays of an item, from everybody's shares."""
    found: dict[str, Words] = {}
    for number, spec in enumerate(item.arrays):
        total, *others = [arrays[number] for arrays in made.shares[place][item].values()]
        for other in others:
            total = total + other if spec.additive else total ^ other
        found[spec.name] = total.reshape(spec.shape(made.tranches[place].demand[item]))
    return found


def hangs_together(made: Made) -> bool:
    for place, tranche in enumerate(made.tranches):
        for item, units in tranche.demand.items():
            arrays = opened(item, made, place)
            expected = item.derive({spec.name: arrays[spec.name] for spec in item.randoms}, units)
            for spec, array in zip(item.dependents, expected, strict=True):
                if (arrays[spec.name].reshape(-1) != np.asarray(array).reshape(-1)).any():
                    return False
    return True


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_every_item_of_one_tranche(parties: int) -> None:
    made = make(OtProvider(), World(tuple(range(parties)), outsiders=(9,)), [EVERYTHING, {BitTriples(): 1}])
    assert hangs_together(made)
    for tranche, rounds in zip(made.tranches, made.rounds, strict=True):
        wanted = OtProvider().forecast(World(tuple(range(parties))).parties(0), tranche).rounds
        assert set(rounds.values()) == {wanted}


@pytest.mark.parametrize("item", EVERYTHING, ids=lambda item: item.key)
@pytest.mark.parametrize("parties", [2, 3])
def test_every_item_alone(item: Item, parties: int) -> None:
    """An item whose corrections all wait for a later stage is alone in its lots, too."""
    assert hangs_together(make(OtProvider(), World(tuple(range(parties))), [{item: 1}, {item: 2}]))


@pytest.mark.parametrize("size", [128, 320, 4096])
def test_lots_cut_items_anywhere(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items of several lots, and lots of several items; the borders lie inside of numbers' bits."""
    monkeypatch.setattr(lots, "MAX_LOT", size)
    monkeypatch.setattr(provider, "MAX_LOT", size)
    demand: Demand = {BitTriples(): 3, Triples(): 2, DaBits(): 3, BitTimesWord(): 2, MatrixTriples(1, 1, 3): 1}
    made = make(OtProvider(), World((0, 1)), [demand])
    assert hangs_together(made)


def test_masked_bits_are_not_made() -> None:
    assert not OtProvider().makes(MaskedBits(64, 2))
    with pytest.raises(LocalError, match="no masked-bits/64/2/1 are made of oblivious transfers"):
        OtProvider().forecast(World((0, 1)).parties(0), make_tranche(0, {MaskedBits(64, 2): 1}))


def test_a_matrix_product_of_gigabytes_is_refused_before_anything_is_sent() -> None:
    tranche = make_tranche(0, {MatrixTriples(256, 256, 256): 1})
    with pytest.raises(LocalError, match=r"would send \d+\.\d GB .* name a dealer in the job"):
        OtProvider().forecast(World((0, 1)).parties(0), tranche)


def test_a_second_job_uses_the_base_transfers_of_the_first() -> None:
    """They are a public-key operation for each of 128 bits in both directions: 12 KB that are sent once."""
    world = World((0, 1))
    first = make(OtProvider(), world, [{BitTriples(): 1}])
    second = make(OtProvider(), world, [{BitTriples(): 1}], fork=Fork(bytes([1]) * 32))
    assert first.sent_bytes[0, 1] - second.sent_bytes[0, 1] == 12368
    assert hangs_together(second)


def test_two_jobs_on_one_base_share_nothing() -> None:
    world = World((0, 1))
    item = BitTriples()
    make(OtProvider(), world, [{item: 1}])
    runs = [make(OtProvider(), world, [{item: 64}], fork=Fork(bytes([number]) * 32)) for number in (1, 2)]
    for one, other in zip(*(run.shares[0][item][0] for run in runs), strict=True):
        assert (one != other).all()
