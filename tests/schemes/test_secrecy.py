"""What a party sees: nothing in print, uniform shares, and messages that depend on the output alone.

Statistics on fixed seeds: they pass or fail for good. 255 degrees of freedom, mean 255 and deviation 22.6; 400 is
more than six deviations away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet.algebra import Z64, Words
from mpcnet.dsl import Program, Range, Secret, Value
from mpcnet.engine import Context, Step
from mpcnet.schemes import AdditiveScheme, PlainScheme, Share
from mpcnet.testing.lockstep import LockstepParty, Plain, make_programs, run_program

THRESHOLD = 400.0
SEEDS = range(60)
WIDTH = 64  # words of one sample: 60 * 64 * 8 bytes make 30720, 120 for each byte value


def chi_square(samples: Iterable[NDArray[np.generic]]) -> float:
    data = b"".join(np.ascontiguousarray(sample).tobytes() for sample in samples)
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    assert expected > 50
    return float(((counts - expected) ** 2 / expected).sum())


def test_the_statistic_sees_what_is_not_uniform() -> None:
    assert chi_square([np.arange(20_000, dtype=np.uint64)]) > 10 * THRESHOLD
    assert chi_square([Z64.uniform(bytes(16), (4000,))]) < THRESHOLD


# Print


MARK = 0x5EC2E7  # a value that would be seen


def test_nothing_secret_is_printed() -> None:
    program = make_programs(computing=2)[0]
    node = program.input("bid", (2,), Range(0, 2**40), (0, 1), np.array([MARK, MARK]))
    secret = Secret(Value(program, node))
    context = program.context(0)
    share = Share(Z64, (2,), (np.array([MARK, MARK], np.uint64),))
    seed = program.context(0).streams[1].seed
    texts = [
        repr(thing) + str(thing)
        for thing in (
            share,
            context,
            context.streams,
            context.streams[1],
            node,
            secret,
            node.operation,
            secret + MARK,
        )
    ]
    for text in texts:
        for secret_text in (str(MARK), hex(MARK), repr(seed), seed.hex(), repr(seed[:4])[2:-1]):
            assert secret_text not in text.replace(f"range=[{MARK}", ""), text
    assert repr(share) == "Share(shape=(2,), domain=Z/2^64)"
    assert repr(node.operation).startswith("<")


# Shares


def share_of(program: LockstepParty, value: int, owner: int) -> Step[Words]:
    x = program.input("x", {owner: np.full(WIDTH, value)}, range=(0, 2**40))
    yield from program.evaluate(x)
    share = x.node.share
    assert share is not None
    return share.parts[0] if share.parts else np.zeros(0, np.uint64)


@pytest.mark.parametrize("owner", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [0, 2**40])
def test_shares_of_a_fixed_input_are_uniform(owner: int, value: int) -> None:
    """Each party's share alone, and any two of three: sums and differences of what two hold."""
    samples: dict[int, list[Words]] = {0: [], 1: [], 2: []}
    for seed in SEEDS:
        run = run_program(lambda party: share_of(party, value, owner), computing=3, everyone=4, seed=seed)
        for party, held in samples.items():
            held.append(run.results[party])
    for held in samples.values():
        assert chi_square(held) < THRESHOLD
    for first, second in itertools.combinations(samples.values(), 2):
        assert chi_square(np.add(a, b) for a, b in zip(first, second, strict=True)) < THRESHOLD
        assert chi_square(np.subtract(a, b) for a, b in zip(first, second, strict=True)) < THRESHOLD
    everything = [np.asarray(sum(parts)) for parts in zip(*samples.values(), strict=True)]
    assert all(np.all(total == value) for total in everything)


def test_an_input_owners_message_is_uniform() -> None:
    messages = [
        np.frombuffer(
            run_program(lambda party: share_of(party, 7, 3), computing=3, everyone=4, seed=seed).views[0][0][1]
        )
        for seed in SEEDS
    ]
    assert chi_square(messages) < THRESHOLD


# Zero shares


def zero_shares(seed: int, computing: int, node: int = 0) -> dict[int, Words]:
    programs = make_programs(computing=computing, seed=seed)
    return {me: program.context(node).zero_share(Z64, (WIDTH,), purpose="zero") for me, program in programs.items()}


