"""How a job is agreed: who has said what, until everybody has confirmed the same.

    AGREE from everybody ──▶ (nonces of those we do not meet, from a first CONFIRM) ──▶ CONFIRM from everybody

See `mpcnet.session.agreement` for the messages. What a peer causes goes to `fail`, as everything of a running job.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from mpcnet.declare.plan import Plan
from mpcnet.errors import LocalError, MpcnetError, PeerAborted, PeerError, PeerViolation
from mpcnet.session.abort import NONCE_BYTES
from mpcnet.session.agreement import MAX_AGREEMENT_BYTES, Agree, Confirm, agreement_of, job_id
from mpcnet.session.events import Agreed, Listener, Waiting
from mpcnet.wire.canonical import encode_canonical
from mpcnet.wire.frames import Frame, Header, Kind

__all__ = ("AgreementPhase",)


class AgreementPhase:
    """The agreement of one job on one party.

    Args:
        plan: the job.
        nonce: our fresh 32 bytes.
        fail: ends the job.
        tell: takes events, if somebody listens.

    Raises:
        LocalError: the agreement is too large to be sent.
    """

    def __init__(
        self,
        plan: Plan[Any, Any],
        nonce: bytes,
        fail: Callable[[BaseException], None],
        tell: Listener | None,
    ) -> None:
        label = plan.job.label
        self.agree: Agree = Agree(label, encode_canonical(agreement_of(plan)), nonce)
        self._agree_body = self.agree.encode()
        self.agree_frame: Frame = Frame(Header(Kind.AGREE), memoryview(self._agree_body))
        if len(self._agree_body) > MAX_AGREEMENT_BYTES:
            raise LocalError(
                f"job '{label}' takes {len(self._agree_body)} bytes to agree on; {MAX_AGREEMENT_BYTES} go"
            )
        self._plan = plan
        self._label = label
        self._names = plan.parties.names
        self._fail = fail
        self._tell = tell
        self._nonces: dict[int, bytes] = {plan.me.index: nonce}
        self._confirms: dict[int, Confirm] = {}
        self._confirm: Confirm | None = None
        self._confirm_body = b""
        self._seeds_missing: Callable[[], tuple[int, ...]] = tuple
        self._changed = trio.Event()

    async def settle(
        self,
        seeds_missing: Callable[[], tuple[int, ...]],
        register: Callable[[bytes], None],
        send: Callable[[int, Frame], Awaitable[None]],
    ) -> None:
        """Wait until every other party has confirmed this job, and pair seeds are there.

        Args:
            seeds_missing: those with whom there is no pair seed yet.
            register: called with the job id when it is known, before anybody can use it.
            send: gives a frame to a peer's link.
        """
        plan = self._plan
        self._seeds_missing = seeds_missing
        await self._until(lambda: not self.without_agreement(), self.without_agreement)
        if len(self._nonces) < len(plan.participants):
            await self._until(lambda: bool(self._confirms), self.without_confirmation)
            self._learn_nonces()
        self._confirm = self._our_confirm()
        register(self._confirm.job)
        self._confirm_body = self._confirm.encode()
        confirm = Frame(Header(Kind.CONFIRM), memoryview(self._confirm_body))
        for peer in plan.peers:
            await send(peer, confirm)
        for peer, other in list(self._confirms.items()):
            self._check_confirm(peer, other)
        await self._until(self._all_confirmed, self.without_confirmation)
        if self._tell is not None:
            self._tell(Agreed(self._label, self._confirm.job))

    def _learn_nonces(self) -> None:
        """Take the nonces of parties that we do not meet from the first confirmation; the others must match it."""
        confirm = next(iter(self._confirms.values()))
        for place, index in enumerate(self._plan.participants):
            nonce = confirm.nonces[NONCE_BYTES * place : NONCE_BYTES * (place + 1)]
            self._nonces.setdefault(index, nonce)

    def _our_confirm(self) -> Confirm:
        nonces = b"".join(self._nonces[index] for index in self._plan.participants)
        return Confirm(self._label, job_id(self.agree.agreement, nonces), nonces)

    def nonce_of(self, peer: int) -> bytes:
        """The peer's nonce, or nothing."""
        return self._nonces.get(peer, b"")

    def take_agree(self, peer: int, agree: Agree) -> None:
        """A peer says what it is about to run. Until we confirm, its last word counts: it may have begun anew."""
        known = self._nonces.get(peer)
        if known == agree.nonce:
            return
        if known is not None and self._confirm is not None:
            self._fail(self._agreed_anew(peer))
            return
        try:
            agree.check(self._names[peer], self.agree)
        except MpcnetError as error:
            self._fail(error)
            return
        if peer in self._plan.peers:
            self._nonces[peer] = agree.nonce
            self.changed()

    def _agreed_anew(self, peer: int) -> PeerError:
        if peer in self._confirms:
            return PeerViolation(self._names[peer], "agreed twice to one job, with two nonces")
        return PeerAborted(self._names[peer], "ended the job: it began it anew")

    def read_agree(self, body: memoryview) -> Agree | None:
        """A peer's message if it says what ours says; None if it has to be decoded."""
        return self.agree.same_but_nonce(self._agree_body, bytes(body))

    def read_confirm(self, body: memoryview) -> Confirm | None:
        """The same for a confirmation."""
        return self._confirm if bytes(body) == self._confirm_body else None

    def take_confirm(self, peer: int, confirm: Confirm) -> None:
        """A peer has heard everybody and tells the job id."""
        place = NONCE_BYTES * self._plan.participants.index(self._plan.me.index)
        if confirm.nonces[place : place + NONCE_BYTES] != self.agree.nonce:
            return  # of an earlier run under the same label
        if peer in self._confirms:
            self._fail(PeerViolation(self._names[peer], "confirmed one job twice"))
            return
        self._confirms[peer] = confirm
        self._check_confirm(peer, confirm)
        self.changed()

    def _check_confirm(self, peer: int, confirm: Confirm) -> None:
        if self._confirm is None or confirm == self._confirm:
            return
        parties = tuple(self._names[index] for index in self._plan.participants)
        try:
            confirm.check(self._names[peer], self._confirm, parties)
        except MpcnetError as error:
            self._fail(error)

    def _all_confirmed(self) -> bool:
        return len(self._confirms) == len(self._plan.peers) and not self._seeds_missing()

    def without_agreement(self) -> tuple[int, ...]:
        """Who has not said what it is about to run."""
        return tuple(index for index in self._plan.peers if index not in self._nonces)

    def without_confirmation(self) -> tuple[int, ...]:
        """Who has not confirmed, or shares no seed with us yet."""
        missing = {index for index in self._plan.peers if index not in self._confirms}
        return tuple(sorted(missing | set(self._seeds_missing())))

    async def _until(self, condition: Callable[[], bool], missing: Callable[[], tuple[int, ...]]) -> None:
        told: tuple[int, ...] = ()
        while not condition():
            if self._tell is not None and (waiting := missing()) != told:
                told = waiting
                self._tell(Waiting(self._label, tuple(self._names[index] for index in waiting)))
            self._changed = trio.Event()
            await self._changed.wait()

    def changed(self) -> None:
        """Something has come, or somebody has gone: look again."""
        self._changed.set()

    def forget(self, peer: int) -> None:
        """What the peer agreed to was an earlier run: it has to agree anew."""
        del self._nonces[peer]
