"""The simulator: equal runs for equal seeds, exact virtual time, faults and liars, from any kind of caller."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

import pytest
import trio

from mpcnet import (
    AgreementMismatch,
    DeadlineExceeded,
    Job,
    LocalError,
    PeerAborted,
    PeerLost,
    PeerViolation,
    ProgramMismatch,
    RangeError,
)
from mpcnet.declare import Party
from mpcnet.engine import Context, Step
from mpcnet.sim import WAN, Adversary, Crash, CrashAfter, Crashed, LinkModel, Network, Simulation, Stall, simulate
from mpcnet.wire.frames import Frame, Kind
from mpcnet_protocols.average import Outcome, Rules, average
from mpcnet_sims.raises import raises
from tests.support.parties import Loopback, Nothing, job_of, run_parties

NAMES = ("alice", "bob", "carol")
VALUES: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 20}, "carol": {"value": 300}}
LATENCY = 0.05
SLOW = Network(LinkModel(LATENCY))


async def three_rounds(party: Party[Nothing]) -> int:
    values = party.share("value")
    out = await party.reveal(answer=values.sum())
    for _ in range(2):
        out = await party.reveal(answer=values.sum() + int(out["answer"]) // 10)
    return int(out["answer"])


async def forked(party: Party[Nothing]) -> list[int]:
    found = [0] * 4

    async def work(fork: Party[Nothing], number: int) -> None:
        values = fork.share("value")
        await fork.reveal(second=values)
        out = await fork.reveal(answer=values.sum() * number)
        found[number] = int(out["answer"])

    async with trio.open_nursery() as nursery:
        for number in range(4):
            async with party.fork(f"fork-{number}") as fork:
                nursery.start_soon(work, fork, number)
        await party.reveal(answer=party.share("value").sum())
    return found


async def bytes_around(party: Party[Nothing]) -> int:
    after = party.roster.members[(party.me.index + 1) % 3]
    before = party.roster.members[(party.me.index + 2) % 3]
    await party.send(after, bytes(100_000 + party.me.index))
    return len(await party.receive(before, max_bytes=200_000))


PROGRAMS = [three_rounds, forked, bytes_around]


def run(program: Any = three_rounds, **options: Any) -> Simulation[Any]:
    return simulate(job_of(program, NAMES), VALUES, **options)


def test_the_worked_example() -> None:
    simulation = raises.run()
    assert {outcome.sum for outcome in simulation.outputs.values()} == {12_686}
    assert {float(outcome.mean) for outcome in simulation.outputs.values()} == {3171.5}
    assert simulation.cost.rounds == 1


# One seed, one run


def described(simulation: Simulation[Any]) -> object:
    views = {
        name: [(entry.sender, entry.kind, entry.fork, entry.round, bytes(entry.body)) for entry in view]
        for name, view in simulation.views.items()
    }
    return simulation.outputs, simulation.trace, views, asdict(simulation.cost)


@pytest.mark.parametrize("program", PROGRAMS)
def test_equal_seeds_give_equal_runs_whatever_the_scheduler_does(program: Any) -> None:
    first = described(run(program, network=WAN))
    assert all(described(run(program, network=WAN)) == first for _ in range(20))


@pytest.mark.parametrize("program", [three_rounds, forked])
def test_other_seeds_give_other_messages_and_the_same_outputs(program: Any) -> None:
    first, second = run(program, seed=1), run(program, seed=2)
    assert first.outputs == second.outputs
    assert first.trace == second.trace  # sizes and times do not depend on the seed
    for name in NAMES:
        ours = [bytes(entry.body) for entry in first.views[name]]
        others = [bytes(entry.body) for entry in second.views[name]]
        assert all(one != other for one, other in zip(ours, others, strict=True))


def test_each_simulated_party_has_randomness_of_its_own() -> None:
    """What only a party knows is known to no other one: its bytes, and with them its keys and seeds."""

    async def program(party: Party[Nothing]) -> tuple[bytes, bytes]:
        own = party.random_bytes(16), await party.run("own", drawn)
        await party.reveal(answer=party.share("value").sum())
        return own

    def drawn(context: Context) -> Step[bytes]:
        yield from ()
        return context.randomness(16)

    simulation = run(program)
    own = [found for pair in simulation.outputs.values() for found in pair]
    assert len(set(own)) == len(own) == 6


def test_equal_seeds_give_equal_failures() -> None:
    runs = [run(faults=[Crash("bob", 1)], allow_errors=True, network=WAN) for _ in range(10)]
    assert {repr(sorted(one.errors.items(), key=str)) for one in runs} == {
        repr(sorted(runs[0].errors.items(), key=str))
    }
    assert all(one.trace == runs[0].trace for one in runs)


# Virtual time


def test_the_time_of_an_average_is_the_sum_of_its_journeys() -> None:
    # Connecting and shaking hands 4 journeys, then agreement, confirmation and one round.
    job = Job(average, Rules(), {"owners": NAMES}, "raises")
    simulation = simulate(job, VALUES, network=SLOW)
    assert simulation.cost.seconds == pytest.approx(7 * LATENCY, abs=1e-12)
    rounds = [event for event in simulation.trace if event.kind == "ROUND"]
    assert [event.sent for event in rounds] == pytest.approx([6 * LATENCY] * 6)
    assert [event.arrives for event in rounds] == pytest.approx([7 * LATENCY] * 6)


def test_each_round_takes_one_journey() -> None:
    assert run(three_rounds, network=SLOW).cost.seconds == pytest.approx(9 * LATENCY, abs=1e-12)


def test_a_narrow_link_takes_its_time() -> None:
    narrow = Network(LinkModel(LATENCY), {("alice", "bob"): LinkModel(LATENCY, bandwidth_bytes=10_000)})
    simulation = run(bytes_around, network=narrow)
    data = [event for event in simulation.trace if (event.sender, event.kind) == ("alice", "DATA")]
    (event,) = data
    assert event.arrives - event.sent == pytest.approx(LATENCY + (100_008 + 64) / 10_000)
    assert simulation.cost.seconds == pytest.approx(event.arrives, abs=LATENCY)


def test_frames_queue_on_a_narrow_link() -> None:
    async def two_messages(party: Party[Nothing]) -> None:
        if party.me.name == "alice":
            for _ in range(2):
                await party.send(party.roster.members[1], bytes(936 - 8))
        elif party.me.name == "bob":
            for _ in range(2):
                await party.receive(party.roster.members[0], max_bytes=1000)

    narrow = Network(LinkModel(0.0), {("alice", "bob"): LinkModel(0.5, bandwidth_bytes=1000)})
    simulation = run(two_messages, network=narrow)
    first, second = (event for event in simulation.trace if (event.sender, event.kind) == ("alice", "DATA"))
    assert second.arrives - first.arrives == pytest.approx(1.0)


def test_links_may_differ_by_direction() -> None:
    network = Network(LinkModel(0.01), {("alice", "bob"): LinkModel(0.2)})
    simulation = run(network=network)
    for event in simulation.trace:
        slow = (event.sender, event.receiver) == ("alice", "bob")
        assert event.arrives - event.sent == pytest.approx(0.2 if slow else 0.01)


@pytest.mark.parametrize("wrong", [(-1.0, 1.0), (math.inf, 1.0), (0.0, 0.0), (0.0, -5.0)])
def test_links_that_cannot_be_are_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(LocalError):
        LinkModel(*wrong)


@pytest.mark.slow
def test_a_hundred_parties() -> None:
    names = [f"p{number}" for number in range(100)]
    job = Job(average, Rules(), {"owners": names}, "many")
    simulation = simulate(job, {name: {"value": number} for number, name in enumerate(names)}, network=WAN)
    assert {outcome.sum for outcome in simulation.outputs.values()} == {4950}
    assert simulation.cost.rounds == 1
    assert simulation.cost.messages == 100 * 99
    assert simulation.cost.sent_bytes == 8 * 100 * 99


# Faults


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("victim", NAMES)
def test_a_crash_in_any_round_is_noticed_by_all(victim: str, number: int) -> None:
    simulation = run(faults=[Crash(victim, number)], allow_errors=True, network=SLOW)
    assert not simulation.outputs
    assert isinstance(simulation.errors[victim], Crashed)
    for name in set(NAMES) - {victim}:
        error = simulation.errors[name]
        assert isinstance(error, PeerLost)
        assert error.party == victim
    assert simulation.cost.seconds < 1


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("victim", NAMES)
def test_a_stall_in_any_round_ends_at_the_deadline(victim: str, number: int) -> None:
    job = replace(job_of(three_rounds, NAMES), deadline_seconds=10)
    simulation = simulate(job, VALUES, faults=[Stall(victim, number)], allow_errors=True, network=SLOW)
    for name in set(NAMES) - {victim}:
        error = simulation.errors[name]
        assert isinstance(error, DeadlineExceeded)
        assert error.waiting_for == (victim,)
        assert f"in round {number}" in str(error)
    assert simulation.cost.seconds == pytest.approx(10, abs=1)


def test_a_party_that_does_not_send_in_a_round_outlives_its_fault() -> None:
    assert run(faults=[Crash("bob", 3)]).outputs == run().outputs


async def round_and_bytes(party: Party[Nothing]) -> int:
    """Alice tells bob and carol two messages each, after one round."""
    total = int((await party.reveal(answer=party.share("value").sum()))["answer"])
    alice, *others = party.roles["owners"]
    for number in range(2):
        if party.me == alice:
            for other in others:
                await party.send(other, bytes([number]))
        else:
            assert await party.receive(alice, max_bytes=1) == bytes([number])
    return total


@pytest.mark.parametrize("messages", range(6))
def test_a_crash_between_two_messages(messages: int) -> None:
    """Alice sends two of a round, then two byte messages to each; exactly so many of hers leave."""
    fault = CrashAfter("alice", messages)
    runs = [run(round_and_bytes, faults=[fault], allow_errors=True, network=SLOW) for _ in range(3)]
    for simulation in runs:
        said = [event for event in simulation.trace if event.sender == "alice" and event.kind in ("ROUND", "DATA")]
        assert len(said) == messages
        assert isinstance(simulation.errors["alice"], Crashed)
        assert simulation.trace == runs[0].trace
        for name in ("bob", "carol"):
            error = simulation.errors[name]
            assert isinstance(error, PeerLost | PeerAborted)
            assert "alice" in str(error)
        assert simulation.cost.seconds < 1
    assert not run(round_and_bytes, faults=[CrashAfter("alice", 6)]).errors


def test_two_parties_may_crash() -> None:
    simulation = run(faults=[Crash("bob", 1), Crash("carol", 1)], allow_errors=True)
    assert isinstance(simulation.errors["alice"], PeerLost)
    assert {type(simulation.errors[name]) for name in ("bob", "carol")} <= {Crashed, PeerLost}


def test_the_first_cause_is_raised_when_errors_are_not_allowed() -> None:
    with pytest.raises(RangeError, match="outside"):
        simulate(job_of(three_rounds, NAMES), {**VALUES, "bob": {"value": 5000}})
    with pytest.raises(Crashed, match="carol was killed"):
        run(faults=[Crash("carol", 1)])


@pytest.mark.parametrize("fault", [Crash("bob", 2), Stall("bob", 2)])
def test_a_failed_simulation_keeps_its_cost_and_names_the_first_cause(fault: Crash | Stall) -> None:
    simulation = run(faults=[fault], allow_errors=True, network=SLOW)
    assert set(simulation.errors) >= {"alice", "carol"}
    assert set(simulation.cost.parties) == set(NAMES)
    # Two rounds are over at alice and carol; on the links, what they sent in the third counts too.
    alice = simulation.cost.parties["alice"]
    assert (alice.rounds, alice.messages, alice.sent_bytes) == (2, 4, 4 * 8)
    assert simulation.cost.links["alice", "carol"].messages == 3
    assert simulation.cost.rounds == simulation.cost.regions["main"] >= 2


def test_the_first_cause_is_that_of_the_party_that_failed_first() -> None:
    crashed = run(faults=[Crash("bob", 1), Crash("carol", 2)], allow_errors=True, network=SLOW)
    assert crashed.cause is not None
    assert crashed.cause[0] == "bob"
    assert isinstance(crashed.cause[1], Crashed)
    refused = simulate(job_of(three_rounds, NAMES), {**VALUES, "carol": {"value": 5000}}, allow_errors=True)
    assert refused.cause is not None
    assert refused.cause[0] == "carol"
    assert isinstance(refused.cause[1], RangeError)
    assert run().cause is None


def test_parties_may_disagree() -> None:
    other = replace(job_of(three_rounds, NAMES), scheme="plain")
    simulation = run(jobs={"carol": other}, allow_errors=True)
    error = simulation.errors["alice"]
    assert isinstance(error, AgreementMismatch)
    assert error.differences["scheme"] == ("'additive'", "'plain'")


@pytest.mark.parametrize("options", [{"faults": [Crash("dave")]}, {"jobs": {"dave": job_of(forked, NAMES)}}])
def test_a_party_that_does_not_take_part_cannot_be_meant(options: dict[str, Any]) -> None:
    with pytest.raises(LocalError, match="no party named 'dave'"):
        run(**options)
    with pytest.raises(LocalError, match="no party named 'dave'"):
        simulate(job_of(forked, NAMES), {**VALUES, "dave": {"value": 1}})


# Liars


class Liar:
    """Carol's frames of one round, changed."""

    def __init__(self, change: Any, number: int = 0) -> None:
        self.change = change
        self.number = number

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame | None:
        header = frame.header
        if (sender, header.kind, header.round) == ("carol", Kind.ROUND, self.number):
            changed: Frame | None = self.change(frame)
            return changed
        return frame


