"""A command as a process of its own, for tests: what it prints, and nothing of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ("printed_by",)

_LONGEST_SECONDS = 120


def printed_by(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> str:
    """What the command prints, its errors too. Whatever it has started ends with it.

    Raises:
        AssertionError: it ended with another code than 0; the text is what it printed.
        subprocess.TimeoutExpired: it did not end.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            printed = process.communicate(timeout=_LONGEST_SECONDS)[0]
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise AssertionError(printed)
    return printed
