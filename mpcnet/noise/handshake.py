"""Handshake: who may write when, and whose fault a failure is.

    initiator                                   responder
    INITIATOR_WRITES   -- message 0 -->         INITIATOR_WRITES
    RESPONDER_WRITES   <-- message 1 --         RESPONDER_WRITES
    ...                as many as the pattern has
    COMPLETE           finish() on each side    COMPLETE
    SPLIT              each side has a Channel  SPLIT

States and events name the two roles, never "us": one table judges our calls and the peer's messages. What is
not in the table is not legal. There is no way to send data before the handshake is over: `finish` makes the
`Channel` that can.

    1. Our own mistake raises `LocalError` and leaves the machine as it was.
    2. The peer's fault raises `PeerViolation` and leaves the machine in FAILED for good; it then says the
       same at every call.
    3. A message is run on a copy of the state; the copy is kept only when all of it went well.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, get_args

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.noise.channel import Channel
from mpcnet.noise.handshakestate import DH_BYTES, MESSAGE_MAX, HandshakeState, InvalidMessage, StaticPair
from mpcnet.noise.patterns import PATTERNS, Pattern
from mpcnet.noise.symmetricstate import HASHES, HashName
from mpcnet.primitives import AeadName, Buffer, Randomness, random_bytes

__all__ = ("TRANSITIONS", "Event", "Handshake", "State")


class State(Enum):
    """Where a handshake is."""

    INITIATOR_WRITES = auto()
    RESPONDER_WRITES = auto()
    COMPLETE = auto()
    SPLIT = auto()
    FAILED = auto()


class Event(Enum):
    """What can happen to a handshake; LAST marks the pattern's last message."""

    INITIATOR_MESSAGE = auto()
    INITIATOR_LAST_MESSAGE = auto()
    RESPONDER_MESSAGE = auto()
    RESPONDER_LAST_MESSAGE = auto()
    VIOLATION = auto()
    FINISH = auto()


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.INITIATOR_WRITES, Event.INITIATOR_MESSAGE): State.RESPONDER_WRITES,
    (State.INITIATOR_WRITES, Event.INITIATOR_LAST_MESSAGE): State.COMPLETE,
    (State.INITIATOR_WRITES, Event.VIOLATION): State.FAILED,
    (State.RESPONDER_WRITES, Event.RESPONDER_MESSAGE): State.INITIATOR_WRITES,
    (State.RESPONDER_WRITES, Event.RESPONDER_LAST_MESSAGE): State.COMPLETE,
    (State.RESPONDER_WRITES, Event.VIOLATION): State.FAILED,
    (State.COMPLETE, Event.FINISH): State.SPLIT,
}

# (by the initiator?, the last one?) -> event
_MESSAGE_EVENTS: Final = {
    (True, False): Event.INITIATOR_MESSAGE,
    (True, True): Event.INITIATOR_LAST_MESSAGE,
    (False, False): Event.RESPONDER_MESSAGE,
    (False, True): Event.RESPONDER_LAST_MESSAGE,
}


