"""MPyC on the same work, beside ours: three parties as processes of this machine.

MPyC takes fewer than half of its parties for corrupted, so with two parties it protects nothing: the reference is
measured with three. Its links are neither encrypted nor authenticated here, and it needs no dealer.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import statistics
import sys
from collections.abc import Generator
from subprocess import Popen

from benchmarks.cluster import HOST, read_lines, running_processes, write_line
from benchmarks.rows import Row
from mpcnet.transport.free_ports import free_ports

__all__ = ("PARTIES", "Peer", "is_installed", "peer_name", "start_peer")

PARTIES = 3


def is_installed() -> bool:
    """Whether the extra `benchmarks` is installed."""
    return importlib.util.find_spec("mpyc") is not None


def peer_name() -> str:
    """The name of MPyC, with its version."""
    return f"mpyc {importlib.metadata.version('mpyc')}"


class Peer:
    """Three parties of MPyC that run and wait for jobs."""

    def __init__(self, processes: list[Popen[str]]) -> None:
        self._processes = processes

    def seconds(self, row: Row, n: int, repeats: int) -> tuple[float, int]:
        """Median seconds for n, and the n that was run: if it is smaller, the seconds are scaled up."""
        run = min(n, row.peer_most)
        for process in self._processes:
            write_line(process, {"row": row.name, "n": run, "repeats": repeats})
        answers = read_lines(self._processes)
        spans = zip(*(answer["spans"] for answer in answers), strict=True)
        times = [max(end for _, end in one) - min(start for start, _ in one) for one in spans]
        return statistics.median(times) * n / run, run


@contextlib.contextmanager
def start_peer() -> Generator[Peer]:
    """Start three parties of MPyC."""
    addresses = [word for port in free_ports(PARTIES) for word in ("-P", f"{HOST}:{port}")]
    program = [sys.executable, "-m", "benchmarks.mpyc_party", "--no-log", *addresses]
    with running_processes([[*program, "-I", str(index)] for index in range(PARTIES)]) as processes:
        yield Peer(processes)
