"""Every product of a scheme: right for every width and size, at the price that it declares, with nothing left over.

Statistics on fixed seeds, as in `test_secrecy`: 255 degrees of freedom, 400 is more than six deviations away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mpcnet.algebra import Z64, Domain, Words
from mpcnet.algebra.bits import BITS, pack_bits, unpack_bits
from mpcnet.correlated.items import Demand
from mpcnet.correlated.tranches import make_tranche
from mpcnet.dsl import Program
from mpcnet.engine import Round, Step, Transcript, lockstep
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.schemes import AdditiveScheme, Cost, Kind, PlainScheme, Primitive, Scheme, Share, bitplanes
from mpcnet.schemes.base import bytes_between
from mpcnet.testing.lockstep import make_programs

THRESHOLD = 400.0
WIDTHS = range(1, 65)
ADDITIVE = AdditiveScheme()
OF_BITS = {Kind.AND: (BITS, BITS), Kind.TO_NUMBER: (BITS,), Kind.SELECT: (BITS, Z64)}


def shares_of(domain: Domain, values: Words, computing: int, seed: int = 0) -> list[Words]:
    """Uniform shares; party 0 has what is left."""
    others = [domain.uniform(bytes([seed, party] * 8), values.shape) for party in range(1, computing)]
    if domain is BITS:
        others = [domain.uniform(bytes([seed, party] * 8), (64 * values.size,)) for party in range(1, computing)]
    rest = values.copy()
    for share in others:
        domain.subtract_into(rest, share)
    return [rest, *others]


def edges(bits: int, count: int) -> Words:
    """Numbers of this width with sign, the extreme ones first."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    spread = [low + (high - low) * i // 97 for i in range(98)]
    return np.resize(np.array([low, high, 0, -1, min(1, high), max(low + 1, -2), *spread], np.int64), count).view(
        np.uint64
    )


Runner = Callable[[Program, int], Step[Words]]


SETTING = make_programs(computing=3)[0].setting


def bit_cost(cost: tuple[int, Demand, int], computing: int) -> Cost:
    """The cost of a function of `bitplanes`."""
    rounds, demand, peer_bytes = cost
    return Cost(rounds, demand, lambda: bytes_between(range(computing), range(computing), peer_bytes))


def run(runner: Runner, cost: Cost, computing: int, seed: int = 0) -> Transcript[Words]:
    """Fill each pool with what was declared, run, and see that everything was taken."""
    programs = make_programs(computing=computing, seed=seed)

    def party(program: Program) -> Step[Words]:
        assert program.preparation is not None
        yield from program.preparation.ensure(program.context(1), program.pool, make_tranche(1, cost.demand))
        result = yield from runner(program, program.parties.me)
        assert program.pool.drain() == {}
        return result

    transcript = lockstep({me: party(program) for me, program in programs.items()})
    assert transcript.rounds == cost.rounds
    assert transcript.sent_bytes == cost.sent_bytes
    return transcript


def signs(x: Words, bits: int, block: int, computing: int, seed: int = 0) -> Transcript[Words]:
    shares = shares_of(Z64, x, computing, seed)

    def runner(program: Program, me: int) -> Step[Words]:
        return (yield from bitplanes.sign_bits(program.context(2), shares[me], bits, block))

    return run(runner, bit_cost(bitplanes.sign_cost(x.size, bits, block), computing), computing, seed)


def opened_bits(transcript: Transcript[Words], count: int) -> Words:
    return unpack_bits(np.bitwise_xor.reduce(list(transcript.results.values())), count).astype(np.uint64)


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 2, 4])
def test_signs_of_every_width(block: int) -> None:
    for bits in WIDTHS:
        count, computing = 66 if bits % 2 else 5, 2 + bits % 3
        x = edges(bits, count)
        result = opened_bits(signs(x, bits, block, computing), count)
        assert np.array_equal(result, x.view(np.int64) < 0), bits


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 2, 4])
def test_zeros_of_every_width(block: int) -> None:
    """A value of any size counts as zero if it is a multiple of 2^bits."""
    for bits in WIDTHS:
        x = np.concatenate([edges(bits, 60), np.array([0, 2**63, 2**64 - 2 ** (bits - 1), 1], np.uint64)])
        count, computing = x.size, 2 + bits % 3
        shares = shares_of(Z64, x, computing)

        def runner(program: Program, me: int, bits: int = bits, shares: list[Words] = shares) -> Step[Words]:
            return (yield from bitplanes.is_zero(program.context(2), shares[me], bits, block))

        transcript = run(runner, bit_cost(bitplanes.is_zero_cost(count, bits, block), computing), computing)
        expected = [int(item) % 2**bits == 0 for item in x]
        assert opened_bits(transcript, count).tolist() == expected, bits


