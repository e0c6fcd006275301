"""Primitives against published vectors, and the promises that the libraries alone do not keep."""

from __future__ import annotations

import hashlib
from typing import get_args

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from mpcnet import primitives as p
from mpcnet.primitives import passphrases

CHEAP = p.PassphraseCost(passes=1, memory_kib=8)
KEY = bytes(range(32))
NONCE = bytes(12)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


# --- randomness, comparison, hashing


def test_random_bytes_have_the_size_asked_for_and_differ() -> None:
    assert len(p.random_bytes(32)) == 32
    assert p.random_bytes(32) != p.random_bytes(32)


def test_equal() -> None:
    assert p.equal(b"abc", bytearray(b"abc"))
    assert not p.equal(b"abc", b"abd")
    assert not p.equal(b"abc", b"ab")


def test_blake2b_rfc7693_appendix_a() -> None:
    assert p.blake2b(b"abc", size=64) == unhex(
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )


def test_blake2b_key_and_person_and_size_each_change_the_hash() -> None:
    hashes = {
        p.blake2b(b"x"),
        p.blake2b(b"x", key=b"k"),
        p.blake2b(b"x", person=b"p"),
        p.blake2b(b"x", size=31),
    }
    assert len(hashes) == 4
    assert p.blake2b(b"x", key=b"k") == hashlib.blake2b(b"x", key=b"k", digest_size=32).digest()


def test_wipe_clears_wide_items_too() -> None:
    array = np.full(4, 7, np.uint64)
    p.wipe(array.data)
    assert not array.any()


# --- X25519, RFC 7748

ALICE = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC = unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB = unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC = unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
SHARED = unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def test_x25519_rfc7748_section_5_2() -> None:
    scalar = unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    shared = unhex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    assert p.x25519(scalar, point) == shared


def test_x25519_rfc7748_section_6_1() -> None:
    assert p.x25519_public(ALICE) == ALICE_PUBLIC
    assert p.x25519_public(bytearray(BOB)) == BOB_PUBLIC
    assert p.x25519(ALICE, BOB_PUBLIC) == p.x25519(BOB, memoryview(ALICE_PUBLIC)) == SHARED


@pytest.mark.parametrize(
    "point",
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ],
)
def test_x25519_refuses_points_of_small_order(point: str) -> None:
    with pytest.raises(ValueError, match="small order"):
        p.x25519(ALICE, unhex(point))


@pytest.mark.parametrize(("secret", "public"), [(31, 32), (32, 33), (0, 32)])
def test_x25519_refuses_wrong_sizes(secret: int, public: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        p.x25519(bytes(secret), bytes(public))
    if secret != 32:
        with pytest.raises(ValueError, match="32 bytes"):
            p.x25519_public(bytes(secret))


# --- Ed25519, RFC 8032 §7.1

ED25519 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), ED25519)
def test_ed25519_rfc8032(seed: str, public: str, message: str, signature: str) -> None:
    assert p.ed25519_keypair(unhex(seed)) == (unhex(public), unhex(seed))
    assert p.ed25519_sign(unhex(seed), unhex(message)) == unhex(signature)
    assert p.ed25519_verify(unhex(public), unhex(message), unhex(signature))


def test_ed25519_verify_is_false_for_anything_else() -> None:
    public, message, signature = (unhex(text) for text in ED25519[1][1:])
    assert not p.ed25519_verify(public, message + b"x", signature)
    assert not p.ed25519_verify(public, message, signature[:-1])
    assert not p.ed25519_verify(public, message, signature[:-1] + b"\x01")
    assert not p.ed25519_verify(public[:-1], message, signature)
    assert not p.ed25519_verify(bytes(32), message, signature)


def test_ed25519_keys_become_x25519_keys_of_one_pair() -> None:
    public, seed = p.ed25519_keypair(KEY)
    assert p.x25519_public(p.ed25519_seed_to_x25519(seed)) == p.ed25519_public_to_x25519(public)


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), b"\x02" + bytes(31), b"\xff" * 32])
def test_ed25519_public_to_x25519_refuses_what_is_no_key(public: bytes) -> None:
    with pytest.raises(ValueError, match="no point"):
        p.ed25519_public_to_x25519(public)


