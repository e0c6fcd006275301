"""What must never run, and what must never be believed: guards of the session, tried through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import AgreementMismatch, DeadlineExceeded, Job, LocalError, PeerAborted, simulate
from mpcnet.declare import Party
from mpcnet.session.events import Event, PeerDown
from mpcnet.session.frame_limits import check_size_untrusted
from mpcnet.session.pairs import SEED_SHARE_BYTES
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Change, Loopback, Nothing, job_of, run_parties, total

ONES: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 1}}


async def test_what_protects_nothing_is_never_run_over_links(two: Loopback) -> None:
    job = replace(job_of(total, two.names), scheme="plain")
    async with two.meshes() as meshes:
        endings = await run_parties(meshes, job, ONES)
    assert set(endings.errors) == {"alice", "bob"}
    for error in endings.errors.values():
        assert isinstance(error, LocalError)
        assert "'plain' protects nothing and is never run over links" in str(error)
    assert simulate(job, ONES).outputs == {"alice": 2, "bob": 2}


# The agreement


async def differing(first: Job[Nothing, Any], second: Job[Nothing, Any]) -> set[str]:
    """The fields that alice is told of, when she runs the first job and bob the second."""
    async with Loopback(4).meshes("alice", "bob") as meshes:
        endings = await run_parties(meshes, first, ONES, jobs={"bob": second})
    assert set(endings.errors) == {"alice", "bob"}
    error = endings.errors["alice"]
    assert isinstance(error, AgreementMismatch)
    return set(error.differences)


async def test_another_dealer_is_another_job() -> None:
    job = job_of(total, ("alice", "bob"))
    carol, dave = (replace(job, dealer=name) for name in ("carol", "dave"))
    assert await differing(carol, dave) == {"dealer"}
    for one, other in ((carol, job), (job, dave)):
        assert "dealer" in await differing(one, other)


async def test_other_receivers_are_another_job() -> None:
    job = job_of(total, ("alice", "bob"), watchers=("carol",))
    outputs = {**job.protocol.outputs, "quiet": job.protocol.outputs["own"]}
    other = replace(job, protocol=replace(job.protocol, outputs=outputs))
    assert await differing(job, other) == {"outputs.quiet"}


# Time


@pytest.mark.parametrize("who", ["everybody", "alice"])
async def test_a_program_that_hangs_by_itself_ends_at_its_deadline(
    two: Loopback, mock_clock: trio.testing.MockClock, who: str
) -> None:
    """It waits for no party, so that no party can be missed."""

    async def program(party: Party[Nothing]) -> None:
        if who in {"everybody", party.me.name}:
            await trio.sleep_forever()

    with trio.fail_after(100):
        async with two.meshes() as meshes:
            endings = await run_parties(meshes, job_of(program, two.names, deadline_seconds=9), ONES)
    assert isinstance(endings.errors["alice"], DeadlineExceeded | PeerAborted)
    assert any(isinstance(error, DeadlineExceeded) for error in endings.errors.values())
    assert set(endings.errors) == ({"alice", "bob"} if who == "everybody" else {"alice"})


# What is shared once


async def test_an_input_is_shared_once_in_a_fork(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> int:
        value = party.share("value")
        with pytest.raises(LocalError, match="input 'value' was shared already in this fork"):
            party.share("value")
        async with party.fork("again") as fork:
            first = await fork.reveal(answer=fork.share("value").sum())
        second = await party.reveal(answer=value.sum())
        return int(first["answer"]) + int(second["answer"])

    async with two.meshes() as meshes:
        endings = await run_parties(meshes, job_of(program, two.names), ONES)
    assert endings.outcomes == {"alice": 4, "bob": 4}


# What comes over a link


LIMITS = {
    Kind.PAIR_SEED: 32,
    Kind.AGREE: 256 * 1024,
    Kind.CONFIRM: 256 * 1024,
    Kind.ABORT: 32 * 1024,
    Kind.FINISH: 0,
    Kind.CREDIT: 8,
    Kind.DATA: 2**20,
}


@pytest.mark.parametrize("kind", list(LIMITS))
async def test_each_kind_has_its_size(kind: Kind) -> None:
    check_size_untrusted("bob", kind, LIMITS[kind])
    with pytest.raises(Exception, match=f"bob: sent {LIMITS[kind] + 1} bytes of kind {kind.name}"):
        check_size_untrusted("bob", kind, LIMITS[kind] + 1)


def grown(kind: Kind) -> Change:
    """One byte more than the limit of that kind allows, in each of its frames."""

    def change(_: int, frame: Frame) -> list[Frame]:
        return [Frame(frame.header, memoryview(bytes(LIMITS[kind] + 1)))] if frame.header.kind is kind else [frame]

    return change


def other_seed(_: int, frame: Frame) -> list[Frame]:
    """First one part of the pair's seed, then another."""
    if frame.header.kind is not Kind.PAIR_SEED:
        return [frame]
    return [frame, Frame(frame.header, memoryview(bytes(SEED_SHARE_BYTES)))]


CHEATS: dict[str, tuple[Change, str]] = {
    **{
        kind.name: (grown(kind), f"sent {LIMITS[kind] + 1} bytes of kind {kind.name}")
        for kind in (Kind.PAIR_SEED, Kind.AGREE, Kind.CONFIRM)
    },
    "another seed": (other_seed, "contribution to the pair seed"),
}


@pytest.mark.parametrize("cheat", list(CHEATS))
async def test_a_peer_that_cheats_before_the_job_runs_loses_its_link(
    two: Loopback, mock_clock: trio.testing.MockClock, cheat: str
) -> None:
    change, reason = CHEATS[cheat]
    seen: list[Event] = []
    async with two.meshes(changes={"bob": change}, listener=seen.append) as meshes:
        endings = await run_parties(meshes, job_of(total, two.names, deadline_seconds=3), ONES)
    assert set(endings.errors) == {"alice", "bob"}
    reasons = [event.reason for event in seen if isinstance(event, PeerDown) and event.party == "bob"]
    assert any(reason in text for text in reasons), reasons


Refused = Callable[[Job[Nothing, Any]], Job[Nothing, Any]]

REFUSED: dict[str, tuple[Refused, str]] = {
    "a party twice in a role": (
        lambda job: replace(job, roles={**job.roles, "owners": ("alice", "bob", "alice")}),
        "role 'owners' names a party twice",
    ),
    "a party that computes twice": (
        lambda job: replace(job, compute=("alice", "bob", "bob")),
        "a computing party is named twice",
    ),
    "no end": (lambda job: replace(job, deadline_seconds=float("inf")), "a deadline lies between 0 and"),
    "no number": (lambda job: replace(job, deadline_seconds=float("nan")), "a deadline lies between 0 and"),
    "longer than a month": (lambda job: replace(job, deadline_seconds=1e9), "a deadline lies between 0 and"),
    "no time at all": (lambda job: replace(job, deadline_seconds=0), "a deadline lies between 0 and"),
}


@pytest.mark.parametrize("what", list(REFUSED))
async def test_jobs_that_cannot_be(two: Loopback, what: str) -> None:
    change, words = REFUSED[what]
    job = change(job_of(total, two.names))
    async with two.meshes("alice") as meshes:
        with trio.fail_after(5), pytest.raises(LocalError, match=words):
            await meshes["alice"].run(job, {"value": 1})
