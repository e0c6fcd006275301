"""Whatever a peer with a key sends, in whatever state we are: nothing or `PeerViolation`, and bounded memory."""

from __future__ import annotations

import contextlib
import typing
from dataclasses import replace

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.declare import Party
from mpcnet.declare.plan import make_plan
from mpcnet.errors import AgreementMismatch, MpcnetError, PeerLost, PeerViolation
from mpcnet.session import Mesh
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.agreement import Agree, Confirm, agreement_of, job_id
from mpcnet.wire.canonical import Plain, encode_canonical
from mpcnet.wire.frames import Frame, Header, Kind
from tests.support.parties import Loopback, Nothing, Silent, job_of

ALICE, BOB, CAROL = (LOOPBACK := Loopback(3)).roster.members
OURS, THEIRS = bytes(32), b"B" * 32


async def program(party: Party[Nothing]) -> None:
    value = party.share("value").sum()
    async with trio.open_nursery() as nursery, party.fork("beside") as beside:
        nursery.start_soon(lambda: beside.reveal(answer=beside.share("value").sum()))
        nursery.start_soon(lambda: party.receive(BOB, max_bytes=100))
        await party.reveal(answer=value)


JOB = job_of(program, ("alice", "bob"))
AGREEMENT = encode_canonical(agreement_of(make_plan(JOB, LOOPBACK.roster, BOB)))
ID = job_id(AGREEMENT, OURS + THEIRS)
AGREE = Agree(JOB.label, AGREEMENT, THEIRS).encode()
CONFIRM = Confirm(JOB.label, ID, OURS + THEIRS).encode()

texts = st.text("aé中", max_size=4)
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**64 - 1), texts, st.binary(max_size=33)),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
labels = st.sampled_from([JOB.label, "other", ""])
nonces = st.sampled_from([OURS, THEIRS, b"", b"x" * 32])


def agree_bytes(label: str, agreement: bytes, nonce: bytes) -> bytes:
    return Agree(label, agreement, nonce).encode()


def confirm_bytes(label: str, one: bytes, other: bytes) -> bytes:
    return Confirm(label, ID, one + other).encode()


def abort_bytes(label: str, nonce: bytes, reply_to: bytes, reason: Reason, concerned: list[int]) -> bytes:
    return Abort(label, nonce, reply_to, reason, tuple(concerned)).encode()


def shallow(value: object, left: int = 6) -> bool:
    if left == 0:
        return False
    if isinstance(value, list):
        return all(shallow(item, left - 1) for item in typing.cast("list[object]", value))
    if isinstance(value, dict):
        return all(shallow(item, left - 1) for item in typing.cast("dict[str, object]", value).values())
    return True


def encoded(value: Plain) -> bytes:
    return encode_canonical(value) if shallow(value) else b"\xc1"


def frame_of(header: Header, body: bytes) -> Frame:
    return Frame(header, memoryview(body))


bodies = st.one_of(
    st.binary(max_size=40),
    plain.map(encoded),
    st.builds(agree_bytes, labels, st.one_of(st.just(AGREEMENT), st.binary(max_size=9)), nonces),
    st.builds(confirm_bytes, labels, nonces, nonces),
    st.builds(
        abort_bytes,
        labels,
        nonces,
        nonces,
        st.sampled_from(Reason),
        st.lists(st.integers(0, 70_000), max_size=3),
    ),
    st.sampled_from([AGREE, CONFIRM, bytes(32), bytes(8), (9).to_bytes(8, "little") + bytes(9)]),
    st.sampled_from([300_000, 2**20]).map(bytes),
)
headers = st.builds(
    Header,
    st.sampled_from([kind for kind in Kind if kind.is_session]),
    st.sampled_from([b"", ID[:16], bytes(16)]),
    st.sampled_from([b"", bytes(8), b"fork-one", b"fork-two"]),
    st.sampled_from([0, 1, 2**32 - 1]),
    st.sampled_from([b"", bytes(16)]),
)
frames = st.builds(frame_of, headers, bodies)
STATES = ["before the seed", "no job", "agreeing", "confirming", "running", "ended"]


async def brought_to(state: str, mesh: Mesh, nursery: trio.Nursery) -> None:
    """Bring Alice's job with Bob into a state."""

    async def run() -> None:
        with contextlib.suppress(MpcnetError):
            await mesh.run(JOB, {"value": 1})

    said = {
        "agreeing": [],
        "confirming": [(Kind.AGREE, AGREE)],
        "running": [(Kind.AGREE, AGREE), (Kind.CONFIRM, CONFIRM)],
        "ended": [(Kind.AGREE, AGREE), (Kind.ABORT, Abort(JOB.label, THEIRS, OURS, Reason.CANCELLED).encode())],
    }
    for peer in (BOB.index, CAROL.index):
        mesh.peer_up(peer, bytes([peer]) * 16)
        if state != "before the seed":
            mesh.frame_received(peer, Frame(Header(Kind.PAIR_SEED), memoryview(bytes(32))))
    if state in said:
        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        for kind, body in said[state]:
            mesh.frame_received(BOB.index, Frame(Header(kind), memoryview(body)))
            await trio.testing.wait_all_tasks_blocked()


