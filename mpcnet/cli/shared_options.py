"""Options that several commands have: --quiet, --json, --roster, --key, --passphrase-file."""

from __future__ import annotations

from typing import Annotated, Final

from mpcnet.cli.click_app import note_json
from mpcnet.cli.completers import complete
from mpcnet.cli.signatures import Option

__all__ = ("ROSTER", "AsJson", "KeyPath", "PassphraseFile", "Quiet", "RosterPath")

ROSTER: Final = "roster.toml"
"""The roster file's name where none is given."""

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.", first=note_json)]
Quiet = Annotated[bool, Option("-q --quiet", help="Say nothing of what goes on; results and errors only.")]
RosterPath = Annotated[
    str, Option("--roster", metavar="FILE", help="The roster file.", show_default=True, complete=complete.files)
]
KeyPath = Annotated[
    str | None, Option("--key", metavar="FILE", help="Your key file.  [default: NAME.key]", complete=complete.keys)
]
PassphraseFile = Annotated[
    str | None,
    Option(
        "--passphrase-file",
        metavar="FILE",
        help="Its first line is the passphrase of the key; else one is asked for.",
        complete=complete.files,
    ),
]