# --- AEAD


def test_chacha20poly1305_rfc8439_section_2_8_2() -> None:
    aead = p.Aead("ChaChaPoly", bytes(range(0x80, 0xA0)))
    text = (
        b"Ladies and Gentlemen of the class of '99: "
        b"If I could offer you only one tip for the future, sunscreen would be it."
    )
    sealed = aead.encrypt(unhex("070000004041424344454647"), text, unhex("50515253c0c1c2c3c4c5c6c7"))
    assert sealed[:16] == unhex("d31a8d34648e60db7b86afbc53ef7ec2")
    assert sealed[-16:] == unhex("1ae10b594f09e26a7e902ecbd0600691")


def test_aes256gcm_mcgrew_viega_case_14() -> None:
    sealed = p.Aead("AESGCM", bytes(32)).encrypt(NONCE, bytes(16), None)
    assert sealed == unhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")


@pytest.mark.parametrize("name", get_args(p.AeadName))
@pytest.mark.parametrize("size", [0, 1, 100])
def test_aead_into_buffers_is_the_same_as_aead(name: p.AeadName, size: int) -> None:
    aead, text = p.Aead(name, KEY), bytes(range(size))
    out, back = bytearray(size + p.AEAD_TAG_BYTES), bytearray(size)
    assert aead.encrypt_into(NONCE, text, b"ad", out) == size + 16
    assert bytes(out) == aead.encrypt(NONCE, text, b"ad")
    assert aead.decrypt_into(NONCE, out, b"ad", memoryview(back)) == size
    assert bytes(back) == text == aead.decrypt(NONCE, out, b"ad")


@pytest.mark.parametrize("name", get_args(p.AeadName))
def test_failed_decryption_leaves_nothing_behind(name: p.AeadName) -> None:
    aead = p.Aead(name, KEY)
    sealed = bytearray(aead.encrypt(NONCE, b"attack at dawn", b""))
    sealed[0] ^= 1
    out = bytearray(b"old contents!!")
    with pytest.raises(p.AuthenticationError):
        aead.decrypt_into(NONCE, sealed, b"", out)
    assert out == bytes(14)
    with pytest.raises(p.AuthenticationError):
        aead.decrypt(NONCE, sealed, b"")
    with pytest.raises(p.AuthenticationError):
        aead.decrypt(NONCE, b"short", b"")


def test_aead_key_has_32_bytes_and_does_not_print() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        p.Aead("AESGCM", bytes(16))
    assert repr(p.Aead("AESGCM", KEY)) == "Aead('AESGCM')"


# --- AES-CTR


def counter_mode(key: bytes, start: int, blocks: int) -> bytes:
    """SP 800-38A §6.5 spelt out: the encryption of start, start + 1, ..."""
    counters = b"".join((start + i).to_bytes(16, "big") for i in range(blocks))
    return Cipher(algorithms.AES128(key), modes.ECB()).encryptor().update(counters)  # noqa: S305 blocks alone


def test_the_reference_is_sp800_38a_f_5_1() -> None:
    key, start = unhex("2b7e151628aed2a6abf7158809cf4f3c"), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
    plain = unhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    cipher = unhex(
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
    )
    stream = counter_mode(key, int(start, 16), 4)
    assert bytes(a ^ b for a, b in zip(plain, stream, strict=True)) == cipher


def test_aes_ctr_first_block_is_the_aesavs_key_sbox_vector() -> None:
    stream = p.aes_ctr(unhex("10a58869d74be5a374cf867cfb473859"), 16)
    assert stream.tobytes() == unhex("6d251e6944b051e04eaa6fb4dbf78465")


