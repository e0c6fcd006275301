"""What a figure depends on besides the code: cores, TCP congestion control, and how busy the machine is."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import asdict, dataclass

import numpy as np

__all__ = ("Machine", "congestion_control", "this_machine")


@dataclass(frozen=True)
class Machine:
    """The state of this machine when it is read.

    Args:
        cpus: that this process may use.
        load: average of the last minute, before anything is measured.
        congestion_control: of TCP connections.
        python, numpy: versions.
    """

    cpus: int
    load: float
    congestion_control: str
    python: str
    numpy: str

    def as_fields(self) -> dict[str, object]:
        """The machine as plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.cpus} CPUs, load {self.load:.2f} before the run, TCP congestion control "
            f"{self.congestion_control}, Python {self.python}, numpy {self.numpy}"
        )


def this_machine() -> Machine:
    """Read it from the operating system."""
    load = round(os.getloadavg()[0], 2)
    return Machine(
        len(os.sched_getaffinity(0)), load, congestion_control(), platform.python_version(), np.__version__
    )


def congestion_control() -> str:
    """The congestion control of new TCP connections, for example "bbr" or "cubic"."""
    with socket.socket() as one:
        name = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()
