"""The dealer: a party of its own, which answers when all ask alike, each question once."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
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
from mpcnet.correlated.dealing import SHORT_WORDS, dealer_path, make_correction
from mpcnet.correlated.items import Triples
from mpcnet.correlated.tranches import MAX_REQUEST_BYTES, make_tranche
from mpcnet.declare import Party
from mpcnet.dsl import planning, stack
from mpcnet.session.channels import fork_id
from mpcnet.session.dealer_service import MAX_OPEN_QUESTIONS, DealerService
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
    other = memoryview(make_tranche(99, {Triples(): 5}).encoded)

    def lie(peer: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is Kind.ROUND and peer == 3:
            return [replace(frame, body=other)]
        return [frame]

    endings = await over_links(dealt(largest, deadline_seconds=5), {"bob": lie})
    error = endings.errors["dave"]
    assert isinstance(error, ProgramMismatch)
    assert "asks the dealer for something else" in str(error)
    assert set(endings.errors) == {*OWNERS, "dave"}


@pytest.mark.parametrize("liar", ["alice", "bob", "carol"])
async def test_no_other_party_is_said_to_differ_than_the_one_who_does(
    liar: str, mock_clock: trio.testing.MockClock
) -> None:
    """Of two who differ the dealer cannot know which is right, and says so of both or neither."""
    other = memoryview(make_tranche(99, {Triples(): 5}).encoded)

    def lie(peer: int, frame: Frame) -> list[Frame]:
        return [replace(frame, body=other)] if frame.header.kind is Kind.ROUND and peer == 3 else [frame]

    endings = await over_links(dealt(largest, deadline_seconds=5), {liar: lie})
    error = endings.errors["dave"]
    assert isinstance(error, ProgramMismatch)
    assert liar in error.party.split(" and ")
    for name in set(OWNERS) - {liar}:
        said = str(endings.errors[name])
        blamed = [honest for honest in set(OWNERS) - {liar} if honest in said]
        assert not blamed or liar in said


async def test_asking_twice_names_the_one_who_does(mock_clock: trio.testing.MockClock) -> None:
    def repeat(peer: int, frame: Frame) -> list[Frame]:
        return [frame, frame] if frame.header.kind is Kind.ROUND and peer == 3 else [frame]

    endings = await over_links(dealt(largest, deadline_seconds=5), {"bob": repeat})
    error = endings.errors["dave"]
    assert isinstance(error, PeerViolation)
    assert error.party == "bob"


# What the dealer's answers are bound to


Asked = Callable[[Party[Nothing]], Awaitable[Any]]


async def corrections_of(*functions: Asked) -> list[bytes]:
    """What the dealer sends in jobs that run one after the other on the same links, with the same pair seeds."""
    sent: list[bytes] = []

    def keep(peer: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is Kind.ROUND:
            sent.append(bytes(frame.body))
        return [frame]

    async with Loopback(4).meshes(changes={"dave": keep}) as meshes:
        for number, function in enumerate(functions):
            endings = await run_parties(meshes, dealt(function, label=f"job-{number}"), INPUTS)
            assert not endings.errors
    return sent


async def a_product(party: Party[Nothing]) -> None:
    values = party.share("value")
    await party.evaluate(values[0] * values[1])


async def in_forks_of_one_label(party: Party[Nothing]) -> None:
    for outer in ("left", "right"):
        async with party.fork(outer) as fork, fork.fork("inner") as inner:
            await a_product(inner)
    async with party.fork("inner") as inner:
        await a_product(inner)


async def two_large_evaluations(party: Party[Nothing]) -> None:
    """More words than are cut from one stream, twice alike."""
    values = party.share("value")
    many = stack([values[0]] * (SHORT_WORDS // 3 + 1))
    for _ in range(2):
        await party.evaluate(many * values[1])


async def test_what_takes_long_is_computed_beside_the_links() -> None:
    """A thread for what is large; a small answer is there before a thread would have begun."""
    offloaded: list[int] = []

    async def offload(function: Callable[..., Any], *args: Any) -> Any:
        await trio.lowlevel.checkpoint()
        offloaded.append(args[-1].node)
        return function(*args)

    desk = DealerService((0, 1), NAMES)
    sent: list[int] = []

    async def send(peer: int, frame: Frame) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(len(frame.body))

    sizes = (2, SHORT_WORDS // 3, SHORT_WORDS // 3 + 1)
    for number, units in enumerate(sizes):
        for party in (0, 1):
            desk.deliver(party, asked(number, make_tranche(number, {Triples(): units}).encoded))
    for party in (0, 1):
        desk.peer_finished(party)
    await desk.serve(bytes(32), {party: bytes([party]) * 32 for party in (0, 1)}, send, offload)
    assert sent == [8 * units for units in sizes]
    assert offloaded == [2]


async def test_jobs_on_the_same_links_get_other_randomness() -> None:
    sent = await corrections_of(a_product, a_product)
    assert len(sent) == 2
    assert sent[0] != sent[1]


async def test_forks_whose_last_labels_are_equal_get_other_randomness() -> None:
    sent = await corrections_of(in_forks_of_one_label)
    assert len(set(sent)) == len(sent) == 3


async def test_large_evaluations_get_other_randomness() -> None:
    sent = await corrections_of(two_large_evaluations, two_large_evaluations)
    assert {len(body) for body in sent} == {8 * (SHORT_WORDS // 3 + 1)}
    words = np.concatenate([np.frombuffer(body, "<u8") for body in sent])
    assert len(sent) == 4
    assert np.unique(words).size == words.size


async def test_each_stage_asks_in_a_round_that_is_not_online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by what its steps do, and not by when: the second stage asks between online rounds."""
    monkeypatch.setattr(planning, "MAX_TRANCHE_WORDS", 6)

    async def powers(party: Party[Nothing]) -> int:
        x = party.share("value")[0]
        power = x
        for _ in range(5):
            power = power * x
        return int((await party.reveal(answer=power))["answer"])

    endings = await over_links(dealt(powers))
    assert endings.outcomes == {**dict.fromkeys(OWNERS, 7**6), "dave": None}
    cost = endings.results["alice"].cost
    assert cost.rounds == 5 + 1
    assert cost.regions["correlated"].rounds == 3
    assert cost.regions["correlated"].received_bytes == 5 * 8
    assert endings.results["bob"].cost.regions["correlated"].received_bytes == 0


