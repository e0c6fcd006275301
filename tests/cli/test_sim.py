"""All parties in this process."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpcnet import LAN, WAN, LocalError
from mpcnet.cli.sim import parse_network
from mpcnet.declare import list_protocols

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
    assert document["network"] == {"latency_seconds": 0.02, "bandwidth_bytes": 6.25e6}
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
    for wrong in ("", "50", "ms/1Mbit", "50ms/", "50ms/0Mbit", "50ms/fast", "-1ms", "lan/1Mbit"):
        with pytest.raises(LocalError):
            parse_network(wrong)
