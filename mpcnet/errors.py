"""The errors of mpcnet: whose fault it is stands in the type, what happened in the sentence.

    MpcnetError
        LocalError              our caller's mistake; nothing was sent
            RangeError          a value or a result would leave its declared range or the ring
        PeerError(party)        a named peer is the cause
            PeerLost            its connection ended and did not come back
            PeerAborted         it ended the job and said why
            PeerViolation       it broke the protocol
        AgreementMismatch       the parties were about to run different jobs
        ProgramMismatch         the parties' programs diverged in mid-job
        DeadlineExceeded        time ran out; it names for whom we waited
        JobEnded                a call came after the job was over

Messages say what was expected and what came (sizes, kinds, names), never values: inputs, shares, keys and
seeds appear in no message. Foreign exceptions are translated once, where they enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

__all__ = (
    "AgreementMismatch",
    "DeadlineExceeded",
    "JobEnded",
    "LocalError",
    "MpcnetError",
    "PeerAborted",
    "PeerError",
    "PeerLost",
    "PeerViolation",
    "ProgramMismatch",
    "RangeError",
    "cause_rank",
    "did_you_mean",
    "first_cause",
    "leaves",
    "parties_of",
)


class MpcnetError(Exception):
    """Base of every error that mpcnet raises on purpose.

    All of them, and those that plugins derive from them, can be pickled, whatever their constructors take.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[MpcnetError], args: tuple[object, ...]) -> MpcnetError:
    """An error as `pickle` makes it: without its constructor, whose arguments are not kept."""
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class LocalError(MpcnetError):
    """Our caller's mistake. Because of the call that raised it, nothing was sent.

    Args:
        row: where the mistake is in one row of an input, its place, counted from 0.
    """

    def __init__(self, message: str = "", *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class RangeError(LocalError):
    """A value lies outside its declared range, or a result could leave the ring."""


class PeerError(MpcnetError):
    """A named peer is the cause.

    Args:
        party: the peer's name in the roster.
        reason: what it did, in our words; no secret, no text of the peer's choosing.
    """

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party}: {reason}")
        self.party = party
        self.reason = reason


class PeerLost(PeerError):
    """The peer's connection ended while the job still needed it."""


class PeerAborted(PeerError):
    """The peer ended the job and told us why.

    Args:
        party: the peer's name in the roster.
        reason: why, in our words.
        concerned: the parties that it named as the cause.
    """

    def __init__(self, party: str, reason: str, concerned: Iterable[str] = ()) -> None:
        super().__init__(party, reason)
        self.concerned: tuple[str, ...] = tuple(concerned)


class PeerViolation(PeerError):
    """The peer broke the protocol.

    Args:
        party: the peer's name in the roster.
        reason: what was expected and what came: sizes, kinds and names, never values.
        evidence: public facts for the log, such as a frame's number or kind.
    """

    def __init__(self, party: str, reason: str, evidence: Mapping[str, object] | None = None) -> None:
        super().__init__(party, reason)
        self.evidence: Mapping[str, object] = dict(evidence or {})


class AgreementMismatch(MpcnetError):
    """The parties were about to run different jobs.

    Args:
        party: the peer that differs from us.
        differences: field name to (our value, the peer's value), as printable text.
    """

    def __init__(self, party: str, differences: Mapping[str, tuple[str, str]]) -> None:
        fields = "; ".join(
            f"{name}: we have {ours}, {party} has {theirs}" for name, (ours, theirs) in differences.items()
        )
        super().__init__(f"{party} does not agree to this job: {fields}")
        self.party = party
        self.differences: Mapping[str, tuple[str, str]] = dict(differences)


class ProgramMismatch(MpcnetError):
    """The parties run different programs, although they agreed to the same job.

    Args:
        party: the peer whose program differs from ours.
        reason: where and how, for example "at round 7 bob multiplies 1000 values, we compare 1000".
    """

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(reason)
        self.party = party


class DeadlineExceeded(MpcnetError):
    """The job's time ran out.

    Args:
        waiting_for: names of the parties from whom something was still missing.
        doing: what the job was doing, for example "to agree" or "in round 3".
        hints: unauthenticated observations that may explain it, one sentence each.
    """

    def __init__(self, waiting_for: Sequence[str], doing: str, hints: Sequence[str] = ()) -> None:
        awaited = f" while waiting for {', '.join(waiting_for)}" if waiting_for else ""
        text = f"the deadline passed{awaited} ({doing})"
        super().__init__("; ".join([text, *hints]))
        self.waiting_for: tuple[str, ...] = tuple(waiting_for)
        self.hints: tuple[str, ...] = tuple(hints)


class JobEnded(MpcnetError):
    """The job is over: it finished or was aborted before this call."""


def parties_of(error: BaseException) -> tuple[str, ...]:
    """The parties that an error names as its cause, or waited for; each once."""
    match error:
        case PeerAborted(party=party, concerned=concerned):
            return tuple(dict.fromkeys((party, *concerned)))
        case PeerError(party=party) | AgreementMismatch(party=party) | ProgramMismatch(party=party):
            return (party,)
        case DeadlineExceeded(waiting_for=waiting):
            return waiting
        case _:
            return ()


def leaves(error: BaseException) -> tuple[BaseException, ...]:
    """The errors inside a group, of groups inside of it too, in their order; of any other error, itself."""
    if not isinstance(error, BaseExceptionGroup):
        return (error,)
    members = cast("BaseExceptionGroup[BaseException]", error).exceptions
    return tuple(leaf for member in members for leaf in leaves(member))


_ECHOES = (PeerAborted, DeadlineExceeded, JobEnded)
"""What ends a job at one party because something else has ended it at another."""


def cause_rank(kind: type[BaseException]) -> int:
    """How far an error of this type is from the first cause of what it came with: the least explains the others.

    An interrupt explains everything. Then come errors that we raise on purpose, whose sentences say what to do: our
    own and a peer's mistakes, and then a peer that is gone, which may have gone because of them. What plugins and
    libraries raise follows. The echoes come last.
    """
    if issubclass(kind, KeyboardInterrupt):
        return 0
    if issubclass(kind, _ECHOES):
        return 4
    if issubclass(kind, PeerLost):
        return 2
    return 1 if issubclass(kind, MpcnetError) else 3


def first_cause(errors: BaseException | Iterable[BaseException]) -> BaseException:
    """The error that explains the others: by `cause_rank`, and among its equals the first.

    Args:
        errors: a group, one error, or several, for example one for each party of a job; at least one.
    """
    several = [errors] if isinstance(errors, BaseException) else errors
    return min((leaf for error in several for leaf in leaves(error)), key=lambda leaf: cause_rank(type(leaf)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """For the end of a sentence about a word that is none of those known: "; did you mean 'alice'?", or nothing."""
    import difflib  # for mistakes only

    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
