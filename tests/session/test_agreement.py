"""Agreements: what is compared, in whatever order words come, and what of an earlier run must not count."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet.declare import Job, Party
from mpcnet.declare.plan import make_plan
from mpcnet.engine.digest import Operation
from mpcnet.errors import AgreementMismatch, LocalError, MpcnetError, PeerAborted, PeerLost, PeerViolation
from mpcnet.session import Mesh
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.agreement import Agree, Confirm, agreement_of, compare, job_id
from mpcnet.session.early_agreements import MAX_PENDING_JOBS
from mpcnet.wire.canonical import Plain, encode_canonical
from mpcnet.wire.frames import Frame, Header, Kind
from tests.support.parties import Loopback, Nothing, Silent, job_of

LOOPBACK = Loopback(2)
ALICE, BOB = LOOPBACK.roster.members
ME, PEER = 0, 1
OURS = tuple(bytes([letter]) * 32 for letter in b"abcdef")
THEIRS = tuple(bytes([letter]) * 32 for letter in b"ABCDEF")


async def nothing(party: Party[Nothing]) -> str:
    return "done"


async def endless(party: Party[Nothing]) -> None:
    await party.receive(party.roster.members[PEER], max_bytes=10)


JOB = job_of(nothing, LOOPBACK.names)
AGREEMENT = encode_canonical(agreement_of(make_plan(JOB, LOOPBACK.roster, BOB)))
SEED = Frame(Header(Kind.PAIR_SEED), memoryview(bytes(32)))


def agree(nonce: bytes, agreement: bytes = AGREEMENT) -> Frame:
    """Bob's agreement."""
    return Frame(Header(Kind.AGREE), memoryview(Agree(JOB.label, agreement, nonce).encode()))


def confirm(ours: bytes, theirs: bytes) -> Frame:
    """Bob's confirmation of our nonce and his."""
    message = Confirm(JOB.label, job_id(AGREEMENT, ours + theirs), ours + theirs)
    return Frame(Header(Kind.CONFIRM), memoryview(message.encode()))


def abort(nonce: bytes, reply_to: bytes, reason: Reason = Reason.CANCELLED, concerned: Sequence[int] = ()) -> Frame:
    message = Abort(JOB.label, nonce, reply_to, reason, tuple(concerned))
    return Frame(Header(Kind.ABORT), memoryview(message.encode()))


class Alone:
    """Alice, with a test for Bob and for the link between them. Her nonces are `OURS`, one after the other."""

    def __init__(self, nursery: trio.Nursery, hold: Sequence[Kind]) -> None:
        self.transport = Silent(ME, hold)
        self.mesh = Mesh(LOOPBACK.roster, ALICE, self.transport, randomness=self._randomness)
        self.endings: list[object] = []
        self._nursery = nursery
        self._nonces = list(OURS)
        self._asked = 0

    def _randomness(self, nbytes: int) -> bytes:
        return self._nonces.pop(0)[:nbytes]

    async def start(self, job: Job[Any, Any] = JOB) -> None:
        self._nursery.start_soon(self._run, job)
        await trio.testing.wait_all_tasks_blocked()

    async def _run(self, job: Job[Any, Any]) -> None:
        try:
            self.endings.append(await self.mesh.run(job, {"value": 1}))
        except MpcnetError as error:
            self.endings.append(error)

    async def hear(self, *frames: Frame) -> None:
        for frame in frames:
            if self.mesh.admit(PEER, frame.header, len(frame.body)):
                self.mesh.frame_received(PEER, frame)
        await trio.testing.wait_all_tasks_blocked()

    async def up(self) -> None:
        self.mesh.peer_up(PEER, bytes(16))
        await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def alone(*hold: Kind, up: bool = True) -> AsyncGenerator[Alone]:
    """Alice with an open mesh; by default with a link to Bob, for whose seed her first nonce went."""
    async with trio.open_nursery() as nursery:
        alice = Alone(nursery, hold)
        async with alice.mesh.open():
            if up:
                await alice.up()
                await alice.hear(SEED)
            yield alice
        nursery.cancel_scope.cancel()


def parted(error: object, kind: type[MpcnetError]) -> str:
    assert type(error) is kind
    return str(error)


