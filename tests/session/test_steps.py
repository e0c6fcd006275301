"""Steps of one's own, `Party.run`: streams of their own over encrypted links, and long computing beside them."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trio.testing

from mpcnet import DeadlineExceeded, LocalError, PeerAborted, PeerViolation, ProgramMismatch, simulate
from mpcnet.algebra import Z64
from mpcnet.declare import Party
from mpcnet.engine import Context, Round, Step, Work, Works
from mpcnet.session import Mesh
from mpcnet.testing.lockstep import run_steps
from mpcnet.transport.timing import Timing
from tests.support.parties import QUICK, Endings, Loopback, Nothing, job_of, run_parties, total

Program = Callable[[Party[Nothing]], Awaitable[object]]
ONES: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 1}}
HANG_SECONDS = 20
"""Of real time: what a broken driver waits in a thread before its test fails."""


def swap(context: Context, message: bytes, rounds: int = 1) -> Step[bytes]:
    """Exchanges messages of one size with the other of two parties."""
    (peer,) = context.parties.peers
    inbox = {peer: memoryview(b"")}
    for _ in range(rounds):
        inbox = dict((yield Round({peer: message}, {peer: len(message)})))
    return bytes(inbox[peer])


def sized(context: Context, message: bytes) -> Step[bytes]:
    """Messages whose sizes only their senders know: a first round of fixed size tells them."""
    (peer,) = context.parties.peers
    size = yield from swap(context, len(message).to_bytes(8, "little"))
    inbox = yield Round({peer: message}, {peer: int.from_bytes(size, "little")})
    return bytes(inbox[peer])


async def run(loopback: Loopback, alice: Program, bob: Program, *, deadline_seconds: float = 60) -> Endings:
    jobs = {
        name: job_of(program, loopback.names, deadline_seconds=deadline_seconds)
        for name, program in (("alice", alice), ("bob", bob))
    }
    async with loopback.meshes() as meshes:
        return await run_parties(meshes, jobs["alice"], ONES, jobs=jobs)


def message_of(party: Party[Nothing]) -> bytes:
    return party.me.name.encode() * (1000 if party.me.index else 1)


async def test_a_step_over_links_in_the_simulator_and_in_lockstep(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> bytes:
        return await party.run("swap", partial(sized, message=message_of(party)))

    expected = {"alice": b"bob" * 1000, "bob": b"alice"}
    assert (await run(two, program, program)).outcomes == expected
    simulation = simulate(job_of(program, two.names), ONES)
    assert simulation.outputs == expected
    assert simulation.cost.rounds == 2
    transcript = run_steps(lambda context: sized(context, [b"alice", b"bob" * 1000][context.me]))
    assert [transcript.results[0], transcript.results[1]] == list(expected.values())
    assert transcript.sent_bytes == {(0, 1): 8 + 5, (1, 0): 8 + 3000}


async def test_costs_are_counted_in_the_region_of_the_call(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        with party.region("swapping"):
            await party.run("swap", partial(swap, message=b"12345", rounds=3))

    endings = await run(two, program, program)
    for result in endings.results.values():
        cost = result.cost.regions["swapping"]
        assert (cost.rounds, cost.messages, cost.sent_bytes, cost.received_bytes) == (3, 3, 15, 15)
        assert result.cost.rounds == 3


async def test_steps_evaluations_forks_and_bytes_side_by_side(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> dict[str, object]:
        found: dict[str, object] = {}
        other = party.roster.members[1 - party.me.index]

        async def note(name: str, call: Callable[[], Awaitable[object]]) -> None:
            found[name] = await call()

        async def evaluated() -> object:
            return await total(party)

        async def talked() -> object:
            await party.send(other, party.me.name.encode())
            return bytes(await party.receive(other, max_bytes=9))

        async def forked() -> object:
            async with party.fork("swap") as fork:
                return await fork.run("swap", partial(swap, message=b"fork" + party.me.name[:1].encode(), rounds=5))

        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "step": lambda: party.run("swap", partial(swap, message=party.me.name[:1].encode(), rounds=9)),
            "other step": lambda: party.run("other", partial(sized, message=message_of(party))),
            "evaluation": evaluated,
            "bytes": talked,
            "fork": forked,
        }
        async with trio.open_nursery() as nursery:
            for name, call in sorted(calls.items(), reverse=bool(party.me.index)):
                nursery.start_soon(note, name, call)
        return found

    outcomes = (await run(two, program, program)).outcomes
    for me, other in (("alice", "bob"), ("bob", "alice")):
        assert outcomes[me] == {
            "step": other[:1].encode(),
            "other step": b"bob" * 1000 if other == "bob" else b"alice",
            "evaluation": 2,
            "bytes": other.encode(),
            "fork": b"fork" + other[:1].encode(),
        }


async def test_a_name_is_used_once_in_a_fork(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        await party.run("swap", partial(swap, message=b"x"))
        with pytest.raises(LocalError, match="has run a step 'swap' already"):
            await party.run("swap", partial(swap, message=b"x"))
        for name in ("", "x" * 65):
            with pytest.raises(LocalError, match="the name of a step has 1 to 64 characters"):
                await party.run(name, partial(swap, message=b"x"))
        async with party.fork("swap") as fork:
            await fork.run("swap", partial(swap, message=b"x"))

    endings = await run(two, program, program)
    assert not endings.errors
    assert endings.results["alice"].cost.rounds == 2


async def test_streams_are_bound_to_job_fork_and_name(two: Loopback) -> None:
    """Both parties of a pair draw the same, and no two steps, forks or jobs anything in common."""

    def draw(context: Context) -> Step[bytes]:
        yield from ()
        return context.pair_uniform(1 - context.me, Z64, (4,), purpose="test").tobytes()

    async def program(party: Party[Nothing]) -> list[bytes]:
        found = [await party.run("a", draw), await party.run("b", draw)]
        async with party.fork("a") as a, party.fork("run") as marked, party.fork("b") as b:
            found += [await fork.run("a", draw) for fork in (a, marked, b)]
            async with marked.fork("a") as inner, a.fork("a") as deeper:
                found += [await fork.run("a", draw) for fork in (inner, deeper)]
        return found

    async def once_more(party: Party[Nothing]) -> list[bytes]:
        return [await party.run("a", draw)]

    drawn: list[bytes] = []
    async with two.meshes() as meshes:
        for one in (program, once_more):
            outcomes = (await run_parties(meshes, job_of(one, two.names), ONES)).outcomes
            assert outcomes["alice"] == outcomes["bob"]
            drawn += outcomes["alice"]
    assert len(drawn) == len(set(drawn)) == 8


async def test_channels_of_steps_and_forks_are_no_one_s_else() -> None:
    """Also where a fork is named as the mark of a step's path could be."""

    async def program(party: Party[Nothing]) -> None:
        step = partial(swap, message=b"x")
        await party.run("a", step)
        await party.run("b", step)
        async with party.fork("a") as a, party.fork("run") as marked:
            for fork in (a, marked):
                await total(fork)
                await fork.run("a", step)
            async with marked.fork("a") as inner:
                await total(inner)

    trace = simulate(job_of(program, ("alice", "bob")), ONES).trace
    assert len({event.fork for event in trace if event.kind == "ROUND"}) == 2 + 2 * 2 + 1


