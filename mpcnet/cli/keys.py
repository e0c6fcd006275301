"""Keys and rosters: the work of `mpcnet keygen` and `mpcnet roster ...`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from mpcnet.cli.click_app import say, stdout
from mpcnet.cli.key_files import load_identity, read_passphrase
from mpcnet.cli.party_commands import Keygen, RosterAdd, RosterCheck, RosterFingerprint, RosterLine, RosterMake
from mpcnet.errors import LocalError
from mpcnet.identity import Identity, Member, Roster
from mpcnet.identity.files import read_text
from mpcnet.primitives import AeadName

__all__ = (
    "add_party",
    "check_roster",
    "make_key",
    "make_roster",
    "print_fingerprint",
    "print_line",
)


def make_key(asked: Keygen) -> None:
    """Make a key file, and print its public key or the line that the others need."""
    identity = Identity.generate()
    line = _member_line(asked.name, identity, asked.address or "localhost:1")
    words: str | None = None
    if asked.passphrase_file is not None:
        words = read_passphrase(asked.passphrase_file)
    elif asked.passphrase:
        words = click.prompt("passphrase", hide_input=True, confirmation_prompt=True, err=True)
    path = Path(asked.out or f"{asked.name}.key")
    identity.save(path, words)
    say(f"{path} is your secret key: it stays here. This goes to the others:")
    click.echo(line if asked.address else identity.public_text)


def _member_line(name: str, identity: Identity, address: str) -> str:
    return Member.from_line(f"{name} {identity.public_text} {address}").line


def print_line(asked: RosterLine) -> None:
    """Print the line of a key that exists."""
    identity = load_identity(asked.key_path or f"{asked.name}.key", asked.passphrase_file)
    click.echo(_member_line(asked.name, identity, asked.address))


def make_roster(asked: RosterMake) -> None:
    """Make the roster of the parties' lines; sorted by name, so that the same lines give the same roster."""
    made = _sorted(_read_members(asked.files), asked.cipher)
    made.check()
    path = Path(asked.out)
    if path.exists() and not asked.force and Roster.load(path).hash != made.hash:
        raise LocalError(f"{path} exists and has other parties; --force replaces it")
    made.save(path)
    _announce(path, made)


def add_party(asked: RosterAdd) -> None:
    """Add a party to the roster, which may not exist yet."""
    path = Path(asked.roster_path)
    old = Roster.load(path) if path.exists() else Roster()
    made = _sorted([*old, Member.from_line(" ".join(asked.words))], old.cipher)
    made.save(path)
    _announce(path, made)


def check_roster(asked: RosterCheck) -> None:
    """Check the roster, and show its parties and fingerprint."""
    found = Roster.load(asked.roster_path)
    found.check()
    identity = load_identity(asked.key_path, asked.passphrase_file) if asked.key_path else None
    me = None if identity is None else found.by_key(identity.public).name
    if asked.as_json:
        parties = [{"name": member.name, "key": member.key_text, "address": member.address} for member in found]
        document = {"fingerprint": found.fingerprint, "cipher": found.cipher, "parties": parties, "me": me}
        click.echo(json.dumps(document))
        return
    from rich.text import Text  # of all that is here, this alone shows a table

    from mpcnet.cli.tables import party_table

    table = party_table(("party", "address", "key"))
    for member in found:
        you = " (you)" if member.name == me else ""
        table.add_row(Text(member.name + you), Text(member.address), Text(f"{member.key_text[:12]}..."))
    console = stdout()
    console.print(table)
    console.print(f"\nfingerprint {found.fingerprint}")


def print_fingerprint(asked: RosterFingerprint) -> None:
    """Print the fingerprint."""
    click.echo(Roster.load(asked.roster_path).fingerprint)


def _sorted(members: Iterable[Member], cipher: AeadName) -> Roster:
    made = Roster(cipher=cipher)
    for member in sorted(members, key=lambda member: member.name):
        made = made.add(member)
    return made


def _read_members(files: Sequence[str]) -> list[Member]:
    """The parties of all lines, each line once however often it stands there."""
    found: dict[str, Member] = {}
    for name in files:
        text = sys.stdin.read() if name == "-" else read_text(Path(name), private=False)
        for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
            if line and not line.startswith("#") and line not in found:
                try:
                    found[line] = Member.from_line(line)
                except LocalError as error:
                    place = "standard input" if name == "-" else name
                    raise LocalError(f"{place}, line {number}: {error}") from None
    return list(found.values())


def _announce(path: Path, made: Roster) -> None:
    say(f"{path}: {len(made):,} {'party' if len(made) == 1 else 'parties'}. Compare this with the others:")
    click.echo(made.fingerprint)