async def test_a_program_that_ends_where_the_others_ask_is_named(mock_clock: trio.testing.MockClock) -> None:
    """At once, and not by the deadline."""

    async def leaves(party: Party[Nothing]) -> None:
        values = party.share("value")
        if party.me.name == "bob":
            return
        await party.reveal(answer=values.max())

    began = trio.current_time()
    endings = await over_links(dealt(leaves, deadline_seconds=600))
    error = endings.errors["dave"]
    assert isinstance(error, ProgramMismatch)
    assert error.party == "bob"
    assert "the program of bob has ended, and at round 0" in str(error)
    assert set(endings.errors) >= {"alice", "carol", "dave"}
    assert trio.current_time() - began < 60


# The desk by itself


def asked(round_number: int, body: bytes, digest: bytes = b"d" * 16, fork: bytes = b"") -> Frame:
    return Frame(Header(Kind.ROUND, b"j" * 16, fork, round_number, digest), memoryview(body))


async def test_the_desk_answers_in_the_order_in_which_questions_are_complete() -> None:
    desk = DealerService((0, 1), NAMES)
    body = make_tranche(4, {Triples(): 2}).encoded
    for fork in (b"f" * 8, b""):
        desk.deliver(0, asked(0, body, fork=fork))
    assert desk.waiting_for == {1}
    desk.deliver(1, asked(0, body))
    assert await desk.next_question() == (b"", 0)
    streams = {party: Streams(bytes(32), bytes(32), dealer_path(b"")) for party in (0, 1)}
    header, tranche = desk.close((b"", 0))
    assert header == asked(0, body).header
    assert len(make_correction((0, 1), streams, tranche)) == 16
    desk.deliver(1, asked(0, body, fork=b"f" * 8))
    assert await desk.next_question() == (b"f" * 8, 0)
    for party in (0, 1):
        desk.peer_finished(party)
    assert await desk.next_question() is None


