"""A peer that holds its key and lies: records made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mpcnet.errors import PeerViolation
from mpcnet.noise.channel import Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.primitives import random_bytes, x25519_public
from mpcnet.wire.codec import encode_header
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.items import CONTINUE_ITEM, SMALL, START, pack_ack, pack_prelude
from mpcnet.wire.limits import ACK_EVERY_FRAMES, RECORD_OVERHEAD, RECORD_PLAINTEXT_MAX, RUN_BYTES, Limits
from mpcnet.wire.stream import Stream

TAG = bytes(RECORD_OVERHEAD - 2)
BIG = RECORD_PLAINTEXT_MAX + 1000
DATA = encode_header(Header(Kind.DATA))


class Watched:
    """Hides nothing, fails on demand, and remembers where it wrote."""

    def __init__(self) -> None:
        self.written: list[memoryview] = []

    def seal_into(self, plaintext: bytes | bytearray | memoryview, out: memoryview) -> int:
        record = (len(plaintext) + len(TAG)).to_bytes(2, "big") + bytes(plaintext) + TAG
        out[: len(record)] = record
        return len(record)

    def open_into(self, ciphertext: bytes | bytearray | memoryview, out: memoryview) -> int:
        size = len(ciphertext) - len(TAG)
        if bytes(ciphertext[size:]) != TAG:
            raise PeerViolation("bob", "not authentic")
        out[:size] = ciphertext[:size]
        self.written.append(out[:size])
        return size


def record(plaintext: bytes, tag: bytes = TAG) -> bytes:
    return (len(plaintext) + len(tag)).to_bytes(2, "big") + plaintext + tag


def small(number: int, body: bytes = b"", header: bytes = DATA) -> bytes:
    return pack_prelude(SMALL, number, len(header), len(body)) + header + body


def start(number: int, size: int, header: bytes = DATA) -> bytes:
    return pack_prelude(START, number, len(header), size) + header


def link_item(kind: Kind, acknowledged: int = 0) -> bytes:
    return small(0, pack_ack(acknowledged), encode_header(Header(kind)))


def make_stream(limits: Limits | None = None) -> tuple[Stream, Watched]:
    cipher = Watched()

    def admit(header: Header, body_bytes: int) -> bool:
        if header.round == 13:
            raise PeerViolation("bob", f"{body_bytes} bytes were not agreed")
        return header.round != 7

    return Stream("bob", cipher, limits or Limits(), admit), cipher


def receive(stream: Stream, data: bytes) -> list[Frame]:
    frames: list[Frame] = []
    rest = memoryview(data)
    while rest:
        space = stream.space()
        count = min(len(space), len(rest))
        space[:count] = rest[:count]
        stream.filled(count)
        rest = rest[count:]
        while (frame := stream.next_frame()) is not None:
            frames.append(frame)
    return frames


READY = record(link_item(Kind.READY))
LIES: dict[str, tuple[bytes, str]] = {
    "duplicate": (record(small(1) + small(1)), "number 1; 2 was expected"),
    "gap": (record(small(1) + small(3)), "number 3; 2 was expected"),
    "starts late": (record(small(2)), "number 2; 1 was expected"),
    "unnumbered": (record(small(0)), "number 0; 1 was expected"),
    "numbered ping": (record(small(1, bytes(8), encode_header(Header(Kind.PING)))), "PING frames carry no"),
    "ready twice": (READY, "READY came twice"),
    "after close": (record(link_item(Kind.CLOSE) + small(1)), "DATA frame came after CLOSE"),
    "empty record": (record(b""), "empty or shorter"),
    "no room for a tag": (b"\0\x05hello", "empty or shorter"),
    "unknown item": (record(b"\x09"), "items of type 9"),
    "short prelude": (record(b"\x01\0"), "beyond the end"),
    "short header": (record(small(1)[:-1]), "beyond the end"),
    "short body": (record(small(1, b"body")[:-1]), "beyond the end"),
    "huge header": (record(pack_prelude(SMALL, 1, 4097, 0) + bytes(4097)), "at most 4096"),
    "big too small": (record(start(1, 10)), "10 bytes is sent as a big one"),
    "big ping": (record(start(0, BIG, encode_header(Header(Kind.PING)))), "PING frame is never big"),
    "over the limit": (record(start(1, 2**40)), "at most 1000000 are allowed"),
    "small over the limit": (record(small(1, bytes(10)) + start(2, 1_000_001)), "1000001 bytes; at most"),
    "item after start": (record(start(1, BIG) + small(2)), "follows the start of a run"),
    "continues nothing": (record(CONTINUE_ITEM), "never began"),
    "wrong run length": (record(start(1, BIG)) + record(bytes(10)), "10 bytes instead of 65519"),
    "run too long": (
        record(start(1, BIG)) + record(bytes(RECORD_PLAINTEXT_MAX)) + record(bytes(1001)),
        "1001 bytes instead of 1000",
    ),
    "ack of the future": (record(link_item(Kind.ACK, 7)), "frame 7 is acknowledged"),
    "ack of odd size": (record(small(0, b"1234", encode_header(Header(Kind.ACK)))), "4 bytes instead of 8"),
    "ack of a job": (
        record(small(0, bytes(8), encode_header(Header(Kind.ACK, bytes(16))))),
        "belongs to no job",
    ),
    "not admitted": (record(small(1, b"", encode_header(Header(Kind.DATA, round=13)))), "not agreed"),
    "not a header": (record(small(1, b"", b"\xc1")), "not valid msgpack"),
    "not authentic": (record(small(1), tag=b"\1" * 16), "not authentic"),
}


@pytest.mark.parametrize("case", LIES)
def test_each_lie_is_named_and_ends_the_stream(case: str) -> None:
    lie, reason = LIES[case]
    stream, _ = make_stream(Limits(max_frame_bytes=1_000_000))
    receive(stream, READY)
    with pytest.raises(PeerViolation, match=reason):
        receive(stream, lie)
    # It has failed for good, whatever comes.
    with pytest.raises(PeerViolation, match=reason):
        stream.next_frame()


def test_a_big_frame_within_another_is_refused() -> None:
    stream, _ = make_stream()
    data = READY + record(start(1, RUN_BYTES + 1)) + 4 * record(bytes(RECORD_PLAINTEXT_MAX))
    assert receive(stream, data) == []
    with pytest.raises(PeerViolation, match="within another one"):
        receive(stream, record(start(2, BIG)))


def test_nothing_but_ready_comes_first() -> None:
    stream, _ = make_stream()
    with pytest.raises(PeerViolation, match="before READY"):
        receive(stream, record(small(1)))


def test_acknowledgements_do_not_go_back() -> None:
    stream, _ = make_stream()
    receive(stream, READY)
    stream.queue(Frame(Header(Kind.DATA)))
    stream.outgoing()
    receive(stream, record(link_item(Kind.ACK, 1)))
    with pytest.raises(PeerViolation, match="a number from 1 to 1 was expected"):
        receive(stream, record(link_item(Kind.ACK, 0)))


def test_a_body_that_breaks_off_is_wiped() -> None:
    stream, cipher = make_stream()
    receive(stream, READY + record(start(1, 2 * BIG)) + record(b"x" * RECORD_PLAINTEXT_MAX))
    secret = cipher.written[-1]
    assert bytes(secret[:1]) == b"x"
    with pytest.raises(PeerViolation):
        receive(stream, record(b"y" * RECORD_PLAINTEXT_MAX, tag=b"\1" * 16))
    assert not any(secret)


def test_a_body_is_wiped_when_the_connection_ends() -> None:
    stream, cipher = make_stream()
    receive(stream, READY + record(start(1, 2 * BIG)) + record(b"x" * RECORD_PLAINTEXT_MAX))
    stream.wipe()
    assert not any(cipher.written[-1])


def test_memory_is_given_only_after_admission() -> None:
    refused: list[int] = []

    def admit(_header: Header, body_bytes: int) -> bool:
        refused.append(body_bytes)
        raise PeerViolation("bob", "not agreed")

    stream = Stream("bob", Watched(), Limits(max_frame_bytes=2**50), admit)
    with pytest.raises(PeerViolation, match="not agreed"):
        receive(stream, READY + record(start(1, 2**50)))
    assert refused == [2**50]


def unwanted(body: bytes = b"", number: int = 1) -> bytes:
    return small(number, body, encode_header(Header(Kind.DATA, round=7)))


def test_a_small_frame_that_nobody_wants_is_counted_and_forgotten() -> None:
    stream, _ = make_stream()
    data = READY + record(unwanted(b"one") + small(2, b"two") + unwanted(b"three", 3)) + record(small(4, b"four"))
    assert [bytes(frame.body) for frame in receive(stream, data)] == [b"two", b"four"]


def test_a_big_frame_that_nobody_wants_is_read_without_being_held() -> None:
    stream, cipher = make_stream()
    size = RUN_BYTES + 100_000
    lines = [RECORD_PLAINTEXT_MAX] * 4
    header = encode_header(Header(Kind.DATA, round=7))
    data = READY + record(start(1, size, header)) + b"".join(record(bytes(line)) for line in lines)
    assert receive(stream, data) == []
    assert not stream.is_whole
    # Each record of the body went where the records of small frames go.
    addresses = {np.frombuffer(view, np.uint8).ctypes.data for view in cipher.written}
    assert len(addresses) == 1
    rest = record(small(2, b"between") + CONTINUE_ITEM)
    rest += record(bytes(RECORD_PLAINTEXT_MAX)) + record(bytes(100_000 - RECORD_PLAINTEXT_MAX))
    frames = receive(stream, rest + record(small(3, b"after")))
    assert [bytes(frame.body) for frame in frames] == [b"between", b"after"]
    assert stream.is_whole


def test_frames_that_nobody_wants_are_acknowledged() -> None:
    stream, _ = make_stream()
    stream.ready()
    stream.sent(len(stream.outgoing()))
    data = READY + b"".join(record(unwanted(b"x", number)) for number in range(1, ACK_EVERY_FRAMES + 1))
    assert receive(stream, data) == []
    assert stream.has_outgoing
    assert bytes(stream.outgoing()) == record(link_item(Kind.ACK, ACK_EVERY_FRAMES))


@pytest.mark.parametrize(
    ("before", "lie", "reason"),
    [
        (b"", unwanted(), "DATA frame came before READY"),
        (READY, link_item(Kind.CLOSE) + unwanted(), "DATA frame came after CLOSE"),
        (READY, unwanted() + unwanted(), "number 1; 2 was expected"),
        (READY, unwanted(b"body")[:-1], "beyond the end"),
    ],
)
def test_what_nobody_wants_is_held_to_the_same_rules(before: bytes, lie: bytes, reason: str) -> None:
    stream, _ = make_stream()
    with pytest.raises(PeerViolation, match=reason):
        receive(stream, before + record(lie))


def test_what_has_no_place_is_refused_before_the_session_is_asked() -> None:
    asked: list[int] = []

    def admit(_header: Header, body_bytes: int) -> bool:
        asked.append(body_bytes)
        return True

    stream = Stream("bob", Watched(), Limits(), admit)
    with pytest.raises(PeerViolation, match="before READY"):
        receive(stream, record(start(1, 2**29)))
    assert not asked


def channels() -> tuple[Channel, Channel]:
    alice, bob = random_bytes(32), random_bytes(32)
    first = Handshake("KK", initiator=True, prologue=b"", s=alice, rs=x25519_public(bob), peer="bob")
    second = Handshake("KK", initiator=False, prologue=b"", s=bob, rs=x25519_public(alice), peer="alice")
    second.read_message(first.write_message())
    first.read_message(second.write_message())
    return first.finish(), second.finish()


@pytest.mark.parametrize("position", [2, 30, 70_000])
def test_a_flipped_bit_on_a_real_channel_is_noticed(position: int) -> None:
    ours, theirs = channels()
    alice = Stream("bob", ours, Limits(), lambda _header, _size: True)
    bob = Stream("alice", theirs, Limits(), lambda _header, _size: True)
    alice.ready()
    alice.queue(Frame(Header(Kind.DATA), memoryview(bytes(100_000))))
    data = bytearray(alice.outgoing())
    data[position] ^= 1
    with pytest.raises(PeerViolation):
        receive(bob, bytes(data))
