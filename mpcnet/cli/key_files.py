"""Key files as commands read them: a passphrase comes from a file, or is asked for."""

from __future__ import annotations

from pathlib import Path

import click

from mpcnet.cli.click_app import is_terminal
from mpcnet.errors import LocalError
from mpcnet.identity import Identity, PassphraseNeeded
from mpcnet.identity.files import read_text

__all__ = ("load_identity", "read_passphrase")


def load_identity(path: str | Path, passphrase_file: str | None = None) -> Identity:
    """Read a key file; asks for its passphrase if it has one and a user is there.

    Raises:
        LocalError: as `Identity.load`.
    """
    if passphrase_file is not None:
        return Identity.load(path, read_passphrase(passphrase_file))
    try:
        return Identity.load(path)
    except PassphraseNeeded as error:
        if not is_terminal():
            raise LocalError(f"{error}: give --passphrase-file FILE, where no user is there to be asked") from None
    return Identity.load(path, click.prompt(f"passphrase of {path}", hide_input=True, err=True))


def read_passphrase(path: str) -> str:
    """The first line of a passphrase file.

    Raises:
        LocalError: it is missing, open to others, or has no such line.
    """
    lines = read_text(Path(path), private=True).splitlines()
    if not lines or not lines[0]:
        raise LocalError(f"{path} has no passphrase in its first line")
    return lines[0]