def violations() -> list[tuple[str, Callable[[DealerService], None]]]:
    body = make_tranche(4, {Triples(): 2}).encoded

    def twice_in_a_round(desk: DealerService) -> None:
        desk.deliver(0, asked(1, body))
        desk.deliver(0, asked(1, body))

    def an_old_round(desk: DealerService) -> None:
        for party in (0, 1):
            desk.deliver(party, asked(3, body))
        desk.close((b"", 3))
        desk.deliver(0, asked(3, body))

    def an_operation_that_was_answered(desk: DealerService) -> None:
        for number in (3, 4):
            for party in (0, 1):
                desk.deliver(party, asked(number, body))
            desk.close((b"", number))

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
    body = make_tranche(4, {Triples(): 2}).encoded
    desk.deliver(0, asked(0, body))
    with pytest.raises(ProgramMismatch, match="alice and bob ask the dealer for different things"):
        desk.deliver(1, asked(0, body, digest=b"e" * 16))


@pytest.mark.parametrize("odd", [0, 1, 2])
async def test_two_who_agree_make_the_third_the_odd_one_out(odd: int) -> None:
    """In whatever order they ask; only if the first two differ the dealer cannot say who is right."""
    body = make_tranche(4, {Triples(): 2}).encoded
    other = make_tranche(4, {Triples(): 3}).encoded
    for order in itertools.permutations(range(3)):
        desk = DealerService((0, 1, 2), NAMES)
        first, second, third = (NAMES[party] for party in order)
        text = f"at round 3 {first} and {second} ask the dealer for different things"
        desk.deliver(order[0], asked(3, other if order[0] == odd else body))
        if order[2] == odd:
            desk.deliver(order[1], asked(3, body))
            text = f"at round 3 {third} asks the dealer for something else than {first} and {second}"
        last = order[2] if order[2] == odd else order[1]
        with pytest.raises(ProgramMismatch) as caught:
            desk.deliver(last, asked(3, other if last == odd else body))
        assert str(caught.value) == f"{text}: their programs differ"
        assert caught.value.party == (NAMES[odd] if order[2] == odd else f"{first} and {second}")


async def test_a_party_that_ends_without_asking_is_named() -> None:
    body = make_tranche(4, {Triples(): 2}).encoded
    for finishes_first in (True, False):
        desk = DealerService((0, 1, 2), NAMES)
        if finishes_first:
            desk.peer_finished(1)
        desk.deliver(0, asked(3, body))
        desk.deliver(2, asked(3, body))
        if not finishes_first:
            desk.peer_finished(1)
        text = "the program of bob has ended, and at round 3 alice and carol ask the dealer"
        with pytest.raises(ProgramMismatch, match=text) as caught:
            await desk.next_question()
        assert caught.value.party == "bob"


async def test_who_has_asked_may_end_before_it_is_answered() -> None:
    body = make_tranche(4, {Triples(): 2}).encoded
    desk = DealerService((0, 1), NAMES)
    desk.deliver(1, asked(0, body))
    desk.peer_finished(1)
    desk.deliver(0, asked(0, body))
    assert await desk.next_question() == (b"", 0)


async def test_a_bound_on_open_questions_names_the_one_who_passes_it() -> None:
    """Not the next honest one; and who is answered has room again."""
    body = make_tranche(4, {Triples(): 2}).encoded
    desk = DealerService((0, 1), NAMES)
    forks = [number.to_bytes(8, "big") for number in range(MAX_OPEN_QUESTIONS)]
    for fork in forks:
        desk.deliver(0, asked(0, body, fork=fork))
    desk.deliver(1, asked(0, body, fork=b"of  bob."))
    with pytest.raises(PeerViolation) as caught:
        desk.deliver(0, asked(0, body, fork=b"one more"))
    assert caught.value.party == "alice"
    desk.deliver(1, asked(0, body, fork=forks[0]))
    question = await desk.next_question()
    assert question is not None
    desk.close(question)
    desk.deliver(0, asked(0, body, fork=b"one more"))


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
