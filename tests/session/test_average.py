"""Averages and sums over real encrypted links on loopback: who gives, who computes, who learns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import Job, LocalError, PeerAborted, RangeError
from mpcnet.declare import Party
from mpcnet.wire.frames import Frame, Kind
from mpcnet_protocols.average import Rules, average
from tests.support.parties import Loopback, Nothing, job_of, run_parties, total

RAISES = {"alice": 3800, "bob": 2514, "carol": 2982, "dave": 3390}


def given(values: dict[str, int]) -> dict[str, dict[str, object]]:
    return {name: {"value": value} for name, value in values.items()}


async def test_the_worked_example() -> None:
    loopback = Loopback(tuple(RAISES))
    job = Job(average, Rules(), {"owners": loopback.names}, "raises")
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, job, given(RAISES))
    assert not endings.errors
    assert {(outcome.sum, outcome.mean) for outcome in endings.outcomes.values()} == {(12_686, Fraction(6343, 2))}
    assert {result.cost.rounds for result in endings.results.values()} == {1}
    assert len({result.job for result in endings.results.values()}) == 1


@pytest.mark.parametrize("count", [2, 3, 5, 9])
async def test_sums_of_few_and_many(count: int) -> None:
    loopback = Loopback(count)
    values = {name: 100 * position - 200 for position, name in enumerate(loopback.names)}
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, job_of(total, loopback.names), given(values))
    assert endings.outcomes == dict.fromkeys(loopback.names, sum(values.values()))


@pytest.mark.parametrize("values", [(0, 0, 0), (-1000, -1000, -1000), (1000, 1000, 1000), (-1000, 1000, 1)])
async def test_values_at_the_ends_of_the_range(three: Loopback, values: tuple[int, ...]) -> None:
    async with three.meshes() as meshes:
        inputs = given(dict(zip(three.names, values, strict=True)))
        endings = await run_parties(meshes, job_of(total, three.names), inputs)
    assert not endings.errors
    assert endings.outcomes == dict.fromkeys(three.names, sum(values))


PARTS = [
    # owners, computing parties, watchers
    ("alice,bob", "carol,dave", ""),
    ("alice,bob,carol", "carol,dave", "dave"),
    ("dave", "alice,bob", "carol"),
    ("alice", "alice,bob", ""),
    ("alice,bob", "", "carol"),
    ("alice,bob", "", "alice,dave"),
    ("carol,alice", "bob,dave", "erin"),
    ("dave,carol,bob,alice", "dave,alice", "bob"),
]


@pytest.mark.parametrize(("owners", "compute", "watchers"), PARTS)
async def test_any_overlap_of_owners_computing_parties_and_receivers(
    owners: str, compute: str, watchers: str
) -> None:
    async def program(party: Party[Nothing]) -> dict[str, int]:
        value = party.share("value").sum()
        outputs = {"answer": value, "own": 2 * value}
        if party.roles["watchers"]:
            outputs["quiet"] = 3 * value
        out = await party.reveal(**outputs)
        return {name: int(out[name]) for name in out}

    loopback = Loopback(5)
    names = {
        role: [name for name in text.split(",") if name]
        for role, text in zip(("owners", "compute", "watchers"), (owners, compute, watchers), strict=True)
    }
    job = job_of(program, names["owners"], compute=names["compute"], watchers=names["watchers"])
    everyone = sorted({*names["owners"], *names["compute"], *names["watchers"]})
    inputs: dict[str, dict[str, object]] = {name: {} for name in everyone}
    for position, name in enumerate(names["owners"]):
        inputs[name] = {"value": 10**position}
    answer = sum(10**position for position in range(len(names["owners"])))
    async with loopback.meshes(*everyone) as meshes:
        endings = await run_parties(meshes, job, inputs)
    assert not endings.errors
    for name, outcome in endings.outcomes.items():
        expected = {"answer": answer}
        if name in names["owners"]:
            expected["own"] = 2 * answer
        if name in names["watchers"]:
            expected["quiet"] = 3 * answer
        assert outcome == expected


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_parties_start_in_any_order(
    three: Loopback, order: tuple[int, ...], mock_clock: trio.testing.MockClock
) -> None:
    sums: dict[str, int] = {}

    async def start(name: str, delay: float) -> None:
        await trio.sleep(delay)
        async with three.mesh(name).open() as mesh:
            sums[name] = await mesh.run(job_of(total, three.names), {"value": 7})

    async with trio.open_nursery() as nursery:
        for position, index in enumerate(order):
            nursery.start_soon(start, three.names[index], 0.1 * position)
    assert sums == dict.fromkeys(three.names, 21)


@pytest.mark.parametrize("value", [1001, -1001, 2**70])
async def test_a_value_outside_its_range_is_refused_before_anything_is_sent(three: Loopback, value: int) -> None:
    sent: list[Kind] = []

    def note(_receiver: int, frame: Frame) -> list[Frame]:
        sent.append(frame.header.kind)
        return [frame]

    async with three.meshes(changes={"bob": note}) as meshes:
        inputs = given({"alice": 1, "bob": value, "carol": 3})
        endings = await run_parties(meshes, job_of(total, three.names), inputs)
    assert set(sent) == {Kind.PAIR_SEED, Kind.ABORT}
    assert type(endings.errors["bob"]) is RangeError
    for name in ("alice", "carol"):
        error = endings.errors[name]
        assert isinstance(error, PeerAborted)
        assert (error.party, error.reason) == ("bob", "ended the job: it refused its own input")


WRONG_INPUTS: list[dict[str, Any]] = [{}, {"value": "many"}, {"value": [1, 2]}, {"value": 1.5}, {"other": 1}]


@pytest.mark.parametrize("inputs", WRONG_INPUTS)
async def test_inputs_that_do_not_fit_their_declaration_are_refused(two: Loopback, inputs: dict[str, Any]) -> None:
    async with two.meshes() as meshes:
        endings = await run_parties(meshes, job_of(total, two.names), {"alice": inputs, "bob": {"value": 1}})
    assert isinstance(endings.errors["alice"], LocalError)
    assert isinstance(endings.errors["bob"], PeerAborted)


async def test_who_comes_after_a_refusal_hears_of_it(two: Loopback, mock_clock: trio.testing.MockClock) -> None:
    errors: list[PeerAborted] = []

    async def late() -> None:
        await trio.sleep(1.5)
        async with two.mesh("bob").open() as mesh:
            with pytest.raises(PeerAborted, match="refused its own input") as caught:
                await mesh.run(job_of(total, two.names), {"value": 1})
            errors.append(caught.value)

    async with two.mesh("alice").open() as mesh, trio.open_nursery() as nursery:
        nursery.start_soon(late)
        with pytest.raises(RangeError):
            await mesh.run(job_of(total, two.names), {"value": 5000})
    assert [error.party for error in errors] == ["alice"]


async def test_a_corrected_input_runs_under_the_same_label(two: Loopback) -> None:
    async with two.meshes() as meshes:
        job = job_of(total, two.names)
        first = await run_parties(meshes, job, given({"alice": 2000, "bob": 1}))
        assert set(first.errors) == {"alice", "bob"}
        second = await run_parties(meshes, job, given({"alice": 20, "bob": 1}))
    assert not second.errors
    assert second.outcomes == {"alice": 21, "bob": 21}


@pytest.mark.parametrize("bits", [False, True])
async def test_a_secret_that_somebody_forgot_to_reveal(three: Loopback, bits: bool) -> None:
    async def forgets(party: Party[Nothing]) -> object:
        value = party.share("value").sum()
        await party.reveal(answer=value)
        return value < 3 if bits else value

    async with three.meshes() as meshes:
        endings = await run_parties(meshes, job_of(forgets, three.names), given(dict.fromkeys(three.names, 1)))
    assert set(endings.errors) == set(three.names)
    assert any("await party.reveal" in str(error) for error in endings.errors.values())
    assert all(isinstance(error, LocalError | PeerAborted) for error in endings.errors.values())


async def test_a_text_is_no_list_of_names() -> None:
    with pytest.raises(LocalError, match="role 'owners' takes a list of names"):
        Job(average, Rules(), {"owners": "cem"}, "raises")
    with pytest.raises(LocalError, match="'compute' takes a list of names"):
        Job(average, Rules(), {"owners": ("ann", "ben", "cem")}, "raises", compute="ann")