async def play(state: str, sender: int, sent: list[Frame]) -> None:
    mesh = Mesh(LOOPBACK.roster, ALICE, Silent(), randomness=bytes)
    async with mesh.open(), trio.open_nursery() as nursery:
        await brought_to(state, mesh, nursery)
        for frame in sent:
            try:
                mesh.admit(sender, frame.header, len(frame.body))
                mesh.frame_received(sender, frame)
            except PeerViolation as error:
                assert error.party == LOOPBACK.names[sender]  # noqa: PT017 -- most frames raise nothing
                mesh.peer_down(sender, error)  # as a transport does
                break
            await trio.testing.wait_all_tasks_blocked()
        mesh.peer_down(sender, PeerLost(LOOPBACK.names[sender], "gone"))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.sampled_from(STATES), st.sampled_from([BOB.index, CAROL.index]), st.lists(frames, max_size=6))
def test_arbitrary_frames_in_every_state(state: str, sender: int, sent: list[Frame]) -> None:
    trio.run(play, state, sender, sent, clock=trio.testing.MockClock(autojump_threshold=0))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.one_of(st.binary(max_size=200), bodies))
def test_arbitrary_bytes_as_messages_of_the_agreement(data: bytes) -> None:
    for kind in (Agree, Confirm, Abort):
        try:
            message = kind.decode_untrusted(data, "bob")
        except PeerViolation:
            continue
        assert message.encode() == data


@settings(derandomize=True, max_examples=60, deadline=None)
@given(plain)
def test_an_arbitrary_agreement_differs_or_is_a_violation(value: Plain) -> None:
    theirs = encoded(value)
    ours = Agree(JOB.label, AGREEMENT, OURS)
    with pytest.raises((AgreementMismatch, PeerViolation)) as caught:
        Agree(JOB.label, theirs, THEIRS).check("bob", ours)
    assert len(str(caught.value)) < 20_000


async def flood(header: Header, body: bytes, forks: int) -> tuple[int, str]:
    """Bob sends what we have not asked for, until he is refused: how many frames were taken, and the complaint."""
    mesh = Mesh(LOOPBACK.roster, ALICE, Silent(), randomness=bytes)
    taken, complaint = 0, ""
    async with mesh.open(), trio.open_nursery() as nursery:
        await brought_to("running", mesh, nursery)
        try:
            while taken < 5000:
                fork = (taken % forks).to_bytes(8, "big") if forks else b""
                mesh.admit(BOB.index, replace(header, fork=fork), len(body))
                mesh.frame_received(BOB.index, Frame(replace(header, fork=fork), memoryview(body)))
                taken += 1
        except PeerViolation as error:
            complaint = error.reason
        nursery.cancel_scope.cancel()
    return taken, complaint


ROUND = Header(Kind.ROUND, ID[:16], b"", 5, bytes(16))
DATA = Header(Kind.DATA, ID[:16])


@pytest.mark.parametrize(
    ("header", "body", "forks"),
    [
        (ROUND, b"", 1),
        (ROUND, bytes(1000), 1),
        (ROUND, b"x", 50),
        (DATA, b"x", 1),
        (DATA, b"x", 50),
        (DATA, bytes(2000), 50),
    ],
)
async def test_what_comes_too_early_is_bounded(
    header: Header, body: bytes, forks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpcnet.session.job_run.EARLY_BYTES", 100_000)
    taken, complaint = await flood(header, body, forks)
    assert taken <= 100_000 // (len(body) + 256)
    assert complaint == "sent more than 100000 bytes before they were awaited"


async def test_credit_in_a_fork_that_does_not_exist_is_refused_at_once() -> None:
    assert await flood(Header(Kind.CREDIT, ID[:16]), bytes(8), 1000) == (
        0,
        "gave credit for bytes that we did not send",
    )


@pytest.mark.parametrize("header", [ROUND, DATA])
async def test_forks_that_do_not_exist_are_bounded(header: Header, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpcnet.session.job_run.MAX_FORKS", 10)
    taken, complaint = await flood(header, bytes(8), 1000)
    assert taken <= 10
    assert complaint == "sent frames for more than 10 forks that do not exist"