class Handshake:
    """One side of one Noise handshake.

    Args:
        pattern: a name of `PATTERNS`, such as "KK".
        initiator: whether we write the first message.
        prologue: bytes that both sides must have in common; they are not sent.
        s: our static X25519 secret key; None if the pattern uses none.
        rs: the peer's static X25519 public key where the pattern wants it known beforehand, else None.
        pair: `StaticPair.of(s, rs)`, if the caller kept it; only together with both keys.
        e: our ephemeral secret key: only for test vectors.
        cipher: "AESGCM" or "ChaChaPoly".
        hash_name: "BLAKE2b", "BLAKE2s", "SHA256" or "SHA512".
        peer: the peer's name, for `PeerViolation`.
        randomness: where our ephemeral key comes from.

    Raises:
        LocalError: an unknown name, a missing or superfluous key, or one of the wrong size.
    """

    __slots__ = ("_failure", "_initiator", "_messages", "_pattern", "_peer", "_state", "_working")

    def __init__(
        self,
        pattern: str,
        *,
        initiator: bool,
        prologue: Buffer,
        s: bytes | None,
        rs: bytes | None = None,
        pair: StaticPair | None = None,
        e: bytes | None = None,
        cipher: AeadName = "AESGCM",
        hash_name: HashName = "BLAKE2b",
        peer: str,
        randomness: Randomness = random_bytes,
    ) -> None:
        _check_names(pattern, cipher, hash_name)
        self._pattern = PATTERNS[pattern]
        _check_keys(self._pattern, initiator=initiator, s=s, rs=rs, e=e)
        if pair is not None and (s is None or rs is None):
            raise LocalError("a pair of static keys needs both of them")
        self._initiator = initiator
        self._peer = peer
        self._state = State.INITIATOR_WRITES
        self._messages = 0
        self._failure = ""
        self._working = HandshakeState(
            self._pattern,
            initiator=initiator,
            prologue=prologue,
            s=s,
            rs=rs,
            pair=pair,
            e=e,
            cipher=cipher,
            hash_name=hash_name,
            randomness=randomness,
        )

    def __repr__(self) -> str:
        role = "initiator" if self._initiator else "responder"
        return f"Handshake({self._pattern.name!r}, {role}, peer={self._peer!r}, {self._state.name})"

    @property
    def state(self) -> State:
        """Where the handshake is."""
        return self._state

    @property
    def finished(self) -> bool:
        """Whether every message was written and read."""
        return self._state in {State.COMPLETE, State.SPLIT}

    @property
    def handshake_hash(self) -> bytes:
        """Names this handshake; the same on both sides, and public: never use it as a key.

        Raises:
            LocalError: the handshake is not finished.
        """
        if not self.finished:
            raise LocalError(f"there is no handshake hash in state {self._state.name}")
        return self._working.symmetric.get_handshake_hash()

    @property
    def remote_static(self) -> bytes | None:
        """The peer's static public key: given beforehand, or received. It is proven once `finished`."""
        return self._working.rs

    def write_message(self, payload: Buffer = b"") -> bytes:
        """Our next message.

        Raises:
            LocalError: it is not our turn, or the message would exceed 65535 bytes.
            PeerViolation: a key that the peer sent before cannot be used.
        """
        after = self._judge(self._message_event(writer_is_initiator=self._initiator))
        working = self._working.copy()
        try:
            message = working.write_message(self._messages, payload)
        except InvalidMessage as error:
            raise self._violation(str(error)) from None
        if len(message) > MESSAGE_MAX:
            raise LocalError(f"a handshake message has at most {MESSAGE_MAX} bytes, this one {len(message)}")
        self._advance(working, after)
        return message

    def read_message(self, message: Buffer) -> bytes:
        """The payload of the peer's next message.

        Raises:
            LocalError: it is not the peer's turn.
            PeerViolation: the message is not what the pattern, the prologue and the keys demand.
        """
        after = self._judge(self._message_event(writer_is_initiator=not self._initiator))
        if len(message) > MESSAGE_MAX:
            raise self._violation(f"a message of {len(message)} bytes, at most {MESSAGE_MAX} are allowed")
        working = self._working.copy()
        try:
            payload = working.read_message(self._messages, message)
        except InvalidMessage as error:
            raise self._violation(str(error)) from None
        self._advance(working, after)
        return payload

    def finish(self) -> Channel:
        """The channel that this handshake made; once only.

        Raises:
            LocalError: a message is missing, or there is a channel already.
        """
        after = self._judge(Event.FINISH)
        initiator_sends, responder_sends = self._working.symmetric.split()
        send, receive = (initiator_sends, responder_sends)[:: 1 if self._initiator else -1]
        writes = self._initiator or not self._pattern.one_way
        reads = not self._initiator or not self._pattern.one_way
        self._state = after
        return Channel(
            send if writes else None,
            receive if reads else None,
            handshake_hash=self._working.symmetric.get_handshake_hash(),
            peer=self._peer,
        )

    def _message_event(self, *, writer_is_initiator: bool) -> Event:
        return _MESSAGE_EVENTS[writer_is_initiator, self._messages + 1 >= len(self._pattern.messages)]

    def _judge(self, event: Event) -> State:
        if self._state is State.FAILED:
            raise PeerViolation(self._peer, self._failure)
        after = TRANSITIONS.get((self._state, event))
        if after is None:
            raise LocalError(f"{event.name} is not legal in state {self._state.name} of the handshake")
        return after

    def _advance(self, working: HandshakeState, after: State) -> None:
        self._working, self._state = working, after
        self._messages += 1

    def _violation(self, reason: str) -> PeerViolation:
        self._state = self._judge(Event.VIOLATION)
        self._failure = f"handshake message {self._messages}: {reason}"
        return PeerViolation(self._peer, self._failure)


def _check_names(pattern: str, cipher: str, hash_name: str) -> None:
    for what, name, known in (
        ("pattern", pattern, tuple(PATTERNS)),
        ("cipher", cipher, get_args(AeadName)),
        ("hash", hash_name, tuple(HASHES)),
    ):
        if name not in known:
            raise LocalError(f"unknown Noise {what} {name!r}; known are {', '.join(known)}")


def _check_keys(pattern: Pattern, *, initiator: bool, s: bytes | None, rs: bytes | None, e: bytes | None) -> None:
    if s is None and pattern.needs_static(initiator=initiator):
        raise LocalError(f"{pattern.name} needs our static key")
    if (rs is not None) != pattern.needs_remote_static(initiator=initiator):
        verb = "does not take" if rs is not None else "needs"
        raise LocalError(f"{pattern.name} {verb} the peer's static key beforehand")
    for key in (s, rs, e):
        if key is not None and len(key) != DH_BYTES:
            raise LocalError(f"an X25519 key has {DH_BYTES} bytes, not {len(key)}")
