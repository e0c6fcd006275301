"""The roster: its file, its hash, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mpcnet.errors import LocalError
from mpcnet.identity import Identity, Member, Roster

NAMES = ("alice", "bob", "carol")
IDENTITIES = [Identity(bytes([i]) * 32) for i in range(3)]
MEMBERS = tuple(
    Member(i, name, identity.public, f"{name}.example:{7000 + i}")
    for i, (name, identity) in enumerate(zip(NAMES, IDENTITIES, strict=True))
)
ROSTER = Roster(MEMBERS)


def test_lookup() -> None:
    assert len(ROSTER) == 3
    assert tuple(ROSTER) == MEMBERS
    assert ROSTER.by_name("bob") is ROSTER.by_index(1) is ROSTER.by_key(IDENTITIES[1].public)
    assert (MEMBERS[1].host, MEMBERS[1].port) == ("bob.example", 7001)
    assert MEMBERS[1].x25519_public == IDENTITIES[1].x25519_public


def test_lookup_of_strangers() -> None:
    with pytest.raises(LocalError, match="'dave' is not in the roster; it has alice, bob, carol"):
        ROSTER.by_name("dave")
    for index in (-1, 3):
        with pytest.raises(LocalError, match="has 3 parties"):
            ROSTER.by_index(index)
    with pytest.raises(LocalError, match="not in the roster"):
        ROSTER.by_key(Identity(bytes([9]) * 32).public)


def test_toml_round_trip_is_exact() -> None:
    text = ROSTER.to_toml()
    assert Roster.from_toml(text) == ROSTER
    assert Roster.from_toml(text).to_toml() == text
    chacha = replace(ROSTER, cipher="ChaChaPoly")
    assert Roster.from_toml(chacha.to_toml()) == chacha


def test_file_order_is_the_index_and_cipher_has_a_default() -> None:
    text = "version = 1\n" + "".join(
        f'[[party]]\nname = "{m.name}"\nkey = "{m.key_text}"\naddress = "{m.address}"\n' for m in reversed(MEMBERS)
    )
    roster = Roster.from_toml(text)
    assert [(m.index, m.name) for m in roster] == [(0, "carol"), (1, "bob"), (2, "alice")]
    assert roster.cipher == "AESGCM"


def test_save_and_load(tmp_path: Path) -> None:
    path = tmp_path / "roster.toml"
    Roster().save(path)
    assert Roster.load(path) == Roster()
    ROSTER.save(path)
    assert Roster.load(str(path)) == ROSTER
    assert [file.name for file in tmp_path.iterdir()] == ["roster.toml"]
    with pytest.raises(LocalError, match="does not exist"):
        Roster.load(tmp_path / "nowhere")
    with pytest.raises(LocalError, match="cannot be written"):
        ROSTER.save(tmp_path / "nowhere" / "roster.toml")
    path.write_text("[[party", encoding="utf-8")
    with pytest.raises(LocalError, match=r"roster\.toml: not a roster"):
        Roster.load(path)


def test_a_line_can_be_pasted() -> None:
    line = MEMBERS[0].line
    assert line.split() == ["alice", MEMBERS[0].key_text, "alice.example:7000"]
    assert Member.from_line(f"  {line}\n") == MEMBERS[0]
    for bad in ("", "alice", line + " more", line.replace("alice ", "al!ce "), line.replace(":7000", "")):
        with pytest.raises(LocalError):
            Member.from_line(bad)


def test_add_numbers_members_and_refuses_duplicates_at_once() -> None:
    roster = Roster()
    for member in MEMBERS:
        roster = roster.add(replace(member, index=77))
    assert roster == ROSTER
    stranger = Member(0, "dave", Identity(bytes([9]) * 32).public, "dave.example:1")
    for clash in (
        replace(stranger, name="bob"),
        replace(stranger, key=MEMBERS[1].key),
        replace(stranger, address="bob.example:7001"),
    ):
        with pytest.raises(LocalError, match="stands in the roster 2 times"):
            roster.add(clash)


def test_a_key_and_its_negative_are_one_key() -> None:
    """They have one X25519 form: who holds the one would open links as both."""
    negative = MEMBERS[0].key[:31] + bytes([MEMBERS[0].key[31] ^ 0x80])
    other = Member(0, "eve", negative, "eve.example:1")
    assert other.x25519_public == MEMBERS[0].x25519_public
    with pytest.raises(LocalError, match="the keys of alice and eve are one key with two signs"):
        ROSTER.add(other)
    text = ROSTER.to_toml() + f'[[party]]\nname = "eve"\nkey = "{other.key_text}"\naddress = "eve.example:1"\n'
    with pytest.raises(LocalError, match="one key with two signs"):
        Roster.from_toml(text)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "roster.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ROSTER.to_toml().encode())
    assert Roster.load(path) == ROSTER


def test_check_wants_two_parties_and_names_every_problem() -> None:
    ROSTER.check()
    with pytest.raises(LocalError, match="at least two parties, this one has 0"):
        Roster().check()
    with pytest.raises(LocalError, match="at least two"):
        Roster(MEMBERS[:1]).check()
    bad = Roster((replace(MEMBERS[0], name="a b"), replace(MEMBERS[1], address="nowhere")))
    with pytest.raises(LocalError, match=r"'a b' is no name.*; .*'bob': address 'nowhere'"):
        bad.check()


def test_indices_are_in_order() -> None:
    with pytest.raises(LocalError, match="numbered"):
        Roster(MEMBERS[1:])


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a" * 65, "a\n", 'a"'])
def test_bad_names(name: str) -> None:
    with pytest.raises(LocalError, match="no name"):
        Roster().add(replace(MEMBERS[0], name=name))


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "a" * 64])
def test_good_names(name: str) -> None:
    assert Roster().add(replace(MEMBERS[0], name=name)).by_name(name)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), bytes(33), b"\xff" * 32])
def test_bad_keys(key: bytes) -> None:
    with pytest.raises(LocalError, match="key"):
        Roster().add(replace(MEMBERS[0], key=key))


@pytest.mark.parametrize(
    "address",
    [
        *("", "host", "host:", ":7000", "host:0", "host:65536", "host:07", "host:x", "host:+7", "host:7000\n"),
        *("::1:7000", "[::1]", "[::g]:7000", "[host]:7000"),
        *("ho st:7000", "-host:7000", "a..b:7000", "h" * 64 + ":1", 'ho"st:1'),
    ],
)
def test_bad_addresses(address: str) -> None:
    with pytest.raises(LocalError, match="address"):
        Roster().add(replace(MEMBERS[0], address=address))


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("localhost:1", "localhost", 1),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
        ("[::1]:7000", "::1", 7000),
        ("[2001:db8:0:0::7]:7", "2001:db8::7", 7),
        ("a-b.example.:7", "a-b.example.", 7),
    ],
)
def test_good_addresses(address: str, host: str, port: int) -> None:
    member = Roster().add(replace(MEMBERS[0], address=address)).by_index(0)
    assert (member.host, member.port) == (host, port)


PARTY = f'[[party]]\nname = "alice"\nkey = "{MEMBERS[0].key_text}"\naddress = "a:1"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "version = 1"),
        ("version = 2", "version = 1"),
        ("version = 1\nmore = 2", "no field 'more'"),
        ('version = 1\ncipher = "DES"', "field 'cipher' takes one of AESGCM, ChaChaPoly"),
        ("version = 1\ncipher = 5", "field 'cipher' takes one of AESGCM, ChaChaPoly"),
        (
            "version = 1\nciper = 5",
            "a roster has no field 'ciper'; it has: version, cipher, party; did you mean 'cipher'",
        ),
        ("version = 1\nparty = 3", r"\[\[party\]\]"),
        ("version = 1\nparty = [3]", r"\[\[party\]\]"),
        ("version = 1\n[[party]]\nname = 'x'", r"field 'party\[0\]\.key' is missing"),
        ("version = 1\n" + PARTY.replace("'a:1'", "7").replace('"a:1"', "7"), r"'party\[0\]\.address' takes text"),
        ("version = 1\n" + PARTY + "age = 3", "no field 'age'"),
        ("version = 1\n" + PARTY.replace("a:1", "a"), "does not end in a port"),
        ("version = 1\n" + PARTY.replace("mpc1", "mpc2"), "'alice': a key is"),
        ("version = 1\n" + PARTY + PARTY, "2 times"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(LocalError, match=message):
        Roster.from_toml(text)


def test_hash_covers_what_parties_must_agree_on() -> None:
    swapped = Roster((replace(MEMBERS[1], index=0), replace(MEMBERS[0], index=1), MEMBERS[2]))
    variants = [
        ROSTER,
        swapped,
        Roster(MEMBERS[:2]),
        replace(ROSTER, cipher="ChaChaPoly"),
        Roster((replace(MEMBERS[0], name="alicia"), *MEMBERS[1:])),
        Roster((replace(MEMBERS[0], key=Identity(bytes([9]) * 32).public), *MEMBERS[1:])),
    ]
    assert len({roster.hash for roster in variants}) == len(variants)
    assert len({roster.fingerprint for roster in variants}) == len(variants)
    moved = Roster((replace(MEMBERS[0], address="elsewhere.example:1"), *MEMBERS[1:]))
    assert moved.hash == ROSTER.hash


def test_hash_and_fingerprint_stay_as_they_are() -> None:
    assert ROSTER.hash.hex() == HASH
    assert ROSTER.fingerprint == FINGERPRINT
    assert re.fullmatch("([a-z2-7]{4}-){7}[a-z2-7]{4}", FINGERPRINT), "160 bits: against 2^80 hashes of its maker"


def test_repr_shows_keys_in_printable_form() -> None:
    assert repr(MEMBERS[0]) == f"Member(0, 'alice', {MEMBERS[0].key_text}, 'alice.example:7000')"


def test_an_unknown_cipher_in_code_is_a_problem() -> None:
    roster = Roster(MEMBERS, cast("Any", "DES"))
    assert roster.problems() == ["the cipher is one of AESGCM, ChaChaPoly, not 'DES'"]


HASH = "954c24780e08ee87c82fa59d08fca7032dcc49ad2d564c3034d09527084c5f84"
FINGERPRINT = "svgc-i6ao-bdxi-psbp-uwoq-r7fh-amw4-ysnn"
