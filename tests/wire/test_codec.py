from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.codec import decode_header_untrusted, encode_header
from mpcnet.wire.frames import ROUND_MAX, Frame, Header, Kind
from mpcnet.wire.hello import HELLO_BYTES, WIRE_VERSION, Hello
from mpcnet.wire.limits import HEADER_MAX


def binary(size: int) -> st.SearchStrategy[bytes]:
    return st.one_of(st.just(b""), st.binary(min_size=size, max_size=size))


headers = st.builds(Header, st.sampled_from(Kind), binary(16), binary(8), st.integers(0, ROUND_MAX), binary(16))


@settings(derandomize=True)
@given(headers)
def test_headers_survive_and_are_short(header: Header) -> None:
    encoded = encode_header(header)
    assert decode_header_untrusted(encoded, "bob") == header
    assert len(encoded) <= 53


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not valid msgpack"),
        (b"\xc1", "not valid msgpack"),
        (msgpack.packb((19, b"", b"", 0, b"")) + b"\x00", "not valid msgpack"),
        (msgpack.packb(19), "not an array"),
        (msgpack.packb((19, b"", b"", 0)), "4 fields"),
        (msgpack.packb((19, b"", b"", 0, b"", 0)), "6 fields"),
        (msgpack.packb((99, b"", b"", 0, b"")), "kind 99"),
        (msgpack.packb((True, b"", b"", 0, b"")), "must be integers"),
        (msgpack.packb((19, b"", b"", 0.0, b"")), "must be integers"),
        (msgpack.packb((19, b"", b"", None, b"")), "must be integers"),
        (msgpack.packb((19, b"", b"", 0, 0)), "must be byte strings"),
        (msgpack.packb((19, b"", b"", -1, b"")), "round"),
        (msgpack.packb((19, b"", b"", ROUND_MAX + 1, b"")), "round"),
        (msgpack.packb((19, b"\0", b"", 0, b"")), "job takes 0 or 16"),
        (msgpack.packb((19, b"", b"\0" * 16, 0, b"")), "fork takes 0 or 8"),
        (msgpack.packb((19, b"", b"", 0, b"\0" * 8)), "digest takes 0 or 16"),
        (msgpack.packb((19, "", b"", 0, b"")), "must be byte strings"),
        (msgpack.packb({}), "not an array"),
        (b"\x95\xcc\x13\xc4\x00\xc4\x00\x00\xc4\x00", "not in canonical form"),
        (b"\x95\x13\xc4\x00\xc4\x00\xd1\x00\x00\xc4\x00", "not in canonical form"),
        (b"\xdc\x00\x05\x13\xc4\x00\xc4\x00\x00\xc4\x00", "not in canonical form"),
        (b"\x91" * 2000, "not valid msgpack"),
        (bytes(HEADER_MAX + 1), "at most 4096"),
    ],
)
def test_other_headers_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PeerViolation, match=reason):
        decode_header_untrusted(data, "bob")


def test_a_frame_takes_any_contiguous_body_and_does_not_show_it() -> None:
    import numpy as np

    words = np.arange(6, dtype=np.uint64).reshape(2, 3)
    frame = Frame(Header(Kind.DATA), words.data)
    assert frame.body.nbytes == 48
    assert frame.body.format == "B"
    assert Frame(Header(Kind.DATA), words[:0].data).body.nbytes == 0
    assert "body" not in repr(frame)
    with pytest.raises(LocalError, match="contiguous"):
        Frame(Header(Kind.DATA), words[:, ::2].data)


def test_a_hello_survives() -> None:
    hello = Hello(1, 2, bytes(range(32)), bytes(range(16)))
    assert len(hello.encode()) == HELLO_BYTES == 60
    assert Hello.decode_untrusted(hello.encode(), "a stranger") == hello


def test_a_hello_of_another_version_is_read() -> None:
    hello = Hello(0, 1, bytes(32), bytes(16), version=WIRE_VERSION + 1)
    assert Hello.decode_untrusted(hello.encode(), "a stranger").version == WIRE_VERSION + 1


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", bytes(60), b"mpcnet", b"mpcnet" + bytes(55)])
def test_what_is_no_hello_is_refused(data: bytes) -> None:
    with pytest.raises(PeerViolation, match="not a hello"):
        Hello.decode_untrusted(data, "a stranger")


@pytest.mark.parametrize(
    ("sender", "roster_hash", "incarnation"), [(-1, 32, 16), (2**16, 32, 16), (0, 31, 16), (0, 32, 15)]
)
def test_a_hello_that_does_not_fit_is_our_mistake(sender: int, roster_hash: int, incarnation: int) -> None:
    with pytest.raises(LocalError):
        Hello(sender, 0, bytes(roster_hash), bytes(incarnation))
