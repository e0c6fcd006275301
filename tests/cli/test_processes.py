"""Parties as processes: the demo, the README's way by hand, and one that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpcnet import Example, Protocol, find_protocol
from mpcnet.cli import demo
from mpcnet.cli.demo import child_command, guilty_party

if TYPE_CHECKING:
    from tests.cli.conftest import Command

RAISES = {"alice": "3800", "bob": "2514", "carol": "2982", "dave": "3390"}
WORKED_EXAMPLE = "sum 12,686  average 3,171.50  of 4 values"


@pytest.mark.slow
@pytest.mark.processes
def test_the_demo(folder: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    ended = mpcnet("demo", "average")
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split(maxsplit=3) for line in ended.out.splitlines() if WORKED_EXAMPLE in line]
    assert [row[:3] for row in rows] == [[name, "value", value] for name, value in RAISES.items()]
    assert "4 processes, encrypted TCP on 127.0.0.1" in ended.out
    assert not list(folder.iterdir()), "the temporary folder is still there"


def start(folder: Path, name: str, *words: str, stdin: str = "", job: str = "job.toml") -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-P", "-m", "mpcnet.cli", "run", job, "--as", name, "--quiet", *words],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdin is not None
    started.stdin.write(stdin)
    started.stdin.close()
    started.stdin = None
    return started


def finish(started: Mapping[str, subprocess.Popen[str]]) -> dict[str, tuple[int, str, str]]:
    try:
        texts = {name: process.communicate(timeout=60) for name, process in started.items()}
    finally:
        for process in started.values():
            with process:
                process.kill()
    return {name: (process.returncode, *texts[name]) for name, process in started.items()}


@pytest.mark.slow
@pytest.mark.processes
def test_by_hand_as_the_readme_tells(four: Path) -> None:
    (four / "raise.txt").write_text("2514\n")
    (four / "staff.csv").write_text("name,raise\ncarol,2982\n")
    ended = finish(
        {
            "alice": start(four, "alice", "--input", "value=-", stdin="3800\n"),
            "bob": start(four, "bob", "--input", "value=@raise.txt"),
            "carol": start(four, "carol", "--input", "value=staff.csv:raise"),
            "dave": start(four, "dave", "--inputs", "-", "--json", stdin='{"value": 3390}'),
        }
    )
    for name in ("alice", "bob", "carol"):
        assert ended[name] == (0, f"{WORKED_EXAMPLE}\n", "")
    code, out, err = ended["dave"]
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["outcome"] == {"sum": 12_686, "mean": {"fraction": "6343/2", "float": 3171.5}, "count": 4}
    assert (document["party"], document["label"], document["cost"]["rounds"]) == ("dave", "raises-2026", 1)


@pytest.mark.slow
@pytest.mark.processes
def test_a_party_that_never_comes(four: Path, mpcnet: Command) -> None:
    job = mpcnet("job", "average", "--role", "owners=alice,bob,carol", "--deadline", "2")
    (four / "job.toml").write_text(job.out)
    names = ("alice", "bob")
    ended = finish({name: start(four, name, "--input", "value=-", stdin="73091\n") for name in names})
    for name, (code, out, err) in ended.items():
        assert (code, out) == (1, ""), name
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        assert "carol" in line
        assert "73091" not in line


# The rest starts no process.


def test_no_command_shows_an_input() -> None:
    command = child_command("alice")
    assert not any(value in word for value in RAISES.values() for word in command)
    assert command[-4:] == ["--inputs", "-", "--events", "--json"]


def error(kind: str, message: str) -> dict[str, object]:
    return {"type": kind, "message": message, "parties": []}


def test_the_cause_is_no_echo() -> None:
    echo, cause = error("PeerAborted", "bob: ended the job"), error("RangeError", "input 'value': outside")
    assert guilty_party({"alice": echo, "bob": cause, "carol": error("Ended", "x")}) == "bob"
    assert guilty_party({"alice": error("PeerLost", "bob: it is gone"), "bob": error("Died", "x")}) == "bob"
    assert guilty_party({"alice": echo}) == "alice"


class Children:
    """Stands for the processes: what each prints, and what it was handed."""

    def __init__(self, output: Mapping[str, tuple[bytes, bytes, int]]) -> None:
        self.output = output
        self.handed: dict[str, bytes] = {}
        self.commands: list[Sequence[str]] = []

    async def run_process(
        self, command: Sequence[str], *, stdin: bytes, stderr: int, **_: Any
    ) -> subprocess.CompletedProcess[bytes]:
        name = command[command.index("--as") + 1]
        self.commands.append(command)
        self.handed[name] = stdin
        out, err, code = self.output[name]
        os.write(stderr, err)
        return subprocess.CompletedProcess(list(command), code, out)


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Protocol[Any, Any]:
    """`average` with an example of three whose inputs would be recognised."""
    average = find_protocol("average")
    names = ("alice", "bob", "carol")
    values = {name: {"value": [f"7309{place}"]} for place, name in enumerate(names)}
    changed = replace(average, example=Example(average.make_params({}), {"owners": names}, values))
    monkeypatch.setattr(demo, "find_protocol", {"average": changed}.__getitem__)
    return changed


GOOD = json.dumps({"outcome": {"sum": 1}, "text": "sum 1", "job": "00", "cost": {}}).encode()


def children(monkeypatch: pytest.MonkeyPatch, **output: tuple[bytes, bytes, int]) -> Children:
    made = Children({name: output.get(name, (GOOD, b"", 0)) for name in ("alice", "bob", "carol")})
    monkeypatch.setattr("trio.run_process", made.run_process)
    return made


@pytest.mark.usefixtures("canaries")
def test_inputs_are_handed_over_by_standard_input(mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    made = children(monkeypatch)
    document = mpcnet("demo", "average", "--json").document
    assert [json.loads(made.handed[name]) for name in ("alice", "bob", "carol")] == [
        {"value": ["73090"]},
        {"value": ["73091"]},
        {"value": ["73092"]},
    ]
    assert not any("7309" in word for command in made.commands for word in command)
    assert [party["outcome"] for party in document["parties"]] == [{"sum": 1}] * 3


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            (json.dumps({"error": error("RangeError", "input 'value': outside")}).encode(), b"", 2),
            "bob failed: input 'value': outside",
        ),
        ((b"", b"Traceback\nMemoryError\n", 1), "bob failed: its process ended with code 1: MemoryError"),
        ((b"", b"", -9), "bob failed: its process ended with code -9"),
        ((b"[]", b"", 0), "bob failed: its process ended with code 0"),
    ],
)
def test_a_party_that_fails(
    mpcnet: Command, monkeypatch: pytest.MonkeyPatch, output: tuple[bytes, bytes, int], message: str
) -> None:
    echo = json.dumps({"error": error("PeerAborted", "bob: ended the job")}).encode()
    children(monkeypatch, alice=(echo, b"", 1), bob=output)
    ended = mpcnet("demo", "average")
    assert (ended.code, ended.complaint) == (1, message)
    assert "sum 1" in ended.out
    for_programs = mpcnet("demo", "average", "--json")
    assert (for_programs.code, for_programs.complaint) == (1, message)
    assert for_programs.document["error"]["message"] == message
    assert [("error" in party) for party in for_programs.document["parties"]] == [True, True, False]
