"""Lines of the report: as JSON objects, and as a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.cluster import Timing
from benchmarks.link import LARGE_BYTES, SMALL, Measured
from benchmarks.local import Local
from benchmarks.machine import Machine
from benchmarks.rows import CHAIN, Row

__all__ = ("Line", "line_of", "link_lines", "table")


@dataclass
class Line:
    """One measured row.

    Args:
        row, n, parties, scheme: what was run.
        seconds: median over the repeats.
        rate: units of n per second; bytes per second for arrays over a link.
        bytes_per_party: payload that the computing party which sends most sends.
        rounds: online rounds.
        reference: seconds that the peer or the limit takes for the same n; None if nothing was measured.
        reference_name: what it is.
        ratio: reference / seconds: how many times as fast as the reference.
        more: what is known besides.
    """

    row: str
    n: int
    parties: int
    scheme: str
    seconds: float
    rate: float
    bytes_per_party: int
    rounds: int
    reference: float | None = None
    reference_name: str = ""
    more: dict[str, object] = field(default_factory=dict[str, object])

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the reference the row is."""
        return None if self.reference is None else self.reference / self.seconds

    def as_fields(self, machine: Machine) -> dict[str, object]:
        """The row as plain values, for JSON."""
        return {
            "row": self.row,
            "n": self.n,
            "parties": self.parties,
            "scheme": self.scheme,
            "seconds": self.seconds,
            "rate": self.rate,
            "bytes_per_party": self.bytes_per_party,
            "rounds": self.rounds,
            "reference": self.reference,
            "reference_name": self.reference_name,
            "ratio": self.ratio,
            **self.more,
            **machine.as_fields(),
        }


def line_of(
    row: Row,
    n: int,
    timing: Timing,
    local: Local | None,
    links: Measured | None,
    peer: tuple[str, float, int] | None,
) -> Line:
    """The line of a row of parties and a dealer.

    Args:
        peer: its name, its seconds for this n, and the n that it ran.
    """
    line = Line(
        row.name,
        n,
        len(timing.sent_bytes),
        "additive",
        timing.median,
        (CHAIN if row.name == "sequential" else n) / timing.median,
        max(timing.sent_bytes),
        timing.rounds,
        more={
            "fastest": min(timing.seconds),
            "slowest": max(timing.seconds),
            "correction_bytes": timing.correction_bytes,
            "dealing_seconds": sorted(timing.dealing)[len(timing.dealing) // 2],
            "cpu_party_seconds": timing.party_cpu,
            "cpu_dealer_seconds": timing.dealer_cpu,
        },
    )
    if local is not None and links is not None:
        wire = timing.total_bytes * links.large["link AES-GCM"] / LARGE_BYTES
        # A round is at least one way, half a round trip; asking the dealer is there and back.
        waiting = (timing.rounds / 2 + 1) * links.small["link AES-GCM"]
        line.reference, line.reference_name = wire + waiting + local.limit, "limit"
        line.more |= {
            "limit_seconds": line.reference,
            "wire_seconds": wire,
            "latency_seconds": waiting,
            "computing_seconds": local.limit,
            "local_seconds": local.everyone,
            "local_party_seconds": local.party,
            "local_dealer_seconds": local.dealer,
        }
    if peer is not None:
        line.reference_name, line.reference, line.more["reference_n"] = peer
    return line


def link_lines(measured: Measured) -> list[Line]:
    """The rows of links: arrays and round trips beside plain TCP, handshakes beside TLS."""
    lines: list[Line] = []
    for name, seconds in measured.large.items():
        line = Line("link-array", 1, 2, name, seconds, LARGE_BYTES / seconds, LARGE_BYTES, 1)
        line.more["tls_ratio"] = measured.large["TLS"] / seconds
        lines.append(_beside(line, "plain TCP", measured.large))
    for name, seconds in measured.small.items():
        line = Line("link-round-trip", 1, 2, name, seconds, 1 / seconds, len(SMALL), 1)
        line.more["tls_ratio"] = measured.small["TLS"] / seconds
        lines.append(_beside(line, "plain TCP", measured.small))
    for name, seconds in measured.handshakes.items():
        line = Line("link-handshake", 1, 2, name, seconds, 1 / seconds, 0, 1)
        lines.append(_beside(line, "TLS", measured.handshakes))
    return lines


def _beside(line: Line, name: str, times: dict[str, float]) -> Line:
    if line.scheme != name:
        line.reference, line.reference_name = times[name], name
    return line


HEADINGS = ("row", "n", "parties", "scheme", "seconds", "rate/s", "MB/party", "rounds", "reference", "ratio")
_WIDTHS = (-16, 9, 8, -14, 10, 9, 9, 7, 20, 8)


def table(line: Line | None = None) -> str:
    """One line of the table; without an argument its headings."""
    if line is None:
        return _columns(HEADINGS)
    beside = "" if line.reference is None else f"{line.reference_name} {_short(line.reference)}"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    megabytes = f"{line.bytes_per_party / 1e6:.3g}"
    cells = (line.row, str(line.n), str(line.parties), line.scheme, _short(line.seconds), f"{line.rate:.3g}")
    return _columns((*cells, megabytes, str(line.rounds), beside, ratio))


def _columns(cells: tuple[str, ...]) -> str:
    pairs = zip(cells, _WIDTHS, strict=True)
    return " ".join(cell.ljust(-width) if width < 0 else cell.rjust(width) for cell, width in pairs).rstrip()


def _short(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"
