"""Job files: they hold a job exactly, and say in one line what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Job, LocalError, Many, Party, find_protocol, protocol
from mpcnet.declare import job_from_toml, job_to_toml, load_job, plugins


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


GOOD = """\
protocol = "average"
label = "raises-2026"
scheme = "additive"
deadline_seconds = 600
compute = ["alice", "bob"]

[params]
high = 20000

[roles]
owners = ["alice", "bob", "carol"]
"""


def test_what_a_file_says() -> None:
    job = job_from_toml(GOOD)
    average = find_protocol("average")
    assert job == Job(
        average,
        average.make_params({"high": 20_000}),
        {"owners": ("alice", "bob", "carol")},
        "raises-2026",
        compute=("alice", "bob"),
        deadline_seconds=600,
    )


def test_what_a_file_need_not_say() -> None:
    job = job_from_toml('protocol = "average"\nlabel = "x"\n[roles]\nowners = ["a", "b", "c"]\n')
    assert job.params == find_protocol("average").make_params({})
    assert (job.scheme, job.deadline_seconds, job.compute, job.dealer) == ("additive", 60, (), None)


def test_a_job_survives_its_file() -> None:
    job = job_from_toml(GOOD)
    assert job_from_toml(job_to_toml(job)) == job
    assert job_to_toml(job_from_toml(job_to_toml(job))) == job_to_toml(job)


@dataclass(frozen=True)
class Everything:
    words: tuple[str, ...]
    number: int
    fraction: float
    flag: bool
    maybe: int | None = None


@protocol("everything", version=1, params=Everything, roles={"some": Many(1)}, outputs={})
async def everything(party: Party[Everything]) -> None:
    """A protocol with parameters of every kind."""


@settings(max_examples=100, derandomize=True)
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4),
    number=st.integers(-(2**63), 2**64 - 1),
    fraction=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    maybe=st.none() | st.integers(-(2**63), 2**64 - 1),
    dealer=st.none() | st.just("dave"),
)
def test_parameters_of_every_kind_survive(
    words: list[str], number: int, fraction: float, flag: bool, maybe: int | None, dealer: str | None
) -> None:
    params = Everything(tuple(words), number, fraction, flag, maybe)
    job: Job[Any, Any] = Job(everything, params, {"some": ("ann",)}, "x", dealer=dealer, deadline_seconds=1.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mpcnet.declare.jobfile.find_protocol", {"everything": everything}.__getitem__)
        assert job_from_toml(job_to_toml(job)) == job


def test_a_file_that_a_failed_command_has_left_empty() -> None:
    with pytest.raises(LocalError, match="it is empty; perhaps the command that should have written it failed"):
        job_from_toml("")


def test_parameters_that_a_file_does_not_hold() -> None:
    for params in (Everything((), 1, float("inf"), True), Everything((), 2**64, 1.0, True)):
        job: Job[Any, Any] = Job(everything, params, {"some": ("ann",)}, "x")
        with pytest.raises(LocalError, match="does not hold"):
            job_to_toml(job)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[params]", "[params", "not a job file"),
        ('label = "raises-2026"', 'labl = "raises-2026"', "no field 'labl'"),
        ('label = "raises-2026"', "", "field 'label' is missing"),
        ('label = "raises-2026"', "label = 7", "field 'label' takes text"),
        ('protocol = "average"', "", "field 'protocol' is missing"),
        ('protocol = "average"', 'protocol = "averag"', "field 'protocol': there is no protocol named 'averag'"),
        ("deadline_seconds = 600", 'deadline_seconds = "long"', "'deadline_seconds' takes a number of seconds"),
        (
            "deadline_seconds = 600",
            f"deadline_seconds = 1{'0' * 400}",
            "a number of more than 64 digits (in line 4)",
        ),
        (
            "deadline_seconds = 600",
            f"deadline_seconds = 1{'0' * 40}",
            "'deadline_seconds' holds a number that leaves",
        ),
        ("deadline_seconds = 600", "deadline_seconds = 1e999999", "holds a number that is not finite"),
        ("deadline_seconds = 600", "deadline_seconds = nan", "holds a number that is not finite"),
        (
            "high = 20000",
            f"high = {'[' * 5000}",
            "not a job file: more than 16 brackets inside each other (in line 8)",
        ),
        ("high = 20000", f"high{'.a' * 20_000} = 1", "not a job file: a key of more than 8 parts (in line 8)"),
        ("high = 20000", f"high = 0x{'f' * 5000}", "'params' holds a number that leaves 64 bits"),
        ("high = 20000", "high = 2001-99-99", "not a job file"),
        ("deadline_seconds = 600", "deadline_seconds = true", "'deadline_seconds' takes a number of seconds"),
        ('compute = ["alice", "bob"]', 'compute = "alice"', "field 'compute' takes a list of names"),
        ('compute = ["alice", "bob"]', "compute = [1]", "field 'compute' takes a list of names"),
        ('compute = ["alice", "bob"]', "dealer = []", "field 'dealer' takes text"),
        ("high = 20000", "hihg = 20000", "field 'params': protocol 'average' has no parameter 'hihg'"),
        ("high = 20000", 'high = "20000"', "parameter 'high' takes int, not str"),
        ("high = 20000", "high = -1", "'low' is above parameter 'high'"),
        ("[params]\nhigh = 20000", "params = 1", "field 'params' takes a table"),
        (
            "owners =",
            '"\\u001b[2Jx" =',
            "field 'roles': protocol 'average' has no role '\\x1b[2Jx'; it has: owners",
        ),
        ('"bob", "carol"]', '"\\u001b[2J", "carol"]', "field 'roles.owners': '\\x1b[2J' is no name"),
        ('compute = ["alice", "bob"]', 'compute = ["\\u001b[2J"]', "field 'compute': '\\x1b[2J' is no name"),
        ('compute = ["alice", "bob"]', 'dealer = "\\u001b[2J"', "field 'dealer': '\\x1b[2J' is no name"),
        (
            "owners =",
            "owner =",
            "'roles': protocol 'average' has no role 'owner'; it has: owners; did you mean 'owners'?",
        ),
        ('owners = ["alice", "bob", "carol"]', "", "field 'roles.owners' is missing"),
        ('owners = ["alice", "bob", "carol"]', 'owners = "alice"', "'roles.owners' takes a list of names"),
        ('[roles]\nowners = ["alice", "bob", "carol"]', "", "field 'roles' is missing"),
    ],
)
def test_one_line_that_names_file_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path = tmp_path / "job.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(LocalError) as caught:
        load_job(path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(f"{path}: ")
    assert "\n" not in text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="does not exist"):
        load_job(tmp_path / "none.toml")
    with pytest.raises(LocalError, match="cannot be read"):
        load_job(tmp_path)


def test_every_bundled_example_has_a_file() -> None:
    for name in plugins.list_protocols():
        found = find_protocol(name)
        assert found.example is not None
        job = Job(found, found.example.params, found.example.roles, f"{name}-1")
        assert job_from_toml(job_to_toml(job)) == job
