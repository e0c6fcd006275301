"""The dealer: a party of its own, which answers when all ask alike, each question once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import (
    DeadlineExceeded,
    Job,
    LocalError,
    PeerAborted,
    PeerLost,
    PeerViolation,
    ProgramMismatch,
    simulate,
)
from mpcnet.algebra import Streams
from mpcnet.correlated.items import Triples
from mpcnet.correlated.provider import MAX_REQUEST_BYTES, encode_request
from mpcnet.declare import Party
from mpcnet.session.channels import fork_id
from mpcnet.session.dealer_service import DealerService, dealer_path
from mpcnet.wire.frames import Frame, Header, Kind
from tests.support.parties import Change, Endings, Loopback, Nothing, job_of, run_parties

OWNERS = ("alice", "bob", "carol")
INPUTS: dict[str, dict[str, object]] = {
    "alice": {"value": 7},
    "bob": {"value": -3},
    "carol": {"value": 5},
    "dave": {},
}
NAMES = dict(enumerate(("alice", "bob", "carol", "dave")))


def dealt(function: Callable[[Party[Nothing]], Awaitable[Any]], **changes: Any) -> Job[Nothing, Any]:
    """A job that dave deals for."""
    return replace(job_of(function, OWNERS), dealer="dave", **changes)


async def largest(party: Party[Nothing]) -> int:
    out = await party.reveal(answer=party.share("value").max())
    return int(out["answer"])


async def twice(party: Party[Nothing]) -> tuple[int, bool]:
    values = party.share("value")
    first = await party.reveal(answer=values[0] * values[1])
    second = await party.reveal(second=values[2] < int(first["answer"]))
    return int(first["answer"]), bool(second["second"])


async def forked(party: Party[Nothing]) -> list[int]:
    values = party.share("value")
    await party.evaluate(values)
    squares: dict[int, int] = {}

    async def square(position: int) -> None:
        async with party.fork(f"square-{position}") as inner:
            mine = inner.use(values)[position]
            squares[position] = int((await inner.reveal(answer=mine * mine))["answer"])

    async with trio.open_nursery() as nursery:
        for position in range(3):
            nursery.start_soon(square, position)
    return [squares[position] for position in range(3)]


async def over_links(job: Job[Nothing, Any], changes: dict[str, Change] | None = None) -> Endings:
    """Everybody over encrypted TCP."""
    async with Loopback(4).meshes(changes=changes) as meshes:
        return await run_parties(meshes, job, INPUTS)


@pytest.mark.parametrize(("function", "expected"), [(largest, 7), (twice, (-21, False)), (forked, [49, 9, 25])])
async def test_products_and_comparisons_over_links(
    function: Callable[[Party[Nothing]], Awaitable[Any]], expected: object
) -> None:
    endings = await over_links(dealt(function))
    assert endings.outcomes == {**dict.fromkeys(OWNERS, expected), "dave": None}


async def test_asking_the_dealer_is_no_online_round() -> None:
    endings = await over_links(dealt(twice))
    cost = endings.results["alice"].cost
    # product and reveal; opening, one level of the tree (11 bits, blocks of 4: 3 of them, two levels), and reveal
    assert cost.rounds == 6
    assert cost.regions["correlated"].rounds == 2
    assert endings.results["dave"].cost.rounds == 0


async def test_owners_who_do_not_compute_and_parties_that_only_do() -> None:
    names = ("alice", "bob", "carol", "dave", "erin", "frank")
    job = replace(job_of(largest, OWNERS, compute=("erin", "frank")), dealer="dave")
    inputs = {name: dict(INPUTS.get(name, {})) for name in names}
    async with Loopback(names).meshes() as meshes:
        endings = await run_parties(meshes, job, inputs)
    assert endings.outcomes == {**dict.fromkeys((*OWNERS, "erin", "frank"), 7), "dave": None}


@pytest.mark.parametrize(("dealer", "compute"), [("alice", ()), ("dave", ("dave", "alice"))])
async def test_a_dealer_takes_no_other_part(dealer: str, compute: tuple[str, ...]) -> None:
    job = replace(job_of(largest, OWNERS, compute=compute), dealer=dealer)
    async with Loopback(4).meshes("alice") as meshes:
        with pytest.raises(LocalError, match=f"{dealer} deals, and must take no other part"):
            await meshes["alice"].run(job, {"value": 7})


async def test_without_a_dealer_products_are_refused_before_anything_is_sent() -> None:
    async with Loopback(3).meshes() as meshes:
        inputs = {name: INPUTS[name] for name in OWNERS}
        endings = await run_parties(meshes, job_of(largest, OWNERS), inputs)
    assert any("name a dealer" in str(error) for error in endings.errors.values())
    assert all(isinstance(error, LocalError | PeerAborted) for error in endings.errors.values())
    assert len(endings.errors) == 3


# A dealer that cheats, or fails


def of_the_dealer(change: Callable[[Frame], list[Frame]]) -> dict[str, Change]:
    """Change the dealer's answers, and nothing else."""
    return {"dave": lambda _peer, frame: change(frame) if frame.header.kind is Kind.ROUND else [frame]}


