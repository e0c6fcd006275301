"""The statistics: exact, quiet on what is alike, and awake to what differs."""

from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import blake2b

import pytest

from mpcnet.testing import distinguisher
from mpcnet.testing.distinguisher import JUDGING_RUNS, SCREENING_RUNS, judge, suspects
from mpcnet.testing.views import View

Body = Callable[[int], bytes]


def noise(seed: int, size: int, label: str = "") -> bytes:
    blocks = [blake2b(f"{seed}/{label}/{number}".encode()).digest() for number in range(-(-size // 64))]
    return b"".join(blocks)[:size]


def views(runs: int, body: Callable[[int], View], first: int) -> list[View]:
    return [body(seed) for seed in range(first, first + runs)]


def found_between(one: Callable[[int], View], other: Callable[[int], View]) -> str:
    """What the two steps say about two kinds of views."""
    screened = suspects(views(SCREENING_RUNS, one, 0), views(SCREENING_RUNS, other, 1000))
    if not screened:
        return ""
    fresh = views(JUDGING_RUNS, one, 2000), views(JUDGING_RUNS, other, 3000)
    return str(judge(*fresh, screened, len(screened)) or "")


def message(body: Body) -> Callable[[int], View]:
    return lambda seed: (("round from bob", "", 0, body(seed)),)


def test_the_evidence_is_that_of_the_hypergeometric_distribution() -> None:
    table = distinguisher._table(4)  # pyright: ignore[reportPrivateUsage]
    # All four of one side and none of the other: 1 of 70 ways, and 1 for the other way round.
    assert table[4, 0] == table[0, 4] == pytest.approx(math.log2(70 / 2))
    # Three against one: 16 + 1 of 70, twice.
    assert table[3, 1] == pytest.approx(math.log2(70 / 34))
    assert table[2, 2] == table[0, 0] == table[4, 4] == 0


def test_what_is_alike_is_not_suspected() -> None:
    assert found_between(message(lambda seed: noise(seed, 500)), message(lambda seed: noise(seed, 500))) == ""
    assert found_between(message(lambda _: b"the same"), message(lambda _: b"the same")) == ""


def test_dependence_inside_a_run_is_no_false_alarm() -> None:
    """Thousands of equal bytes in one message are one sample, and not thousands."""

    def repeated(seed: int) -> bytes:
        return noise(seed, 1) * 4096

    assert found_between(message(repeated), message(repeated)) == ""


def test_a_suspicion_of_the_screening_alone_is_dropped() -> None:
    alike = message(lambda seed: noise(seed, 8))
    innocent = [distinguisher.Suspect("round from bob, number 0: its bits", place) for place in range(64)]
    assert judge(views(JUDGING_RUNS, alike, 0), views(JUDGING_RUNS, alike, 1000), innocent, 64) is None


def plain(seed: int) -> bytes:
    return bytes(8)


def plain_but_one_bit(seed: int) -> bytes:
    return b"\1" + bytes(7)


def masked(seed: int) -> bytes:
    return noise(seed, 8)


def short_mask(seed: int) -> bytes:
    return noise(seed, 1) + bytes(7)


def short_mask_over_one_bit(seed: int) -> bytes:
    return noise(seed, 1) + b"\0\1" + bytes(5)


def low(seed: int) -> bytes:
    return bytes([seed % 7])


def high(seed: int) -> bytes:
    return bytes([seed % 7 + 7])


def long(seed: int) -> bytes:
    return noise(seed, 64) + b"x" * 9000


def long_but_the_last_byte(seed: int) -> bytes:
    return long(seed)[:-1] + b"y"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (plain, plain_but_one_bit),
        (plain, masked),
        (short_mask, short_mask_over_one_bit),
        (low, high),
        (long, long_but_the_last_byte),
    ],
)
def test_messages_that_tell(one: Body, other: Body) -> None:
    assert found_between(message(one), message(other)).startswith("round from bob, number 0")


def test_shapes_that_tell() -> None:
    short, long = message(lambda seed: noise(seed, 8)), message(lambda seed: noise(seed, 9))
    assert found_between(short, long) == "which messages it gets, and how long they are"

    def seldom(seed: int) -> View:
        """Of random length; on the other side longer."""
        return short(seed) * (1 + seed % 3)

    assert "many" in found_between(seldom, lambda seed: short(seed) * (4 + seed % 3))


@pytest.mark.parametrize("join", ["sum", "XOR"])
def test_shares_that_open_to_something_else(join: str) -> None:
    """Each message alone is uniform; together they are an output."""

    def shares(value: int) -> Callable[[int], View]:
        def view(seed: int) -> View:
            mask = int.from_bytes(noise(seed, 8), "little")
            last = (value - mask) % 2**64 if join == "sum" else value ^ mask
            bodies = [mask.to_bytes(8, "little"), last.to_bytes(8, "little")]
            return tuple((f"round from {name}", "", 0, body) for name, body in zip("ab", bodies, strict=True))

        return view

    assert found_between(shares(5), shares(5)) == ""
    assert found_between(shares(5), shares(9)).startswith(f"the {join} of what all send in round number 0")
