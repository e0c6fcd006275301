"""How the command line says what `mpcnet.declare.explanation` and `mpcnet.sim.dry_run` found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from mpcnet.cli.formatting import listed
from mpcnet.declare.explanation import Collusion, Explanation, Gift, Learning
from mpcnet.declare.risks import (
    FewGivers,
    IdleDealer,
    OneMachine,
    Outsourced,
    Risk,
    ShortDeadline,
    Unprotected,
)

__all__ = ("Row", "besides", "collusion", "gives", "learns", "part", "risk_text")

_MANY = 12

Row = tuple[str, str]


def gives(found: Explanation) -> list[Row]:
    """Who gives what."""
    return [(_some_of(gift.parties), _gift_text(gift)) for gift in found.gives]


def _gift_text(gift: Gift) -> str:
    if not gift.input:
        return f"nothing ({gift.role})"
    return f"{gift.input}: {gift.phrase}" + (f" ({gift.help})" if gift.help else "")


def part(found: Explanation) -> list[Row]:
    """Who computes, deals and listens."""
    scheme = found.collusion.scheme
    how = (
        f"on shares by the scheme '{scheme}'"
        if scheme
        else "by the protocol's own cryptography: no secret is shared out"
    )
    deals = f"{found.deals}: makes randomness for them, and has no other part" if found.deals else "no party"
    rows = [("compute", f"{_some_of(found.computes)}, {how}"), ("deals", deals)]
    if found.listens:
        rows.append(("only listen", _some_of(found.listens)))
    return [*rows, ("time", f"{found.deadline_seconds:g} s in all, waiting for each other included")]


def learns(found: Explanation) -> list[Row]:
    """Who learns what."""
    rows = [(output.replace("_", " "), _receivers(who)) for output, who in found.learns.items()]
    if not rows:
        rows.append(("its result", "as the protocol says below, with the parameters of this job"))
    return [*rows, ("nothing of it", found.deals)] if found.deals else rows


def _receivers(who: Learning) -> str:
    if not who.parties:
        return "no party"
    return f"{_some_of(who.parties)}, each its own row" if who.by_row else _some_of(who.parties)


def besides(found: Explanation) -> list[Row]:
    """What is seen besides."""
    params = ", ".join(f"{name} = {_value(value)}" for name, value in found.params.items())
    return [
        ("parameters", params or "none"),
        ("all parties", "the parameters, and the names and parts above"),
        ("the network", "who sends to whom, when and how much; no content"),
    ]


def _value(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, cast('tuple[object, ...]', value)))}]"
    return "none" if value is None else str(value)


def collusion(found: Collusion) -> list[str]:
    """Who must collude to learn more."""
    words = [f"In the words of the protocol: {found.threat}"] if found.threat else []
    if not found.scheme:
        return words
    if not found.private:
        return [f"No party need collude: with the scheme '{found.scheme}' all who compute see every input."]
    count, tolerated = len(found.computing), found.tolerated
    all_but_one = tolerated == count - 1
    any_of = f"any {'one' if tolerated == 1 else tolerated} of the {count} computing parties"
    sentences = [
        f"Scheme '{found.scheme}', {found.model}: "
        f"{'all but one of the computing parties' if all_but_one else any_of} may put together what they see, and "
        "learn nothing beyond the results, as long as all follow the protocol.",
        f"Only {_some_of(found.computing)} all together could learn every input."
        if all_but_one
        else f"Any {tolerated + 1} of {_some_of(found.computing)} together could learn every input.",
    ]
    if found.dealer is not None:
        dealer = found.dealer
        sentences.append(
            f"{dealer} and any one of them together could learn every input; {dealer} alone learns none."
        )
    return [*sentences, *words]


def risk_text(risk: Risk) -> str:
    """What is to be considered, in a sentence."""
    match risk:
        case Unprotected(scheme=scheme):
            return f"The scheme '{scheme}' protects nothing: it is for simulations, and mpcnet run refuses it."
        case FewGivers(count=count):
            return _FEW.get(
                count, f"Only {count} give inputs: all but one of them together can often work out that one's."
            )
        case Outsourced(computing=computing):
            return (
                f"None of those who give inputs computes: they trust that {_some_of(computing)} do not all collude."
            )
        case ShortDeadline(seconds=seconds):
            return f"All must start within {seconds:g} s: by hand that is little."
        case OneMachine(host=host, parties=parties, dealer=dealer):
            names = [f"{name} (who deals)" if name == dealer else name for name in parties]
            return f"{_some_of(names)} have one address, {host}: the owner of that machine sees what they all see."
        case IdleDealer(dealer=dealer):
            return f"{dealer} deals, and no party asks for anything: leave it out, and trust one party less."


_FEW: Mapping[int, str] = {
    1: "Only one party gives inputs: a result may tell all of them.",
    2: "Only two give inputs: one that learns a result can often work out the other's input.",
}


def _some_of(names: Sequence[str]) -> str:
    """Names for a sentence, which becomes no longer than that."""
    return listed(names) if len(names) <= _MANY else f"{names[0]}, {names[1]} and {len(names) - 2:,} more"
