"""Each failure ends at every honest party, in time, with an error that names the party or the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import AgreementMismatch, DeadlineExceeded, Identity, Job, PeerAborted, PeerLost, PeerViolation, Roster
from mpcnet.declare import Party
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.agreement import Agree, Confirm
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import Limits
from mpcnet_protocols.average import Rules, average
from tests.support.parties import Change, Endings, Loopback, Nothing, job_of, run_parties, scripted, total

ONES: dict[str, dict[str, object]] = {name: {"value": 1} for name in ("alice", "bob", "carol")}


async def two_rounds(party: Party[Nothing]) -> int:
    value = party.share("value").sum()
    first = await party.reveal(answer=value)
    second = await party.reveal(second=value + int(first["answer"]))
    return int(second["second"])


async def sleepy(party: Party[Nothing]) -> None:
    await party.reveal(answer=party.share("value").sum())
    await trio.sleep_forever()


def same(_receiver: int, frame: Frame) -> list[Frame]:
    return [frame]


# Parties that are not who or what they should be


async def strangers_see(three: Loopback, **wrong: Any) -> Endings:
    """Carol is wrong about something; the deadline is short, because nothing authenticated tells the others."""
    job = job_of(total, three.names, deadline_seconds=0.4)
    async with three.meshes("alice", "bob") as meshes, three.mesh("carol", **wrong).open() as carol:
        return await run_parties({**meshes, "carol": carol}, job, ONES)


async def test_an_impostor_ends_in_the_deadline_of_the_others_who_name_it(
    three: Loopback, mock_clock: trio.testing.MockClock
) -> None:
    other = Identity.generate()
    endings = await strangers_see(three, roster=three.replaced("carol", key=other.public), identity=other)
    for name, others in (("alice", {"carol"}), ("bob", {"carol"}), ("carol", {"alice", "bob"})):
        error = endings.errors[name]
        assert isinstance(error, DeadlineExceeded)
        assert set(error.waiting_for) == others
        assert "has another roster" in str(error)


async def test_a_wrong_key_under_the_right_roster_hash(two: Loopback, mock_clock: trio.testing.MockClock) -> None:
    # Bob's file is right, but somebody else, who knows the roster and not his key, listens at his address.
    async def impostor(stream: trio.SocketStream) -> None:
        async with stream:
            hello = await stream.receive_some(60)
            mirrored = hello[:8] + hello[10:12] + hello[8:10] + hello[12:44] + bytes(16)
            await stream.send_all(mirrored)
            await stream.send_all(bytes(48))
            await stream.receive_some(1)

    job = job_of(total, two.names, deadline_seconds=0.5)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(two.ports["bob"], host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, impostor, listeners)
        async with two.meshes("alice") as meshes:
            endings = await run_parties(meshes, job, {"alice": {"value": 1}})
        nursery.cancel_scope.cancel()
    error = endings.errors["alice"]
    assert isinstance(error, DeadlineExceeded)
    assert error.waiting_for == ("bob",)
    assert "does not hold bob's key" in str(error)


async def test_another_roster(three: Loopback, mock_clock: trio.testing.MockClock) -> None:
    # All keys fit, but Carol knows one party more.
    more = Loopback(4).roster.members[3]
    endings = await strangers_see(three, roster=Roster((*three.roster.members, more)))
    for name in ("alice", "bob"):
        error = endings.errors[name]
        assert isinstance(error, DeadlineExceeded)
        assert error.waiting_for == ("carol",)
        assert "a process that claims to be carol has another roster; compare with carol that of ours, " in str(
            error
        )


async def test_a_party_that_never_comes(three: Loopback, mock_clock: trio.testing.MockClock) -> None:
    job = job_of(total, three.names, deadline_seconds=0.5)
    async with three.meshes("alice", "bob") as meshes:
        endings = await run_parties(meshes, job, {"alice": {"value": 1}, "bob": {"value": 1}})
    assert set(endings.errors) == {"alice", "bob"}
    errors = list(endings.errors.values())
    assert any(isinstance(error, DeadlineExceeded) for error in errors)
    for error in errors:  # the second hears the first one's abort, or finds out by itself
        if isinstance(error, DeadlineExceeded):
            assert error.waiting_for == ("carol",)
        else:
            assert isinstance(error, PeerAborted)
            assert error.reason == "ended the job: its deadline passed while waiting for carol"


# Jobs that differ


@dataclass(frozen=True)
class Different:
    field: str
    job: Callable[[Job[Any, Any]], Job[Any, Any]]


DIFFERENT = [
    Different("protocol version", lambda job: replace(job, protocol=scripted(total, version=2))),
    Different("deadline seconds", lambda job: replace(job, deadline_seconds=61)),
    Different("roles.owners", lambda job: replace(job, roles={**job.roles, "owners": ("bob", "alice", "carol")})),
    Different("roles.watchers", lambda job: replace(job, roles={**job.roles, "watchers": ("bob",)})),
    Different("computing parties", lambda job: replace(job, compute=("alice", "bob"))),
]


@pytest.mark.parametrize("different", DIFFERENT, ids=lambda different: different.field)
async def test_jobs_that_differ_name_the_field(three: Loopback, different: Different) -> None:
    job = job_of(total, three.names)
    async with three.meshes() as meshes:
        endings = await run_parties(meshes, job, ONES, jobs={"carol": different.job(job)})
    assert not endings.results
    mismatches = [error for error in endings.errors.values() if isinstance(error, AgreementMismatch)]
    assert mismatches
    for name, error in endings.errors.items():
        if isinstance(error, AgreementMismatch):
            assert different.field in error.differences
            assert error.party == "carol" or name == "carol"
        else:
            assert isinstance(error, PeerAborted)
            assert "does not agree to the job of " in str(error)


async def test_other_parameters_name_the_field(three: Loopback) -> None:
    roles = {"owners": three.names}
    job = Job(average, Rules(), roles, "raises")
    other = replace(job, params=Rules(high=9))
    async with three.meshes() as meshes:
        endings = await run_parties(meshes, job, ONES, jobs={"alice": other})
    error = next(error for error in endings.errors.values() if isinstance(error, AgreementMismatch))
    assert set(error.differences) == {"parameters.high", "inputs.value.high"}
    assert len(endings.errors) == 3


async def test_a_party_that_the_others_do_not_count_in_is_told_so(three: Loopback) -> None:
    job = job_of(total, ("alice", "bob"))
    wide = job_of(total, three.names)
    async with three.meshes() as meshes:
        endings = await run_parties(meshes, job, ONES, jobs={"carol": wide})
    assert endings.outcomes == {"alice": 2, "bob": 2}
    error = endings.errors["carol"]
    assert isinstance(error, PeerAborted | AgreementMismatch)


# Strangers on the port


async def test_strangers_and_forged_hellos_end_no_job(two: Loopback) -> None:
    knocks = [
        b"GET / HTTP/1.1\r\nHost: bob\r\n\r\n",
        bytes(200),
        b"mpcnet" + b"\xff" * 54,
        b"mpcnet\x00\x01\x00\x00\x00\x01" + two.roster.hash + bytes(16) + bytes(48) + b"\xff" * 500,
    ]

    async def meanwhile(party: Party[Nothing]) -> int:
        total = party.share("value").sum()
        first = await party.reveal(answer=total)
        for knock in knocks:
            for port in two.ports.values():
                stream = await trio.open_tcp_stream("127.0.0.1", port)
                await stream.send_all(knock)
                await trio.aclose_forcefully(stream)
        second = await party.reveal(second=2 * int(first["answer"]) + total)
        return int(second["second"])

    async with two.meshes() as meshes:
        endings = await run_parties(
            meshes, job_of(meanwhile, two.names), {"alice": {"value": 1}, "bob": {"value": 2}}
        )
        assert endings.outcomes == {"alice": 9, "bob": 9}
        again = await run_parties(
            meshes, job_of(two_rounds, two.names, label="again"), {"alice": {"value": 1}, "bob": {"value": 2}}
        )
        assert again.outcomes == {"alice": 6, "bob": 6}


# Parties that hold their key, and cheat


async def with_cheat(three: Loopback, change: Change, function: Any = two_rounds) -> Endings:
    """Carol's frames are changed."""
    async with three.meshes(changes={"carol": change}) as meshes:
        return await run_parties(meshes, job_of(function, three.names), ONES)