def test_rounds_of_a_comparison() -> None:
    """64 bits in at most 7 rounds and 32 in at most 6, the opening of the result not counted."""
    rounds = {
        (bits, block): bitplanes.sign_cost(1, bits, block)[0] for bits in (64, 33, 32, 21) for block in (1, 2, 4)
    }
    assert {key: value for key, value in rounds.items() if key[1] == 1} == {
        (64, 1): 7,
        (33, 1): 6,
        (32, 1): 6,
        (21, 1): 6,
    }
    assert {key: value for key, value in rounds.items() if key[1] == 2} == {
        (64, 2): 6,
        (33, 2): 5,
        (32, 2): 5,
        (21, 2): 5,
    }
    assert {key: value for key, value in rounds.items() if key[1] == 4} == {
        (64, 4): 5,
        (33, 4): 4,
        (32, 4): 4,
        (21, 4): 4,
    }
    assert bitplanes.sign_cost(1, 1, 4)[0] == 1


def test_bytes_of_a_comparison() -> None:
    """To each peer, as `mpcnet.schemes.bitplanes` says."""
    count = 6400
    figures = {
        (bits, block): bitplanes.sign_cost(count, bits, block)[2] / count for bits in (64, 32) for block in (2, 4)
    }
    assert figures == {(64, 2): 19.0, (64, 4): 13.125, (32, 2): 9.125, (32, 4): 6.25}


# All primitives


def primitives(count: int) -> list[Primitive]:
    return [
        Primitive(Kind.MULTIPLY, count),
        Primitive(Kind.AND, count),
        Primitive(Kind.TO_NUMBER, count),
        Primitive(Kind.SELECT, count),
        Primitive(Kind.SIGN, count, 64),
        Primitive(Kind.SIGN, count, 9),
        Primitive(Kind.IS_ZERO, count, 64),
        Primitive(Kind.IS_ZERO, count, 1),
    ]


def operands_of(primitive: Primitive) -> list[tuple[Domain, Words]]:
    if primitive.kind is Kind.MATMUL:
        rows = primitive.count // primitive.columns
        left, right = edges(64, rows * primitive.inner), edges(64, primitive.inner * primitive.columns)
        return [
            (Z64, left.reshape(rows, primitive.inner)),
            (Z64, right.reshape(primitive.inner, primitive.columns)),
        ]
    domains = OF_BITS.get(primitive.kind, (Z64, Z64) if primitive.kind is Kind.MULTIPLY else (Z64,))
    numbers = edges(primitive.bits or 64, primitive.count)
    bits = [pack_bits(np.arange(primitive.count) % divisor == 0) for divisor in (2, 3)]
    return [
        (domain, bits[position] if domain is BITS else np.roll(numbers, position))
        for position, domain in enumerate(domains)
    ]


def computed(scheme: Scheme, primitive: Primitive, computing: int) -> Words:
    """The result in the clear, of an additive or a plain scheme."""
    operands = operands_of(primitive)
    shared = [
        shares_of(domain, values, computing, position) if scheme.private else [values] * computing
        for position, (domain, values) in enumerate(operands)
    ]

    def runner(program: Program, me: int) -> Step[Words]:
        inputs = [
            Share(domain, (primitive.count,) if domain is BITS else values.shape, (shares[me],))
            for (domain, values), shares in zip(operands, shared, strict=True)
        ]
        share = yield from scheme.compute(program.context(2), primitive, inputs)
        (part,) = share.parts
        return part

    setting = make_programs(computing=computing, scheme=scheme)[0].setting
    results = run(runner, scheme.compute_cost(setting, primitive), computing).results
    of_bits = primitive.kind in (Kind.AND, Kind.SIGN, Kind.IS_ZERO)
    total = results[0]
    if scheme.private:
        total = np.asarray((np.bitwise_xor if of_bits else np.add).reduce(list(results.values())))
    return unpack_bits(total, primitive.count).astype(np.uint64) if of_bits else total


