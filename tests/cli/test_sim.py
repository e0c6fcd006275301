"""All parties in this process."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpcnet import LAN, WAN, LocalError
from mpcnet.cli.experiments import parse_fault, parse_network, with_links
from mpcnet.declare import list_protocols
from mpcnet.sim import Crash, CrashAfter, LinkModel, Stall

if TYPE_CHECKING:
    from tests.cli.conftest import Command

WORKED_EXAMPLE = "sum 12,686  average 3,171.50  of 4 values"


def test_the_worked_example(mpcnet: Command) -> None:
    ended = mpcnet("sim", "average")
    rows = [line.rstrip() for line in ended.out.splitlines() if WORKED_EXAMPLE in line]
    assert rows == [f"{name:<5}   {WORKED_EXAMPLE}" for name in ("alice", "bob", "carol", "dave")]
    assert "1 round, 12 messages, 96 bytes" in ended.out
    assert (ended.code, ended.err) == (0, "")


def test_the_scenario(mpcnet: Command) -> None:
    ended = mpcnet("sim", "--scenario", "raises")
    assert ended.out.count(WORKED_EXAMPLE) == 4
    assert "network WAN: 50 ms one way, 100 Mbit/s, seed 0" in ended.out
    assert "350 ms of virtual time" in ended.out


@pytest.mark.parametrize("name", list_protocols())
def test_every_example_fits_a_terminal(mpcnet: Command, name: str) -> None:
    ended = mpcnet("sim", name)
    assert ended.code == 0
    assert max(len(line.rstrip()) for line in ended.out.splitlines()) <= 80


def test_for_programs(mpcnet: Command) -> None:
    document = mpcnet("sim", "average", "--network", "20ms/50Mbit", "--seed", "7", "--json").document
    assert document["seed"] == 7
    assert document["network"] == {"latency_seconds": 0.02, "bandwidth_bytes": 6.25e6, "jitter_seconds": 0}
    assert [party["party"] for party in document["parties"]] == ["alice", "bob", "carol", "dave"]
    for party in document["parties"]:
        expected = {"sum": 12_686, "mean": {"fraction": "6343/2", "float": 3171.5}, "count": 4}
        assert party["outcome"] == expected
        assert party["text"] == WORKED_EXAMPLE
    cost = document["cost"]
    assert (cost["rounds"], cost["messages"], cost["sent_bytes"], len(cost["links"])) == (1, 12, 96, 12)


def test_a_seed_is_a_run(mpcnet: Command) -> None:
    first = mpcnet("sim", "tally", "--seed", "3", "--json").out
    assert mpcnet("sim", "tally", "--seed", "3", "--json").out == first


@pytest.mark.parametrize(("parties", "total"), [(3, 9296), (9, 29_172)])
def test_another_number_of_parties(mpcnet: Command, parties: int, total: int) -> None:
    document = mpcnet("sim", "average", "--parties", str(parties), "--json").document
    assert [party["outcome"]["sum"] for party in document["parties"]] == [total] * parties


def test_many_parties_share_a_row(mpcnet: Command) -> None:
    ended = mpcnet("sim", "tally", "--parties", "20")
    assert "alice and 19 more" in ended.out


def test_a_job_file(four: Path, mpcnet: Command) -> None:
    raises = {"alice": 3800, "bob": 2514, "carol": "2982", "dave": [3390]}
    (four / "inputs.json").write_text(json.dumps({name: {"value": value} for name, value in raises.items()}))
    assert mpcnet("sim", "job.toml", "--inputs", "inputs.json").out.count(WORKED_EXAMPLE) == 4
    piped = mpcnet("sim", "job.toml", "--inputs", "-", stdin=(four / "inputs.json").read_text())
    assert piped.out.count(WORKED_EXAMPLE) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a protocol, a job file or a scenario (mpcnet protocols; scenarios: auction, raises)"),
        (["average", "--scenario", "raises"], "name a protocol, a job file or a scenario"),
        (["nothing"], "no protocol named 'nothing'"),
        (["--scenario", "nothing"], "no scenario named 'nothing'"),
        (["--scenario", "raises", "--parties", "5"], "a scenario has its own"),
        (["average", "--parties", "2"], "role 'owners' takes at least 3 parties, not 2"),
        (["average", "--inputs", "x.json"], "--inputs goes with a job file"),
        (["none.toml"], "give their inputs with --inputs"),
        (["none.toml", "--inputs", "x.json"], "none.toml does not exist"),
        (["average", "--network", "fast"], "a network is lan, wan, or"),
    ],
)
def test_wrong_words(folder: Path, mpcnet: Command, words: list[str], message: str) -> None:
    ended = mpcnet("sim", *words)
    assert ended.code == 2
    assert message in ended.complaint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bob": {}}, "input 'value' of bob is missing"),
        ({"bob": {"valu": 1}}, "bob gives no input 'valu'; it gives: value; did you mean 'value'?"),
        ({"bbo": {"value": 1}}, "the job has no party named 'bbo'; it has: alice, bob, carol, dave"),
    ],
)
def test_inputs_that_do_not_fit_name_their_party(
    four: Path, mpcnet: Command, changes: dict[str, object], message: str
) -> None:
    inputs = {name: {"value": 1} for name in ("alice", "bob", "carol", "dave")}
    ended = mpcnet("sim", "job.toml", "--inputs", "-", stdin=json.dumps({**inputs, **changes}))
    assert ended.code == 2
    assert message in ended.complaint


def test_a_refused_input_is_not_repeated(four: Path, mpcnet: Command) -> None:
    values = {"alice": -73_091, "bob": 1, "carol": 1, "dave": 1}
    wrong = {name: {"value": value} for name, value in values.items()}
    ended = mpcnet("sim", "job.toml", "--inputs", "-", stdin=json.dumps(wrong))
    assert ended.code == 2
    assert "outside the agreed range" in ended.complaint
    assert "73091" not in ended.complaint


def test_networks() -> None:
    assert (parse_network("lan"), parse_network("WAN")) == (LAN, WAN)
    link = parse_network("2.5ms/10MB").default
    assert (link.latency_seconds, link.bandwidth_bytes) == (0.0025, 10e6)
    assert parse_network("1s").default.bandwidth_bytes == math.inf
    assert parse_network("0us/1Gbit").default.latency_seconds == 0
    assert parse_network("50ms~2.5ms/1MB").default == LinkModel(0.05, 1e6, 0.0025)
    for wrong in (
        "50ms~",
        "50ms~/1MB",
        "~5ms",
        "",
        "50",
        "ms/1Mbit",
        "50ms/",
        "50ms/0Mbit",
        "50ms/fast",
        "-1ms",
        "lan/1Mbit",
    ):
        with pytest.raises(LocalError):
            parse_network(wrong)


def test_links_and_faults_in_words() -> None:
    network = with_links(LAN, ["ann:ben=200ms/1MB"])
    assert network.default == LAN.default
    assert network.link("ann", "ben") == network.link("ben", "ann") == LinkModel(0.2, 1e6)
    assert parse_fault("crash:ben:3") == Crash("ben", 3)
    assert parse_fault("stall:ben") == Stall("ben", 0)
    assert parse_fault("crash-after:ben:2") == CrashAfter("ben", 2)
    for wrong in ("", "crash", "crash:", "crash:ben:x", "crash:ben:-1", "fly:ben"):
        with pytest.raises(LocalError):
            parse_fault(wrong)
    for wrong in ("ann=1ms", "ann:ben", "ann:=1ms", "ann:ben=fast"):
        with pytest.raises(LocalError):
            with_links(LAN, [wrong])


def test_faults_are_what_one_wants_to_see(mpcnet: Command) -> None:
    ended = mpcnet("sim", "average", "--fault", "crash:bob:0", "--json")
    assert (ended.code, ended.err) == (0, "")
    errors = {party["party"]: party["error"]["type"] for party in ended.document["parties"]}
    assert errors == {"alice": "PeerLost", "bob": "Crashed", "carol": "PeerLost", "dave": "PeerLost"}
    assert "error" not in ended.document
    shown = mpcnet("sim", "average", "--fault", "stall:bob:0")
    assert shown.code == 0
    assert "waiting for bob" in " ".join(shown.out.split())
    assert "of virtual time" in shown.out


def test_a_failed_simulation_shows_its_cost_and_the_first_cause(mpcnet: Command) -> None:
    ended = mpcnet("sim", "tally", "--network", "40s")  # longer than the deadline of a minute allows
    assert ended.code == 1
    assert ended.complaint.startswith("alice failed: the deadline passed")
    assert "of virtual time" in ended.out
    for_programs = mpcnet("sim", "tally", "--network", "40s", "--json")
    assert for_programs.document["error"]["message"] == for_programs.complaint == ended.complaint
    assert for_programs.document["cost"]["seconds"] == 60


def test_several_seeds(mpcnet: Command) -> None:
    ended = mpcnet("sim", "average", "--network", "1ms~100ms", "--seed", "5", "--seeds", "4")
    assert "network 1 ms and up to 100 ms more one way, seeds 5 to 8" in ended.out
    assert "4 runs with seeds 5 to 8" in ended.out
    assert ended.out.count(WORKED_EXAMPLE) == 4
    assert " ms to " in ended.out
    runs = mpcnet("sim", "average", "--seeds", "3", "--json").document["runs"]
    assert [run["seed"] for run in runs] == [0, 1, 2]
    assert runs[1] == mpcnet("sim", "average", "--seed", "1", "--json").document


def test_a_trace_is_a_line_for_each_frame(folder: Path, mpcnet: Command) -> None:
    assert mpcnet("sim", "average", "--trace", "frames.jsonl", "--link", "alice:bob=500ms").code == 0
    events = [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]
    rounds = [event for event in events if event["kind"] == "ROUND"]
    assert len(rounds) == 12
    assert {event["body_bytes"] for event in rounds} == {8}
    slow = {(event["sender"], event["receiver"]) for event in rounds if event["arrives"] - event["sent"] > 0.4}
    assert slow == {("alice", "bob"), ("bob", "alice")}
    assert "holds one run" in mpcnet("sim", "average", "--trace", "x", "--seeds", "2").complaint
