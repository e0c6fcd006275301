"""Parties that agreed to one job and run different programs: found out at once, and said where and how."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import DeadlineExceeded, PeerAborted, ProgramMismatch
from mpcnet.declare import Party
from tests.support.parties import Endings, Loopback, Nothing, job_of, run_parties

Program = Callable[[Party[Nothing]], Awaitable[object]]
ONES: dict[str, dict[str, object]] = {name: {"value": 1} for name in ("alice", "bob", "carol")}


async def honest(party: Party[Nothing]) -> int:
    value = party.share("value")
    first = await party.reveal(answer=2 * value.sum())
    second = await party.reveal(second=value.sum() + int(first["answer"]))
    return int(second["second"])


async def other_public_operand(party: Party[Nothing]) -> object:
    value = party.share("value")
    first = await party.reveal(answer=3 * value.sum())
    return await party.reveal(second=value.sum() + int(first["answer"]))


async def other_order(party: Party[Nothing]) -> object:
    value = party.share("value")
    await party.reveal(second=value.sum())
    return await party.reveal(answer=2 * value.sum())


async def other_shape(party: Party[Nothing]) -> object:
    return await party.reveal(answer=party.share("value"))


async def other_receivers(party: Party[Nothing]) -> object:
    value = party.share("value")
    await party.reveal(own=2 * value.sum())
    return await party.reveal(second=value.sum())


async def one_more_output(party: Party[Nothing]) -> object:
    value = party.share("value")
    return await party.reveal(answer=2 * value.sum(), second=value.sum())


async def more_rounds(party: Party[Nothing]) -> object:
    value = party.share("value")
    first = await party.reveal(answer=2 * value.sum())
    await party.reveal(second=value.sum() + int(first["answer"]))
    return await party.reveal(own=value.sum())


async def fewer_rounds(party: Party[Nothing]) -> object:
    return await party.reveal(answer=2 * party.share("value").sum())


async def none_at_all(party: Party[Nothing]) -> object:
    return None


async def run(loopback: Loopback, program: Program, at: str, base: Program = honest) -> Endings:
    """Everybody runs `base`, one party another program."""
    jobs: dict[str, Any] = {at: job_of(program, loopback.names)}
    inputs = {name: ONES[name] for name in loopback.names}
    async with loopback.meshes() as meshes:
        return await run_parties(meshes, job_of(base, loopback.names), inputs, jobs=jobs)


@dataclass(frozen=True)
class Divergence:
    program: Program
    words: str


DIVERGENCES = [
    Divergence(other_public_operand, "and so do we, but with other public values"),
    Divergence(other_order, "at round 0 bob reveals 1 value, we run 'scale' on 1 value"),
    Divergence(other_shape, "at round 0 bob reveals 2 values, we run 'sum' on 1 value"),
    Divergence(other_receivers, "names, ranges, operands or receivers"),
    Divergence(one_more_output, "at round 0 bob"),
]


@pytest.mark.parametrize("divergence", DIVERGENCES, ids=lambda one: one.program.__name__)
async def test_two_parties_hear_what_each_of_them_does(two: Loopback, divergence: Divergence) -> None:
    endings = await run(two, divergence.program, "bob")
    ours, theirs = endings.errors["alice"], endings.errors["bob"]
    assert isinstance(ours, ProgramMismatch)
    assert isinstance(theirs, ProgramMismatch)
    assert (ours.party, theirs.party) == ("bob", "alice")
    assert divergence.words in str(ours)
    assert "alice" in str(theirs)


@pytest.mark.parametrize("divergence", DIVERGENCES, ids=lambda one: one.program.__name__)
async def test_among_three_all_end_and_name_the_two(three: Loopback, divergence: Divergence) -> None:
    endings = await run(three, divergence.program, "bob")
    assert not endings.results
    for name, error in endings.errors.items():
        assert isinstance(error, ProgramMismatch | PeerAborted)
        assert "bob" in str(error) or name == "bob"
    assert isinstance(endings.errors["bob"], ProgramMismatch | PeerAborted)
    assert any(isinstance(error, ProgramMismatch) for error in endings.errors.values())


@pytest.mark.parametrize(
    ("program", "base"), [(fewer_rounds, honest), (none_at_all, honest), (honest, more_rounds)]
)
async def test_who_ends_first_ends_the_others(three: Loopback, program: Program, base: Program) -> None:
    endings = await run(three, program, "bob", base)
    assert "bob" in endings.results  # it has all that it asked for, and left
    for name in ("alice", "carol"):
        error = endings.errors[name]
        assert isinstance(error, ProgramMismatch | PeerAborted)
        assert "bob" in str(error)
    sentences = [str(error) for error in endings.errors.values() if isinstance(error, ProgramMismatch)]
    assert sentences
    assert all("the program of bob has ended; ours" in sentence for sentence in sentences)


async def test_one_more_round_at_one_party(three: Loopback) -> None:
    endings = await run(three, more_rounds, "bob")
    error = endings.errors["bob"]
    assert isinstance(error, ProgramMismatch)
    assert "has ended; ours" in str(error)
    assert set(endings.results) == {"alice", "carol"}


@pytest.mark.parametrize("with_parent", [False, True])
async def test_a_divergence_inside_of_a_fork(two: Loopback, with_parent: bool) -> None:
    def forked(factor: int) -> Program:
        async def work(fork: Party[Nothing], factor: int) -> None:
            await fork.reveal(answer=factor * fork.share("value").sum())

        async def program(party: Party[Nothing]) -> None:
            async with trio.open_nursery() as nursery:
                async with party.fork("first") as first, party.fork("second") as second:
                    nursery.start_soon(work, first, 1)
                    nursery.start_soon(work, second, factor)
                if with_parent:
                    await party.reveal(second=party.share("value"))

        return program

    endings = await run(two, forked(5), "bob", forked(4))
    for name, other in (("alice", "bob"), ("bob", "alice")):
        error = endings.errors[name]
        assert isinstance(error, ProgramMismatch)
        assert f"at round 0 {other} runs" in str(error)
        assert "and so do we, but with other public values" in str(error)


async def test_a_fork_that_the_other_does_not_have(two: Loopback, mock_clock: trio.testing.MockClock) -> None:
    # A frame for a fork that we have not opened may be early: only the deadline tells.
    def forked(label: str) -> Program:
        async def program(party: Party[Nothing]) -> None:
            async with party.fork(label) as fork:
                await fork.reveal(answer=fork.share("value").sum())

        return program

    jobs = {name: job_of(forked(name), two.names, deadline_seconds=1) for name in two.names}
    async with two.meshes() as meshes:
        endings = await run_parties(meshes, jobs["alice"], {name: ONES[name] for name in two.names}, jobs=jobs)
    assert not endings.results
    error = next(error for error in endings.errors.values() if isinstance(error, DeadlineExceeded))
    assert len(error.waiting_for) == 1
    assert f"{error.waiting_for[0]} works in a fork that our program has not opened" in str(error)


async def test_who_sends_to_one_that_has_ended(two: Loopback) -> None:
    async def sends(party: Party[Nothing]) -> None:
        await party.send(party.roster.members[1], bytes(5 * 2**20))

    endings = await run(two, none_at_all, "bob", sends)
    assert isinstance(endings.errors["alice"], ProgramMismatch)
    assert str(endings.errors["alice"]) == "the program of bob has ended; ours has a message for it"


async def test_who_waits_for_one_that_has_ended(two: Loopback) -> None:
    async def receives(party: Party[Nothing]) -> None:
        await party.receive(party.roster.members[1], max_bytes=5)

    endings = await run(two, none_at_all, "bob", receives)
    assert isinstance(endings.errors["alice"], ProgramMismatch)
    assert str(endings.errors["alice"]) == "the program of bob has ended; ours waits for its message"
