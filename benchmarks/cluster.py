"""Computing parties and a dealer as processes of this machine, joined by encrypted TCP on its loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import selectors
import statistics
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpcnet import Identity
from mpcnet.primitives import random_bytes
from mpcnet.transport.free_ports import free_ports

__all__ = ("HOST", "Cluster", "Timing", "read_lines", "running_processes", "write_line")

HOST = "127.0.0.1"
_NAMES = ("alice", "bob", "carol")


@dataclass(frozen=True)
class Timing:
    """One measured row.

    Args:
        seconds: of each repeat, from the first party's call to the last party's result.
        dealing: of each repeat, from the call to the end of the first computing party's first round: asking the
            dealer, and its answer. Nothing where no correlated randomness is taken.
        rounds: online rounds of one repeat.
        sent_bytes: by computing party, payload that it sends in one repeat.
        correction_bytes: what the dealer sends in one repeat.
        party_cpu: processor seconds of one repeat, of the computing party that takes most.
        dealer_cpu: the same of the dealer, agreement included.
    """

    seconds: list[float]
    dealing: list[float]
    rounds: int
    sent_bytes: list[int]
    correction_bytes: int
    party_cpu: float
    dealer_cpu: float

    @property
    def median(self) -> float:
        """The median time of a repeat, in seconds."""
        return statistics.median(self.seconds)

    @property
    def total_bytes(self) -> int:
        """Everything that crosses a link in one repeat, in bytes."""
        return sum(self.sent_bytes) + self.correction_bytes


class Cluster:
    """The processes of one set of parties; the last one deals."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes
        self._jobs = 0

    @classmethod
    @contextlib.contextmanager
    def start(cls, parties: int) -> Generator[Cluster]:
        """Start this number of computing parties, and a dealer."""
        names = [*_NAMES[:parties], "dora"]
        seeds = [random_bytes(32) for _ in names]
        settings = {
            "names": names,
            "keys": [_text(Identity(seed).public) for seed in seeds],
            "ports": free_ports(len(names)),
        }
        lines = [{**settings, "index": index, "seed": _text(seed)} for index, seed in enumerate(seeds)]
        commands = [[sys.executable, "-m", "benchmarks.party"] for _ in names]
        with running_processes(commands) as processes:
            for process, line in zip(processes, lines, strict=True):
                write_line(process, line)
            yield cls(processes)

    def measure(self, row: str, n: int, repeats: int, profile: Path | None = None) -> Timing:
        """Run a row once.

        Args:
            profile: where the parties write what cProfile saw; the name of each is appended.
        """
        self._jobs += 1
        label = f"{row}-{self._jobs}"
        command = {"row": row, "n": n, "repeats": repeats, "label": label, "profile": str(profile or "")}
        for process in self._processes:
            write_line(process, command)
        answers = read_lines(self._processes)
        return timing_of(answers[:-1], answers[-1], repeats)


def timing_of(answers: list[dict[str, Any]], dealer: dict[str, Any], repeats: int) -> Timing:
    """One timing from what the computing parties and the dealer reported."""
    spans = zip(*(answer["spans"] for answer in answers), strict=True)
    seconds = [max(end for _, end in one) - min(start for start, _ in one) for one in spans]
    runs = repeats + 1
    return Timing(
        seconds,
        answers[0]["first_round"],
        answers[0]["rounds"] // runs,
        [answer["sent"] // runs for answer in answers],
        answers[0]["correction"] // runs,
        max(statistics.median(answer["cpu"]) for answer in answers),
        dealer["cpu"][0] / runs,
    )


@contextlib.contextmanager
def running_processes(commands: list[list[str]]) -> Generator[list[subprocess.Popen[str]]]:
    """Processes whose standard input and output we hold. They end when their input ends, or we end them."""
    processes: list[subprocess.Popen[str]] = []
    try:
        for command in commands:
            pipe = subprocess.PIPE
            processes.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        yield processes
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            process.wait(timeout=20)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()


def write_line(process: subprocess.Popen[str], line: object) -> None:
    """Write one line to a process."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(line) + "\n")
    process.stdin.flush()


def read_lines(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """The next line of each process; an error as soon as one has ended without a line."""
    answers: dict[int, dict[str, Any]] = {}
    with selectors.DefaultSelector() as waiting:
        for index, process in enumerate(processes):
            assert process.stdout is not None
            waiting.register(process.stdout, selectors.EVENT_READ, (index, process.stdout))
        while len(answers) < len(processes):
            for key, _ in waiting.select():
                index, output = key.data
                line = output.readline()
                if not line:
                    raise RuntimeError(f"process {index} ended before its result; its reason is above")
                answers[index] = json.loads(line)
                waiting.unregister(output)
    return [answers[index] for index in range(len(processes))]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