async def test_agreement_and_confirmation() -> None:
    async with alone() as alice:
        await alice.start()
        assert alice.transport.kinds(PEER) == ["PAIR_SEED", "AGREE"]
        await alice.hear(agree(THEIRS[0]))
        assert alice.transport.kinds(PEER) == ["PAIR_SEED", "AGREE", "CONFIRM"]
        assert not alice.endings
        await alice.hear(confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_a_peer_that_spoke_first_still_hears_our_agreement() -> None:
    async with alone(Kind.PAIR_SEED, up=False) as alice:
        await alice.start()
        await alice.up()  # our greeting hangs behind the pair seed
        await alice.hear(SEED, agree(THEIRS[0]))
        alice.transport.go_on.set()
        await trio.testing.wait_all_tasks_blocked()
        assert alice.transport.kinds(PEER) == ["CONFIRM", "PAIR_SEED", "AGREE"]
        await alice.hear(confirm(OURS[0], THEIRS[0]))
        assert alice.endings == ["done"]


@pytest.mark.parametrize("kind", [Kind.ROUND, Kind.DATA, Kind.CREDIT, Kind.FINISH])
@pytest.mark.parametrize("job", [b"", bytes(16)])
async def test_frames_of_a_job_that_does_not_run_here_are_not_wanted(kind: Kind, job: bytes) -> None:
    async with alone() as alice:
        await alice.start()
        assert not alice.mesh.admit(PEER, Header(kind, job), 0)
        # Nobody can say how large they may be.
        assert not alice.mesh.admit(PEER, Header(Kind.ROUND, job), 2**30)
        assert alice.mesh.admit(PEER, Header(Kind.AGREE), 100)


async def test_a_confirmation_may_come_before_the_agreement() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(confirm(OURS[1], THEIRS[0]), agree(THEIRS[0]))
        assert alice.endings == ["done"]


async def test_a_repeated_agreement_changes_nothing() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]), agree(THEIRS[0]), confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_what_a_peer_said_before_we_began_counts() -> None:
    async with alone() as alice:
        await alice.hear(agree(THEIRS[0]))
        await alice.start()
        await alice.hear(confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_its_last_agreement_before_we_confirm_counts() -> None:
    async with alone() as alice:
        await alice.hear(agree(THEIRS[0]), agree(THEIRS[1]))
        await alice.start()
        await alice.hear(confirm(OURS[1], THEIRS[1]))
        assert alice.endings == ["done"]


async def test_two_nonces_after_a_confirmation_are_a_violation() -> None:
    async with alone() as alice:
        await alice.start(job_of(endless, LOOPBACK.names))
        await alice.hear(agree(THEIRS[0]), confirm(OURS[1], THEIRS[0]))
        await alice.hear(agree(THEIRS[1]))
        assert "agreed twice" in parted(alice.endings[0], PeerViolation)


async def test_a_repeated_confirmation_is_a_violation() -> None:
    async with alone() as alice:
        await alice.start(job_of(endless, LOOPBACK.names))
        await alice.hear(agree(THEIRS[0]), confirm(OURS[1], THEIRS[0]), confirm(OURS[1], THEIRS[0]))
        assert "confirmed one job twice" in parted(alice.endings[0], PeerViolation)


async def test_a_confirmation_of_other_nonces_names_whose() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]), confirm(OURS[1], THEIRS[1]))
        assert isinstance(alice.endings[0], AgreementMismatch)
        assert set(alice.endings[0].differences) == {"nonce of bob"}


async def test_a_confirmation_of_an_earlier_run_is_ignored() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]), confirm(OURS[5], THEIRS[0]))
        assert not alice.endings
        await alice.hear(confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_an_abort_of_an_earlier_run_is_ignored() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(
            abort(THEIRS[5], OURS[5]),  # an answer to an earlier run of ours, before it agrees to this one
            agree(THEIRS[0]),
            abort(THEIRS[5], b""),  # of an earlier run of its own
            abort(THEIRS[5], OURS[1]),
        )
        assert not alice.endings
        await alice.hear(confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_a_run_that_a_peer_gave_up_is_forgotten_when_it_begins_anew() -> None:
    # Bob's first run met an earlier one of ours, and died with it; its agreement reached us late.
    async with alone() as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]))
    async with alone() as alice:
        await alice.hear(agree(THEIRS[0]), abort(THEIRS[0], OURS[5]), agree(THEIRS[1]))
        await alice.start()
        await alice.hear(confirm(OURS[1], THEIRS[1]))
        assert alice.endings == ["done"]


