"""A peer that lies, falls silent or dies: an error that names it, wherever it happens, and nothing of the lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from mpcnet import DeadlineExceeded, Job, PeerAborted, PeerError, PeerLost, PeerViolation, Simulation, simulate
from mpcnet.sim import CrashAfter
from mpcnet.sim.faults import Adversary
from mpcnet.sim.network import LinkModel, Network
from mpcnet.wire.frames import Frame, Kind
from mpcnet_protocols.intersection import Outcome, Rules, intersection

FIRST = [f"private {number}" for number in range(4)]
SECOND = [f"private {number}" for number in range(2, 8)]
RULES = Rules("both", "items", 10)
SIZE, POINTS, TAGS = 0, 1, 2
Change = Callable[[bytes], bytes]

P = 2**255 - 19
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
# All u of small order: 0 (order 2), 1 (4), two of order 8, and p - 1 (4 on the twist).
SMALL = [0, 1, *ORDER_8, P - 1]
REDUCED_LATER = [*SMALL, P, P + 1]
ENCODINGS = [u + top_bit for u in REDUCED_LATER for top_bit in (0, 2**255)]


@dataclass
class Lying:
    """Changes what one party says.

    Args:
        liar: its name.
        number: which of its messages.
        change: message to the bytes that are sent instead; None: it falls silent with this message.
    """

    liar: str
    number: int
    change: Change | None
    said: int = 0

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame | None:
        if sender != self.liar:
            return frame
        self.said += frame.header.kind is Kind.ROUND
        if self.change is None and self.said > self.number:
            return None
        if self.change is None or frame.header.kind is not Kind.ROUND or self.said - 1 != self.number:
            return frame
        return Frame(frame.header, memoryview(self.change(bytes(frame.body))))


def run(
    adversary: Adversary | None = None, rules: Rules = RULES, fault: CrashAfter | None = None
) -> Simulation[Outcome]:
    job = Job(intersection, rules, {"owners": ("ann", "ben")}, "lists")
    inputs = {"ann": {"items": FIRST}, "ben": {"items": SECOND}}
    return simulate(
        job, inputs, adversary=adversary, faults=(fault,) if fault is not None else (), allow_errors=True
    )


def violation(simulation: Simulation[Outcome], liar: str = "ben") -> str:
    """What the other says of it; the liar's own program is told as well, unless it has ended."""
    honest = {"ann": "ben", "ben": "ann"}[liar]
    error = simulation.errors[honest]
    assert isinstance(error, PeerViolation)
    assert error.party == liar
    assert honest not in simulation.outputs
    told = simulation.errors.get(liar)
    assert isinstance(told, PeerError | None)
    assert (told is None) == (liar in simulation.outputs)
    for word in (str(error), str(told)):
        assert "private" not in word
    return error.reason


def announcing(count: int) -> Change:
    return lambda _: count.to_bytes(8, "little")


WRONG_SIZES: list[tuple[int, Change, str]] = [
    (SIZE, announcing(11), "announces 11 items, where at most 10 are agreed on"),
    (SIZE, announcing(2**64 - 1), "announces 18446744073709551615 items, where at most 10 are agreed on"),
    (SIZE, lambda data: data[:7], "sent 7 bytes in round 0, where 8 were agreed"),
    (SIZE, lambda data: data + b"\0", "sent 9 bytes in round 0, where 8 were agreed"),
    (SIZE, lambda data: b"", "sent 0 bytes in round 0, where 8 were agreed"),
    (SIZE, announcing(5), "sent 192 bytes in round 1, where 160 were agreed"),
    (SIZE, announcing(7), "sent 192 bytes in round 1, where 224 were agreed"),
    (SIZE, announcing(0), "sent 192 bytes in round 1, where 0 were agreed"),
    (POINTS, lambda data: data[:-1], "sent 191 bytes in round 1, where 192 were agreed"),
    (POINTS, lambda data: data[:-32], "sent 160 bytes in round 1, where 192 were agreed"),
    (POINTS, lambda data: b"", "sent 0 bytes in round 1, where 192 were agreed"),
    (POINTS, lambda data: data + b"\0", "sent 193 bytes in round 1, where 192 were agreed"),
    (POINTS, lambda data: data + data, "sent 384 bytes in round 1, where 192 were agreed"),
    (TAGS, lambda data: data[:-1], "sent 23 bytes in round 2, where 24 were agreed"),
    (TAGS, lambda data: b"", "sent 0 bytes in round 2, where 24 were agreed"),
    (TAGS, lambda data: data + b"\0", "sent 25 bytes in round 2, where 24 were agreed"),
]


@pytest.mark.parametrize(("number", "change", "reason"), WRONG_SIZES, ids=[reason for _, _, reason in WRONG_SIZES])
def test_wrong_sizes(number: int, change: Change, reason: str) -> None:
    assert violation(run(Lying("ben", number, change))) == reason


def with_point(place: int, u: int) -> Change:
    point = u.to_bytes(32, "little")
    return lambda data: data[: 32 * place] + point + data[32 * place + 32 :]


