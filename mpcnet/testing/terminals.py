"""A process in a pseudo-terminal, with somebody who types and reads: for tests of the command line. POSIX only."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Self

__all__ = ("Terminal",)

_PATIENCE_SECONDS = 30.0
"""After so much silence the process is taken for hung. No test waits for it to pass."""


class Terminal:
    """Run a command in a terminal of its own.

    Args:
        command: program and words.
        cwd: its folder.
        columns, rows: of the terminal.
        environment: variables beside ours; of the terminal's own (TERM, COLUMNS, colours) it has only these.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, columns: int = 80, rows: int = 24, **environment: str
    ) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL}
        self.text: str = ""
        self._read = 0
        self._file = ours
        self._process = subprocess.Popen(
            [*_IN_TERMINAL, *command],
            cwd=cwd,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**inherited, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        os.close(self._file)

    def type(self, text: str) -> None:
        """Press keys; the character 3 is Ctrl-C, as the terminal understands it."""
        os.write(self._file, text.encode())

    def until(self, text: str) -> str:
        """Read until a text has come; what was read since the last one.

        Raises:
            AssertionError: the process has ended or fallen silent before.
        """
        while text not in self.text[self._read :]:
            if not self._more():
                raise AssertionError(f"{text!r} did not come; there is: {self.text[self._read :]!r}")
        begin, self._read = self._read, self.text.index(text, self._read) + len(text)
        return self.text[begin : self._read]

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self._more():
            pass
        return self._process.wait(_PATIENCE_SECONDS)

    def _more(self) -> bool:
        readable, _, _ = select.select([self._file], [], [], _PATIENCE_SECONDS)
        try:
            data = os.read(self._file, 1 << 16) if readable else b""
        except OSError:  # the other end is closed
            data = b""
        self.text += data.decode(errors="replace")
        return bool(data)


_OF_A_TERMINAL = ("TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TTY_COMPATIBLE")
# The process makes its standard input its controlling terminal, so that keys send signals, and then becomes the
# command: code between fork and exec would be for processes without threads only.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
_IN_TERMINAL = (sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL)
