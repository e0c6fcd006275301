"""Keys and rosters from the command line."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpcnet import Identity, Roster
from mpcnet.cli import key_files

if TYPE_CHECKING:
    from tests.cli.conftest import Command


def test_a_key_and_what_is_printed(folder: Path, mpcnet: Command) -> None:
    ended = mpcnet("keygen", "alice")
    assert ended.out.strip() == Identity.load("alice.key").public_text
    assert "alice.key" in ended.err
    assert stat.S_IMODE((folder / "alice.key").stat().st_mode) == 0o600


def test_a_line_and_the_same_line_again(folder: Path, mpcnet: Command) -> None:
    first = mpcnet("keygen", "alice", "--address", "alice.example:7000").out
    assert first.split() == ["alice", Identity.load("alice.key").public_text, "alice.example:7000"]
    assert mpcnet("roster", "line", "alice", "--address", "alice.example:7000").out == first
    secret = (folder / "alice.key").read_text().split('secret = "')[1][:64]
    assert secret not in first


def test_keys_are_not_overwritten(folder: Path, mpcnet: Command) -> None:
    mpcnet("keygen", "alice")
    before = (folder / "alice.key").read_text()
    again = mpcnet("keygen", "alice")
    assert again.code == 2
    assert "exists and is not overwritten" in again.complaint
    assert (folder / "alice.key").read_text() == before


@pytest.mark.parametrize("name", ["../alice", "al ice", "", "alice" * 20])
def test_names_that_are_none(folder: Path, mpcnet: Command, name: str) -> None:
    assert mpcnet("keygen", name).code == 2
    assert not list(folder.iterdir())


def test_passphrases(folder: Path, mpcnet: Command) -> None:
    (folder / "words").write_text("correct horse\n")
    (folder / "words").chmod(0o666)
    assert "words is open to others (mode 666)" in mpcnet("keygen", "alice", "--passphrase-file", "words").complaint
    (folder / "words").chmod(0o600)
    assert mpcnet("keygen", "alice", "--passphrase-file", "words").code == 0
    line = ("roster", "line", "alice", "--address", "localhost:7000")
    assert mpcnet(*line, "--passphrase-file", "words").code == 0
    assert "needs a passphrase: give --passphrase-file FILE" in mpcnet(*line).complaint
    assert "does not exist" in mpcnet(*line, "--passphrase-file", "none").complaint


def test_lines_in_any_order_make_one_roster(four: Path, mpcnet: Command) -> None:
    fingerprint = mpcnet("roster", "fingerprint").out
    assert [member.name for member in Roster.load("roster.toml")] == ["alice", "bob", "carol", "dave"]
    parties = "\n# ours\n\n".join((four / f"{name}.line").read_text() for name in ("dave", "alice", "carol", "bob"))
    ended = mpcnet("roster", "make", "-", "--out", "other.toml", stdin=parties)
    assert ended.out == fingerprint
    assert "4 parties" in ended.err
    assert (four / "other.toml").read_bytes() == (four / "roster.toml").read_bytes()


def test_adding_gives_the_same_roster_too(four: Path, mpcnet: Command) -> None:
    for name in ("dave", "bob", "alice", "carol"):
        words = (four / f"{name}.line").read_text().split()
        assert mpcnet("roster", "add", *words, "--roster", "slow.toml").code == 0
    assert (four / "slow.toml").read_bytes() == (four / "roster.toml").read_bytes()
    again = mpcnet("roster", "add", (four / "bob.line").read_text(), "--roster", "slow.toml")
    assert "the name bob stands in the roster 2 times" in again.complaint


def test_another_roster_is_replaced_on_demand_only(four: Path, mpcnet: Command) -> None:
    before = (four / "roster.toml").read_bytes()
    assert mpcnet("roster", "make", "alice.line", "bob.line", "carol.line", "dave.line").code == 0
    refused = mpcnet("roster", "make", "alice.line", "bob.line")
    assert "--force" in refused.complaint
    assert (four / "roster.toml").read_bytes() == before
    assert mpcnet("roster", "make", "alice.line", "bob.line", "--force").code == 0
    assert len(Roster.load("roster.toml")) == 2


def test_checking_a_roster(four: Path, mpcnet: Command) -> None:
    ended = mpcnet("roster", "check", "--key", "bob.key")
    assert "bob (you)" in ended.out
    assert ended.out.splitlines()[-1] == "fingerprint " + mpcnet("roster", "fingerprint").out.strip()
    document = mpcnet("roster", "check", "--key", "bob.key", "--json").document
    assert (document["me"], len(document["parties"])) == ("bob", 4)
    mpcnet("keygen", "eve")
    assert "not in the roster" in mpcnet("roster", "check", "--key", "eve.key").complaint


def test_lines_that_are_none(folder: Path, mpcnet: Command) -> None:
    (folder / "bad.line").write_text("# alice\nalice mpc1abc localhost:7000\n")
    assert mpcnet("roster", "make", "bad.line").complaint.startswith("bad.line, line 2: a key is 'mpc1'")
    piped = mpcnet("roster", "make", "-", stdin="alice\n").complaint
    assert piped == "standard input, line 1: a party's line is name, key and address; this one has 1 words"
    assert "does not exist" in mpcnet("roster", "make", "none.line").complaint
    assert "has 2 words" in mpcnet("roster", "add", "alice", "localhost:7000").complaint
    assert "does not exist" in mpcnet("roster", "fingerprint").complaint
    (folder / "empty").write_text("")
    assert "at least two parties" in mpcnet("roster", "make", "empty").complaint


def test_a_sealed_key_is_opened_on_a_terminal(
    folder: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mpcnet("keygen", "alice", "--passphrase", stdin="correct horse\ncorrect horse\n")
    assert made.code == 0
    assert "horse" not in made.out + made.err
    monkeypatch.setattr(key_files, "is_terminal", lambda: True)
    ended = mpcnet("roster", "line", "alice", "--address", "localhost:7000", stdin="correct horse\n")
    assert ended.out.split()[0] == "alice"
    assert "horse" not in ended.out + ended.err
