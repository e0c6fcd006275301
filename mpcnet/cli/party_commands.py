"""What one can say about keys and rosters: keygen, roster line, make, add, check, fingerprint; doctor.

everybody   mpcnet keygen alice --address alice.example:7000    prints a line for the others
everybody   mpcnet roster make parties.txt                      all lines, in any order, give one roster
everybody   compares the fingerprint over another channel
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from mpcnet.cli.click_app import Command, DiscreetCommand, Group, json_option
from mpcnet.cli.completion import complete

__all__ = ("doctor", "keygen", "passphrase_option", "roster", "roster_option")

_ROSTER = "roster.toml"

roster_option = click.option(
    "--roster",
    "roster_path",
    default=_ROSTER,
    show_default=True,
    metavar="FILE",
    help="The roster file.",
    shell_complete=complete.files,
)
passphrase_option = click.option(
    "--passphrase-file",
    metavar="FILE",
    help="Its first line is the passphrase of the key; else one is asked for.",
    shell_complete=complete.files,
)
_ADDRESS_HELP = "Where the others reach you."


@click.command(
    cls=DiscreetCommand,
    examples=(
        ("mpcnet keygen alice --address alice.example:7000 > alice.line", "The key, and the line for the others."),
        ("mpcnet keygen alice --passphrase", "A key file that is sealed; prints the public key only."),
    ),
)
@click.argument("name")
@click.option("--address", metavar="HOST:PORT", help="Where the others reach you; then the whole line is printed.")
@click.option("--out", metavar="FILE", help="The key file.  [default: NAME.key]", shell_complete=complete.files)
@click.option("--passphrase", is_flag=True, help="Seal the key file with a passphrase, which is asked for.")
@passphrase_option
def keygen(name: str, address: str | None, out: str | None, passphrase: bool, passphrase_file: str | None) -> None:
    """Make your key: NAME.key, which stays with you.

    Prints your public key, or with --address the line (name, key, address) that the others need from you.
    """
    from mpcnet.cli.keys import make_key

    make_key(name, address, out, passphrase=passphrase, passphrase_file=passphrase_file)


@click.group(
    cls=Group,
    examples=(
        ("mpcnet roster make alice.line bob.line carol.line", "Everybody makes the same roster of all lines."),
        ("mpcnet roster fingerprint", "Then all compare it over another channel, for example by telephone."),
    ),
)
def roster() -> None:
    """Make and check the list of all parties."""


@roster.command(
    "line",
    examples=(("mpcnet roster line alice --address alice.example:7000", "The line of alice.key."),),
)
@click.argument("name")
@click.option("--address", metavar="HOST:PORT", required=True, help=_ADDRESS_HELP)
@click.option(
    "--key", "key_path", metavar="FILE", help="Your key file.  [default: NAME.key]", shell_complete=complete.keys
)
@passphrase_option
def line_command(name: str, address: str, key_path: str | None, passphrase_file: str | None) -> None:
    """Print your line again: name, public key, address."""
    from mpcnet.cli.keys import print_line

    print_line(name, address, key_path, passphrase_file)


@roster.command(
    "make",
    examples=(
        ("mpcnet roster make alice.line bob.line carol.line", "Of one file for each party."),
        ("mpcnet roster make - --out three.toml < all.txt", "Of lines that come from elsewhere."),
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete.files)
@click.option("--out", default=_ROSTER, show_default=True, metavar="FILE", help="Where the roster goes.")
@click.option(
    "--cipher",
    type=click.Choice(["AESGCM", "ChaChaPoly"]),
    default="AESGCM",
    show_default=True,
    help="Of all links; ChaChaPoly where machines lack AES instructions.",
)
@click.option("--force", is_flag=True, help="Replace a roster that has other parties.")
def make_command(files: Sequence[str], out: str, cipher: str, force: bool) -> None:
    """Make the roster of everybody's lines.

    The lines stand in files in any order ("-" for standard input); parties are sorted by name, so that the same
    lines give the same roster everywhere.
    """
    from mpcnet.cli.keys import make_roster

    make_roster(files, out, cipher, force=force)


@roster.command(
    "add",
    examples=(('mpcnet roster add "$(cat erin.line)"', "One more party; the fingerprint changes."),),
)
@click.argument("words", nargs=-1, required=True, metavar="LINE")
@roster_option
def add_command(words: Sequence[str], roster_path: str) -> None:
    """Add a party to the roster, by its line: name, key, address."""
    from mpcnet.cli.keys import add_party

    add_party(words, roster_path)


@roster.command(
    "check",
    examples=(
        ("mpcnet roster check", "Who is in it, and its fingerprint."),
        ("mpcnet roster check --key alice.key", "And who of them you are."),
    ),
)
@roster_option
@click.option("--key", "key_path", metavar="FILE", help="Also say whose key this is.", shell_complete=complete.keys)
@passphrase_option
@json_option
def check_command(roster_path: str, key_path: str | None, passphrase_file: str | None, as_json: bool) -> None:
    """Check the roster, show its parties and its fingerprint."""
    from mpcnet.cli.keys import check_roster

    check_roster(roster_path, key_path, passphrase_file, as_json=as_json)


@roster.command(
    "fingerprint",
    examples=(("mpcnet roster fingerprint --roster roster.toml", "Twenty letters and digits to read aloud."),),
)
@roster_option
def fingerprint_command(roster_path: str) -> None:
    """Print the fingerprint, to be compared with that of the others over another channel."""
    from mpcnet.cli.keys import print_fingerprint

    print_fingerprint(roster_path)


@click.command(
    cls=Command,
    examples=(
        ("mpcnet doctor", "Keys and roster of this folder, the addresses, and this machine."),
        ("mpcnet doctor --key alice.key --job job.toml", "As alice, for one job: only its parties are called."),
    ),
)
@click.option(
    "--key",
    "key_paths",
    multiple=True,
    metavar="FILE",
    help="Your key file.  [default: all *.key here]",
    shell_complete=complete.keys,
)
@click.option(
    "--roster",
    "roster_path",
    metavar="FILE",
    help="The roster file.  [default: roster.toml, if there is one]",
    shell_complete=complete.files,
)
@click.option("--job", "job_path", metavar="FILE", help="A job file.", shell_complete=complete.jobs)
@json_option
def doctor(key_paths: Sequence[str], roster_path: str | None, job_path: str | None, as_json: bool) -> int:
    """Look for what is wrong, and say what to do.

    Checks keys, roster, job file, addresses (ours can be listened at, the others' answer), versions, AES,
    congestion control, open files and the clock. Ends with code 1 if there is a problem; warnings are none.
    """
    from mpcnet.cli.doctor import consult

    return consult(key_paths, roster_path, job_path, as_json=as_json)
