"""Results in files: exact, of the rows that they name, and there before the party says that it has finished."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpcnet import Job, LocalError, Simulation, find_protocol, simulate
from mpcnet.cli.input_sources import read_given
from mpcnet.cli.inputs import Gathered, InputOptions, gather_inputs
from mpcnet.cli.results import ResultFile
from mpcnet.declare.plan import Plan, first_plan
from mpcnet.wire.frames import Frame, Kind

if TYPE_CHECKING:
    from tests.cli.conftest import Command

STAFF = "e-mail;name;note\nann@example.org;Ann;\n;no mail;\nbob@example.org;Bob;x\n dan@example.org ;Dan\n"
OWNERS = {"owners": ("alice", "bob")}
OTHERS = {"bob": {"items": ["dan@example.org", "ann@example.org", "eve@example.org"]}}


def lists(**params: object) -> Job[Any, Any]:
    found = find_protocol("intersection")
    return Job(found, found.make_params(params), OWNERS, "lists")


def of_alice(job: Job[Any, Any], *sources: str) -> tuple[Plan[Any, Any], Gathered]:
    plan = first_plan(job)
    return plan, gather_inputs(plan, read_given(sources, None), InputOptions(skip_empty=True))


def run(job: Job[Any, Any], file: ResultFile, inputs: Mapping[str, Any], **options: Any) -> Simulation[Any]:
    return simulate(job, inputs, jobs={"alice": file.watch(job)}, **options)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_matched_rows_come_in_the_order_of_the_input_with_all_columns(folder: Path) -> None:
    (folder / "staff.csv").write_text(STAFF)
    job = lists()
    plan, gathered = of_alice(job, "items=staff.csv:e-mail")
    file = ResultFile("both.csv", plan, gathered)
    run(job, file, {"alice": gathered.values, **OTHERS})
    assert file.failure is None
    assert rows_of(folder / "both.csv") == [
        {"line": "2", "e-mail": "ann@example.org", "name": "Ann", "note": ""},
        {"line": "5", "e-mail": "dan@example.org", "name": "Dan", "note": ""},
    ]
    assert (folder / "both.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("items=text:x,dan@example.org", [{"row": "2", "items": "dan@example.org"}]),
        ("items=@mails.txt", [{"line": "3", "#1": "dan@example.org"}]),
        ("items=bare.csv:#2", [{"line": "1", "#1": "Dan", "#2": "dan@example.org"}]),
        ("items=text:x", []),
    ],
)
def test_matched_rows_of_every_source(folder: Path, source: str, expected: list[dict[str, str]]) -> None:
    (folder / "mails.txt").write_text("x\n\ndan@example.org\n")
    (folder / "bare.csv").write_text("Dan,dan@example.org\n")
    job = lists()
    plan, gathered = of_alice(job, source)
    run(job, ResultFile("both.csv", plan, gathered), {"alice": gathered.values, **OTHERS})
    assert rows_of(folder / "both.csv") == expected
    run(job, ResultFile("both.json", plan, gathered), {"alice": gathered.values, **OTHERS})
    document = json.loads((folder / "both.json").read_text())
    assert [{name: str(cell) for name, cell in row.items()} for row in document["rows"]] == expected
    ours: Any = gathered.values["items"]
    assert document["outcome"]["sizes"] == {"alice": len(ours), "bob": 3}


def test_where_no_rows_are_named_there_are_the_sizes(folder: Path) -> None:
    job = lists(reveal="cardinality")
    plan, gathered = of_alice(job, "items=text:ann@example.org,x")
    run(job, ResultFile("size.csv", plan, gathered), {"alice": gathered.values, **OTHERS})
    rows = {row["name"]: row["value"] for row in rows_of(folder / "size.csv")}
    assert rows["size"] == "1"
    assert json.loads(rows["sizes"]) == {"alice": 2, "bob": 3}


def test_numbers_are_exact(folder: Path) -> None:
    found = find_protocol("average")
    names = ("alice", "bob", "carol")
    values = {"alice": 2**60 + 1, "bob": 3, "carol": 1}
    job = Job(found, found.make_params({"high": 2**61}), {"owners": names}, "raises")
    inputs = {name: {"value": value} for name, value in values.items()}
    plan = first_plan(job)
    outcome = run(job, ResultFile("sum.csv", plan, Gathered({}, {})), inputs).outputs["alice"]
    rows = {row["name"]: row["value"] for row in rows_of(folder / "sum.csv")}
    assert rows == {"sum": "1152921504606846981", "mean": "384307168202282327", "count": "3"}
    assert found.explain is not None
    assert found.explain(outcome).startswith("sum 1,152,921,504,606,846,981  average 384,307,168,202,282,327.00")
    run(job, ResultFile("sum.json", plan, Gathered({}, {})), inputs)
    written = json.loads((folder / "sum.json").read_text())["outcome"]
    assert written["sum"] == sum(values.values())
    assert Fraction(written["mean"]["fraction"]) == Fraction(sum(values.values()), 3)


def test_groups_are_rows(folder: Path) -> None:
    found = find_protocol("statistics")
    assert found.example is not None
    job = Job(found, found.example.params, {"owners": ("alice", "bob", "carol")}, "pay")
    inputs = {name: {"value": [1, 2, 4], "group": ["men", "men", "women"]} for name in job.names}
    run(job, ResultFile("pay.csv", first_plan(job), Gathered({}, {})), inputs)
    men, women, other = rows_of(folder / "pay.csv")
    assert (men["label"], men["count"], men["sum"], men["mean"]) == ("men", "6", "9", "1.5")
    assert (women["count"], women["sum"], other["count"]) == ("3", "", "0")


class Finishing:
    """Looks whether the file is there when alice says that she has finished."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: list[bool] = []

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame:
        if sender == "alice" and frame.header.kind is Kind.FINISH:
            self.found.append(self._path.exists())
        return frame


