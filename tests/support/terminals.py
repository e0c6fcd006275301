"""Commands in a pseudo-terminal: pexpect, with a terminal whose size and variables do not come from outside."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pexpect

if TYPE_CHECKING:
    _Spawn = pexpect.spawn[str]
else:
    _Spawn = pexpect.spawn  # generic for checkers only

__all__ = ("Terminal",)

_PATIENCE_SECONDS = 30
"""After so much silence the process is taken for hung. No test waits for it to pass."""
_OF_A_TERMINAL = ("TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TTY_COMPATIBLE")


class Terminal(_Spawn):
    """A command in a terminal of its own; leaving the block ends it.

    Args:
        command: program and words.
        cwd: its folder.
        columns, rows: of the terminal.
        environment: variables beside ours; of the terminal's own (TERM, COLUMNS, colours) it has only these.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, columns: int = 80, rows: int = 24, **environment: str
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL}
        self._shown = io.StringIO()
        with warnings.catch_warnings():
            # Python warns of a fork where threads run; pexpect executes the command at once.
            warnings.simplefilter("ignore", DeprecationWarning)
            super().__init__(
                command[0],
                list(command[1:]),
                cwd=cwd,
                env={**inherited, "TERM": "xterm-256color", **environment},
                dimensions=(rows, columns),
                timeout=_PATIENCE_SECONDS,
                encoding="utf-8",
                codec_errors="replace",
            )
        self.logfile_read = self._shown
        self.delaybeforesend = None

    def __enter__(self) -> Self:
        return self  # typed, which pexpect's own is not

    @property
    def text(self) -> str:
        """Everything that has been read so far."""
        return self._shown.getvalue()

    def ended(self) -> int:
        """Read to the end; the exit code."""
        self.expect(pexpect.EOF)
        return self.wait()
