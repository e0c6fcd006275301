"""What one can say about keys and rosters: keygen; roster line, make, add, check, fingerprint; doctor.

everyone    mpcnet keygen alice --address alice.example:7000    prints a line for the others
everyone    mpcnet roster make parties.txt                      all lines, in any order, give one roster
everyone    compares the fingerprint over another channel
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mpcnet.cli.click_app import Group
from mpcnet.cli.completers import complete
from mpcnet.cli.shared_options import ROSTER, AsJson, KeyPath, PassphraseFile, RosterPath
from mpcnet.cli.signatures import Argument, Option, command

__all__ = (
    "Doctor",
    "Keygen",
    "RosterAdd",
    "RosterCheck",
    "RosterFingerprint",
    "RosterLine",
    "RosterMake",
    "doctor",
    "keygen",
    "roster",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keygen:
    """Make your key: NAME.key, which stays with you.

    Prints your public key, or with --address the line (name, key, address) that the others need from you.
    """

    name: Annotated[str, Argument()]
    address: Annotated[
        str | None,
        Option(
            "--address", metavar="HOST:PORT", help="Where the others reach you; then the whole line is printed."
        ),
    ] = None
    out: Annotated[
        str | None,
        Option("--out", metavar="FILE", help="The key file.  [default: NAME.key]", complete=complete.files),
    ] = None
    passphrase: Annotated[
        bool, Option("--passphrase", help="Seal the key file with a passphrase, which is asked for.")
    ] = False
    passphrase_file: PassphraseFile = None


keygen = command(
    "keygen",
    Keygen,
    "mpcnet.cli.keys:make_key",
    discreet=True,
    examples=(
        ("mpcnet keygen alice --address alice.example:7000 > alice.line", "The key, and the line for the others."),
        ("mpcnet keygen alice --passphrase", "A key file that is sealed; prints the public key only."),
    ),
)


roster = Group(
    "roster",
    help="Make and check the list of all parties.",
    examples=(
        ("mpcnet roster make alice.line bob.line carol.line", "Every party makes the same roster of all lines."),
        ("mpcnet roster fingerprint", "Then all compare it over another channel, for example by telephone."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """Print your line again: name, public key, address."""

    name: Annotated[str, Argument()]
    address: Annotated[str, Option("--address", metavar="HOST:PORT", help="Where the others reach you.")]
    key_path: KeyPath = None
    passphrase_file: PassphraseFile = None


roster.add_command(
    command(
        "line",
        RosterLine,
        "mpcnet.cli.keys:print_line",
        examples=(("mpcnet roster line alice --address alice.example:7000", "The line of alice.key."),),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterMake:
    """Make the roster of the parties' lines.

    The lines stand in files in any order ("-" for standard input); parties are sorted by name, so that the same
    lines give the same roster everywhere.
    """

    files: Annotated[tuple[str, ...], Argument(metavar="FILE...", complete=complete.files)]
    out: Annotated[str, Option("--out", metavar="FILE", help="Where the roster goes.", show_default=True)] = ROSTER
    cipher: Annotated[
        Literal["AESGCM", "ChaChaPoly"],
        Option(
            "--cipher", help="Of all links; ChaChaPoly where machines lack AES instructions.", show_default=True
        ),
    ] = "AESGCM"
    force: Annotated[bool, Option("--force", help="Replace a roster that has other parties.")] = False


roster.add_command(
    command(
        "make",
        RosterMake,
        "mpcnet.cli.keys:make_roster",
        examples=(
            ("mpcnet roster make alice.line bob.line carol.line", "Of one file for each party."),
            ("mpcnet roster make - --out three.toml < all.txt", "Of lines that come from elsewhere."),
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterAdd:
    """Add a party to the roster, by its line: name, key, address."""

    words: Annotated[tuple[str, ...], Argument(metavar="LINE")]
    roster_path: RosterPath = ROSTER


roster.add_command(
    command(
        "add",
        RosterAdd,
        "mpcnet.cli.keys:add_party",
        examples=(('mpcnet roster add "$(cat erin.line)"', "One more party; the fingerprint changes."),),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCheck:
    """Check the roster, show its parties and its fingerprint."""

    roster_path: RosterPath = ROSTER
    key_path: Annotated[
        str | None, Option("--key", metavar="FILE", help="Also say whose key this is.", complete=complete.keys)
    ] = None
    passphrase_file: PassphraseFile = None
    as_json: AsJson = False


roster.add_command(
    command(
        "check",
        RosterCheck,
        "mpcnet.cli.keys:check_roster",
        examples=(
            ("mpcnet roster check", "Who is in it, and its fingerprint."),
            ("mpcnet roster check --key alice.key", "And who of them you are."),
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFingerprint:
    """Print the fingerprint, to be compared with that of the others over another channel."""

    roster_path: RosterPath = ROSTER


roster.add_command(
    command(
        "fingerprint",
        RosterFingerprint,
        "mpcnet.cli.keys:print_fingerprint",
        examples=(
            (
                "mpcnet roster fingerprint --roster roster.toml",
                "Eight groups of four letters and digits, to read aloud.",
            ),
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Look for what is wrong, and say what to do.

    Checks keys, roster, job file, addresses (ours can be listened at, the others' answer), versions, AES,
    congestion control, open files and the clock. Ends with code 1 if there is a problem; warnings are none.
    """

    key_paths: Annotated[
        tuple[str, ...],
        Option("--key", metavar="FILE", help="Your key file.  [default: all *.key here]", complete=complete.keys),
    ] = ()
    roster_path: Annotated[
        str | None,
        Option(
            "--roster",
            metavar="FILE",
            help="The roster file.  [default: roster.toml, if there is one]",
            complete=complete.files,
        ),
    ] = None
    job_path: Annotated[str | None, Option("--job", metavar="FILE", help="A job file.", complete=complete.jobs)] = (
        None
    )
    as_json: AsJson = False


doctor = command(
    "doctor",
    Doctor,
    "mpcnet.cli.doctor:consult",
    examples=(
        ("mpcnet doctor", "Keys and roster of this folder, the addresses, and this machine."),
        ("mpcnet doctor --key alice.key --job job.toml", "As alice, for one job: only its parties are called."),
    ),
)
