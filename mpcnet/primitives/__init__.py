"""Cryptographic operations under one name each; the only importer of PyNaCl and cryptography.

Nothing is decided here: every function is one operation of one standard, with sizes checked and the errors of
the libraries turned into `ValueError`. A key of the wrong size is the mistake of our own code and also raises
`ValueError`; data of a peer reach only `Aead.decrypt`, `Aead.decrypt_into`, `x25519`, `ed25519_verify` and
`ed25519_public_to_x25519`, whose failures are documented there.

    randomness      random_bytes
    hashing         blake2b, equal (in constant time)
    X25519          x25519, x25519_public                               RFC 7748
    Ed25519         ed25519_keypair, ed25519_sign, ed25519_verify       RFC 8032, and its X25519 form
                    ed25519_from_uniform: hashes as points              Elligator 2, RFC 9380 §6.7.1
    AEAD            Aead: AES-256-GCM and ChaCha20-Poly1305             SP 800-38D, RFC 8439
                    ed25519_base, ed25519_add, ed25519_subtract, ed25519_negate_if: sums of points
    streams         aes_ctr, aes_ctr_into: AES-128 in counter mode      SP 800-38A
    blocks          AesBlocks: AES-128 on independent blocks            FIPS 197
    hashing         Gmac: GHASH as a universal hash over GF(2^128)      SP 800-38D
    passphrases     seal_with_passphrase, open_with_passphrase          RFC 9106 (Argon2id), XSalsa20-Poly1305

Names are imported when they are first asked for, as those of `mpcnet` (docs/decisions/0016): keys and rosters need
no numpy, which streams do.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpcnet.primitives.aead import AEAD_TAG_BYTES as AEAD_TAG_BYTES
    from mpcnet.primitives.aead import Aead as Aead
    from mpcnet.primitives.aead import AeadName as AeadName
    from mpcnet.primitives.aead import AuthenticationError as AuthenticationError
    from mpcnet.primitives.aead import openssl_version as openssl_version
    from mpcnet.primitives.aes import AesBlocks as AesBlocks
    from mpcnet.primitives.aes import Gmac as Gmac
    from mpcnet.primitives.aes import aes_ctr as aes_ctr
    from mpcnet.primitives.aes import aes_ctr_into as aes_ctr_into
    from mpcnet.primitives.curve25519 import ed25519_add as ed25519_add
    from mpcnet.primitives.curve25519 import ed25519_base as ed25519_base
    from mpcnet.primitives.curve25519 import ed25519_from_uniform as ed25519_from_uniform
    from mpcnet.primitives.curve25519 import ed25519_keypair as ed25519_keypair
    from mpcnet.primitives.curve25519 import ed25519_negate_if as ed25519_negate_if
    from mpcnet.primitives.curve25519 import ed25519_public_to_x25519 as ed25519_public_to_x25519
    from mpcnet.primitives.curve25519 import ed25519_seed_to_x25519 as ed25519_seed_to_x25519
    from mpcnet.primitives.curve25519 import ed25519_sign as ed25519_sign
    from mpcnet.primitives.curve25519 import ed25519_subtract as ed25519_subtract
    from mpcnet.primitives.curve25519 import ed25519_verify as ed25519_verify
    from mpcnet.primitives.curve25519 import x25519 as x25519
    from mpcnet.primitives.curve25519 import x25519_public as x25519_public
    from mpcnet.primitives.hashing import Buffer as Buffer
    from mpcnet.primitives.hashing import Randomness as Randomness
    from mpcnet.primitives.hashing import blake2b as blake2b
    from mpcnet.primitives.hashing import equal as equal
    from mpcnet.primitives.hashing import random_bytes as random_bytes
    from mpcnet.primitives.hashing import wipe as wipe
    from mpcnet.primitives.passphrases import INTERACTIVE as INTERACTIVE
    from mpcnet.primitives.passphrases import MODERATE as MODERATE
    from mpcnet.primitives.passphrases import PassphraseCost as PassphraseCost
    from mpcnet.primitives.passphrases import open_with_passphrase as open_with_passphrase
    from mpcnet.primitives.passphrases import seal_with_passphrase as seal_with_passphrase

__all__ = (
    "AEAD_TAG_BYTES",
    "INTERACTIVE",
    "MODERATE",
    "Aead",
    "AeadName",
    "AesBlocks",
    "AuthenticationError",
    "Buffer",
    "Gmac",
    "PassphraseCost",
    "Randomness",
    "aes_ctr",
    "aes_ctr_into",
    "blake2b",
    "ed25519_add",
    "ed25519_base",
    "ed25519_from_uniform",
    "ed25519_keypair",
    "ed25519_negate_if",
    "ed25519_public_to_x25519",
    "ed25519_seed_to_x25519",
    "ed25519_sign",
    "ed25519_subtract",
    "ed25519_verify",
    "equal",
    "open_with_passphrase",
    "openssl_version",
    "random_bytes",
    "seal_with_passphrase",
    "wipe",
    "x25519",
    "x25519_public",
)

_MODULES = ("hashing", "curve25519", "aead", "passphrases", "aes")
"""Those without numpy first: a name is looked for in one after another."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            for module in _MODULES:
                found = importlib.import_module(f"{__name__}.{module}")
                if name in found.__all__:
                    globals()[name] = getattr(found, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