async def test_the_echo_of_our_own_refusal_does_not_end_our_next_run() -> None:
    async with alone() as alice:
        await alice.hear(agree(THEIRS[0]))
        with pytest.raises(LocalError):
            await alice.mesh.run(JOB, {"value": 5000})
        await alice.hear(abort(THEIRS[0], b"", Reason.ABORTED, [ME]), agree(THEIRS[1]))
        await alice.start()
        await alice.hear(confirm(OURS[1], THEIRS[1]))
        assert alice.endings == ["done"]


async def test_a_job_under_the_same_label_may_follow_while_the_peer_is_still_in_the_first() -> None:
    async def until_told(party: Party[Nothing]) -> str:
        return bytes(await party.receive(party.roster.members[PEER], max_bytes=10)).decode()

    async with alone() as alice:
        await alice.start(job_of(until_told, LOOPBACK.names))
        await alice.hear(agree(THEIRS[0]), confirm(OURS[1], THEIRS[0]))
        tag = job_id(AGREEMENT, OURS[1] + THEIRS[0])[:16]
        message = memoryview((2).to_bytes(8, "little") + b"hi")
        # All in one instant: its message, its end, and its agreement to the next run.
        await alice.hear(Frame(Header(Kind.DATA, tag), message), Frame(Header(Kind.FINISH, tag)), agree(THEIRS[1]))
        assert alice.endings == ["hi"]
        await alice.start()
        await alice.hear(confirm(OURS[2], THEIRS[1]))
        assert alice.endings == ["hi", "done"]


async def test_an_agreement_to_the_next_run_may_come_while_the_first_ends() -> None:
    async with alone(Kind.ABORT) as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]), abort(THEIRS[0], OURS[1]))
        assert not alice.endings  # it hangs in telling the others
        await alice.hear(agree(THEIRS[1]))
        alice.transport.go_on.set()
        await trio.testing.wait_all_tasks_blocked()
        assert "cancelled there" in parted(alice.endings[0], PeerAborted)
        await alice.start()
        await alice.hear(confirm(OURS[2], THEIRS[1]))
        assert alice.endings[1:] == ["done"]


async def test_an_abort_before_we_begin_ends_our_run() -> None:
    async with alone() as alice:
        await alice.hear(agree(THEIRS[0]), abort(THEIRS[0], b""))
        await alice.start()
        assert "bob: ended the job: it was cancelled there" in parted(alice.endings[0], PeerAborted)


async def test_an_abort_may_overtake_the_agreement() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(abort(THEIRS[0], b"", Reason.REFUSED_INPUT))
        assert "refused its own input" in parted(alice.endings[0], PeerAborted)


async def test_a_peer_that_goes_after_it_agreed_is_lost() -> None:
    async with alone() as alice:
        await alice.start()
        await alice.hear(agree(THEIRS[0]))
        alice.mesh.peer_down(PEER, None)
        await trio.testing.wait_all_tasks_blocked()
        assert "it left while the job still needed it" in parted(alice.endings[0], PeerLost)


async def test_a_peer_that_goes_before_it_agrees_may_come_back() -> None:
    async with alone() as alice:
        await alice.start()
        alice.mesh.peer_down(PEER, PeerLost("bob", "the connection ended without goodbye"))
        await alice.up()
        assert alice.transport.kinds(PEER) == ["PAIR_SEED", "AGREE", "PAIR_SEED", "AGREE"]
        await alice.hear(SEED, agree(THEIRS[0]), confirm(OURS[1], THEIRS[0]))
        assert alice.endings == ["done"]


async def test_more_agreements_than_we_keep_are_a_violation() -> None:
    async with alone() as alice:

        def of(number: int) -> Frame:
            return Frame(Header(Kind.AGREE), memoryview(Agree(f"job-{number}", b"", THEIRS[0]).encode()))

        await alice.hear(*map(of, range(MAX_PENDING_JOBS)))
        with pytest.raises(PeerViolation, match="started more jobs"):
            await alice.hear(of(MAX_PENDING_JOBS))


async def test_many_bytes_of_agreements_are_a_violation() -> None:
    async with alone() as alice:

        def of(number: int) -> Frame:
            body = Agree(f"job-{number}", bytes(250_000), THEIRS[0]).encode()
            return Frame(Header(Kind.AGREE), memoryview(body))

        with pytest.raises(PeerViolation, match="started more jobs"):
            await alice.hear(*map(of, range(20)))


