from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import LocalError
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import ACK_EVERY_BYTES, ACK_EVERY_FRAMES, RECORD_OVERHEAD, RUN_BYTES, Limits
from mpcnet.wire.stream import Stream

JOB, OTHER_JOB = bytes(16), bytes(range(16))
FORK, OTHER_FORK = bytes(8), bytes(range(8))
BIG = RUN_BYTES + 1000
TAG = bytes(RECORD_OVERHEAD - 2)


class Clear:
    """Records of the right shape that hide nothing: what the machine does can be read from its bytes."""

    def seal_into(self, plaintext: bytes | bytearray | memoryview, out: memoryview) -> int:
        record = (len(plaintext) + len(TAG)).to_bytes(2, "big") + bytes(plaintext) + TAG
        out[: len(record)] = record
        return len(record)

    def open_into(self, ciphertext: bytes | bytearray | memoryview, out: memoryview) -> int:
        size = len(ciphertext) - len(TAG)
        out[:size] = ciphertext[:size]
        return size


def admit_all(_header: Header, _body_bytes: int) -> bool:
    return True


def make_stream(peer: str = "bob", limits: Limits | None = None) -> Stream:
    return Stream(peer, Clear(), limits or Limits(), admit_all)


def receive(stream: Stream, data: bytes | memoryview) -> list[Frame]:
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


def take_batch(stream: Stream) -> bytes:
    batch = bytes(stream.outgoing())
    stream.sent(len(batch))
    return batch


def pump(source: Stream, sink: Stream, chunk: int = 2**30) -> list[Frame]:
    frames: list[Frame] = []
    while batch := take_batch(source):
        for start in range(0, len(batch), chunk):
            frames += receive(sink, batch[start : start + chunk])
    return frames


def connect(alice_limits: Limits | None = None) -> tuple[Stream, Stream]:
    alice, bob = make_stream("bob", alice_limits), make_stream("alice")
    alice.ready()
    bob.ready()
    assert pump(alice, bob) == pump(bob, alice) == []
    assert alice.peer_is_ready
    assert bob.peer_is_ready
    return alice, bob


def data_frame(body: bytes, *, job: bytes = b"", fork: bytes = b"", kind: Kind = Kind.DATA) -> Frame:
    return Frame(Header(kind, job, fork), memoryview(body))


def bodies(frames: list[Frame]) -> list[bytes]:
    return [bytes(frame.body) for frame in frames]


def test_small_frames_share_a_record() -> None:
    alice, bob = connect()
    sent = [data_frame(bytes([number]) * 40) for number in range(200)]
    for frame in sent:
        alice.queue(frame)
    batch = take_batch(alice)
    assert int.from_bytes(batch[:2], "big") + 2 == len(batch)
    received = receive(bob, batch)
    assert [frame.header for frame in received] == [frame.header for frame in sent]
    assert bodies(received) == bodies(sent)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 64, 65480, 65500, 65519, 65520, RUN_BYTES, BIG])), st.data())
def test_whatever_the_sizes_and_cuts_frames_arrive_whole(sizes: list[int], draw: st.DataObject) -> None:
    alice, bob = connect()
    sent = [data_frame(bytes([number % 251]) * size) for number, size in enumerate(sizes)]
    for frame in sent:
        alice.queue(frame)
    chunk = draw.draw(st.sampled_from([1000, 65536, 65537, 2**20]))
    assert bodies(pump(alice, bob, chunk)) == bodies(sent)
    assert bob.is_whole


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 64, 65400, 65519, BIG]), st.sampled_from(["alone", "queue", "send"]))
    ),
)
def test_frames_sealed_alone_keep_their_place_among_others(steps: list[tuple[int, str]]) -> None:
    alice, bob = connect()
    sent: list[Frame] = []
    received: list[Frame] = []
    for number, (size, way) in enumerate(steps):
        if way == "send":
            received += pump(alice, bob)
            continue
        sent.append(data_frame(bytes([number % 251]) * size))
        sealed = alice.seal_alone(sent[-1]) if way == "alone" else None
        if sealed is None:
            alice.queue(sent[-1])
        else:
            assert sealed == alice.outgoing()
    received += pump(alice, bob)
    assert bodies(received) == bodies(sent)
    assert [frame.header for frame in received] == [frame.header for frame in sent]
    assert bob.is_whole