async def test_other_details_are_another_program(two: Loopback) -> None:
    def of(details: bytes) -> Program:
        async def program(party: Party[Nothing]) -> bytes:
            return await party.run("swap", partial(swap, message=b"x"), details=details)

        return program

    endings = await run(two, of(b"1"), of(b"2"))
    for name, other in (("alice", "bob"), ("bob", "alice")):
        error = endings.errors[name]
        assert isinstance(error, ProgramMismatch)
        assert error.party == other
        assert f"at round 0 {other} runs this step, and so do we, but with other" in str(error)


async def test_a_step_that_the_other_never_runs(two: Loopback) -> None:
    async def runs(party: Party[Nothing]) -> bytes:
        return await party.run("swap", partial(swap, message=b"x"))

    async def ends(party: Party[Nothing]) -> None:
        return None

    endings = await run(two, runs, ends)
    error = endings.errors["alice"]
    assert isinstance(error, ProgramMismatch)
    assert "the program of bob has ended" in str(error)


async def test_another_name_is_another_stream(two: Loopback, mock_clock: trio.testing.MockClock) -> None:
    def of(name: str) -> Program:
        async def program(party: Party[Nothing]) -> bytes:
            return await party.run(name, partial(swap, message=b"x"))

        return program

    endings = await run(two, of("one"), of("two"))
    late = [error for error in endings.errors.values() if isinstance(error, DeadlineExceeded)]
    assert len(endings.errors) == 2
    assert late
    assert "our program has not opened" in str(late[0])


