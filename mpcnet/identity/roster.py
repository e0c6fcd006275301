"""The roster: who takes part, under which key and where. Every party has the same one.

    version = 1
    cipher = "AESGCM"

    [[party]]
    name = "alice"
    key = "mpc1..."
    address = "alice.example:7000"

The order of the parties is their index. The hash covers version, cipher, order, names and keys: what parties
must agree on. Addresses say where, not who (the key proves that), and may differ: a party behind a gateway
is reached from inside and outside under different ones.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self, cast, get_args

from mpcnet.errors import LocalError, did_you_mean
from mpcnet.identity.files import read_text, replace_text
from mpcnet.identity.keys import decode_public, encode_public
from mpcnet.primitives import AeadName, blake2b, ed25519_public_to_x25519
from mpcnet.toml_tables import TEXT, Field, check_table, read_table

__all__ = ("Member", "Roster")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[object]", value))


_VERSION: Final = 1
_CIPHERS: Final = get_args(AeadName)
_FILE_FIELDS: Final = {
    "version": Field("the number of the format", lambda value: type(value) is int, required=True),
    "cipher": Field(f"one of {', '.join(_CIPHERS)}", lambda value: value in _CIPHERS),
    "party": Field("the parties, one table [[party]] for each", _is_tables),
}
_PARTY_FIELDS: Final = {name: Field(TEXT.takes, TEXT.fits, required=True) for name in ("name", "key", "address")}

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HOST_MAX: Final = 253
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PORT_MAX: Final = 65535
_FINGERPRINT_BYTES: Final = 20


def is_name(text: str) -> bool:
    """Whether a party may be called so: 1 to 64 letters, digits, dots, underscores and hyphens."""
    return _NAME.fullmatch(text) is not None


def _split_address(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > _PORT_MAX:
        raise LocalError(f"address {address!r} does not end in a port: write host:port, 1 to {_PORT_MAX}")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError:
            raise LocalError(f"address {address!r} has no IPv6 address in its brackets") from None
    if ":" in host:
        raise LocalError(f"address {address!r} needs brackets: write [IPv6 address]:port")
    if len(host) > _HOST_MAX or not all(map(_HOST_LABEL.fullmatch, host.removesuffix(".").split("."))):
        raise LocalError(f"address {address!r} has no host name or IP address before its port")
    return host, int(port)


@dataclass(frozen=True, slots=True, repr=False)
class Member:
    """One party of a roster.

    Args:
        index: its place in the roster, from 0.
        name: 1 to 64 letters, digits, dots, underscores and hyphens.
        key: the 32-byte Ed25519 public key.
        address: "host:port", or "[IPv6 address]:port".

    Members are not checked when they are made, but when a roster takes them.
    """

    index: int
    name: str
    key: bytes
    address: str

    def __repr__(self) -> str:
        return f"Member({self.index}, {self.name!r}, {self.key_text}, {self.address!r})"

    @property
    def key_text(self) -> str:
        """The public key in printable form."""
        return encode_public(self.key)

    @property
    def x25519_public(self) -> bytes:
        """The public key of handshakes."""
        return ed25519_public_to_x25519(self.key)

    @property
    def host(self) -> str:
        """The address without port and brackets."""
        return _split_address(self.address)[0]

    @property
    def port(self) -> int:
        """The port of the address."""
        return _split_address(self.address)[1]

    @property
    def line(self) -> str:
        """The member on one line, to paste to others: name, key, address. `from_line` reads it."""
        return f"{self.name} {self.key_text} {self.address}"

    @classmethod
    def from_line(cls, line: str, index: int = 0) -> Self:
        """The member of a pasted line. `Roster.add` gives it its index.

        Raises:
            LocalError: not three words, or one of them is malformed.
        """
        words = line.split()
        if len(words) != 3:
            raise LocalError(f"a party's line is name, key and address; this one has {len(words)} words")
        member = cls(index, words[0], decode_public(words[1]), words[2])
        for problem in _member_problems(member):
            raise LocalError(problem)
        return member


@dataclass(frozen=True, slots=True)
class Roster:
    """The parties in their order, and the cipher of their connections.

    Args:
        members: with the indices 0, 1, 2, ... in this order.
        cipher: "AESGCM" (fast with hardware support) or "ChaChaPoly".

    Raises:
        LocalError: the indices are not in order.
    """

    members: tuple[Member, ...] = ()
    cipher: AeadName = "AESGCM"

    def __post_init__(self) -> None:
        if [member.index for member in self.members] != list(range(len(self.members))):
            raise LocalError("the members of a roster are numbered 0, 1, 2, ... in order")

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def by_name(self, name: str) -> Member:
        """The member of this name.

        Raises:
            LocalError: there is none.
        """
        for member in self.members:
            if member.name == name:
                return member
        names = [member.name for member in self]
        hint = did_you_mean(name, names)
        raise LocalError(f"{name!r} is not in the roster; it has {', '.join(names) or 'no party'}{hint}")

    def by_index(self, index: int) -> Member:
        """The member at this place.

        Raises:
            LocalError: there is none.
        """
        if not 0 <= index < len(self.members):
            raise LocalError(f"the roster has {len(self.members)} parties, none has the index {index}")
        return self.members[index]

    def by_key(self, key: bytes) -> Member:
        """The member with this public key: how a party finds itself.

        Raises:
            LocalError: there is none.
        """
        for member in self.members:
            if member.key == key:
                return member
        raise LocalError(f"the key {encode_public(key)} is not in the roster")

    def add(self, member: Member) -> Roster:
        """A roster with one more member, at the end, whatever index it had.

        Raises:
            LocalError: malformed, or the name, key or address is taken.
        """
        roster = replace(self, members=(*self.members, replace(member, index=len(self.members))))
        roster._refuse_problems()
        return roster

    def problems(self) -> list[str]:
        """What is wrong with the members, one sentence each; how many there are is not judged."""
        found = [problem for member in self.members for problem in _member_problems(member)]
        if self.cipher not in _CIPHERS:
            found.append(f"the cipher is one of {', '.join(_CIPHERS)}, not {self.cipher!r}")
        found += _duplicates("the name", [member.name for member in self.members])
        found += _duplicates("the key", [encode_public(member.key) for member in self.members])
        found += self._negated_keys()
        found += _duplicates("the address", [member.address for member in self.members])
        return found

    def _negated_keys(self) -> list[str]:
        """A key and its negative are two keys of Ed25519 and one of X25519: its holder opens links as both."""
        by_link_key: dict[bytes, Member] = {}
        found: list[str] = []
        for member in self.members:
            with contextlib.suppress(ValueError):  # no key at all, of which `_member_problems` speaks
                first = by_link_key.setdefault(member.x25519_public, member)
                if first.key != member.key:
                    found.append(f"the keys of {first.name} and {member.name} are one key with two signs")
        return found

    def check(self) -> None:
        """Refuse a roster that cannot be used.

        Raises:
            LocalError: names every problem; fewer than two parties are one.
        """
        found = self.problems()
        if len(self.members) < 2:
            found.append(f"a roster needs at least two parties, this one has {len(self.members)}")
        if found:
            raise LocalError("; ".join(found))

    @property
    def hash(self) -> bytes:
        """32 bytes that name cipher, order, names and keys: parties with the same hash mean the same roster."""
        cipher = self.cipher.encode()
        parts = [struct.pack(">HH", _VERSION, len(self.members)), bytes([len(cipher)]), cipher]
        for member in self.members:
            name = member.name.encode()
            parts += [struct.pack(">H", len(name)), name, struct.pack(">H", len(member.key)), member.key]
        return blake2b(b"".join(parts), size=32, person=b"mpcnet roster")

    @property
    def fingerprint(self) -> str:
        """160 bits of the hash, as eight groups of four letters and digits, to be compared by reading it aloud.

        The party that makes a roster may try many and look for two with one fingerprint: that takes 2^80 hashes,
        where 80 bits would take 2^40.
        """
        text = base64.b32encode(self.hash[:_FINGERPRINT_BYTES]).decode("ascii").lower()
        return "-".join(text[start : start + 4] for start in range(0, len(text), 4))

    @classmethod
    def from_toml(cls, text: str) -> Roster:
        """The roster of a file's text; a single party or none is accepted, `check` refuses that.

        Raises:
            LocalError: not a roster file, or `problems` finds any.
        """
        table = read_table(text, "a roster")
        if table.get("version") != _VERSION:
            raise LocalError(f"not a roster that this version reads: it must say version = {_VERSION}")
        check_table(table, _FILE_FIELDS, "a roster")
        parties = cast("list[dict[str, object]]", table.get("party", []))
        members = tuple(_member(index, party) for index, party in enumerate(parties))
        roster = cls(members, cast("AeadName", table.get("cipher", "AESGCM")))
        roster._refuse_problems()
        return roster

    def to_toml(self) -> str:
        """The text of the roster file: the same roster gives the same text.

        Raises:
            LocalError: `problems` finds any.
        """
        self._refuse_problems()
        lines = [f"version = {_VERSION}", f'cipher = "{self.cipher}"']
        for member in self.members:
            # Checked values need no quoting: they have no quotes, backslashes or control characters.
            lines += ["", "[[party]]", f'name = "{member.name}"', f'key = "{member.key_text}"']
            lines.append(f'address = "{member.address}"')
        return "\n".join([*lines, ""])

    @classmethod
    def load(cls, path: str | Path) -> Roster:
        """Read a roster file.

        Raises:
            LocalError: it is missing, unreadable, not a roster, or has problems; the path stands in front.
        """
        text = read_text(Path(path), private=False)
        try:
            return cls.from_toml(text)
        except LocalError as error:
            raise LocalError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the roster file, whole or not at all, in place of an earlier one.

        Raises:
            LocalError: it cannot be written, or `problems` finds any.
        """
        replace_text(Path(path), self.to_toml())

    def _refuse_problems(self) -> None:
        found = self.problems()
        if found:
            raise LocalError("; ".join(found))


def _member_problems(member: Member) -> Iterator[str]:
    if not is_name(member.name):
        yield f"{member.name!r} is no name: 1 to 64 letters, digits, dots, underscores and hyphens"
    try:
        decode_public(encode_public(member.key))
        _split_address(member.address)
    except LocalError as error:
        yield f"{member.name!r}: {error}"


def _duplicates(what: str, values: list[str]) -> list[str]:
    return [f"{what} {value} stands in the roster {n} times" for value, n in Counter(values).items() if n > 1]


def _member(index: int, table: Mapping[str, object]) -> Member:
    check_table(table, _PARTY_FIELDS, "a party", inside=f"party[{index}]")
    fields = cast("Mapping[str, str]", table)
    try:
        return Member(index, fields["name"], decode_public(fields["key"]), fields["address"])
    except LocalError as error:
        raise LocalError(f"{fields['name']!r}: {error}") from None