def longer(frame: Frame) -> Frame:
    return Frame(frame.header, memoryview(bytes(frame.body) + b"x"))


def other_digest(frame: Frame) -> Frame:
    return Frame(replace(frame.header, digest=bytes(16)), frame.body)


def other_bytes(frame: Frame) -> Frame:
    return Frame(frame.header, memoryview(bytes(byte ^ 0x5A for byte in frame.body)))


def nothing(frame: Frame) -> None:
    """It is dropped."""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_length_that_was_not_agreed_is_a_violation(number: int) -> None:
    simulation = run(adversary=Liar(longer, number), allow_errors=True)
    for name in ("alice", "bob"):
        error = simulation.errors[name]
        assert isinstance(error, PeerViolation)
        assert error.party == "carol"
        assert f"sent 9 bytes in round {number}, where 8 were agreed" in str(error)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_another_digest_is_another_program(number: int) -> None:
    simulation = run(adversary=Liar(other_digest, number), allow_errors=True)
    for name in ("alice", "bob"):
        error = simulation.errors[name]
        assert isinstance(error, ProgramMismatch | PeerAborted)
        assert "carol" in str(error)


def test_other_bytes_give_another_result_or_an_error_but_no_hang() -> None:
    # Semi-honest: nothing in the scheme notices; a result outside of its public range is refused.
    simulation = run(adversary=Liar(other_bytes), allow_errors=True)
    assert all("outside its public range" in str(simulation.errors[name]) for name in ("alice", "bob"))