def only(kind: Kind, then: Callable[[Frame], Iterable[Frame]], receiver: int | None = None) -> Change:
    """Change frames of one kind, perhaps only to one receiver."""

    def change(to: int, frame: Frame) -> Iterable[Frame]:
        return then(frame) if frame.header.kind is kind and receiver in (None, to) else [frame]

    return change


def body(frame: Frame, data: bytes) -> Frame:
    return Frame(frame.header, memoryview(data))


def honest_blame_carol(endings: Endings, kind: type[Exception], words: str) -> None:
    """At least one honest party saw it, and the other one heard of it or saw it too; both name Carol."""
    for name in ("alice", "bob"):
        error = endings.errors[name]
        assert isinstance(error, kind | PeerAborted), error
        assert "carol" in str(error)
    seen = [endings.errors[name] for name in ("alice", "bob") if isinstance(endings.errors[name], kind)]
    assert seen
    assert all(words in str(error) for error in seen)


@pytest.mark.parametrize("number", [0, 1])
async def test_a_message_of_the_wrong_length(three: Loopback, number: int) -> None:
    def longer(frame: Frame) -> list[Frame]:
        return [body(frame, bytes(frame.body) + b"x") if frame.header.round == number else frame]

    endings = await with_cheat(three, only(Kind.ROUND, longer))
    honest_blame_carol(endings, PeerViolation, f"sent 9 bytes in round {number}, where 8 were agreed")


