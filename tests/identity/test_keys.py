"""One key per party: its text, its file, and that it stays secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mpcnet.errors import LocalError
from mpcnet.identity import Identity, PassphraseNeeded, Roster, decode_public, encode_public
from mpcnet.primitives import PassphraseCost, ed25519_verify, x25519_public

CHEAP = PassphraseCost(passes=1, memory_kib=8)
SEED = bytes(range(32))
ALICE = Identity(SEED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alice.key"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def test_generate_takes_its_randomness_and_makes_new_keys() -> None:
    assert Identity.generate(lambda n: SEED[:n]) == ALICE
    assert Identity.generate() != Identity.generate()
    with pytest.raises(LocalError, match="32 bytes"):
        Identity(b"short")


def test_one_key_signs_and_shakes_hands() -> None:
    assert ed25519_verify(ALICE.public, b"message", ALICE.sign(b"message"))
    assert x25519_public(ALICE.x25519_secret) == ALICE.x25519_public


def test_no_secret_is_printed() -> None:
    for text in (repr(ALICE), str(ALICE), f"{ALICE}"):
        assert text == f"Identity({ALICE.public_text})"
        assert SEED.hex() not in text


def test_identities_compare_by_public_key() -> None:
    assert Identity(SEED) == ALICE
    assert len({ALICE, Identity(SEED), Identity(bytes(32))}) == 2
    assert ALICE != "alice"


def test_key_text_round_trip_and_form() -> None:
    text = encode_public(ALICE.public)
    assert text == ALICE.public_text
    assert text.startswith("mpc1")
    assert len(text) == 60
    assert text.isalnum()
    assert text == text.lower()
    assert decode_public(text) == ALICE.public


def test_every_single_slip_in_key_text_is_noticed() -> None:
    text = ALICE.public_text
    for position in range(len(text)):
        other = "a" if text[position] != "a" else "b"
        with pytest.raises(LocalError):
            decode_public(text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize(
    "text", ["", "mpc1", ALICE.public_text[:-1], ALICE.public_text + "a", ALICE.public_text.upper(), "ключ" * 15]
)
def test_malformed_key_text(text: str) -> None:
    with pytest.raises(LocalError, match="key"):
        decode_public(text)


def test_key_text_with_digits_outside_the_alphabet() -> None:
    with pytest.raises(LocalError, match="letters a to z"):
        decode_public("mpc1" + "1" * 56)


def test_key_text_of_no_point() -> None:
    with pytest.raises(LocalError, match="no Ed25519"):
        decode_public(encode_public(bytes(32)))


def test_save_and_load(path: Path) -> None:
    ALICE.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Identity.load(path) == ALICE
    assert Identity.load(str(path)).sign(b"m") == ALICE.sign(b"m")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_save_under_a_passphrase(path: Path) -> None:
    ALICE.save(path, "correct horse", cost=CHEAP)
    assert SEED.hex() not in path.read_text(encoding="utf-8")
    assert Identity.load(path, "correct horse") == ALICE
    with pytest.raises(LocalError, match="wrong passphrase"):
        Identity.load(path, "battery staple")
    with pytest.raises(PassphraseNeeded, match="needs a passphrase"):
        Identity.load(path)


def test_a_key_file_costs_each_guess_three_passes_over_256_mib(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def noted(passphrase: str, salt: bytes, cost: PassphraseCost) -> bytes:
        asked.append((cost.passes, cost.memory_kib))
        return bytes(32)

    monkeypatch.setattr("mpcnet.primitives.passphrases._passphrase_key", noted)
    ALICE.save(path, "correct horse")
    assert Identity.load(path, "correct horse") == ALICE
    assert asked == [(3, 256 * 1024)] * 2


def test_save_never_overwrites(path: Path) -> None:
    write(path, "mine")
    with pytest.raises(LocalError, match="not overwritten"):
        ALICE.save(path)
    assert path.read_text(encoding="utf-8") == "mine"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_save_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot be written"):
        ALICE.save(tmp_path / "nowhere" / "alice.key")


def test_load_what_is_missing(path: Path) -> None:
    with pytest.raises(LocalError, match="does not exist"):
        Identity.load(path)
    with pytest.raises(LocalError, match="cannot be read"):
        Identity.load(path.parent)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_load_refuses_a_file_open_to_others(path: Path, mode: int) -> None:
    ALICE.save(path)
    path.chmod(mode)
    with pytest.raises(LocalError, match=f"mode {mode:03o}.*chmod 600"):
        Identity.load(path)


@pytest.mark.skipif(os.name != "posix", reason="owners of POSIX")
def test_load_refuses_a_file_of_another_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ALICE.save(path)
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(LocalError, match="belongs to another user"):
        Identity.load(path)


def test_what_went_wrong_is_told_although_something_is_left_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.link", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(LocalError, match="cannot be written: Permission denied"):
        ALICE.save(path)
    with pytest.raises(LocalError, match="cannot be written: Permission denied"):
        Roster().save(path)


def test_load_reads_a_file_that_begins_with_a_byte_order_mark(path: Path) -> None:
    ALICE.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Identity.load(path) == ALICE


HEAD = f'version = 1\npublic = "{ALICE.public_text}"\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        HEAD,
        HEAD + 'secret = "00"\n',
        HEAD + 'secret = "zz"\n',
        HEAD + f'secret = "{bytes(32).hex()}"\n',
        HEAD + "secret = 5\n",
        HEAD + f'secret = "{SEED.hex()}"\nmore = 1\n',
        HEAD + f'secret = "{SEED.hex()}"\n"{SEED.hex()}" = 1\n',
        HEAD + f'secret = "{SEED.hex()}"\nsealed = "00"\n',
        f"version = {'[' * 5000}",
        f"{SEED.hex()} = {'9' * 5000}\nversion",
        "version = true\n" + HEAD.replace("version = 1\n", "") + f'secret = "{SEED.hex()}"\n',
        HEAD.replace(ALICE.public_text, "mpc1é") + f'secret = "{SEED.hex()}"\n',
        HEAD.replace("version = 1\n", "") + f'secret = "{SEED.hex()}"\n',
    ],
)
def test_load_names_damage_and_no_secret(path: Path, text: str) -> None:
    write(path, text)
    with pytest.raises(LocalError, match="damaged") as caught:
        Identity.load(path)
    assert str(path) in str(caught.value)
    assert SEED.hex() not in str(caught.value)


def test_load_names_another_version(path: Path) -> None:
    write(path, HEAD.replace("= 1", "= 2") + f'secret = "{SEED.hex()}"\n')
    with pytest.raises(LocalError, match="another version"):
        Identity.load(path)


def test_load_refuses_what_is_no_text_or_too_long(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(LocalError, match="damaged"):
        Identity.load(path)
    path.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(LocalError, match="longer"):
        Identity.load(path)
