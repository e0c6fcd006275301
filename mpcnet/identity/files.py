"""Writing small files so that a crash or a second writer never leaves half of one.

The text goes to a new file beside the target, is flushed to the disk, and then takes the target's name in one
step: by a hard link where the target must not exist yet, by a rename where it may.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mpcnet.errors import LocalError
from mpcnet.primitives import random_bytes

__all__ = ("create_private", "read_text", "replace_text")

_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o644
_OTHERS = 0o077
# Rosters of a thousand parties have 150 KB; nothing that we read is longer.
_MAX_BYTES = 1 << 20


def create_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read.

    Raises:
        LocalError: the file exists, or it cannot be written.
    """
    temporary = _temporary(path)
    try:
        _write(temporary, text, _PRIVATE_MODE)
        os.link(temporary, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise LocalError(f"{path} exists and is not overwritten") from None
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        _remove(temporary)


def replace_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file, in place of one that may be there.

    Args:
        private: only its owner may read it; else all users may.

    Raises:
        LocalError: it cannot be written.
    """
    temporary = _temporary(path)
    try:
        _write(temporary, text, _PRIVATE_MODE if private else _PUBLIC_MODE)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        _remove(temporary)


def read_text(path: Path, *, private: bool) -> str:
    """Read a file, with or without a byte order mark.

    Args:
        private: refuse it if it belongs to another user, or others than its owner have any right to it.

    Raises:
        LocalError: it is missing, unreadable, too long, open to others or not text.
    """
    try:
        with path.open("rb") as file:
            if private and os.name == "posix":
                # Of the file that is open, not of what the name may mean a moment later.
                _check_private(path, os.fstat(file.fileno()))
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise LocalError(f"{path} does not exist") from None
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise LocalError(f"{path} is longer than {_MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LocalError(f"{path} is damaged: not text") from None


def _check_private(path: Path, status: os.stat_result) -> None:
    if status.st_mode & _OTHERS:
        raise LocalError(f"{path} is open to others (mode {status.st_mode & 0o777:03o}): chmod 600 {path}")
    if status.st_uid != os.geteuid():
        raise LocalError(
            f"{path} belongs to another user (number {status.st_uid}), who can read it: chown {os.geteuid()} {path}"
        )


def _remove(temporary: Path) -> None:
    """An error of ours is on its way to the caller, or the file is written: what is left over hides neither."""
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{random_bytes(6).hex()}")


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # a folder cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
