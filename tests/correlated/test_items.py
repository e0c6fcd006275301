"""What a dealer deals: relations that hold, shares that are uniform, and nothing that the correction changes.

Statistics on fixed seeds: they pass or fail for good. 255 degrees of freedom, mean 255 and deviation 22.6; 400 is
more than six deviations away.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from mpcnet.algebra import Streams, Words
from mpcnet.algebra.bits import from_planes, unpack_bits
from mpcnet.correlated.dealing import SHORT_WORDS, DealerStreams, correction_bytes, make_correction, shares_of
from mpcnet.correlated.items import (
    BitTimesWord,
    BitTriples,
    DaBits,
    Item,
    MaskedBits,
    MatrixTriples,
    SharedTriples,
    Triples,
    parse_item,
)
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.tranches import make_tranche
from mpcnet.errors import LocalError

THRESHOLD = 400.0
ITEMS: list[Item] = [
    Triples(),
    BitTriples(),
    SharedTriples(),
    DaBits(),
    BitTimesWord(),
    MatrixTriples(2, 3, 4),
    MatrixTriples(1, 1, 1),
    *(MaskedBits(bits, block, top) for bits in (1, 2, 5, 33, 64) for block in (1, 2, 4) for top in (True, False)),
]
Dealt = dict[int, dict[str, Words]]


def streams_of(party: int, seed: int) -> Streams:
    return Streams(bytes([party, seed]) * 16, b"job", ())


def deal(item: Item, units: int, computing: Sequence[int], seed: int = 0) -> Dealt:
    """By party, its arrays by name."""
    streams = {party: streams_of(party, seed) for party in computing}
    correction = memoryview(make_correction(computing, streams, make_tranche(7, {item: units})))
    assert len(correction) == correction_bytes({item: units})
    dealt: Dealt = {}
    for party in computing:
        rest = correction if party == computing[0] else None
        arrays, used = shares_of(item, units, DealerStreams(streams[party], make_tranche(7, {item: units})), rest)
        assert used == (len(correction) if rest is not None else 0)
        assert [array.shape for array in arrays] == [spec.shape(units) for spec in item.arrays]
        dealt[party] = {spec.name: array for spec, array in zip(item.arrays, arrays, strict=True)}
    return dealt


def alone_of(item: Item, units: int, streams: Streams, node: int = 7) -> tuple[Words, ...]:
    """What a party that gets no correction holds."""
    return shares_of(item, units, DealerStreams(streams, make_tranche(node, {item: units})), None)[0]


def opened(item: Item, dealt: Dealt, parties: Sequence[int]) -> dict[str, Words]:
    """What these parties' shares add up to."""
    return {
        spec.name: np.asarray(
            (np.add if spec.additive else np.bitwise_xor).reduce([dealt[party][spec.name] for party in parties])
        )
        for spec in item.arrays
    }


def bits_of(words: Words) -> Words:
    return unpack_bits(words.reshape(-1), 64 * words.size).astype(np.uint64)


def check_relation(item: Item, units: int, values: Mapping[str, Words]) -> None:
    match item:
        case Triples():
            assert np.array_equal(values["c"], values["a"] * values["b"])
        case BitTriples():
            assert np.array_equal(values["c"], values["a"] & values["b"])
        case SharedTriples():
            assert np.array_equal(values["c"], values["a"] & values["b"])
            assert np.array_equal(values["c2"], values["a"] & values["b2"])
        case DaBits():
            assert np.array_equal(values["number"], bits_of(values["bit"]))
        case BitTimesWord():
            assert np.array_equal(values["number"], bits_of(values["bit"]))
            assert np.array_equal(values["product"], values["number"] * values["a"])
        case MatrixTriples():
            for unit in range(units):
                left = values["a"].reshape(units, item.rows, item.inner)[unit]
                right = values["b"].reshape(units, item.inner, item.columns)[unit]
                product = values["c"].reshape(units, item.rows, item.columns)[unit]
                assert np.array_equal(product, left @ right)
        case MaskedBits():
            check_masked_bits(item, units, values)
        case _:
            raise AssertionError(item)


def check_masked_bits(item: MaskedBits, units: int, values: Mapping[str, Words]) -> None:
    low = np.uint64(2**item.bits - 1)
    assert np.array_equal(from_planes(values["planes"], 64 * units), values["r"] & low)
    if "products" not in values:
        assert item.block == 1 or item.blocked_bits == 0
        return
    planes = [values["planes"][i] if i < item.blocked_bits else np.zeros(units, np.uint64) for i in range(64)]
    rows = iter(values["products"])
    for size in range(2, item.block + 1):
        for subset in itertools.combinations(range(item.block), size):
            for block in range(item.block_count):
                wanted = np.bitwise_and.reduce([planes[block * item.block + i] for i in subset])
                assert np.array_equal(next(rows), wanted)
    assert not list(rows)


@pytest.mark.parametrize("computing", [(0, 1), (4, 2, 0), (1, 2, 3, 4, 5, 6)])
@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_relations_hold(item: Item, computing: tuple[int, ...]) -> None:
    for units in (1, 3):
        check_relation(item, units, opened(item, deal(item, units, computing), computing))


@pytest.mark.parametrize("computing", [(0, 1), (4, 2, 0)])
@pytest.mark.parametrize("item", [Triples(), SharedTriples(), MaskedBits(33, 2, True)], ids=lambda item: item.key)
def test_relations_hold_in_the_longest_short_request_and_in_the_shortest_long_one(
    item: Item, computing: tuple[int, ...]
) -> None:
    longest = SHORT_WORDS // item.words(1)
    for units in (longest, longest + 1):
        check_relation(item, units, opened(item, deal(item, units, computing), computing))