@pytest.mark.parametrize("computing", range(2, 7))
def test_zero_shares_sum_to_zero_and_are_fresh(computing: int) -> None:
    first, second = zero_shares(1, computing), zero_shares(1, computing, node=1)
    assert not np.any(np.asarray(sum(first.values())))
    assert not np.any(np.asarray(sum(second.values())))
    assert all(not np.any(first[me] == second[me]) for me in first)


def test_one_missing_seed_leaves_a_zero_share_uniform() -> None:
    """Party 2 colludes with everybody but 0 and 1: without their common seed both shares stay uniform."""

    def what_is_left(program: Program) -> Words:
        context: Context = program.context(0)
        total = context.zero_share(Z64, (WIDTH,), purpose="zero")
        again = program.context(0)
        for peer in (2, 3):  # seeds that the others hold too, and hence what they can take off
            total -= again.pair_uniform(peer, Z64, (WIDTH,), purpose="zero")
        return total

    left = [what_is_left(make_programs(computing=4, seed=seed)[0]) for seed in SEEDS]
    assert chi_square(left) < THRESHOLD
    with_all = [
        what_is_left(program) - program.context(0).pair_uniform(1, Z64, (WIDTH,), purpose="zero")
        for program in (make_programs(computing=4, seed=seed)[0] for seed in SEEDS)
    ]
    assert not any(np.any(rest) for rest in with_all)


# Messages


Inputs = dict[int, int]


def total(party: LockstepParty, inputs: Inputs) -> Step[tuple[Plain | None, list[Words]]]:
    """The sum to party 3, who does not compute; and our raw share of it."""
    x = party.input("x", {owner: np.full(WIDTH, value) for owner, value in inputs.items()}, range=(0, 1000))
    summed = x.sum(axis=0)
    opened = yield from party.reveal([3], total=summed)
    share = summed.node.share
    assert share is not None
    return opened.get("total"), list(share.parts)


def received(inputs: Inputs, seed: int) -> tuple[list[Words], list[Words]]:
    """What party 3 received from each, and the raw shares."""
    run = run_program(lambda party: total(party, inputs), computing=3, everyone=4, seed=seed)
    opened = run.results[3][0]
    assert opened is not None
    assert np.all(opened == sum(inputs.values()))
    raw = [run.results[party][1][0] for party in range(3)]
    return [np.frombuffer(data, np.uint64) for _, data in run.views[3]], raw


def test_messages_are_not_the_shares_and_sum_to_the_output() -> None:
    messages, raw = received({0: 1, 1: 2, 2: 3}, 0)
    for message, share in itertools.product(messages, raw):
        assert not np.any(message == share)
    assert np.all(np.asarray(sum(messages)) == 6)
    assert np.all(np.asarray(sum(raw)) == 6)


@pytest.mark.parametrize("inputs", [{0: 1, 1: 2, 2: 3}, {0: 6, 1: 0, 2: 0}, {0: 0, 1: 0, 2: 6}])
def test_a_receivers_view_is_uniform_up_to_the_output(inputs: Inputs) -> None:
    """Any two of the three messages are uniform, alone and together; the third is the output less their sum."""
    views = [received(inputs, seed)[0] for seed in SEEDS]
    for sender in range(3):
        assert chi_square(view[sender] for view in views) < THRESHOLD
    for first, second in itertools.combinations(range(3), 2):
        assert chi_square(view[first] + view[second] for view in views) < THRESHOLD
        assert chi_square(view[first] - view[second] for view in views) < THRESHOLD


def test_a_value_revealed_twice_is_masked_anew() -> None:
    def program(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: np.arange(WIDTH)}, range=(0, 1000))
        yield from party.reveal_each({"first": (x, [3]), "second": (x, [4])})
        yield from party.reveal([3], again=x)

    run = run_program(program, computing=3, everyone=5)
    third = [np.frombuffer(data, np.uint64) for _, data in run.views[3]]
    fourth = [np.frombuffer(data, np.uint64) for _, data in run.views[4]]
    for first, second in itertools.combinations([*third, *fourth], 2):
        assert not np.any(first == second)


def test_a_scheme_says_what_it_protects() -> None:
    assert AdditiveScheme.private
    assert AdditiveScheme.threat.least == 2
    assert [AdditiveScheme.threat.tolerates(n) for n in (2, 3, 6)] == [1, 2, 5]
    assert not PlainScheme.private
    assert PlainScheme.threat.tolerates(5) == 0