async def test_what_a_step_finds_wrong_ends_the_job_and_names_the_peer(two: Loopback) -> None:
    def suspicious(context: Context) -> Step[None]:
        inbox = yield Round({1: b"?"}, {1: 1})
        if bytes(inbox[1]) != b"!":
            raise PeerViolation(context.parties.names[1], "did not say what it should")

    async def alice(party: Party[Nothing]) -> None:
        await party.run("ask", suspicious)

    async def bob(party: Party[Nothing]) -> None:
        await party.run("ask", partial(swap, message=b"x"))
        await total(party)

    endings = await run(two, alice, bob)
    violation, told = endings.errors["alice"], endings.errors["bob"]
    assert isinstance(violation, PeerViolation)
    assert str(violation) == "bob: did not say what it should"
    assert isinstance(told, PeerAborted)
    assert told.reason == "ended the job: it says that bob broke the protocol"


async def test_a_message_of_another_size_is_refused_before_the_step_sees_it(two: Loopback) -> None:
    def program(nbytes: int) -> Program:
        async def run_it(party: Party[Nothing]) -> None:
            def side(context: Context) -> Step[None]:
                peer = 1 - context.me
                yield Round({peer: bytes(nbytes)}, {peer: 3})

            await party.run("swap", side)

        return run_it

    endings = await run(two, program(3), program(4))
    error = endings.errors["alice"]
    assert isinstance(error, PeerViolation)
    assert "bob: sent 4 bytes in round 0, where 3 were agreed" in str(error)


@pytest.mark.parametrize("receiver", [0, 2, 7])
async def test_a_step_reaches_the_other_parties_of_the_job_alone(three: Loopback, receiver: int) -> None:
    """Carol has no part in the job, a party sends itself nothing, and the roster has no eighth."""

    def astray(context: Context) -> Step[None]:
        yield Round({receiver: b"x"})

    async def program(party: Party[Nothing]) -> None:
        await party.run("astray", astray if party.me.index == 0 else lambda _: swap_nothing())

    async with three.meshes("alice", "bob") as meshes:
        endings = await run_parties(meshes, job_of(program, ("alice", "bob")), ONES)
    error = endings.errors["alice"]
    assert isinstance(error, LocalError)
    assert "no other party of this job" in str(error)


def swap_nothing() -> Step[None]:
    yield Round(expect={0: 1})


async def test_a_step_takes_no_correlated_randomness(two: Loopback) -> None:
    def takes(context: Context) -> Step[None]:
        yield from ()
        context.correlated.spend("triples", 1)

    async def program(party: Party[Nothing]) -> None:
        await party.run("takes", takes)

    for error in (await run(two, program, program)).errors.values():
        assert isinstance(error, LocalError | PeerAborted)


# Works


async def test_works_run_in_threads_and_several_functions_at_once(two: Loopback) -> None:
    both = {name: threading.Barrier(2) for name in two.names}

    def meet(name: str) -> int:
        both[name].wait(HANG_SECONDS)
        return threading.get_ident()

    def side(context: Context) -> Step[list[int]]:
        name = context.parties.names[context.me]
        threads = yield from Works([partial(meet, name)] * 2)
        yield from swap(context, b"x")
        return [*threads, (yield from Work(threading.get_ident))]

    async def program(party: Party[Nothing]) -> list[int]:
        return [threading.get_ident(), *await party.run("work", side)]

    for threads in (await run(two, program, program)).outcomes.values():
        here, first, second, third = threads
        assert first != second
        assert here not in {first, second, third}


def zero() -> int:
    return 0


