"""`python -m benchmarks`: measure rows of work as real processes on this machine.

Every computing party and the dealer is a process of its own; they meet over encrypted TCP on the loopback
interface. A row of parties is timed from the first party's call to the last party's result, the dealer's work
included, and everything that comes before excluded: processes, links, agreement, sharing of the inputs. One
warm-up, whose results are compared with the clear; then the median of the repeats.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks import peer as mpyc
from benchmarks.cluster import Cluster
from benchmarks.link import Measured, measure_links
from benchmarks.local import measure_local
from benchmarks.machine import this_machine
from benchmarks.results import Line, line_of, link_lines, table
from benchmarks.rows import ROWS

LINK = "link"
LINK_ABOUT = "64 MiB arrays and round trips of 64 bytes over one link, plain TCP and TLS; handshakes"
LIMIT_REPEATS = 3
"""Repeats of the link and of the local computation, which vary little, and of the peer, which takes long."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names of --list, or 'all'")
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--repeats", type=int, default=7, help="after one warm-up (default: %(default)s)")
    parser.add_argument("--parties", type=int, choices=(2, 3), help="computing parties (default: 2, then 3)")
    parser.add_argument(
        "--n", type=int, action="append", help="this size instead of the row's own; may be repeated"
    )
    parser.add_argument("--no-peer", action="store_true", help="do not run MPyC beside it")
    parser.add_argument("--no-limits", action="store_true", help="do not measure link and local computation")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="keep what cProfile sees in each party")
    arguments = parser.parse_args()
    if arguments.repeats < 1 or any(n < 2 for n in arguments.n or ()):
        parser.error("at least one repeat, and sizes of at least 2")
    if not (arguments.rows or arguments.list):
        parser.error("name rows, or 'all'; --list tells them")
    if arguments.rows == ["all"]:
        arguments.rows = [LINK, *ROWS]
    for name in arguments.rows:
        if name not in (LINK, *ROWS):
            parser.error(f"there is no row '{name}'; --list tells them")
    return arguments


def measured(arguments: argparse.Namespace, cpus: int) -> Iterator[Line]:
    """The lines that were asked for, each as soon as it is known."""
    wanted = [ROWS[name] for name in arguments.rows if name != LINK]
    links: Measured | None = None
    if LINK in arguments.rows:
        links = measure_links(arguments.repeats)
        yield from link_lines(links)
    elif wanted and not arguments.no_limits:
        links = measure_links(LIMIT_REPEATS, handshakes=False)
    peers = {} if arguments.no_peer or not mpyc.is_installed() else measured_peers(arguments)
    for parties in [arguments.parties] if arguments.parties else [2, 3]:
        with contextlib.ExitStack() as stack:
            cluster = stack.enter_context(Cluster.start(parties)) if wanted else None
            for row in wanted:
                for n in arguments.n or row.sizes:
                    assert cluster is not None
                    timing = cluster.measure(row.name, n, arguments.repeats, profile_path(arguments, row.name, n))
                    local = None
                    if not arguments.no_limits:
                        local = measure_local(row, n, parties, LIMIT_REPEATS, cpus)
                    beside = peers.get((row.name, n)) if parties == mpyc.PARTIES else None
                    yield line_of(row, n, timing, local, links, beside)


def measured_peers(arguments: argparse.Namespace) -> dict[tuple[str, int], tuple[str, float, int]]:
    """MPyC's name, seconds and size by row and n, if it is compared at all."""
    rows = [ROWS[name] for name in arguments.rows if name != LINK]
    if not rows or arguments.parties == 2:
        return {}
    peers: dict[tuple[str, int], tuple[str, float, int]] = {}
    with mpyc.start_peer() as running:
        for row in rows:
            by_size: dict[int, float] = {}
            for n in arguments.n or row.sizes:
                run = min(n, row.peer_most)
                if run not in by_size:
                    by_size[run], _ = running.seconds(row, run, min(arguments.repeats, LIMIT_REPEATS))
                peers[row.name, n] = (mpyc.peer_name(), by_size[run] * n / run, run)
    return peers


def profile_path(arguments: argparse.Namespace, row: str, n: int) -> Path | None:
    if arguments.profile is None:
        return None
    arguments.profile.mkdir(parents=True, exist_ok=True)
    folder: Path = arguments.profile
    return folder.resolve() / f"{row}-{n}"


def main() -> None:
    arguments = parse()
    if arguments.list:
        for name, about in {LINK: LINK_ABOUT, **{row.name: row.about for row in ROWS.values()}}.items():
            sizes = ", ".join(map(str, ROWS[name].sizes)) if name in ROWS else ""
            print(f"{name:14} {about}{f' (n = {sizes})' if sizes else ''}")
        return
    machine = this_machine()
    if not arguments.json:
        print(f"{machine}\n{table()}", flush=True)
    for line in measured(arguments, machine.cpus):
        print(json.dumps(line.as_fields(machine)) if arguments.json else table(line), flush=True)


if __name__ == "__main__":
    main()
