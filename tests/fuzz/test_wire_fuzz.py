"""Whatever bytes come, however they are cut: a result, "more", or `PeerViolation`; never anything else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import PeerViolation
from mpcnet.wire.codec import decode_header_untrusted, encode_header
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.hello import HELLO_BYTES, Hello
from mpcnet.wire.items import CONTINUE_ITEM, SMALL, START, pack_prelude
from mpcnet.wire.limits import RECORD_OVERHEAD, RECORD_PLAINTEXT_MAX, Limits
from mpcnet.wire.stream import Stream

TAG = bytes(RECORD_OVERHEAD - 2)


class Clear:
    """An attacker that holds a key chooses the plaintext: so do these tests."""

    def seal_into(self, plaintext: bytes | bytearray | memoryview, out: memoryview) -> int:
        raise NotImplementedError

    def open_into(self, ciphertext: bytes | bytearray | memoryview, out: memoryview) -> int:
        size = len(ciphertext) - len(TAG)
        out[:size] = ciphertext[:size]
        return size


def record(plaintext: bytes) -> bytes:
    return (len(plaintext) + len(TAG)).to_bytes(2, "big") + plaintext + TAG


def outcome(data: bytes, step: int) -> tuple[list[tuple[Header, bytes]], str]:
    """What a stream makes of it: the frames, and the complaint if there is one."""
    stream = Stream("bob", Clear(), Limits(max_frame_bytes=2**20), lambda header, _size: header.round != 4)
    frames: list[Frame] = []
    try:
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            stream.space()[: len(piece)] = piece
            stream.filled(len(piece))
            while (frame := stream.next_frame()) is not None:
                frames.append(frame)
    except PeerViolation as error:
        return [(frame.header, bytes(frame.body)) for frame in frames], str(error)
    return [(frame.header, bytes(frame.body)) for frame in frames], ""


headers = st.one_of(
    st.binary(max_size=60),
    st.builds(Header, st.sampled_from(Kind), round=st.integers(0, 2**32 - 1)).map(encode_header),
    st.sampled_from(Kind).map(lambda kind: encode_header(Header(kind))),
)
numbers = st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1))
sizes = st.one_of(st.integers(0, 70_000), st.integers(0, 2**64 - 1))


@st.composite
def items(draw: st.DrawFn) -> bytes:
    """Something like an item, often a good one."""
    tag = draw(st.sampled_from([SMALL, SMALL, START, 0, 255]))
    header = draw(headers)
    body = draw(st.one_of(st.just(bytes(8)), st.binary(max_size=20)))
    size = draw(st.one_of(st.just(len(body)), sizes))
    return pack_prelude(tag, draw(numbers), len(header), size) + header + body


plaintexts = st.one_of(
    st.binary(max_size=100),
    st.lists(items(), max_size=4).map(b"".join),
    st.just(CONTINUE_ITEM),
    st.sampled_from([1000, RECORD_PLAINTEXT_MAX]).map(bytes),
)
READY = record(
    pack_prelude(SMALL, 0, len(encode_header(Header(Kind.READY))), 8) + encode_header(Header(Kind.READY)) + bytes(8)
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_as_header(data: bytes) -> None:
    try:
        header = decode_header_untrusted(data, "bob")
    except PeerViolation:
        return
    assert encode_header(header) == data


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), st.binary(min_size=HELLO_BYTES - 6, max_size=HELLO_BYTES - 6)), st.booleans()
)
def test_arbitrary_bytes_as_hello(data: bytes, with_magic: bool) -> None:
    whole = b"mpcnet" * with_magic + data
    try:
        hello = Hello.decode_untrusted(whole, "bob")
    except PeerViolation:
        return
    assert hello.encode() == whole


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_bytes_as_records(data: bytes, after_ready: bool) -> None:
    whole = READY * after_ready + data
    assert outcome(whole, len(whole) or 1) == outcome(whole, 1)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(plaintexts, max_size=6), st.integers(1, 5000))
def test_arbitrary_records_of_a_peer_with_a_key(records: list[bytes], step: int) -> None:
    whole = READY + b"".join(map(record, records))
    assert outcome(whole, len(whole)) == outcome(whole, step)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(st.lists(items(), max_size=4))
def test_the_same_byte_by_byte(parts: list[bytes]) -> None:
    whole = READY + b"".join(map(record, parts))
    assert outcome(whole, len(whole)) == outcome(whole, 1)