@pytest.mark.parametrize("computing", [2, 3, 6])
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 4097])
def test_a_primitive_costs_what_it_declares_and_gives_what_the_clear_gives(count: int, computing: int) -> None:
    for primitive in primitives(count):
        shared, clear = computed(ADDITIVE, primitive, computing), computed(PlainScheme(), primitive, computing)
        assert np.array_equal(shared, clear), primitive


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (5, 1, 2), (1, 70, 1)])
def test_products_of_matrices(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    primitive = Primitive(Kind.MATMUL, rows * columns, inner=inner, columns=columns)
    assert np.array_equal(computed(ADDITIVE, primitive, 3), computed(PlainScheme(), primitive, 3))


def test_those_who_do_not_compute_take_as_many_rounds() -> None:
    for primitive in primitives(70):
        program = make_programs(computing=2, everyone=3)[2]
        rounds = list(ADDITIVE.compute(program.context(0), primitive, []))
        assert rounds == [Round()] * ADDITIVE.compute_cost(SETTING, primitive).rounds


def test_a_peer_that_sends_too_little_is_named() -> None:
    """The scheduler refuses other sizes already; a driver that does not is told who it was."""
    for bits in (64, 9):
        program = make_programs(computing=2)[0]
        _, demand, _ = bitplanes.sign_cost(3, bits, 2)
        assert program.preparation is not None
        list(program.preparation.ensure(program.context(1), program.pool, make_tranche(1, demand)))
        step = bitplanes.sign_bits(program.context(2), np.zeros(3, np.uint64), bits, 2)
        next(step)
        with pytest.raises(PeerViolation, match="expected") as error:
            step.send({1: memoryview(b"12")})
        assert error.value.party == "party1"


# What is opened


def chi_square(data: bytes) -> float:
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    assert expected > 20
    return float(((counts - expected) ** 2 / expected).sum())


INPUTS: dict[str, Callable[[int, int], Words]] = {
    "zeros": lambda bits, count: np.zeros(count, np.uint64),
    "lowest": lambda bits, count: np.full(count, -(2 ** (bits - 1)), np.int64).view(np.uint64),
    "highest": lambda bits, count: np.full(count, 2 ** (bits - 1) - 1, np.int64).view(np.uint64),
    "one bit": lambda bits, count: np.full(count, 1, np.uint64),
    "ascending": lambda bits, count: np.arange(count, dtype=np.uint64) % np.uint64(2 ** (bits - 1)),
}


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize(("bits", "block"), [(64, 2), (64, 4), (16, 2), (40, 1)])
def test_what_a_comparison_opens_is_uniform(bits: int, block: int, inputs: str) -> None:
    """Every message, and what the messages of a round open, whatever is compared: whole bytes of whole words."""
    count = 64 * 400
    transcript = signs(INPUTS[inputs](bits, count), bits, block, 2)
    from_first = [data for sender, data in transcript.views[1] if sender == 0]
    from_second = [data for sender, data in transcript.views[0] if sender == 1]
    assert len(from_first) == len(from_second) == transcript.rounds
    for number, (a, b) in enumerate(zip(from_first, from_second, strict=True)):
        assert chi_square(a) < THRESHOLD
        assert chi_square(b) < THRESHOLD
        if number:  # the tree opens bits
            opened = np.frombuffer(a, np.uint64) ^ np.frombuffer(b, np.uint64)
        else:
            assert len(a) == count * bits // 8
            total = np.add(*(bitplanes.unpack_low_bytes(data, count, bits) for data in (a, b)))
            opened = np.ascontiguousarray(total.view(np.uint8).reshape(-1, 8)[:, : bits // 8])
        assert chi_square(opened.tobytes()) < THRESHOLD, number


@pytest.mark.parametrize("bits", [1, 5, 21, 33, 63])
def test_what_is_sent_is_reduced_to_the_width(bits: int) -> None:
    """Higher bits would tell carries: what is above the width is zero in every message."""
    count = 640
    transcript = signs(edges(bits, count), bits, 2, 3)
    for party in range(3):
        for _, data in transcript.views[party][:2]:  # the opening, from both others
            assert len(data) == (bits + 7) // 8 * count
            assert int(bitplanes.unpack_low_bytes(data, count, bits).max()) < 2**bits


@pytest.mark.parametrize("count", [0, 1, 3, 70])
def test_low_bytes_are_packed_and_come_back(count: int) -> None:
    values = np.resize(np.array([2**64 - 1, 0, 0x0123_4567_89AB_CDEF, 1], np.uint64), count)
    for bits in WIDTHS:
        data = bitplanes.pack_low_bytes(values, bits)
        assert len(data) == (bits + 7) // 8 * count
        assert np.array_equal(bitplanes.unpack_low_bytes(data, count, bits), values & np.uint64(2**bits - 1))


@pytest.mark.parametrize("kind", [Kind.MULTIPLY, Kind.AND, Kind.TO_NUMBER, Kind.SELECT])
def test_what_a_product_opens_is_uniform(kind: Kind) -> None:
    count = 64 * 1600
    primitive = Primitive(kind, count)
    operands = [
        (domain, np.zeros(count // 64 if domain is BITS else count, np.uint64))
        for domain in OF_BITS.get(kind, (Z64, Z64))
    ]

    def runner(program: Program, me: int) -> Step[Words]:
        # Shares of zero that are zero: nothing but the randomness of the product hides them.
        inputs = [Share(domain, (count,), (values,)) for domain, values in operands]
        return (yield from ADDITIVE.compute(program.context(2), primitive, inputs)).parts[0]

    transcript = run(runner, ADDITIVE.compute_cost(SETTING, primitive), 3)
    for view in transcript.views.values():
        assert all(chi_square(data) < THRESHOLD for _, data in view)


def test_a_second_use_would_be_noticed() -> None:
    """Two products at the cost of one do not fit into its randomness."""
    shares: Sequence[Words] = shares_of(Z64, edges(64, 4), 2)

    def runner(program: Program, me: int) -> Step[Words]:
        yield from bitplanes.sign_bits(program.context(2), shares[me], 64, 2)
        return (yield from bitplanes.sign_bits(program.context(3), shares[me], 64, 2))

    with pytest.raises(LocalError, match="are needed and 0 are left"):
        run(runner, bit_cost(bitplanes.sign_cost(4, 64, 2), 2), 2)
