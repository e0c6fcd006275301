"""What is said of a job while it runs. Time is a number that tests set."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from mpcnet import Job, find_protocol, simulate
from mpcnet.cli import progress
from mpcnet.cli.display import Display
from mpcnet.cli.progress import watch_run
from mpcnet.cli.progress_model import JobProgress, SimulationProgress, event_of
from mpcnet.cli.watch import Lines, Watch
from mpcnet.declare.plan import Plan, make_plan
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session.cost import Cost
from mpcnet.session.events import Agreed, Ended, Evaluating, Event, PeerDown, PeerUp, Prepared, RoundDone, Waiting

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ADDRESSES = {"bob": "bob.example:7000", "carol": "carol.example:7000"}


@dataclass
class Time:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def job_progress(clock: Time) -> JobProgress:
    return JobProgress("raises", ADDRESSES, clock, gives_up_at=700.0)


def test_the_phases(job_progress: JobProgress) -> None:
    told: list[tuple[str, tuple[int, int] | None]] = []

    def take(event: Event) -> None:
        job_progress.observe(event)
        told.append((job_progress.phase, job_progress.rounds))

    take(PeerUp("bob"))
    take(PeerUp("zoe"))  # of the roster, not of this job
    take(PeerDown("bob", "gone"))
    take(PeerUp("bob"))
    take(PeerUp("carol"))
    take(Agreed("raises", b""))
    take(Evaluating("raises", b"", 2, prepares=True))
    take(RoundDone("raises", b"", 0))
    take(Prepared("raises", b""))
    take(RoundDone("raises", b"", 1))
    take(RoundDone("raises", b"", 2))
    take(Evaluating("raises", b"", 1, prepares=False))
    take(Ended("raises", None, Cost()))
    assert told == [
        ("links: 1 of 2", None),
        ("links: 1 of 2", None),
        ("links: 0 of 2", None),
        ("links: 1 of 2", None),
        ("agreement", None),
        ("computing", None),
        ("correlated randomness", None),
        ("correlated randomness", None),
        ("rounds", (0, 2)),
        ("rounds", (1, 2)),
        ("computing", None),
        ("evaluation 2: rounds", (0, 1)),
        ("computing", None),
    ]


def test_forks_count_together(job_progress: JobProgress) -> None:
    job_progress.observe(Agreed("raises", b""))
    for fork, rounds in ((b"a", 3), (b"b", 5)):
        job_progress.observe(Evaluating("raises", fork, rounds, prepares=False))
    job_progress.observe(RoundDone("raises", b"b", 0))
    assert job_progress.rounds == (1, 8)


def test_a_dealer_deals(job_progress: JobProgress) -> None:
    job_progress.deals = job_progress.agreed = True
    assert job_progress.phase == "dealing"


def test_time_left_is_that_of_the_rounds_so_far(job_progress: JobProgress, clock: Time) -> None:
    job_progress.observe(Agreed("raises", b""))
    job_progress.observe(Evaluating("raises", b"", 10, prepares=False))
    assert job_progress.seconds_left is None
    clock.now += 1
    job_progress.observe(RoundDone("raises", b"", 0))
    assert job_progress.seconds_left is None, "too early to guess"
    clock.now += 3
    job_progress.observe(RoundDone("raises", b"", 1))
    assert job_progress.seconds_left == 16.0


def test_for_whom_it_waits(job_progress: JobProgress, clock: Time) -> None:
    hint = "bob cannot be reached at bob.example:7000"
    job_progress.look({"bob": hint, "carol": ""})
    assert job_progress.awaited(1) == []
    clock.now += 75
    job_progress.look({"bob": hint, "carol": ""})
    assert job_progress.awaited(1) == [
        "waiting for bob (bob.example:7000), 1:15 min: cannot be reached",
        "waiting for carol (carol.example:7000), 1:15 min",
    ]
    job_progress.look({"carol": "carol: closed the connection during the handshake"})
    assert job_progress.awaited(1)[0].endswith("1:15 min: closed the connection during the handshake")
    job_progress.observe(Agreed("raises", b""))
    job_progress.look({"carol": ""})
    assert job_progress.awaited(1) == [], "it is awaited anew"


def test_of_many_some_are_named(clock: Time) -> None:
    names = {f"p{place}": "here:1" for place in range(20)}
    job_progress = JobProgress("many", names, clock)
    job_progress.look(dict.fromkeys(names, ""))
    clock.now += 9
    assert len(job_progress.awaited(1)) == 9
    assert job_progress.awaited(1)[-1] == "and 12 more"


def test_lines_where_no_terminal_is(
    job_progress: JobProgress, clock: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines(job_progress)

    def look(seconds: float, *names: str) -> list[str]:
        clock.now += seconds
        lines.look(dict.fromkeys(names, ""))
        return capsys.readouterr().err.splitlines()

    assert look(0, "bob") == []
    assert look(4.9, "bob") == [], "parties that start together are not reported"
    assert look(0.2, "bob", "carol") == ["raises: waiting for bob (bob.example:7000), 5 s"]
    assert look(1, "bob", "carol") == []
    assert len(look(5, "bob", "carol")) == 2, "one more is late"
    assert look(30, "bob") == [], "fewer are no news"
    assert look(40, "bob") == ["raises: waiting for bob (bob.example:7000), 1:21 min"]
    assert look(1) == []
    assert look(9, "bob") == []
    job_progress.deals = job_progress.agreed = True
    assert look(9, "bob") == [], "a dealer waits all the time"


@pytest.mark.parametrize(
    "event",
    [
        PeerUp("bob"),
        Waiting("x", ("bob", "carol")),
        Agreed("x", b"\x01"),
        RoundDone("x", b"", 3),
        Prepared("x", b""),
    ],
)
def test_reports_can_be_read_again(event: Event, plan: Plan[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    watch_run(plan, Time(), quiet=False, reports=True).listener(event)
    (line,) = capsys.readouterr().err.splitlines()
    read = event_of(line)
    assert read is not None
    assert type(read) is type(event)
    assert [item.name for item in dataclasses.fields(read)] == [item.name for item in dataclasses.fields(event)]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "{}", '{"event": "Nothing"}', '{"event": "Callable"}', '{"event": "PeerUp"}']
)
def test_other_lines_are_no_events(line: str) -> None:
    assert event_of(line) is None


@pytest.fixture
def plan() -> Plan[Any, Any]:
    average = find_protocol("average")
    names = ("alice", "bob", "carol")
    roster = Roster(
        tuple(
            Member(place, name, Identity.generate().public, f"{name}.example:7") for place, name in enumerate(names)
        )
    )
    job = Job(average, average.make_params({}), {"owners": names}, "raises", deadline_seconds=600)
    return make_plan(job, roster, roster.by_name("alice"))


def test_who_watches(plan: Plan[Any, Any], clock: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    def kind(**options: bool) -> str:
        return type(watch_run(plan, clock, **{"quiet": False, "reports": False, **options})).__name__

    assert kind(quiet=True) == Watch.__name__
    assert kind() == Lines.__name__
    assert kind(reports=True) == "Reports"
    monkeypatch.setattr(progress, "is_live", bool)
    assert kind() == "OnTerminal"
    assert watch_run(plan, clock, quiet=True, reports=False).progress.gives_up_at == 700


@pytest.mark.parametrize("width", [80, 40])
def test_the_display(job_progress: JobProgress, clock: Time, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=True)
    monkeypatch.setattr("mpcnet.cli.display.stderr", lambda: console)
    monkeypatch.setattr("time.monotonic", clock)

    def drawn() -> list[str]:
        with console.capture() as capture:
            console.print(display.render())
        lines = [line.rstrip() for line in capture.get().splitlines()]
        assert max(map(len, lines), default=0) <= width
        return lines

    display = Display(job_progress)
    assert drawn() == [""], "what is over at once shows nothing"
    clock.now += 30
    job_progress.waiting = {"bob": 100.0}
    (line, *others) = drawn()
    assert "raises: links: 0 of 2" in " ".join(line.split())
    assert " ".join(others).removeprefix("30 s ") == (
        "waiting for bob (bob.example:7000), 30 s gives up in 9:30 min; Ctrl-C ends it now"
    )
    job_progress.observe(Agreed("raises", b""))
    job_progress.observe(Evaluating("raises", b"", 1234, prepares=False))
    for number in range(1000):
        job_progress.observe(RoundDone("raises", b"", number))
    clock.now += 3
    line = " ".join(drawn())
    assert "1,000 of 1,234" in line
    assert "33 s" in line
    assert "left" in line
    assert ("━" in line) == (width == 80)


def test_a_simulation_from_outside() -> None:
    average = find_protocol("average")
    job = Job(average, average.make_params({}), {"owners": ("ann", "ben", "cem")}, "x")
    simulation_progress, seen = SimulationProgress(3), set[tuple[str, tuple[int, int] | None]]()

    def take(party: str, event: Event) -> None:
        simulation_progress.observe(party, event)
        seen.add((simulation_progress.phase, simulation_progress.rounds))

    simulate(job, {name: {"value": 1} for name in job.names}, listener=take)
    assert ("agreement", (1, 3)) in seen
    assert ("rounds", (0, 1)) in seen
    assert simulation_progress.phase == "endings"
    assert simulation_progress.rounds == (3, 3)


def test_nothing_is_shown_when_piped(four: Path, mpcnet: Command) -> None:
    assert mpcnet("sim", "average").err == ""
    assert mpcnet("sim", "--scenario", "raises", "--quiet").err == ""