def test_it_is_there_before_the_party_says_that_it_has_finished(folder: Path) -> None:
    job = lists()
    plan, gathered = of_alice(job, "items=text:ann@example.org")
    watcher = Finishing(folder / "both.csv")
    run(job, ResultFile("both.csv", plan, gathered), {"alice": gathered.values, **OTHERS}, adversary=watcher)
    assert watcher.found == [True]


def test_a_result_that_cannot_be_written_is_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LocalError("both.csv cannot be written: No space left on device")

    monkeypatch.setattr("mpcnet.cli.results.replace_text", refuse)
    job = lists()
    plan, gathered = of_alice(job, "items=text:ann@example.org")
    file = ResultFile("both.csv", plan, gathered)
    simulation = run(job, file, {"alice": gathered.values, **OTHERS})
    assert simulation.outputs["alice"].items == ("ann@example.org",)
    assert str(file.failure) == "both.csv cannot be written: No space left on device"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("both.xlsx", "--output takes a file whose name ends in .csv or .json"),
        ("none/both.csv", "none/both.csv cannot be written: its folder does not exist"),
        ("folder.csv", "or it is a folder itself"),
    ],
)
def test_files_that_no_result_goes_to(folder: Path, path: str, words: str) -> None:
    (folder / "folder.csv").mkdir()
    with pytest.raises(LocalError) as caught:
        ResultFile(path, first_plan(lists()), Gathered({}, {}))
    assert words in str(caught.value)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_another_encoding_loses_no_result(folder: Path, mpcnet: Command, encoding: str) -> None:
    made = mpcnet(
        "job", "tally", "--param", 'options=["茶", "café"]', "--role", "voters=ann,ben,cem", "--label", "tea"
    )
    (folder / "job.toml").write_text(made.out, encoding="utf-8")
    votes = {name: {"vote": "茶"} for name in ("ann", "ben", "cem")}
    (folder / "votes.json").write_text(json.dumps(votes), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "mpcnet.cli", "sim", "job.toml", "--inputs", "votes.json", "--quiet"],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"\\u8336" in ended.stdout
