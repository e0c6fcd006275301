"""What both services have in common: how they are started, which requests they take, and the job behind them.

A service is asked by one line on a port of its own, and answers by one line when the auction is over:

    bid LOT AMOUNT     take part in the auction of a lot, as one of its bidders
    deal LOT           be its dealer

It stands for whatever interface a real service has. Hanging up before the answer withdraws the request.
"""

from __future__ import annotations

import argparse
import logging
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet import Identity, Job, LocalError, Member, MpcnetError, Roster, find_protocol
from mpcnet.session.events import Agreed, Ended, Event, PeerDown, PeerUp, Waiting

__all__ = ("MAX_LINE_BYTES", "Mesh", "Settings", "answer", "log_event", "settings_from")

MAX_LINE_BYTES = 200

_log = logging.getLogger("auctions")


@dataclass(frozen=True)
class Settings:
    """What a service is started with.

    Args:
        roster: the same for all parties.
        identity: our key.
        me: who we are in the roster.
        port: on which we are asked; on this machine only.
        bidders, dealer: who takes which part in every auction.
        reserve: the lowest price of a lot.
        deadline_seconds: how long an auction may take, waiting for the others included.
    """

    roster: Roster
    identity: Identity
    me: Member
    port: int
    bidders: tuple[str, ...]
    dealer: str
    reserve: int
    deadline_seconds: float


def settings_from(words: list[str]) -> Settings:
    """Read the command line, the roster and the key; start the log."""
    parser = argparse.ArgumentParser(description="Take part in sealed-bid auctions, at request.")
    parser.add_argument("name", help="who we are in the roster; our key is in NAME.key")
    parser.add_argument("--port", type=int, required=True, help="where to be asked, on this machine")
    parser.add_argument("--roster", default="roster.toml", metavar="FILE")
    parser.add_argument("--bidders", default="alice,bob", metavar="NAMES")
    parser.add_argument("--dealer", default="dora", metavar="NAME")
    parser.add_argument("--reserve", type=int, default=100, metavar="PRICE")
    parser.add_argument("--deadline", type=float, default=300, metavar="SECONDS")
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {given.name}: %(message)s")
    roster = Roster.load(given.roster)
    return Settings(
        roster=roster,
        identity=Identity.load(f"{given.name}.key"),
        me=roster.by_name(given.name),
        port=given.port,
        bidders=tuple(given.bidders.split(",")),
        dealer=given.dealer,
        reserve=given.reserve,
        deadline_seconds=given.deadline,
    )


class Mesh(typing.Protocol):
    """What a request needs of a mesh, which `mpcnet.Mesh` and `mpcnet.aio.Mesh` have alike."""

    async def run(self, job: Job[Any, Any], inputs: Mapping[str, object] | None = None) -> Any:
        """See `mpcnet.Mesh.run`."""
        ...


async def answer(mesh: Mesh, settings: Settings, line: bytes) -> str:
    """Take part in an auction, and say how it ended. Any failure of it is an answer too, and ends nothing else."""
    try:
        job, inputs = _read_request(settings, line)
        outcome = await mesh.run(job, inputs)
    except MpcnetError as error:
        return f"error {type(error).__name__}: {error}"
    if outcome is None:
        return "dealt"
    return "not sold" if outcome.winner is None else f"sold to {outcome.winner} for {outcome.price}"


def _read_request(settings: Settings, line: bytes) -> tuple[Job[Any, Any], Mapping[str, object]]:
    match line.decode(errors="replace").split():
        case ["bid", lot, amount] if amount.isdecimal():
            return _job(settings, lot), {"bid": int(amount)}
        case ["deal", lot]:
            return _job(settings, lot), {}
        case _:
            # The line is not repeated: it may hold a bid.
            raise LocalError("ask 'bid LOT AMOUNT' or 'deal LOT'")


def _job(settings: Settings, lot: str) -> Job[Any, Any]:
    auction = find_protocol("second-price-auction")
    return Job(
        auction,
        auction.make_params({"reserve": settings.reserve}),
        {"bidders": settings.bidders},
        label=lot,
        dealer=settings.dealer,
        deadline_seconds=settings.deadline_seconds,
    )


def log_event(event: Event) -> None:
    """A mesh's listener. Nothing that it is told is secret."""
    match event:
        case PeerUp(party=party):
            _log.info("%s is there", party)
        case PeerDown(party=party):
            _log.info("%s is gone", party)
        case Waiting(label=label, parties=parties) if parties:
            _log.info("%s: waiting for %s", label, ", ".join(parties))
        case Agreed(label=label):
            _log.info("%s: all have agreed", label)
        case Ended(label=label, error=None):
            _log.info("%s: done", label)
        case Ended(label=label, error=MpcnetError() as error):
            _log.info("%s: %s: %s", label, type(error).__name__, error)
        case Ended(label=label, error=error):
            _log.info("%s: %s", label, type(error).__name__)  # its text may hold anything
        case _:
            pass
