"""A party's key: one Ed25519 key pair, which signs and, in its X25519 form, opens connections.

The public key is written as "mpc1" and 56 letters and digits, always the same way: lower-case base32 of the 32
bytes and a checksum of three, so that a slip in copying is noticed. The key file is a short text that
only its owner can read:

    version = 1
    public = "mpc1..."
    secret = "..."          or, under a passphrase,      sealed = "..."
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from mpcnet.errors import LocalError
from mpcnet.identity.files import create_private, read_text
from mpcnet.primitives import (
    MODERATE,
    AuthenticationError,
    Buffer,
    PassphraseCost,
    Randomness,
    blake2b,
    ed25519_keypair,
    ed25519_public_to_x25519,
    ed25519_seed_to_x25519,
    ed25519_sign,
    equal,
    open_with_passphrase,
    random_bytes,
    seal_with_passphrase,
)
from mpcnet.toml_tables import Field, check_table, read_table

__all__ = ("KEY_BYTES", "Identity", "PassphraseNeeded", "decode_public", "encode_public", "peek")

#: Bytes of an Ed25519 public key, and of the seed that is its secret key.
KEY_BYTES: Final = 32

_PREFIX: Final = "mpc1"
_CHECKSUM_BYTES: Final = 3  # 35 bytes are 56 base32 digits without padding or spare bits
_TEXT_LENGTH: Final = len(_PREFIX) + 56
_FILE_VERSION: Final = 1
_ASCII: Final = Field("text", lambda value: isinstance(value, str) and value.isascii())
_FILE_FIELDS: Final = {
    "version": Field("the number of the format", lambda value: type(value) is int, required=True),
    "public": Field("text", _ASCII.fits, required=True),
    "secret": _ASCII,
    "sealed": _ASCII,
}


class PassphraseNeeded(LocalError):
    """A key file is sealed, and no passphrase was given."""


def _checksum(public: bytes) -> bytes:
    return blake2b(public, size=_CHECKSUM_BYTES, person=b"mpcnet key text")


def encode_public(public: bytes) -> str:
    """A public key as a person pastes it: "mpc1" and 56 letters and digits."""
    return _PREFIX + base64.b32encode(public + _checksum(public)).decode("ascii").lower()


def decode_public(text: str) -> bytes:
    """The public key that `encode_public` wrote.

    Raises:
        LocalError: not a key, mistyped or cut off, or no point of the curve.
    """
    if not text.startswith(_PREFIX) or len(text) != _TEXT_LENGTH:
        raise LocalError(f"a key is {_PREFIX!r} and {_TEXT_LENGTH - len(_PREFIX)} letters and digits")
    try:
        decoded = base64.b32decode(text.removeprefix(_PREFIX).upper())
    except (binascii.Error, ValueError):
        raise LocalError("a key has only the letters a to z and the digits 2 to 7 after mpc1") from None
    public = decoded[:KEY_BYTES]
    if encode_public(public) != text:
        raise LocalError("the key's checksum does not fit: it was mistyped")
    try:
        ed25519_public_to_x25519(public)
    except ValueError:
        raise LocalError("the key is no Ed25519 public key") from None
    return public


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Identity:
    """One party's key pair. `repr` shows the public half only.

    Args:
        seed: the 32-byte Ed25519 secret key; usually from `generate` or `load`.
    """

    _seed: bytes
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self._seed) != KEY_BYTES:
            raise LocalError(f"an Ed25519 secret key has {KEY_BYTES} bytes, not {len(self._seed)}")
        public, _ = ed25519_keypair(self._seed)
        object.__setattr__(self, "public", public)

    def __repr__(self) -> str:
        return f"Identity({self.public_text})"

    def __eq__(self, other: object) -> bool:
        return self.public == other.public if isinstance(other, Identity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.public)

    @classmethod
    def generate(cls, randomness: Randomness = random_bytes) -> Self:
        """A new key pair."""
        return cls(randomness(KEY_BYTES))

    @property
    def public_text(self) -> str:
        """The public key in the form that rosters have."""
        return encode_public(self.public)

    @property
    def x25519_secret(self) -> bytes:
        """The secret key of handshakes."""
        return ed25519_seed_to_x25519(self._seed)

    @property
    def x25519_public(self) -> bytes:
        """The public key of handshakes."""
        return ed25519_public_to_x25519(self.public)

    def sign(self, message: Buffer) -> bytes:
        """The Ed25519 signature, 64 bytes. The message must say what it is for: one key signs everything."""
        return ed25519_sign(self._seed, message)

    def save(self, path: str | Path, passphrase: str | None = None, *, cost: PassphraseCost = MODERATE) -> None:
        """Write the key file, readable by its owner only.

        Raises:
            LocalError: the file exists already (a lost key cannot be made again), or cannot be written.
        """
        if passphrase is None:
            secret = f'secret = "{self._seed.hex()}"'
        else:
            secret = f'sealed = "{seal_with_passphrase(self._seed, passphrase, cost=cost).hex()}"'
        lines = ["# A secret key of mpcnet. A reader of it can act as its owner.", f"version = {_FILE_VERSION}"]
        text = "\n".join([*lines, f'public = "{self.public_text}"', secret, ""])
        create_private(Path(path), text)

    @classmethod
    def load(cls, path: str | Path, passphrase: str | None = None) -> Self:
        """Read a key file.

        Raises:
            LocalError: it is missing, open to others or damaged, or the passphrase is wrong.
            PassphraseNeeded: it is sealed, and no passphrase was given.
        """
        path = Path(path)
        fields = _parse(path, read_text(path, private=True))
        identity = cls(_seed(path, fields, passphrase))
        if not equal(identity.public_text.encode(), fields["public"].encode()):
            raise LocalError(f"{path} is damaged: its public and secret key do not belong together")
        return identity


def peek(path: str | Path) -> tuple[bytes, bool]:
    """The public key of a key file, and whether a passphrase seals the secret one; needs no passphrase.

    Raises:
        LocalError: as `Identity.load`. That the two keys belong together is not checked if the file is sealed.
    """
    path = Path(path)
    fields = _parse(path, read_text(path, private=True))
    if "sealed" not in fields:
        return Identity.load(path).public, False
    try:
        return decode_public(fields["public"]), True
    except LocalError as error:
        raise LocalError(f"{path} is damaged: {error}") from None


def _parse(path: Path, text: str) -> dict[str, str]:
    try:
        table = read_table(text, "a key file")
    except LocalError:
        # What the parser quotes may be of the key.
        raise LocalError(f"{path} is damaged: no key file") from None
    if table.get("version", _FILE_VERSION) != _FILE_VERSION:
        raise LocalError(f"{path} was written by another version of mpcnet")
    if not table.keys() <= _FILE_FIELDS.keys():
        raise LocalError(f"{path} is damaged: it has a field that no key file has")
    try:
        check_table(table, _FILE_FIELDS, "a key file")
    except LocalError as error:
        raise LocalError(f"{path} is damaged: {error}") from None
    if ("secret" in table) == ("sealed" in table):
        raise LocalError(f"{path} is damaged: of the fields 'secret' and 'sealed' it must have one")
    return {name: str(value) for name, value in table.items() if name != "version"}


def _seed(path: Path, fields: dict[str, str], passphrase: str | None) -> bytes:
    sealed = "sealed" in fields
    if sealed and passphrase is None:
        raise PassphraseNeeded(f"{path} needs a passphrase")
    try:
        stored = bytes.fromhex(fields["sealed" if sealed else "secret"])
        seed = open_with_passphrase(stored, passphrase) if sealed and passphrase is not None else stored
    except AuthenticationError:
        raise LocalError(f"{path}: wrong passphrase, or the file is damaged") from None
    except ValueError:
        raise LocalError(f"{path} is damaged: its key is not in hexadecimal digits") from None
    if len(seed) != KEY_BYTES:
        raise LocalError(f"{path} is damaged: its key has {len(seed)} bytes, not {KEY_BYTES}")
    return seed