@pytest.mark.parametrize("units", [4, SHORT_WORDS])
def test_several_types_in_one_request_have_arrays_of_their_own(units: int) -> None:
    demand: dict[Item, int] = {Triples(): units, DaBits(): 2, BitTriples(): units}
    streams = {party: streams_of(party, 0) for party in (1, 2)}
    rest = memoryview(make_correction((1, 2), streams, make_tranche(7, demand)))
    draws = {party: DealerStreams(streams[party], make_tranche(7, demand)) for party in (1, 2)}
    seen: list[Words] = []
    for item, count in demand.items():
        first, used = shares_of(item, count, draws[1], rest)
        second, _ = shares_of(item, count, draws[2], None)
        rest = rest[used:]
        shares = {1: first, 2: second}
        dealt = {p: dict(zip([s.name for s in item.arrays], shares[p], strict=True)) for p in (1, 2)}
        check_relation(item, count, opened(item, dealt, (1, 2)))
        seen += [*first, *second]
    assert len(rest) == 0
    drawn = np.concatenate([array.reshape(-1)[:4] for array in seen])
    assert len(set(drawn.tolist())) == drawn.size


def chi_square(arrays: Sequence[Words]) -> float:
    data = np.concatenate([array.reshape(-1) for array in arrays]).view(np.uint8)
    counts = np.bincount(data, minlength=256)
    expected = data.size / 256
    assert expected > 20
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize(
    "item",
    [item for item in ITEMS if not isinstance(item, MaskedBits) or item.bits in (5, 64)],
    ids=lambda item: item.key,
)
def test_each_partys_arrays_are_uniform_and_any_two_of_three_together(item: Item) -> None:
    units = -(-2000 // min(spec.rows for spec in item.arrays))
    runs = [deal(item, units, (0, 1, 2), seed) for seed in range(1)]
    for spec in item.arrays:
        for coalition in itertools.chain.from_iterable(itertools.combinations(range(3), size) for size in (1, 2)):
            together = [opened(item, dealt, coalition)[spec.name] for dealt in runs]
            assert chi_square(together) < THRESHOLD, (spec.name, coalition)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_what_other_parties_hold_is_settled_before_the_dealer_answers(item: Item) -> None:
    """Their arrays are their own streams: nothing that the dealer computes changes them."""
    alone = {
        party: dict(zip([s.name for s in item.arrays], alone_of(item, 3, streams_of(party, 0)), strict=True))
        for party in (1, 2)
    }
    dealt = deal(item, 3, (0, 1, 2))
    for party, arrays in alone.items():
        for name, array in arrays.items():
            assert np.array_equal(dealt[party][name], array)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_arrays_of_one_item_and_of_two_questions_have_nothing_in_common(item: Item) -> None:
    streams = streams_of(1, 0)
    first, second = (alone_of(item, 9, streams, node) for node in (7, 8))
    drawn = [word for array in (*first, *second) for word in array.reshape(-1).tolist()]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_a_key_names_an_item(item: Item) -> None:
    assert parse_item(item.key) == item
    assert item.words(5) == sum(np.prod(spec.shape(5)) for spec in item.arrays)
    assert item.operations(5) > 0


@pytest.mark.parametrize(
    "key",
    [
        "",
        "triple",
        "triples/1/1/1",
        "masked-bits",
        "masked-bits/0/2/1",
        "masked-bits/65/2/1",
        "masked-bits/8/3/1",
        "masked-bits/8/2/2",
        "masked-bits/08/2/1",
        "masked-bits/8/2",
        "masked-bits/8/2/1/1",
        "masked-bits/-8/2/1",
        "masked-bits/²/2/1",
        "masked-bits/٣/2/1",
        "matrix-triples/0/1/1",
        "matrix-triples/1/1/99999999",
        "matrix-triples/1/1/1 ",
    ],
)
def test_other_keys_name_none(key: str) -> None:
    with pytest.raises(ValueError, match="no such item"):
        parse_item(key)


# The pool


def filled(item: Item, units: int) -> Pool:
    pool = Pool()
    pool.put(item, units, alone_of(item, units, streams_of(1, 0)))
    return pool


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_the_pool_gives_each_unit_once(item: Item) -> None:
    whole = filled(item, 6).spend(item, 6)
    pool = filled(item, 6)
    pieces = [pool.spend(item, units) for units in (1, 3, 2)]
    for number, spec in enumerate(item.arrays):
        joined = np.concatenate([piece[number] for piece in pieces], axis=-1)
        assert np.array_equal(joined, whole[number]), spec.name
    with pytest.raises(LocalError, match=f"1 units of {item.key} are needed and 0 are left"):
        pool.spend(item, 1)
    assert pool.drain() == {}


def test_the_pool_refuses_more_than_is_left_and_what_it_never_had() -> None:
    pool = filled(Triples(), 4)
    pool.spend(Triples(), 3)
    with pytest.raises(LocalError, match="2 units of triples are needed and 1 are left"):
        pool.spend(Triples(), 2)
    with pytest.raises(LocalError, match="1 units of dabits are needed and 0 are left"):
        pool.spend(DaBits(), 1)
    with pytest.raises(LocalError, match="there are triples left of an earlier tranche"):
        pool.put(Triples(), 1, ())
    assert repr(pool) == "Pool(units left: {'triples': 1})"
    assert pool.drain() == {Triples(): 1}
    with pytest.raises(LocalError, match="0 are left"):
        pool.spend(Triples(), 1)
