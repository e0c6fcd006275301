"""The header codec beside a slow one: unpack, check every field, encode again and compare."""

from __future__ import annotations

import typing

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.codec import decode_header_untrusted, encode_header
from mpcnet.wire.frames import ROUND_MAX, Header, Kind


def reference_decode(data: bytes) -> Header | None:
    """The header, or None if the bytes are not the one encoding of one."""
    try:
        fields: typing.Any = msgpack.unpackb(data, raw=False, use_list=False)
    except (ValueError, msgpack.UnpackException):
        return None
    if not isinstance(fields, tuple):
        return None
    values: list[typing.Any] = list(typing.cast("typing.Any", fields))
    if [type(value) for value in values] != [int, bytes, bytes, int, bytes]:
        return None
    try:
        header = Header(Kind(values[0]), *values[1:])
    except (ValueError, LocalError):
        return None
    return header if msgpack.packb((int(header.kind), *values[1:])) == data else None


def decode(data: bytes) -> Header | None:
    try:
        return decode_header_untrusted(data, "bob")
    except PeerViolation:
        return None


def sized(size: int) -> st.SearchStrategy[bytes]:
    return st.one_of(st.just(b""), st.binary(min_size=size, max_size=size))


# Around every change of the integer's width.
EDGES = [0, 1, 127, 128, 255, 256, 65535, 65536, ROUND_MAX]
rounds = st.one_of(st.sampled_from(EDGES), st.integers(0, ROUND_MAX))
headers = st.builds(Header, st.sampled_from(Kind), sized(16), sized(8), rounds, sized(16))

# Every way in which msgpack writes an integer or a byte string, and what is neither.
integers = st.one_of(
    st.integers(-(2**63), 2**64 - 1).map(msgpack.packb),
    st.sampled_from([0, 1, 5, 16, 19, 23, 127]).map(lambda value: bytes([value])),
    st.integers(0, 255).map(lambda value: b"\xcc" + value.to_bytes(1, "big")),
    st.integers(0, 65535).map(lambda value: b"\xcd" + value.to_bytes(2, "big")),
    rounds.map(lambda value: b"\xce" + value.to_bytes(4, "big")),
    rounds.map(lambda value: b"\xcf" + value.to_bytes(8, "big")),
    st.sampled_from([b"\xc0", b"\xc2", b"\xc3", b"\xca\0\0\0\0", b"\xd0\x01", b"\xd1\0\x01"]),
)
lengths = st.sampled_from([0, 8, 16, 15, 17])
strings = st.one_of(
    lengths.map(lambda size: b"\xc4" + bytes([size]) + b"\n" * size),
    lengths.map(lambda size: b"\xc5\0" + bytes([size]) + bytes(size)),
    lengths.map(lambda size: msgpack.packb("x" * size)),
)
nearly = st.tuples(
    st.sampled_from([b"\x95", b"\x94", b"\xdc\0\x05"]), integers, strings, strings, integers, strings
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(headers)
def test_every_header_has_the_encoding_of_the_reference(header: Header) -> None:
    encoded = msgpack.packb((int(header.kind), header.job, header.fork, header.round, header.digest))
    assert encode_header(header) == encode_header(header) == encoded
    assert decode(encoded) == reference_decode(encoded) == header


@settings(derandomize=True, max_examples=1000, deadline=None)
@given(nearly.map(b"".join), st.binary(max_size=1))
def test_what_looks_like_a_header_is_judged_alike(data: bytes, behind: bytes) -> None:
    assert decode(data + behind) == reference_decode(data + behind)


@settings(derandomize=True, max_examples=1000, deadline=None)
@given(headers, st.data())
def test_one_wrong_byte_is_judged_alike(header: Header, draw: st.DataObject) -> None:
    data = bytearray(encode_header(header))
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at] = draw.draw(st.integers(0, 255))
    assert decode(bytes(data)) == reference_decode(bytes(data))
    assert decode(bytes(data[:at])) is reference_decode(bytes(data[:at])) is None


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 6, 7, 8])
def test_every_value_of_every_byte_of_a_short_header(at: int) -> None:
    for value in range(256):
        data = bytearray(encode_header(Header(Kind.DATA)))
        data[at] = value
        assert decode(bytes(data)) == reference_decode(bytes(data))


def test_every_width_of_every_edge() -> None:
    for value in EDGES:
        for mark, size in ((b"", 1), (b"\xcc", 1), (b"\xcd", 2), (b"\xce", 4), (b"\xcf", 8)):
            if value < 256**size:
                data = b"\x95\x14\xc4\0\xc4\0" + mark + value.to_bytes(size, "big") + b"\xc4\0"
                assert decode(data) == reference_decode(data)
