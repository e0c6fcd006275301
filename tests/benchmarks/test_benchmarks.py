"""`python -m benchmarks`: it names its rows, and a tiny one runs as real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.rows import ROWS

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("row", "n", "parties", "scheme", "seconds", "rate", "bytes_per_party", "rounds", "reference", "ratio")


def benchmarks(*words: str) -> str:
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.slow
@pytest.mark.processes
def test_the_rows_have_names() -> None:
    listed = [line.split()[0] for line in benchmarks("--list").splitlines()]
    assert listed == ["link", *ROWS]


@pytest.mark.slow
@pytest.mark.processes
def test_a_tiny_row_runs() -> None:
    words = "multiply --n 10 --parties 2 --repeats 1 --no-peer --no-limits --json"
    (line,) = [json.loads(line) for line in benchmarks(*words.split()).splitlines()]
    assert set(KEYS) <= line.keys()
    assert (line["row"], line["n"], line["parties"], line["scheme"]) == ("multiply", 10, 2, "additive")
    # two masked operands to the peer, and the request to the dealer
    assert 160 <= line["bytes_per_party"] < 300
    assert line["rounds"] == 1
    assert line["seconds"] > 0
