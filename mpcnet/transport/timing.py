"""How long a transport waits for what."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mpcnet.errors import LocalError

__all__ = ("Timing",)


@dataclass(frozen=True, slots=True)
class Timing:
    """Waiting times of a transport, in seconds. Tests run them on a virtual clock.

    Args:
        handshake_seconds: for connecting, hellos and handshake; after it a connection is given up.
        redial_first_seconds, redial_most_seconds: between two attempts to reach a party, at first and at last.
        ping_after_seconds: silence after which we ask for a sign of life.
        drop_after_seconds: silence after which the link is given up.
        answer_seconds: for the answer to a sign of life that something hangs on.
        flush_seconds: on leaving, for sending what is queued.
        goodbye_seconds: and then for the peer's goodbye.

    Raises:
        LocalError: one is not positive.
    """

    # TCP connect, hello and handshake take two round trips and 1 ms of arithmetic; ten seconds forgive a busy
    # peer, and end what a stranger holds open.
    handshake_seconds: float = 10.0
    # Parties start in any order: dial often at first, then once a second.
    redial_first_seconds: float = 0.05
    redial_most_seconds: float = 1.0
    # Silence after which we ask for a sign of life, and after which the link is given up. A long numpy call
    # blocks a peer's loop: fifteen seconds would cut honest links.
    ping_after_seconds: float = 15.0
    drop_after_seconds: float = 60.0
    # How long an answer to one PING may take where something hangs on it.
    answer_seconds: float = 2.0
    # On leaving: for sending what is queued, and then for the peer's goodbye.
    flush_seconds: float = 30.0
    goodbye_seconds: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise LocalError(f"{field.name} must be positive")
