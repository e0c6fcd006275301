"""The handshake patterns of Noise, as literal tables to be read beside the specification.

Here are the three one-way patterns (§7.4) and the twelve fundamental interactive ones (§7.5). mpcnet itself
uses KK; the others are here because public test vectors and other implementations check the interpreter
through them. Pre-shared keys (§9), fallback (§10.2) and deferred patterns (§18.1) are left out: nothing in
mpcnet needs them, and what is not there cannot be chosen by mistake.

A pattern is one tuple of tokens per message. Messages alternate and the initiator writes the first; the
tokens before the first message ("pre-messages") are public keys that the other side has from elsewhere.

Source: Noise Protocol Framework, revision 34, §7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ("PATTERNS", "Pattern", "Token")

Token: TypeAlias = Literal["e", "s", "ee", "es", "se", "ss"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One handshake pattern.

    Args:
        name: as it stands in the protocol name.
        initiator_pre: tokens of the initiator's pre-message.
        responder_pre: tokens of the responder's pre-message.
        messages: tokens of each message; the initiator writes those with an even number.
    """

    name: str
    initiator_pre: tuple[Token, ...]
    responder_pre: tuple[Token, ...]
    messages: tuple[tuple[Token, ...], ...]

    @property
    def one_way(self) -> bool:
        """Whether only the initiator ever sends, in the handshake and after it (§7.4)."""
        return len(self.messages) == 1

    def needs_static(self, *, initiator: bool) -> bool:
        """Whether the side must have a static key pair."""
        pre = self.initiator_pre if initiator else self.responder_pre
        own = self.messages[0 if initiator else 1 :: 2]
        return "s" in pre or any("s" in message for message in own)

    def needs_remote_static(self, *, initiator: bool) -> bool:
        """Whether the side must know the other's static public key before the first message."""
        return "s" in (self.responder_pre if initiator else self.initiator_pre)


_ALL = (
    # One-way (§7.4)
    Pattern("N", (), ("s",), (("e", "es"),)),
    Pattern("K", ("s",), ("s",), (("e", "es", "ss"),)),
    Pattern("X", (), ("s",), (("e", "es", "s", "ss"),)),
    # Interactive (§7.5). First letter: the initiator's static key is not there (N), known (K), transmitted
    # (X) or transmitted immediately (I). Second letter: the same for the responder.
    Pattern("NN", (), (), (("e",), ("e", "ee"))),
    Pattern("KN", ("s",), (), (("e",), ("e", "ee", "se"))),
    Pattern("NK", (), ("s",), (("e", "es"), ("e", "ee"))),
    Pattern("KK", ("s",), ("s",), (("e", "es", "ss"), ("e", "ee", "se"))),
    Pattern("NX", (), (), (("e",), ("e", "ee", "s", "es"))),
    Pattern("KX", ("s",), (), (("e",), ("e", "ee", "se", "s", "es"))),
    Pattern("XN", (), (), (("e",), ("e", "ee"), ("s", "se"))),
    Pattern("IN", (), (), (("e", "s"), ("e", "ee", "se"))),
    Pattern("XK", (), ("s",), (("e", "es"), ("e", "ee"), ("s", "se"))),
    Pattern("IK", (), ("s",), (("e", "es", "s", "ss"), ("e", "ee", "se"))),
    Pattern("XX", (), (), (("e",), ("e", "ee", "s", "es"), ("s", "se"))),
    Pattern("IX", (), (), (("e", "s"), ("e", "ee", "se", "s", "es"))),
)

#: Every pattern by its name.
PATTERNS: dict[str, Pattern] = {pattern.name: pattern for pattern in _ALL}