@pytest.mark.parametrize("to", ["first", "second"])
@pytest.mark.parametrize("u", ENCODINGS, ids=hex)
def test_points_of_small_order_whoever_learns(u: int, to: str) -> None:
    simulation = run(Lying("ben", POINTS, with_point(3, u)), Rules(to))
    assert violation(simulation) == "sent a point of small order, which is no item's"


def test_nothing_but_points_of_small_order() -> None:
    simulation = run(Lying("ann", POINTS, lambda data: bytes(len(data))))
    assert violation(simulation, "ann") == "sent a point of small order, which is no item's"


def twice(data: bytes) -> bytes:
    return data[:32] + data[:-32]


def twice_in_another_encoding(data: bytes) -> bytes:
    """With the top bit set, which X25519 ignores."""
    return data[:32] + data[:31] + bytes([data[31] | 128]) + data[64:]


@pytest.mark.parametrize("reveal", ["items", "cardinality"])
@pytest.mark.parametrize("change", [twice, twice_in_another_encoding])
def test_an_item_that_is_listed_twice(change: Change, reveal: str) -> None:
    """With weights 1, 2, 4, ... a cardinality would tell which items match."""
    simulation = run(Lying("ann", POINTS, change), Rules("first", reveal))
    assert violation(simulation, "ann") == "listed an item twice"


def test_points_that_are_no_item_s_match_nothing() -> None:
    """On the curve or on its twist: what a peer has chosen freely is not found, and no error either."""
    chosen = b"".join(int(9 + number).to_bytes(32, "little") for number in range(len(SECOND)))
    simulation = run(Lying("ben", POINTS, lambda _: chosen))
    assert not simulation.errors
    assert simulation.outputs["ann"].items == ()


def test_what_a_peer_gets_from_us_and_sends_back_matches_nothing() -> None:
    """Our points as its own, then our tags as those of our items: if tags had no receiver, all would match."""
    echo = Echo()
    job = Job(intersection, RULES, {"owners": ("ann", "ben")}, "lists")
    lists = {"ann": {"items": FIRST}, "ben": {"items": FIRST}}
    assert simulate(job, lists).outputs["ann"].size == len(FIRST)
    # Ann hears from Ben sooner than he from her: so she has said everything before he does.
    network = Network(LinkModel(0.01), {("ann", "ben"): LinkModel(0.1)})
    outcome = simulate(job, lists, network=network, adversary=echo, allow_errors=True).outputs["ann"]
    assert echo.replaced == 3
    assert outcome.items == ()


class Echo:
    """Ben says to Ann what Ann said to him."""

    def __init__(self) -> None:
        self.said: list[Frame] = []
        self.replaced = 0

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame:
        if frame.header.kind is not Kind.ROUND:
            return frame
        if sender == "ann":
            self.said.append(frame)
            return frame
        self.replaced += 1
        return Frame(frame.header, self.said[self.replaced - 1].body)


@pytest.mark.parametrize("rules", [RULES, Rules("first"), Rules("second", "cardinality")], ids=str)
@pytest.mark.parametrize("victim", ["ann", "ben"])
@pytest.mark.parametrize("messages", range(4))
def test_a_party_that_dies(victim: str, messages: int, rules: Rules) -> None:
    """Wherever it dies, the other ends in an error that names it, unless it had all that it needs."""
    other = {"ann": "ben", "ben": "ann"}[victim]
    simulation = run(rules=rules, fault=CrashAfter(victim, messages))
    complete = run(rules=rules).outputs
    says = 2 + rules.learns(["ann", "ben"].index(other))
    if messages >= says:
        assert simulation.outputs[other] == complete[other]
        return
    error = simulation.errors[other]
    assert isinstance(error, PeerLost)
    assert error.party == victim
    assert other not in simulation.outputs


@pytest.mark.parametrize("number", [SIZE, POINTS, TAGS])
def test_a_party_that_falls_silent(number: int) -> None:
    simulation = run(Lying("ben", number, None))
    error = simulation.errors["ann"]
    assert isinstance(error, DeadlineExceeded)
    assert error.waiting_for == ("ben",)
    # With the tags unsent its own part is done.
    assert isinstance(simulation.errors.get("ben"), DeadlineExceeded | PeerAborted | None)
    assert ("ben" in simulation.outputs) == (number == TAGS)


def test_another_view_of_who_learns_is_no_job() -> None:
    jobs = {
        name: Job(intersection, Rules(to), {"owners": ("ann", "ben")}, "lists")
        for name, to in (("ann", "first"), ("ben", "both"))
    }
    lists: dict[str, dict[str, Sequence[str]]] = {"ann": {"items": FIRST}, "ben": {"items": SECOND}}
    simulation = simulate(jobs["ann"], lists, jobs=jobs, allow_errors=True)
    assert "to: we have 'first', ben has 'both'" in str(simulation.errors["ann"])
    assert not any(simulation.views.values())
