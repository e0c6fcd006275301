"""What a dealer does with bytes that parties sent: an answer or a `PeerViolation`, within its limits."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import Streams
from mpcnet.correlated.dealing import correction_bytes, make_correction
from mpcnet.correlated.items import (
    BitTimesWord,
    BitTriples,
    DaBits,
    Demand,
    MaskedBits,
    MatrixTriples,
    SharedTriples,
    Triples,
)
from mpcnet.correlated.tranches import (
    MAX_REQUEST_BYTES,
    MAX_TRANCHE_TYPES,
    MAX_TRANCHE_WORDS,
    MAX_UNIT_OPERATIONS,
    MAX_UNIT_WORDS,
    make_tranche,
    read_tranche_untrusted,
)
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.canonical import encode_canonical

STREAMS = {party: Streams(bytes([party]) * 32, b"job", ()) for party in (0, 1)}


def answer(request: bytes) -> bytes:
    return bytes(make_correction((0, 1), STREAMS, read_tranche_untrusted(request, "bob")))


def refused(request: bytes, why: str) -> None:
    with pytest.raises(PeerViolation, match=why) as error:
        answer(request)
    assert error.value.party == "bob"


def test_an_answer_is_as_long_as_its_receiver_expects() -> None:
    demand: Demand = {Triples(): 3, MaskedBits(33, 2): 2, DaBits(): 1, MatrixTriples(2, 1, 2): 1}
    first, second = (make_tranche(node, demand) for node in (4, 5))
    assert len(answer(first.encoded)) == correction_bytes(demand)
    assert answer(first.encoded) != answer(second.encoded)
    assert read_tranche_untrusted(first.encoded, "bob") == first


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (b"", "malformed"),
        (b"\xc1", "malformed"),
        (encode_canonical([]), "wrong form"),
        (encode_canonical([0]), "wrong form"),
        (encode_canonical([0, []]), "wrong form"),
        (encode_canonical([-1, [["triples", 1]]]), "wrong form"),
        (encode_canonical([2**63, [["triples", 1]]]), "wrong form"),
        (encode_canonical([True, [["triples", 1]]]), "wrong form"),
        (encode_canonical(["0", [["triples", 1]]]), "wrong form"),
        (encode_canonical([0, "triples"]), "wrong form"),
        (encode_canonical([0, ["triples"]]), "wrong form"),
        (encode_canonical([0, [["triples"]]]), "wrong form"),
        (encode_canonical([0, [["triples", 0]]]), "wrong form"),
        (encode_canonical([0, [["triples", -1]]]), "wrong form"),
        (encode_canonical([0, [["triples", True]]]), "wrong form"),
        (encode_canonical([0, [["triples", 2**40]]]), "wrong form"),
        (encode_canonical([0, [["triples", 1, 1]]]), "wrong form"),
        (encode_canonical([0, [["quadruples", 1]]]), "does not exist"),
        (encode_canonical([0, [["triples", 1], ["triples", 1]]]), "one type twice"),
        (encode_canonical([0, [[f"matrix-triples/1/1/{i}", 1] for i in range(1, 300)]]), "more than 128 types"),
        (bytes(MAX_REQUEST_BYTES + 1), "at most 8192 are allowed"),
        (encode_canonical([0, [["triples", 1]]]) + b"\0", "malformed"),
    ],
)
def test_what_is_no_request(request_: bytes, why: str) -> None:
    refused(request_, why)


TOO_MUCH: list[Demand] = [
    {Triples(): MAX_TRANCHE_WORDS // 3 + 1},
    {MaskedBits(1, 1): MAX_TRANCHE_WORDS // 65 + 1},  # 65 words held for one word sent
    {MatrixTriples(1, 9_999_999, 1): 2},
    {MatrixTriples(1, MAX_UNIT_WORDS // 2, 1): 1},
    {MatrixTriples(9_999_999, 9_999_999, 1): 1},  # 10^14 words held for 10^7 sent
    {MatrixTriples(2**12, 2**12, 2**12): 1},
    {MatrixTriples(2048, 2048, 2049): 1},  # just above the operations, far below the words
    {DaBits(): 2**39},
    {Triples(): 2**22, BitTriples(): 2**22, SharedTriples(): 2**22, BitTimesWord(): 2**20},
    {MatrixTriples(2**10, 2**10, 2**12): 1, Triples(): 1},  # a large one comes alone
]


@pytest.mark.parametrize("demand", TOO_MUCH, ids=str)
def test_a_dealer_is_not_made_to_hold_or_compute_without_limit(demand: Demand) -> None:
    refused(encode_canonical([0, [[item.key, units] for item, units in demand.items()]]), "asked the dealer for")
    with pytest.raises(LocalError, match="cut its operands into smaller ones"):
        make_tranche(0, demand)


@pytest.mark.parametrize(
    "demand",
    [
        {Triples(): MAX_TRANCHE_WORDS // 3},
        {MatrixTriples(2**10, 2**10, 2**12): 1},
        {MatrixTriples(2048, 2048, 2048): 1},
        {MatrixTriples(9_999_999 - i, 9_999_999 - i, 9_999_999 - i): 1 for i in range(MAX_TRANCHE_TYPES)},
    ],
    ids=["full", "one large unit", "most operations", "longest keys"],
)
def test_what_just_fits(demand: Demand) -> None:
    """The last one is too large to be made; its encoding is the longest that there is."""
    encoded = encode_canonical([2**63 - 1, [[item.key, units] for item, units in demand.items()]])
    assert len(encoded) <= MAX_REQUEST_BYTES
    if len(demand) == 1:
        assert read_tranche_untrusted(encoded, "bob").demand == make_tranche(2**63 - 1, demand).demand == demand


def test_whatever_fits_into_a_tranche_by_its_words_does_by_its_operations() -> None:
    """Of all products of so many words, square ones take the most operations."""
    side = math.isqrt(MAX_TRANCHE_WORDS // 3)
    assert MatrixTriples(side, side, side).operations(1) < MAX_UNIT_OPERATIONS


def test_too_many_types_for_one_tranche() -> None:
    with pytest.raises(LocalError, match="more than 128 types"):
        make_tranche(0, {MatrixTriples(i, 2, 3): 1 for i in range(1, MAX_TRANCHE_TYPES + 2)})


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from(["triples", "dabits", "masked-bits/8/2/1", "matrix-triples/9999999/9999999/1"])
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=8,
)
entries = st.lists(st.tuples(st.sampled_from(["triples", "dabits", "x"]), st.integers(-2, 9)).map(list), max_size=3)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=40), plain, st.tuples(st.integers(-1, 3), entries).map(list)))
def test_only_violations(content: Any) -> None:
    request = content if isinstance(content, bytes) else encode_canonical(content)
    with contextlib.suppress(PeerViolation):
        answer(request)