@pytest.mark.parametrize("size", [0, 1, 16, 100, (1 << 17) - 1, (1 << 17) + 5, (1 << 18) + 33])
def test_aes_ctr_is_counter_mode_from_zero_at_every_size(size: int) -> None:
    expected = counter_mode(KEY[:16], 0, size // 16 + 1)[:size]
    stream = p.aes_ctr(KEY[:16], size)
    assert stream.dtype == np.uint8
    assert stream.tobytes() == expected


def test_aes_ctr_into_fills_arrays_of_any_type_and_shape() -> None:
    words: NDArray[np.uint64] = np.full((3, 5), 9, np.uint64)
    p.aes_ctr_into(KEY[:16], words)
    assert words.tobytes() == p.aes_ctr(KEY[:16], 120).tobytes()
    p.aes_ctr_into(KEY[:16], words[1])
    assert words[1].tobytes() == p.aes_ctr(KEY[:16], 40).tobytes()
    assert words[0].tobytes() == p.aes_ctr(KEY[:16], 40).tobytes()


def test_aes_ctr_refuses_what_it_would_fill_wrongly() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        p.aes_ctr_into(KEY[:16], np.zeros((4, 4), np.uint8)[:, 1])
    with pytest.raises(ValueError, match="16 bytes"):
        p.aes_ctr(KEY, 5)


# --- passphrases


def test_passphrase_round_trip() -> None:
    sealed = p.seal_with_passphrase(b"secret", "correct horse", cost=CHEAP)
    assert b"secret" not in sealed
    assert p.open_with_passphrase(sealed, "correct horse") == b"secret"
    assert sealed != p.seal_with_passphrase(b"secret", "correct horse", cost=CHEAP)


def test_passphrase_is_deterministic_in_its_randomness() -> None:
    texts = {p.seal_with_passphrase(b"x", "p", cost=CHEAP, randomness=bytes) for _ in range(2)}
    assert len(texts) == 1


@pytest.mark.parametrize("position", [0, 19, 23, 30, 50, -1])
def test_passphrase_refuses_changed_bytes(position: int) -> None:
    sealed = bytearray(p.seal_with_passphrase(b"secret", "p", cost=CHEAP))
    sealed[position] ^= 1
    with pytest.raises(p.AuthenticationError):
        p.open_with_passphrase(sealed, "p")


def test_passphrase_refuses_the_wrong_one_and_hostile_costs() -> None:
    sealed = p.seal_with_passphrase(b"secret", "p", cost=CHEAP)
    with pytest.raises(p.AuthenticationError, match="wrong passphrase"):
        p.open_with_passphrase(sealed, "q")
    with pytest.raises(p.AuthenticationError, match="out of bounds"):
        p.open_with_passphrase(sealed[:16] + b"\xff" * 8 + sealed[24:], "p")
    with pytest.raises(p.AuthenticationError, match="too short"):
        p.open_with_passphrase(sealed[:63], "p")


class Costs:
    """Notes what keys from passphrases cost, and makes none, which takes long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[int, int]] = []
        monkeypatch.setattr(passphrases, "_passphrase_key", self)

    def __call__(self, passphrase: str, salt: bytes, cost: p.PassphraseCost) -> bytes:
        self.asked.append((cost.passes, cost.memory_kib))
        return bytes(32)


def test_a_passphrase_costs_each_guess_as_much_as_libsodium_s_moderate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three passes over 256 MiB, by default; a key file is saved with that."""
    costs = Costs(monkeypatch)
    sealed = p.seal_with_passphrase(b"secret", "p")
    assert p.open_with_passphrase(sealed, "p") == b"secret"
    assert costs.asked == [(3, 256 * 1024)] * 2


@pytest.mark.parametrize(("passes", "memory_kib"), [(0, 8), (1, 7), (17, 8), (1, 2**20 + 1), (2**32 - 1, 8)])
def test_what_a_file_asks_of_us_is_bounded(monkeypatch: pytest.MonkeyPatch, passes: int, memory_kib: int) -> None:
    """Sixteen passes and a GiB at most; what asks for more is refused before anything is computed."""
    costs = Costs(monkeypatch)
    sealed = p.seal_with_passphrase(b"secret", "p", cost=p.PassphraseCost(passes, memory_kib))
    costs.asked.clear()
    with pytest.raises(p.AuthenticationError, match="out of bounds"):
        p.open_with_passphrase(sealed, "p")
    assert costs.asked == []


def test_the_dearest_file_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = Costs(monkeypatch)
    sealed = p.seal_with_passphrase(b"secret", "p", cost=p.PassphraseCost(16, 2**20))
    assert p.open_with_passphrase(sealed, "p") == b"secret"
    assert costs.asked == [(16, 2**20)] * 2
