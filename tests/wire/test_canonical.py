"""Structured bodies: one value, one encoding, and nothing else is taken."""

from __future__ import annotations

import typing

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

MAX = 100_000

texts = st.text("ab\0é中😀", max_size=8)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    texts,
    st.binary(max_size=20),
)
plain = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=8,
)


def depth(value: object) -> int:
    if isinstance(value, list):
        return 1 + max((depth(item) for item in typing.cast("list[object]", value)), default=0)
    if isinstance(value, dict):
        return 1 + max((depth(item) for item in typing.cast("dict[str, object]", value).values()), default=0)
    return 1


@settings(derandomize=True, max_examples=50, deadline=None)
@given(plain.filter(lambda value: depth(value) <= 6))
def test_what_is_encoded_decodes_to_itself(value: Plain) -> None:
    data = encode_canonical(value)
    decoded = decode_canonical_untrusted(data, "bob", max_bytes=MAX)
    assert decoded == value
    assert encode_canonical(decoded) == data
    assert decode_canonical_untrusted(memoryview(data), "bob", max_bytes=MAX) == value


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=60), plain.map(msgpack.packb)))
def test_arbitrary_bytes_are_canonical_or_a_violation(data: bytes) -> None:
    try:
        value = decode_canonical_untrusted(data, "bob", max_bytes=MAX)
    except PeerViolation as error:
        assert error.party == "bob"  # noqa: PT017 -- some are canonical
        return
    assert encode_canonical(value) == data


@settings(derandomize=True, max_examples=50, deadline=None)
@given(plain.filter(lambda value: depth(value) <= 6), st.integers(0, 200), st.integers(1, 255))
def test_one_flipped_byte_is_another_value_or_a_violation(value: Plain, at: int, flip: int) -> None:
    data = bytearray(encode_canonical(value))
    data[at % len(data)] ^= flip
    try:
        other = decode_canonical_untrusted(bytes(data), "bob", max_bytes=MAX)
    except PeerViolation:
        return
    assert encode_canonical(other) == data
    assert encode_canonical(other) != encode_canonical(value)


def nested(levels: int) -> Plain:
    value: Plain = []
    for _ in range(levels - 1):
        value = [value]
    return value


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "two values": b"\x01\x01",
    "an integer in more bytes than it needs": b"\xcc\x01",
    "a text in more bytes than it needs": b"\xd9\x01a",
    "a key twice": b"\x82\xa1a\x01\xa1a\x02",
    "keys that are not sorted": b"\x82\xa1b\x01\xa1a\x02",
    "a key that is no text": b"\x81\x01\x01",
    "a key of bytes": b"\x81\xc4\x01a\x01",
    "a float": msgpack.packb(1.5),
    "not a number": msgpack.packb(float("nan")),
    "an extension": b"\xd4\x01a",
    "a timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "text that is not UTF-8": b"\xa2\xff\xff",
    "a surrogate": b"\xa3\xed\xa0\x80",
    "the byte that is never used": b"\xc1",
    "too deep": msgpack.packb(nested(7)),
    "much too deep": b"\x91" * 5000 + b"\x90",
    "a list that is cut": b"\x93\x01\x02",
    "a list that claims four thousand million items": b"\xdd\xff\xff\xff\xff",
    "a map that claims as many": b"\xdf\xff\xff\xff\xff",
    "bytes that claim as many": b"\xc6\xff\xff\xff\xff",
    "too many items": msgpack.packb([0] * 4097),
    "too many entries": msgpack.packb({f"{key:03}": 0 for key in range(65)}),
    "too long": msgpack.packb(bytes(MAX)),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_is_refused(what: str) -> None:
    with pytest.raises(PeerViolation) as caught:
        decode_canonical_untrusted(REFUSED[what], "bob", max_bytes=MAX)
    assert caught.value.party == "bob"


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        2**64,
        -(2**63) - 1,
        {1: 2},
        nested(7),
        [0] * 4097,
        {f"{key}": 0 for key in range(65)},
        (1,),
        {"a"},
        "\ud800",
    ],
    ids=["float", "large", "small", "key", "deep", "items", "entries", "tuple", "set", "surrogate"],
)
def test_what_we_do_not_send(value: typing.Any) -> None:
    with pytest.raises(LocalError):
        encode_canonical(value)


def test_the_order_of_keys_does_not_matter() -> None:
    one: Plain = {"b": 1, "a": {"d": 2, "c": 3}}
    other: Plain = {"a": {"c": 3, "d": 2}, "b": 1}
    assert encode_canonical(one) == encode_canonical(other)


def test_truth_is_no_number() -> None:
    assert encode_canonical(True) != encode_canonical(1)
    assert encode_canonical("a") != encode_canonical(b"a")
    assert encode_canonical([]) != encode_canonical({})


def test_the_largest_that_fits() -> None:
    zeros: list[Plain] = [0] * 4096
    entries: dict[str, Plain] = {f"{key:02}": 0 for key in range(64)}
    values: list[Plain] = [nested(6), zeros, entries, 2**64 - 1, -(2**63)]
    for value in values:
        assert decode_canonical_untrusted(encode_canonical(value), "bob", max_bytes=MAX) == value
