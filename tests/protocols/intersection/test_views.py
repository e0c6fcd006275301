"""What a party sees: sizes, points that look random, and tags for it alone. Nothing of it tells more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet import Job, Simulation, simulate
from mpcnet.session.party import JobParty
from mpcnet.sets import blind, multiply, tag_bytes, tags_of
from mpcnet_protocols.intersection import Outcome, Rules, intersection

ALL = [f"item {number}" for number in range(30)]
SAME, DISJOINT, HALF = ALL[:10], ALL[10:20], ALL[5:15]


def run(first: Sequence[str], second: Sequence[str], rules: Rules, *, seed: int = 0) -> Simulation[Outcome]:
    job = Job(intersection, rules, {"owners": ("ann", "ben")}, "lists")
    return simulate(job, {"ann": {"items": first}, "ben": {"items": second}}, seed=seed)


def bodies(simulation: Simulation[Outcome], name: str) -> list[bytes]:
    """What a party received, round by round."""
    return [bytes(entry.body) for entry in simulation.views[name]]


def points(simulation: Simulation[Outcome], name: str) -> list[bytes]:
    body = bodies(simulation, name)[1]
    return [body[start : start + 32] for start in range(0, len(body), 32)]


def tags(simulation: Simulation[Outcome], name: str, size: tuple[int, int] = (10, 10)) -> list[bytes]:
    body, nbytes = bodies(simulation, name)[2], tag_bytes(*size)
    return [body[start : start + nbytes] for start in range(0, len(body), nbytes)]


@pytest.mark.parametrize("reveal", ["items", "cardinality"])
@pytest.mark.parametrize("to", ["first", "second"])
def test_who_is_not_told_sees_the_same_bytes_whatever_it_has_in_common(to: str, reveal: str) -> None:
    """With its own list and randomness fixed, the other's messages do not depend on ours at all."""
    quiet = "ben" if to == "first" else "ann"
    seen: set[tuple[bytes, ...]] = set()
    for own in (SAME, DISJOINT, HALF):
        lists = (SAME, own) if to == "first" else (own, SAME)
        simulation = run(*lists, Rules(to, reveal))
        assert simulation.outputs[quiet].size is None
        assert [len(body) for body in bodies(simulation, quiet)] == [8, 320]
        seen.add(tuple(bodies(simulation, quiet)))
    assert len(seen) == 1


def test_points_of_other_lists_look_alike() -> None:
    """Ones in each bit of 32-byte points, over many runs: as many for the same list as for another, and a half."""
    counts: list[NDArray[np.int64]] = []
    runs = 60
    for lists in ((SAME, SAME), (DISJOINT, SAME)):
        seen = [point for seed in range(runs) for point in points(run(*lists, Rules("first"), seed=seed), "ben")]
        assert len(set(seen)) == runs * 10
        bits = np.unpackbits(np.frombuffer(b"".join(seen), np.uint8).reshape(-1, 32), axis=1, bitorder="little")
        counts.append(bits.sum(axis=0, dtype=np.int64))
    number = runs * 10
    spread = 6 * np.sqrt(number / 4)  # six standard deviations in any of 510 counts: once in a million
    for count in counts:
        assert (abs(count[:255] - number / 2) < spread).all()
        assert count[255] == 0
    assert (abs(counts[0] - counts[1])[:255] < spread * np.sqrt(2)).all()


def test_points_come_sorted_and_tell_nothing_of_a_list_s_order() -> None:
    forwards, backwards = run(SAME, HALF, Rules()), run(SAME[::-1], HALF[::-1], Rules())
    for name in ("ann", "ben"):
        assert points(forwards, name) == sorted(points(forwards, name))
        assert bodies(forwards, name) == bodies(backwards, name)
    assert forwards.outputs == backwards.outputs


def test_what_is_given_twice_is_not_seen() -> None:
    once, twice = run(SAME, HALF, Rules()), run(SAME * 3, [*HALF, HALF[0]], Rules())
    for name in ("ann", "ben"):
        assert bodies(once, name) == bodies(twice, name)


def test_the_cardinality_s_tags_are_sorted_and_fit_no_place() -> None:
    """The same run tells in "items" the tag of each place. The other way tells the same tags, in another order."""
    agreed: dict[str, list[int]] = {}
    for reveal in ("items", "cardinality"):
        simulation = run(SAME, HALF, Rules("first", reveal))
        assert simulation.outputs["ann"].size == 5
        received = tags(simulation, "ann")
        assert len(set(received)) == 10
        agreed[reveal] = [sorted(received).index(tag) for tag in received]
    assert agreed["cardinality"] == list(range(10))
    assert agreed["items"] != list(range(10))


def places(seed: int, reveal: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of each item of the receiver the place of its point in its message, and of its tag in the answer.

    Nobody in the run knows both scalars; the test notes them to find out which tag belongs to which item.
    """
    scalars: dict[str, bytes] = {}
    jobs: set[bytes] = set()
    draw = JobParty[Rules].random_bytes

    def noted(party: JobParty[Rules], count: int) -> bytes:
        jobs.add(party.job_id)
        return scalars.setdefault(party.me.name, draw(party, count))

    monkeypatch.setattr(JobParty, "random_bytes", noted)
    simulation = run(SAME, HALF, Rules("first", reveal), seed=seed)
    monkeypatch.undo()
    (job,) = jobs
    sent, answered = points(simulation, "ben"), tags(simulation, "ann")
    ours = blind([item.encode() for item in SAME], job, scalars["ann"])
    theirs = tags_of(multiply(ours, scalars["ben"]), job, 0, tag_bytes(10, 10))
    return [(sent.index(point), answered.index(tag)) for point, tag in zip(ours, theirs, strict=True)]


def test_tags_follow_the_points_for_items_and_not_for_the_cardinality(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [place for seed in range(20) for place in places(seed, "items", monkeypatch)]
    assert all(point == tag for point, tag in found)
    found = [place for seed in range(60) for place in places(seed, "cardinality", monkeypatch)]
    together = np.zeros((10, 10), np.int64)
    for point, tag in found:
        together[point, tag] += 1
    # 600 pairs in 100 cells, 6 expected in each: Pearson's statistic has mean 81 and standard deviation 12.7.
    statistic = float(((together - 6) ** 2 / 6).sum())
    assert 81 - 5 * 12.7 < statistic < 81 + 5 * 12.7
    assert float(abs(np.corrcoef(np.array(found).T)[0, 1])) < 5 / np.sqrt(600)


def test_two_jobs_have_nothing_in_common() -> None:
    """Two runs of one list: no point and no tag comes twice."""
    one, two = run(SAME, SAME, Rules(), seed=1), run(SAME, SAME, Rules(), seed=2)
    for name in ("ann", "ben"):
        assert not set(points(one, name)) & set(points(two, name))
        assert not set(tags(one, name)) & set(tags(two, name))


def test_tags_of_the_two_receivers_differ() -> None:
    simulation = run(SAME, SAME, Rules("both"))
    assert simulation.outputs["ann"].size == 10
    assert not set(tags(simulation, "ann")) & set(tags(simulation, "ben"))