def test_only_a_small_frame_that_nothing_is_before_is_sealed_alone() -> None:
    alice, bob = connect()
    assert alice.seal_alone(data_frame(bytes(BIG))) is None
    assert alice.seal_alone(data_frame(b"first")) is not None
    assert alice.seal_alone(data_frame(b"second")) is None, "the first is not sent yet"
    pump(alice, bob)
    alice.queue(data_frame(b"third"))
    assert alice.seal_alone(data_frame(b"fourth")) is None
    pump(alice, bob)
    alice.ping()
    assert alice.seal_alone(data_frame(b"fifth")) is None, "a ping is due"
    pump(alice, bob)
    for number in range(ACK_EVERY_FRAMES):
        bob.queue(data_frame(b"%d" % number))
    receive(alice, take_batch(bob))
    assert alice.seal_alone(data_frame(b"sixth")) is None, "an acknowledgement is due"
    with pytest.raises(LocalError, match="the link's own"):
        connect()[0].seal_alone(Frame(Header(Kind.PING)))
    small = connect(Limits(max_frame_bytes=10))[0]
    with pytest.raises(LocalError, match="over the limit"):
        small.seal_alone(data_frame(bytes(11)))


def test_frames_sealed_alone_fill_the_outbox_until_they_are_acknowledged() -> None:
    alice, bob = connect(Limits(outbox_bytes=ACK_EVERY_BYTES))
    count = 0
    while alice.has_room:
        sealed = alice.seal_alone(data_frame(bytes(60_000)))
        assert sealed is not None
        receive(bob, sealed)
        alice.sent(len(sealed))
        count += 1
    assert count * 60_000 >= ACK_EVERY_BYTES
    receive(alice, take_batch(bob))
    assert alice.has_room


def test_a_likely_header_is_taken_only_where_its_bytes_come() -> None:
    alice, bob = connect()
    ours = data_frame(b"ours", job=JOB)
    assert bob.seal_alone(ours) is not None
    bob.sent(len(bob.outgoing()))
    others = [
        Header(Kind.DATA, JOB),
        Header(Kind.DATA, JOB, round=1),
        Header(Kind.DATA, OTHER_JOB),
        Header(Kind.ROUND, JOB),
        Header(Kind.DATA, JOB, digest=bytes(16)),
    ]
    for header in others:
        alice.queue(Frame(header, memoryview(b"theirs")))
    received = pump(alice, bob)
    assert [frame.header for frame in received] == others
    assert received[0].header is ours.header


def test_a_frame_may_come_byte_by_byte() -> None:
    alice, bob = connect()
    alice.queue(data_frame(b"x" * 70_000))
    alice.queue(data_frame(b"small"))
    assert bodies(pump(alice, bob, chunk=1)) == [b"x" * 70_000, b"small"]


def test_bodies_are_read_only() -> None:
    alice, bob = connect()
    alice.queue(data_frame(bytes(BIG)))
    alice.queue(data_frame(b"small"))
    for frame in pump(alice, bob):
        assert frame.body.readonly


@pytest.mark.parametrize(
    ("small", "passes"),
    [
        (data_frame(b"s", job=JOB), False),
        (data_frame(b"s", job=JOB, fork=FORK), False),
        (data_frame(b"s", job=JOB, fork=OTHER_FORK), True),
        (data_frame(b"s", job=OTHER_JOB), True),
        (data_frame(b"s"), True),
        (data_frame(b"s", job=JOB, kind=Kind.ABORT), True),
    ],
)
def test_a_small_frame_passes_a_big_one_only_if_no_program_can_notice(small: Frame, passes: bool) -> None:
    alice, bob = connect()
    alice.queue(data_frame(bytes(BIG), job=JOB, fork=FORK))
    first = take_batch(alice)
    alice.queue(small)
    received = receive(bob, first) + pump(alice, bob)
    assert (bytes(received[0].body) == b"s") == passes
    assert len(received) == 2