def test_a_dropped_message_names_who_should_have_sent_it() -> None:
    simulation = run(adversary=Liar(nothing, 1), allow_errors=True)
    for name in ("alice", "bob"):
        error = simulation.errors[name]
        assert isinstance(error, DeadlineExceeded | PeerAborted | ProgramMismatch)
        assert "carol" in str(error)


# Callers


def test_from_inside_of_trio() -> None:
    async def main() -> dict[str, Any]:
        return run().outputs

    assert trio.run(main) == run().outputs


def test_from_inside_of_asyncio() -> None:
    async def main() -> dict[str, Any]:
        return run().outputs

    assert asyncio.run(main()) == run().outputs


def test_errors_reach_a_caller_inside_of_a_loop() -> None:
    async def main() -> None:
        run(faults=[Crash("bob")])

    with pytest.raises((PeerLost, Crashed)):
        trio.run(main)


def test_offloaded_work_takes_no_virtual_time() -> None:
    async def program(party: Party[Nothing]) -> int:
        return await party.offload(sum, range(1000))

    simulation = run(program, network=SLOW)
    assert set(simulation.outputs.values()) == {499_500}
    assert simulation.cost.seconds == pytest.approx(6 * LATENCY)


# The same as over links


def counts(costs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: asdict(cost) for name, cost in costs}