async def test_an_empty_message(three: Loopback) -> None:
    endings = await with_cheat(three, only(Kind.ROUND, lambda frame: [body(frame, b"")], receiver=0))
    honest_blame_carol(endings, PeerViolation, "sent 0 bytes in round 0, where 8 were agreed")


async def test_different_nonces_for_different_parties(three: Loopback) -> None:
    def equivocate(frame: Frame) -> list[Frame]:
        agree = Agree.decode_untrusted(frame.body, "carol")
        return [body(frame, replace(agree, nonce=bytes(32)).encode())]

    endings = await with_cheat(three, only(Kind.AGREE, equivocate, receiver=0))
    errors = [error for error in endings.errors.values() if isinstance(error, AgreementMismatch)]
    assert any(set(error.differences) == {"nonce of carol"} for error in errors)
    assert set(endings.errors) == set(three.names)


async def test_a_confirmation_that_is_said_twice(three: Loopback) -> None:
    endings = await with_cheat(three, only(Kind.CONFIRM, lambda frame: [frame, frame]), sleepy)
    honest_blame_carol(endings, PeerViolation, "confirmed one job twice")


async def test_an_agreement_that_is_said_twice_changes_nothing(three: Loopback) -> None:
    endings = await with_cheat(three, only(Kind.AGREE, lambda frame: [frame, frame, frame]))
    assert endings.outcomes == dict.fromkeys(three.names, 6)


async def test_a_confirmation_of_another_job(three: Loopback) -> None:
    def other(frame: Frame) -> list[Frame]:
        confirm = Confirm.decode_untrusted(frame.body, "carol")
        return [body(frame, replace(confirm, job=bytes(32)).encode())]

    endings = await with_cheat(three, only(Kind.CONFIRM, other))
    for name in ("alice", "bob"):
        assert "carol" in str(endings.errors[name])
        assert isinstance(endings.errors[name], AgreementMismatch | PeerAborted)


@pytest.mark.parametrize("kind", [Kind.AGREE, Kind.CONFIRM, Kind.ABORT, Kind.PAIR_SEED])
async def test_garbage_inside_of_an_encrypted_link(
    three: Loopback, kind: Kind, mock_clock: trio.testing.MockClock
) -> None:
    garbage = Frame(Header(kind), memoryview(b"\xc1garbage"))
    said: set[int] = set()

    def change(to: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is Kind.ROUND and to not in said:
            said.add(to)
            return [garbage]
        return [frame]

    endings = await with_cheat(three, change)
    for name in ("alice", "bob"):
        assert isinstance(endings.errors[name], PeerViolation | PeerAborted)
        assert "carol" in str(endings.errors[name])


async def test_a_frame_over_the_limit(two: Loopback) -> None:
    def large(frame: Frame) -> list[Frame]:
        return [body(frame, bytes(200_000))]

    job = job_of(two_rounds, two.names)
    alice = two.mesh("alice", limits=Limits(max_frame_bytes=100_000))
    async with alice.open() as first, two.meshes("bob", changes={"bob": only(Kind.ROUND, large)}) as meshes:
        inputs: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 1}}
        endings = await run_parties({"alice": first, **meshes}, job, inputs)
    error = endings.errors["alice"]
    assert isinstance(error, PeerViolation)
    assert error.party == "bob"
    assert isinstance(endings.errors["bob"], PeerLost | PeerAborted)