async def test_an_answer_that_is_too_short_names_the_dealer() -> None:
    endings = await over_links(dealt(largest), of_the_dealer(lambda frame: [replace(frame, body=frame.body[:-8])]))
    error = endings.errors["alice"]
    assert isinstance(error, PeerViolation)
    assert error.party == "dave"


@pytest.mark.parametrize("function", [largest, twice])
async def test_a_second_answer_is_noticed_also_behind_the_last_question(
    function: Callable[[Party[Nothing]], Awaitable[object]],
) -> None:
    endings = await over_links(dealt(function), of_the_dealer(lambda frame: [frame, frame]))
    error = endings.errors["alice"]
    assert isinstance(error, PeerViolation)
    assert error.party == "dave"
    assert "was not asked for" in error.reason
    assert set(endings.errors) >= {"alice", "bob", "carol"}


async def test_an_answer_that_never_comes(mock_clock: trio.testing.MockClock) -> None:
    endings = await over_links(dealt(largest, deadline_seconds=5), of_the_dealer(lambda _: []))
    error = endings.errors["alice"]
    assert isinstance(error, DeadlineExceeded)
    assert error.waiting_for == ("dave",)
    assert set(endings.errors) >= {"alice", "bob", "carol"}


async def test_only_the_first_is_answered() -> None:
    copies: list[int] = []

    def keep(peer: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is Kind.ROUND:
            copies.append(peer)
        return [frame]

    endings = await over_links(dealt(largest), {"dave": keep})
    assert copies == [0]
    assert endings.outcomes["bob"] == 7


async def test_a_dealer_that_dies_is_named() -> None:
    loopback = Loopback(4)
    async with loopback.meshes(*OWNERS) as meshes, trio.open_nursery() as nursery:
        stop = trio.CancelScope()

        async def dealer() -> None:
            with stop:
                async with loopback.mesh("dave", change=die_at_the_first_answer).open() as mesh:
                    await mesh.run(dealt(largest), {})

        def die_at_the_first_answer(_peer: int, frame: Frame) -> list[Frame]:
            if frame.header.kind is Kind.ROUND:
                stop.cancel()
                return []
            return [frame]

        nursery.start_soon(dealer)
        endings = await run_parties(meshes, dealt(largest), {name: INPUTS[name] for name in OWNERS})
    error = endings.errors["alice"]
    assert isinstance(error, PeerLost | PeerAborted)
    assert error.party == "dave"
    assert set(endings.errors) == set(OWNERS)


# A computing party that cheats the dealer


async def test_a_request_that_differs_from_the_others(mock_clock: trio.testing.MockClock) -> None:
    other = memoryview(encode_request(99, {Triples(): 5}))

    def lie(peer: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is Kind.ROUND and peer == 3:
            return [replace(frame, body=other)]
        return [frame]

    endings = await over_links(dealt(largest, deadline_seconds=5), {"bob": lie})
    error = endings.errors["dave"]
    assert isinstance(error, ProgramMismatch)
    assert "asks the dealer for something else" in str(error)
    assert set(endings.errors) == {*OWNERS, "dave"}


async def test_asking_twice_names_the_one_who_does(mock_clock: trio.testing.MockClock) -> None:
    def repeat(peer: int, frame: Frame) -> list[Frame]:
        return [frame, frame] if frame.header.kind is Kind.ROUND and peer == 3 else [frame]

    endings = await over_links(dealt(largest, deadline_seconds=5), {"bob": repeat})
    error = endings.errors["dave"]
    assert isinstance(error, PeerViolation)
    assert error.party == "bob"


# The desk by itself


def asked(round_number: int, body: bytes, digest: bytes = b"d" * 16, fork: bytes = b"") -> Frame:
    return Frame(Header(Kind.ROUND, b"j" * 16, fork, round_number, digest), memoryview(body))


async def test_the_desk_answers_in_the_order_in_which_questions_are_complete() -> None:
    desk = DealerService((0, 1), NAMES)
    body = encode_request(4, {Triples(): 2})
    for fork in (b"f" * 8, b""):
        desk.deliver(0, asked(0, body, fork=fork))
    assert desk.waiting_for == {1}
    desk.deliver(1, asked(0, body))
    assert await desk.next_question() == (b"", 0)
    streams = {party: Streams(bytes(32), bytes(32), dealer_path(b"")) for party in (0, 1)}
    header, correction = desk.answer((b"", 0), streams)
    assert header == asked(0, body).header
    assert len(correction) == 16
    desk.deliver(1, asked(0, body, fork=b"f" * 8))
    assert await desk.next_question() == (b"f" * 8, 0)
    for party in (0, 1):
        desk.peer_finished(party)
    assert await desk.next_question() is None


def violations() -> list[tuple[str, Callable[[DealerService], None]]]:
    body = encode_request(4, {Triples(): 2})

    def twice_in_a_round(desk: DealerService) -> None:
        desk.deliver(0, asked(1, body))
        desk.deliver(0, asked(1, body))

    def an_old_round(desk: DealerService) -> None:
        for party in (0, 1):
            desk.deliver(party, asked(3, body))
        streams = {party: Streams(bytes(32), bytes(32), dealer_path(b"")) for party in (0, 1)}
        desk.answer((b"", 3), streams)
        desk.deliver(0, asked(3, body))

    def an_operation_that_was_answered(desk: DealerService) -> None:
        streams = {party: Streams(bytes(32), bytes(32), dealer_path(b"")) for party in (0, 1)}
        for number in (3, 4):
            for party in (0, 1):
                desk.deliver(party, asked(number, body))
            desk.answer((b"", number), streams)

    def an_outsider(desk: DealerService) -> None:
        desk.admit(2, 10)

    def too_long(desk: DealerService) -> None:
        desk.admit(0, MAX_REQUEST_BYTES + 1)

    return [
        (case.__name__, case)
        for case in (twice_in_a_round, an_old_round, an_operation_that_was_answered, an_outsider, too_long)
    ]


@pytest.mark.parametrize("case", [case for _, case in violations()], ids=[name for name, _ in violations()])
async def test_what_the_desk_does_not_take(case: Callable[[DealerService], None]) -> None:
    with pytest.raises(PeerViolation):
        case(DealerService((0, 1), NAMES))


async def test_another_digest_is_another_program() -> None:
    desk = DealerService((0, 1), NAMES)
    body = encode_request(4, {Triples(): 2})
    desk.deliver(0, asked(0, body))
    with pytest.raises(ProgramMismatch, match="bob asks the dealer for something else than alice"):
        desk.deliver(1, asked(0, body, digest=b"e" * 16))


async def test_forks_have_paths_of_their_own_at_the_dealer() -> None:
    paths = {dealer_path(fork_id(path)) for path in ((), ("a",), ("b",), ("a", "b"))}
    assert len(paths) == 4


async def test_the_simulator_deals_too() -> None:
    inputs = {name: INPUTS[name] for name in OWNERS}
    simulation = simulate(dealt(twice), inputs)
    assert simulation.outputs == {**dict.fromkeys(OWNERS, (-21, False)), "dave": None}
    received = [entry.sender for entry in simulation.views["dave"]]
    assert sorted(received) == sorted([*OWNERS, *OWNERS])


async def test_a_dealer_that_nobody_asks_says_for_whom_it_waits(mock_clock: trio.testing.MockClock) -> None:
    async def sleepy(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        await trio.sleep_forever()

    endings = await over_links(dealt(sleepy, deadline_seconds=3))
    error = endings.errors["dave"]
    assert isinstance(error, DeadlineExceeded | PeerAborted)
    assert isinstance(error, PeerAborted) or error.waiting_for == OWNERS