async def test_an_agreement_too_large_to_send_is_refused_here() -> None:
    names = tuple(f"{'x' * 250}{number}" for number in range(1050))
    loopback = Loopback(2)
    members = loopback.roster.members
    roster = type(loopback.roster)(
        (
            *members,
            *(type(members[0])(2 + at, name, bytes(32), "127.0.0.1:1") for at, name in enumerate(names)),
        )
    )
    mesh = Mesh(roster, members[0], Silent())
    async with mesh.open():
        with pytest.raises(LocalError, match="bytes to agree on"):
            await mesh.run(job_of(nothing, ("alice", "bob", *names)), {"value": 1})


async def test_differences_are_listed_field_by_field() -> None:
    ours: dict[str, Plain] = {"protocol": "average", "parameters": {"low": 0, "high": 9}, "dealer": None}
    theirs: dict[str, Plain] = {
        "protocol": "average",
        "parameters": {"low": 0, "high": 10},
        "dealer": "x\x1b[31m",
        "more": b"\xff",
    }
    with pytest.raises(AgreementMismatch) as caught:
        compare("bob", ours, theirs)
    assert dict(caught.value.differences) == {
        "parameters.high": ("9", "10"),
        "dealer": ("None", "'x\\x1b[31m'"),
        "more": ("None", "ff"),
    }


async def test_a_peers_words_in_a_mismatch_are_short_and_printable() -> None:
    with pytest.raises(AgreementMismatch) as caught:
        compare("bob", {}, {"\u202e\n" + "x" * 5000: "\u202e" * 5000})
    text = str(caught.value)
    assert len(text) < 500
    assert text.isprintable()
    assert text.isascii()


async def test_an_abort_names_only_parties_of_the_job() -> None:
    names = {0: "alice", 1: "bob"}
    assert Abort("x", b"", b"", Reason.LOST, (1, 1, 60_000)).sentence(names) == (
        "ended the job: it lost its connection to bob"
    )
    assert Abort("x", b"", b"", Reason.VIOLATION, (7,)).sentence(names).endswith("somebody broke the protocol")


async def test_aborts_survive_the_wire() -> None:
    operation = Operation(3, 1, "multiply", (2, 3), 77)
    for reason in Reason:
        message = Abort("x", THEIRS[0], OURS[0], reason, (0, 5), (operation,))
        assert Abort.decode_untrusted(message.encode(), "bob") == message


async def test_a_label_runs_once_at_a_time() -> None:
    async with alone() as alice:
        await alice.start()
        with pytest.raises(LocalError, match="label 'test' is running already"):
            await alice.mesh.run(JOB, {"value": 1})


async def test_a_mesh_that_is_closed_ends_the_jobs_of_other_tasks() -> None:
    async with trio.open_nursery() as nursery:
        alice = Alone(nursery, ())
        async with alice.mesh.open():
            await alice.up()
            await alice.start()
    assert "the mesh was closed" in str(alice.endings[0])
    assert alice.transport.kinds(PEER)[-1] == "ABORT"


async def test_a_mesh_that_is_not_open_runs_nothing() -> None:
    with pytest.raises(LocalError, match="not open"):
        await Mesh(LOOPBACK.roster, ALICE, Silent()).run(JOB, {"value": 1})


async def test_options_that_differ_are_shown_as_they_are() -> None:
    ours: dict[str, Plain] = {"options": ["caf\u00e9", "th\u00e9"]}
    with pytest.raises(AgreementMismatch) as caught:
        compare("bob", ours, {"options": ["\u8336", "\x1b[2J\u202e"]})
    assert caught.value.differences == {"options": ("['caf\u00e9', 'th\u00e9']", "['\u8336', '\\x1b[2J\\u202e']")}


async def test_long_lists_show_where_they_differ() -> None:
    ours: dict[str, Plain] = {"options": [f"option {place}" for place in range(300)]}
    theirs: dict[str, Plain] = {"options": [f"option {place + (place == 287)}" for place in range(301)]}
    with pytest.raises(AgreementMismatch) as caught:
        compare("bob", ours, theirs)
    assert caught.value.differences == {
        "number of options": ("300", "301"),
        "options, number 288": ("'option 287'", "'option 288'"),
    }