@pytest.mark.parametrize("first", [0, 1])
async def test_what_a_work_raises_is_the_first_by_order(two: Loopback, first: int) -> None:
    """Two functions fail, the second one sooner; the step sees the first, and may go on."""
    failed = threading.Event()

    def early() -> int:
        failed.set()
        raise ValueError("second")

    def late() -> int:
        failed.wait(HANG_SECONDS)
        raise KeyError("first")

    def side(context: Context) -> Step[str]:
        try:
            yield from Works([zero] * first + [late, early, zero])
        except (KeyError, ValueError) as error:
            text = type(error).__name__
        else:
            text = "none"
        yield from swap(context, b"x")
        return text

    async def program(party: Party[Nothing]) -> str:
        return await party.run("work", side)

    assert (await run(two, program, program)).outcomes == {"alice": "KeyError", "bob": "KeyError"}


async def test_forks_and_other_steps_do_not_wait_for_a_work(two: Loopback) -> None:
    """It is over only when an evaluation, and a step beside it, have gone through all their rounds."""
    go_on = {name: threading.Event() for name in two.names}

    def long(name: str) -> bool:
        return go_on[name].wait(HANG_SECONDS)

    def working(context: Context) -> Step[bool]:
        done = yield from Work(partial(long, context.parties.names[context.me]))
        yield from swap(context, b"x")
        return done

    async def program(party: Party[Nothing]) -> bool:
        found: list[bool] = []

        async def work() -> None:
            found.append(await party.run("long", working))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            await party.run("quick", partial(swap, message=b"y", rounds=4))
            assert await total(party) == 2
            go_on[party.me.name].set()
        return found[0]

    assert (await run(two, program, program)).outcomes == {"alice": True, "bob": True}


QUIET = Timing(
    redial_first_seconds=QUICK.redial_first_seconds,
    redial_most_seconds=QUICK.redial_most_seconds,
    ping_after_seconds=1,
    drop_after_seconds=4,
    answer_seconds=1,
)


async def test_long_work_does_not_look_like_silence(two: Loopback, mock_clock: trio.testing.MockClock) -> None:
    """Bob computes for ten times as long as a silent peer is given, and his links answer all the time."""
    go_on = threading.Event()

    def side(context: Context) -> Step[bytes]:
        if context.me == 1:
            assert (yield from Work(partial(go_on.wait, HANG_SECONDS)))
        return (yield from swap(context, b"x"))

    async def program(party: Party[Nothing]) -> bytes:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(release)
            return await party.run("long", side)
        raise AssertionError

    async def release() -> None:
        await trio.sleep(10 * QUIET.drop_after_seconds)
        go_on.set()

    meshes: dict[str, Mesh] = {name: two.mesh(name, timing=QUIET) for name in two.names}
    async with meshes["alice"].open(), meshes["bob"].open():
        endings = await run_parties(meshes, job_of(program, two.names), ONES)
    assert endings.errors == {}
    assert endings.outcomes == {"alice": b"x", "bob": b"x"}


async def test_a_job_ends_while_it_works_and_what_comes_later_is_dropped(
    two: Loopback, mock_clock: trio.testing.MockClock
) -> None:
    go_on, over = threading.Event(), threading.Event()

    def long() -> None:
        go_on.wait(HANG_SECONDS)
        over.set()

    def side(context: Context) -> Step[None]:
        yield from Work(long)
        raise AssertionError("nobody is to go on with this step")

    async def program(party: Party[Nothing]) -> None:
        await party.run("long", side)

    endings = await run(two, program, program, deadline_seconds=5)
    assert not over.is_set()
    assert {type(error) for error in endings.errors.values()} <= {DeadlineExceeded, PeerAborted}
    assert len(endings.errors) == 2
    go_on.set()
    await trio.to_thread.run_sync(over.wait, HANG_SECONDS)
    assert over.is_set()


def summed(number: int) -> int:
    return sum(range(number))


async def test_works_in_the_simulator_take_no_virtual_time() -> None:
    def side(context: Context) -> Step[int]:
        found = yield from Works([partial(summed, number) for number in (1000, 10)])
        yield from swap(context, b"x")
        return sum(found)

    async def program(party: Party[Nothing]) -> int:
        return await party.run("work", side)

    one, two = (simulate(job_of(program, ("alice", "bob")), ONES, seed=3) for _ in range(2))
    assert one.outputs == {"alice": 499545, "bob": 499545}
    assert one.trace == two.trace