@pytest.mark.parametrize("program", [three_rounds, forked])
async def test_costs_are_those_of_real_links(program: Any) -> None:
    loopback = Loopback(NAMES)
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, job_of(program, NAMES), VALUES)
    simulation = run(program)
    assert endings.outcomes == simulation.outputs
    real = counts((name, result.cost) for name, result in endings.results.items())
    assert counts(simulation.cost.parties.items()) == real


def test_outcomes_of_the_bundled_average() -> None:
    job = Job(average, Rules(), {"owners": NAMES}, "raises")
    outcomes = simulate(job, VALUES).outputs
    assert all(isinstance(outcome, Outcome) and outcome.sum == 321 for outcome in outcomes.values())


class _Returns(Adversary):
    def __init__(self, change: Callable[[Frame], Any]) -> None:
        self.change = change

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame | None:
        changed: Frame | None = self.change(frame)
        return changed


def test_mistakes_of_an_experiment_are_said_as_they_are() -> None:
    def stumbles(frame: Frame) -> Frame:
        raise ZeroDivisionError("of the experiment")

    with pytest.raises(ZeroDivisionError, match="of the experiment"):
        simulate(Job(average, Rules(), {"owners": NAMES}, "raises"), VALUES, adversary=_Returns(stumbles))
    with pytest.raises(LocalError, match="returns a Frame or None, not a memoryview"):
        simulate(
            Job(average, Rules(), {"owners": NAMES}, "raises"), VALUES, adversary=_Returns(lambda frame: frame.body)
        )
    with pytest.raises(LocalError, match="a network is a Network, such as LAN or WAN, not a str"):
        simulate(Job(average, Rules(), {"owners": NAMES}, "raises"), VALUES, network="wan")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(LocalError, match="has no party named 'ann'"):
        simulate(
            Job(average, Rules(), {"owners": NAMES}, "raises"),
            VALUES,
            network=Network(LinkModel(0.1), links={("ann", "bob"): LinkModel(1)}),
        )
    with pytest.raises(LocalError, match="bob has more faults than one"):
        simulate(
            Job(average, Rules(), {"owners": NAMES}, "raises"), VALUES, faults=[Stall("bob"), Crash("bob", round=1)]
        )