def test_frames_of_forks_do_not_pass_a_big_one_of_the_main_stream() -> None:
    alice, bob = connect()
    alice.queue(data_frame(bytes(BIG), job=JOB))
    alice.queue(data_frame(b"s", job=JOB, fork=FORK))
    alice.queue(data_frame(b"t", job=JOB, fork=FORK))
    alice.queue(data_frame(b"u", job=OTHER_JOB))
    assert [body[:1] for body in bodies(pump(alice, bob))] == [b"u", b"\0", b"s", b"t"]
    # The slow lane is empty now: nothing holds the next one back.
    alice.queue(data_frame(b"v", job=JOB, fork=FORK))
    assert bodies(pump(alice, bob)) == [b"v"]


def test_a_batch_stays_until_its_last_byte_was_sent() -> None:
    alice, bob = connect()
    alice.queue(data_frame(b"one"))
    batch = bytes(alice.outgoing())
    alice.queue(data_frame(b"two"))
    assert bytes(alice.outgoing()) == batch
    alice.sent(5)
    assert bytes(alice.outgoing()) == batch[5:]
    with pytest.raises(LocalError):
        alice.sent(len(batch))
    alice.sent(len(batch) - 5)
    assert bodies(receive(bob, batch) + pump(alice, bob)) == [b"one", b"two"]


def test_the_outbox_is_bounded_and_drained_by_acknowledgements() -> None:
    alice, bob = connect(Limits(outbox_bytes=ACK_EVERY_BYTES))
    body = bytes(ACK_EVERY_BYTES)
    alice.queue(data_frame(body))
    # One big frame never fills it: small ones must be able to pass.
    assert alice.has_room
    alice.queue(data_frame(body))
    assert not alice.has_room
    pump(alice, bob)
    assert not alice.has_room
    pump(bob, alice)
    assert alice.has_room


def test_many_small_frames_are_acknowledged_too() -> None:
    alice, bob = connect()
    for _ in range(ACK_EVERY_FRAMES - 1):
        alice.queue(data_frame(b""))
    pump(alice, bob)
    assert not bob.has_outgoing
    alice.queue(data_frame(b""))
    pump(alice, bob)
    assert bob.has_outgoing


def test_a_flood_of_pings_is_answered_once() -> None:
    alice, bob = connect()
    ping = bytes(0)
    for _ in range(1000):
        alice.ping()
        ping += take_batch(alice)
    receive(bob, ping)
    assert len(take_batch(bob)) == len(ping) // 1000
    assert not bob.has_outgoing


def test_goodbye_comes_after_everything_queued() -> None:
    alice, bob = connect()
    alice.queue(data_frame(bytes(BIG)))
    alice.close()
    assert len(pump(alice, bob)) == 1
    assert bob.peer_has_closed
    assert bob.is_whole
    assert alice.is_closed
    # The other side answers by itself.
    pump(bob, alice)
    assert alice.peer_has_closed
    assert bob.is_closed


def test_a_goodbye_is_answered_between_the_runs_of_a_big_frame() -> None:
    alice, bob = connect()
    bob.queue(data_frame(bytes(10 * RUN_BYTES)))
    bob.queue(data_frame(b"never sent"))
    started = take_batch(bob)
    alice.close()
    pump(alice, bob)
    rest = b""
    while batch := take_batch(bob):
        rest += batch
    assert len(rest) < 100
    assert receive(alice, started + rest) == []
    assert alice.peer_has_closed
    assert not alice.is_whole


def test_a_refusal_is_a_goodbye_instead_of_ready() -> None:
    alice, bob = make_stream("bob"), make_stream("alice")
    bob.close()
    pump(bob, alice)
    assert alice.peer_has_closed
    assert not alice.peer_is_ready


def test_what_the_session_may_not_send_is_refused_at_once() -> None:
    alice, _ = connect(Limits(max_frame_bytes=10))
    with pytest.raises(LocalError, match="PING"):
        alice.queue(data_frame(b"", kind=Kind.PING))
    with pytest.raises(LocalError, match="over the limit"):
        alice.queue(data_frame(bytes(11)))
    assert not alice.outgoing()


def test_limits_are_checked() -> None:
    with pytest.raises(LocalError):
        Limits(max_frame_bytes=0)
    with pytest.raises(LocalError):
        Limits(outbox_bytes=ACK_EVERY_BYTES - 1)
