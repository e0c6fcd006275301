"""`Party`: what a protocol's function is given. Everything that it may do to other parties goes through here.

The docstrings are the contract; `mpcnet.session` implements it over links, and kits wrap it. In short:

- **Same program.** Every computing, giving and receiving party runs the same function. What it does may depend on
  parameters, roles and outputs that everyone receives, and on nothing else. Parties whose programs differ find it
  out by the digest in every frame, and their job ends with `ProgramMismatch`.
- **Side by side.** One party evaluates one thing at a time. What shall run at the same time runs in forks, each in
  a task of its own: a fork has rounds, randomness and streams of its own on the same links. So has each step of
  `run`, which may go on beside an evaluation of its party and beside other steps. `share`, `local`, operators and
  `region` never wait and never send.
- **Cancellation.** A call that waits can be cancelled. If that happens in the middle of a round or of a message,
  the others hold half of it: the job ends here with `JobEnded`, and at the others with `PeerAborted`. Nothing that
  was cancelled is ever sent again.
- **The end.** When the job has ended, for whatever reason, every further call raises `JobEnded`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Generic, TypeVar

from mpcnet.algebra import Buffer
from mpcnet.declare.revealed import Revealed
from mpcnet.dsl import Secret, SecretBits
from mpcnet.engine import Context, Step
from mpcnet.identity import Member, Roster

__all__ = ("Party",)

P = TypeVar("P")
R = TypeVar("R")


class Party(ABC, Generic[P]):
    """One party of a running job, or of one of its forks.

    Args:
        me: ourselves.
        roster: all parties that we know.
        roles: by role, its members in the order of the job; row i of a role's input is that of member i.
        params: the agreed parameters.
    """

    me: Member
    roster: Roster
    roles: Mapping[str, tuple[Member, ...]]
    params: P

    @property
    @abstractmethod
    def path(self) -> tuple[str, ...]:
        """Labels of the forks that lead here, outermost first; empty for the party that the function was given."""

    @property
    @abstractmethod
    def job_id(self) -> bytes:
        """32 bytes that name this run, the same on all parties and new each time: what keys a protocol's hashes."""

    @abstractmethod
    def random_bytes(self, count: int) -> bytes:
        """Uniform bytes that only we know, for keys and scalars of one's own; in the simulator, from its seed."""

    # Inputs

    @abstractmethod
    def share(self, name: str, value: object = None) -> Secret:
        """A declared input as a secret array of shape (members of its role, *declared shape).

        Local: nothing is sent until an evaluation needs it. One round if an owner does not compute, else none;
        8 bytes an element from each owner that does not compute. Leaks the shape, which is agreed.

        Args:
            name: of the input.
            value: ours, for inputs that are declared as derived, if we are a member of its role.
        Raises:
            LocalError: no such input, shared before in this fork, or a value where none belongs.
            RangeError: the value lies outside the declared range.
        """

    @abstractmethod
    def local(self, name: str) -> Any:
        """Our own input in the clear, as its declaration's `check` returned it.

        Raises:
            LocalError: no such input, or it is not ours.
        """

    @abstractmethod
    def use(self, value: Secret) -> Secret:
        """A value of the party that this one was forked from, for work in this fork.

        Raises:
            LocalError: it has not been evaluated there, or is of another job.
        """

    # Evaluation

    @abstractmethod
    async def reveal(self, **outputs: Secret | SecretBits) -> Revealed:
        """Compute and open values to the receivers that the protocol declares for these names.

        One round beyond the depth of what is computed; 8 bytes an element from each computing party to each
        receiver of that element. Collective: every party calls it, in the same order. Leaks the values to their
        receivers. Of an output that is declared as `Each`, a member of the role gets its own row; what goes to
        no party in this job is not computed.

        Raises:
            LocalError: an undeclared output, or no secret; nothing is sent.
            PeerLost, PeerAborted, PeerViolation, ProgramMismatch: the job ends.
        """

    @abstractmethod
    async def evaluate(self, *values: Secret | SecretBits) -> None:
        """Compute values now, and reveal nothing. Collective; otherwise as `reveal`."""

    @abstractmethod
    async def run(self, name: str, build: Callable[[Context], Step[R]], *, details: bytes = b"") -> R:
        """Run a step of one's own, in a stream of its own.

        A step is a generator of rounds (`mpcnet.engine`). It knows no link and no clock, so that the same step runs
        here, in the simulator, and in `mpcnet.testing.run_steps`; sizes that only the data knows travel in a first
        round of fixed size. Long computing it yields as `Work`, which runs in a thread while the links go on. Its
        rounds and bytes are counted in the region in which `run` is called. Collective: every party that the step
        exchanges messages with runs a step of this name, with the same details; each has its own side of it.

            async def swap(party: Party[Rules]) -> int:
                return await party.run("swap", partial(sum_of_two, value=party.local("value")))

            def sum_of_two(context: Context, value: int) -> Step[int]:
                (peer,) = context.parties.peers
                inbox = yield Round({peer: value.to_bytes(8, "little")}, {peer: 8})
                return value + int.from_bytes(inbox[peer], "little")

        Args:
            name: of the step, 1 to 64 characters; a fork runs one step under a name.
            build: makes the step. Streams of its context are bound to this job, fork and name; it has no correlated
                randomness.
            details: what the parties must agree on beside the name, such as sizes and variants, in one encoding.
        Returns:
            What the step returns.
        Raises:
            LocalError: no name, or one under which a step ran in this fork already; nothing is sent. Or the step
                exchanges messages with a party that we do not reach.
            ProgramMismatch: a peer runs it with other details, or its program ended without running it.
            PeerLost, PeerAborted: as for `reveal`. What the step itself raises, a `PeerViolation` above all, ends
                the job too.
        """

    # Structure

    @abstractmethod
    def fork(self, label: str) -> AbstractAsyncContextManager[Party[P]]:
        """A party of its own for work beside ours: own rounds, own randomness, one link.

        Args:
            label: names the fork; unique within this party, and the same on all parties.
        Raises:
            LocalError: this party has a fork of that label already, or it is empty or too long.
        """

    @abstractmethod
    def region(self, name: str) -> AbstractContextManager[None]:
        """Count the costs of what is evaluated inside under this name."""

    # Bytes of one's own

    @abstractmethod
    async def send(self, to: Member, data: Buffer) -> None:
        """Send bytes to one party, in order. Waits while it has not taken what it got before.

        Raises:
            LocalError: it is no other party of this job.
            PeerLost: it is gone.
        """

    @abstractmethod
    async def receive(self, source: Member, *, max_bytes: int) -> memoryview:
        """The next bytes that a party sent to us with `send`; read-only.

        Raises:
            PeerViolation: it sent more than `max_bytes`.
        """

    @abstractmethod
    async def offload(self, function: Callable[..., R], *args: Any) -> R:
        """Run blocking work without holding up the links: in a thread (in the simulator, inline).

        If the call is cancelled, or the job ends, the thread runs on, and its result is dropped: the function
        should not change what others use.
        """