async def test_the_end_of_a_program_that_comes_too_early(three: Loopback) -> None:
    def finish_first(frame: Frame) -> list[Frame]:
        return [Frame(Header(Kind.FINISH, frame.header.job))]

    endings = await with_cheat(three, only(Kind.ROUND, finish_first))
    for name in ("alice", "bob"):
        assert "carol" in str(endings.errors[name])
        assert "has ended" in str(endings.errors[name]) or isinstance(endings.errors[name], PeerAborted)


async def test_an_abort_of_an_earlier_run_ends_nothing(three: Loopback) -> None:
    def stale(frame: Frame) -> list[Frame]:
        old = Abort("test", bytes(32), b"\x01" * 32, Reason.CANCELLED)
        return [Frame(Header(Kind.ABORT), memoryview(old.encode())), frame]

    endings = await with_cheat(three, only(Kind.ROUND, stale))
    assert endings.outcomes == dict.fromkeys(three.names, 6)


async def test_a_swapped_message_is_no_message_of_this_round(three: Loopback) -> None:
    def later(frame: Frame) -> list[Frame]:
        return [Frame(replace(frame.header, digest=bytes(16)), frame.body)]

    endings = await with_cheat(three, only(Kind.ROUND, later))
    assert set(endings.errors) == set(three.names)
    for name in ("alice", "bob"):
        assert "carol" in str(endings.errors[name])


# Parties that die


PHASES: list[tuple[str, Kind, int]] = [
    ("before it agrees", Kind.AGREE, 0),
    ("before it confirms", Kind.CONFIRM, 0),
    ("before round 0", Kind.ROUND, 0),
    ("before round 1", Kind.ROUND, 1),
]


@pytest.mark.parametrize(("phase", "kind", "number"), PHASES, ids=[phase for phase, _, _ in PHASES])
@pytest.mark.parametrize("only_to", [None, 1], ids=["before anybody hears it", "when one has heard it"])
async def test_a_party_that_dies(
    three: Loopback,
    phase: str,
    kind: Kind,
    number: int,
    only_to: int | None,
    mock_clock: trio.testing.MockClock,
) -> None:
    scope = trio.CancelScope()
    dead = False

    def die(to: int, frame: Frame) -> list[Frame]:
        nonlocal dead
        if frame.header.kind is kind and frame.header.round == number and only_to in (None, to):
            dead = True
            scope.cancel()
        return [] if dead else [frame]

    endings = Endings()

    async def carol() -> None:
        with scope:
            async with three.mesh("carol", change=die).open() as mesh:
                await mesh.run(job_of(two_rounds, three.names, deadline_seconds=0.4), {"value": 1})

    async with trio.open_nursery() as nursery:
        nursery.start_soon(carol)
        async with three.meshes("alice", "bob") as meshes:
            inputs = {name: ONES[name] for name in ("alice", "bob")}
            endings = await run_parties(meshes, job_of(two_rounds, three.names, deadline_seconds=0.4), inputs)
    assert dead
    if only_to is not None and number == 1:
        assert endings.outcomes == {"alice": 6}  # she had every message of the last round
    else:
        assert not endings.outcomes
    assert set(endings.outcomes) | set(endings.errors) == {"alice", "bob"}
    for error in endings.errors.values():
        assert "carol" in str(error)
        assert isinstance(error, PeerLost | PeerAborted | DeadlineExceeded)
        if kind is not Kind.AGREE:
            assert not isinstance(error, DeadlineExceeded)
