"""`mpcnet demo`: a protocol's example, each party a real process on this machine.

What a person would do by hand: keys, roster and job file in a temporary folder, then `mpcnet run` for each party,
over encrypted TCP on free ports. Inputs go through standard input, so that no process list shows them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import trio
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

import mpcnet.errors
from mpcnet.cli.click_app import is_live, print_document, stdout, to_document
from mpcnet.cli.commands import Demo
from mpcnet.cli.progress_model import JobProgress, event_of
from mpcnet.cli.tables import party_table
from mpcnet.declare import Job, Protocol, find_protocol, job_to_toml
from mpcnet.declare.examples import example_job
from mpcnet.declare.plan import make_plan
from mpcnet.errors import JobEnded, MpcnetError, cause_rank
from mpcnet.identity import Identity, Member, Roster
from mpcnet.transport.free_ports import free_ports

__all__ = ("child_command", "guilty_party", "play_demo")

_GRACE_SECONDS = 5.0
"""How long the others may take to say how they end, after one has failed."""
_REFRESH = 8


@dataclass(slots=True)
class _Ending:
    """How a party's process ended: a result, or an error."""

    document: Mapping[str, Any]

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self.document.get("error")


@dataclass(slots=True)
class _Play:
    """The parties of a demo, and what is known of each."""

    job: Job[Any, Any]
    inputs: Mapping[str, Mapping[str, Sequence[str]]]
    endings: dict[str, _Ending] = field(default_factory=dict[str, _Ending])
    roster: Roster = field(default_factory=Roster)
    progresses: dict[str, JobProgress] = field(default_factory=dict[str, JobProgress])

    @property
    def names(self) -> tuple[str, ...]:
        return self.job.names

    def progress(self, name: str) -> JobProgress:
        """What is known of a party while it runs: it tells events, of which we follow those of its own job."""
        if name not in self.progresses:
            plan = make_plan(self.job, self.roster, self.roster.by_name(name))
            others = {self.roster.members[peer].name: "" for peer in plan.peers}
            self.progresses[name] = JobProgress("", others, deals=plan.is_dealer)
        return self.progresses[name]


def play_demo(asked: Demo) -> None:
    """Run an example, each party a process.

    Raises:
        MpcnetError: a party failed; what the others learned has been shown.
    """
    protocol = find_protocol(asked.name)
    play = _Play(example_job(protocol, f"{asked.name}-demo"), _inputs(protocol))
    with tempfile.TemporaryDirectory(prefix="mpcnet-demo-") as folder:
        roster = play.roster = prepare(Path(folder), play.job, play.names)
        if asked.as_json:
            trio.run(_play_all, play, folder)
            print_document(_document(play, roster))
        else:
            _play_shown(play, roster, folder, quiet=asked.quiet)
    if (failure := _failure(play)) is not None:
        raise failure


def _inputs(protocol: Protocol[Any, Any]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    return {} if protocol.example is None else protocol.example.inputs


def prepare(folder: Path, job: Job[Any, Any], names: Sequence[str]) -> Roster:
    """Write a key for each party, the roster and the job file, under the names that `mpcnet run` expects."""
    roster = Roster()
    for name, port in zip(names, free_ports(len(names)), strict=True):
        identity = Identity.generate()
        identity.save(folder / f"{name}.key")
        roster = roster.add(Member(0, name, identity.public, f"127.0.0.1:{port}"))
    roster.save(folder / "roster.toml")
    (folder / "job.toml").write_text(job_to_toml(job), encoding="utf-8")
    return roster


def child_command(name: str) -> list[str]:
    """The command of one party, run in the demo's folder. It shows no input."""
    # -P: the folder itself must not be a place to import from.
    words = ["run", "job.toml", "--as", name, "--inputs", "-", "--events", "--json"]
    return [sys.executable, "-P", "-m", "mpcnet.cli", *words]


async def _play_all(play: _Play, folder: str) -> None:
    """Start all parties and wait for them. Whatever ends us ends them."""
    async with trio.open_nursery() as watcher:
        watcher.start_soon(_end_on_signals)
        grace = trio.CancelScope()
        with grace:
            async with trio.open_nursery() as nursery:
                for name in play.names:
                    nursery.start_soon(_party, play, folder, name, grace)
        watcher.cancel_scope.cancel()
    for name in play.names:
        play.endings.setdefault(name, _Ending(_own_words(Ended, "it was ended, since another party failed")))


async def _end_on_signals() -> None:
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    with trio.open_signal_receiver(*wanted) as signals:
        async for _ in signals:
            raise KeyboardInterrupt


async def _party(play: _Play, folder: str, name: str, grace: trio.CancelScope) -> None:
    document = json.dumps({key: list(words) for key, words in play.inputs.get(name, {}).items()})
    ours, theirs = os.pipe()
    said: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_follow, play, name, ours, said)
        try:
            finished = await trio.run_process(
                child_command(name),
                stdin=document.encode(),
                capture_stdout=True,
                stderr=theirs,
                check=False,
                cwd=folder,
                start_new_session=True,  # an interrupt on the terminal reaches us alone; we end the children
            )
        finally:
            os.close(theirs)
    play.endings[name] = _ending(finished.stdout, said, finished.returncode)
    if play.endings[name].error is not None:
        grace.deadline = min(grace.deadline, trio.current_time() + _GRACE_SECONDS)


async def _follow(play: _Play, name: str, file: int, said: list[str]) -> None:
    """Read a party's standard error until it is closed: events, and what else it says."""
    rest = b""
    async with trio.lowlevel.FdStream(file) as stream:
        async for data in stream:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                _heard(play, name, line, said)
    _heard(play, name, rest, said)


def _heard(play: _Play, name: str, line: bytes, said: list[str]) -> None:
    text = line.decode(errors="replace").strip()
    event = event_of(text)
    if event is not None:
        play.progress(name).observe(event)
    elif text:
        said[:] = [text]


def _ending(output: bytes, said: Sequence[str], code: int) -> _Ending:
    try:
        document = json.loads(output)
    except ValueError:
        document = None
    if isinstance(document, dict) and ("error" in document or "outcome" in document):
        return _Ending(cast("dict[str, Any]", document))
    return _Ending(_own_words(Died, ": ".join([f"its process ended with code {code}", *said])))


def _own_words(kind: type[MpcnetError], message: str) -> dict[str, object]:
    return {"error": to_document(kind(message))}


class Died(MpcnetError):
    """A party's process ended, and did not say how."""


class Ended(JobEnded):
    """We ended a party's process, because another party had failed."""


_OWN_KINDS: Mapping[str, type[BaseException]] = {"Died": Died, "Ended": Ended}


def guilty_party(errors: Mapping[str, Mapping[str, Any]]) -> str:
    """The party whose failure explains the others'.

    Args:
        errors: by party, documents of errors; at least one.
    """
    return min(errors, key=lambda name: cause_rank(_kind(str(errors[name]["type"]))))


def _kind(name: str) -> type[BaseException]:
    found: object = _OWN_KINDS.get(name) or getattr(mpcnet.errors, name, None)
    return found if isinstance(found, type) and issubclass(found, MpcnetError) else Exception


def _failure(play: _Play) -> MpcnetError | None:
    endings = ((name, play.endings[name].error) for name in play.names)
    errors = {name: error for name, error in endings if error is not None}
    if not errors:
        return None
    name = guilty_party(errors)
    return MpcnetError(f"{name} failed: {errors[name]['message']}")


# What it shows


def _play_shown(play: _Play, roster: Roster, folder: str, *, quiet: bool) -> None:
    console = stdout()
    console.print(Text.assemble((play.job.protocol.name, "bold"), f": {play.job.protocol.summary}"))
    facts = f"{len(play.names)} processes, encrypted TCP on 127.0.0.1, roster {roster.fingerprint}\n"
    console.print(Text(facts, style="dim"))
    if quiet or not is_live(sys.stdout):
        trio.run(_play_all, play, folder)
        console.print(_table(play))
        return
    began = time.monotonic()

    def draw() -> RenderableType:
        if len(play.endings) == len(play.names):
            return _table(play)
        return Group(_table(play), Text(f"\n{_standing(play)}, {time.monotonic() - began:.0f} s", style="dim"))

    # While it is drawn anew, rich cuts what is taller than the terminal; the last drawing is whole.
    with Live(console=console, get_renderable=draw, refresh_per_second=_REFRESH):
        trio.run(_play_all, play, folder)


def _standing(play: _Play) -> str:
    return f"{len(play.endings)} of {len(play.names)} parties have ended; Ctrl-C ends all"


def _table(play: _Play) -> Table:
    table = party_table(("party", "gives, in secret", "learns"))
    for name in play.names:
        ending = play.endings.get(name)
        if ending is None:
            learned = Text(_doing(play.progresses.get(name)), style="dim")
        elif ending.error is not None:
            learned = Text(str(ending.error["message"]), style="red")
        else:
            learned = Text(str(ending.document["text"]))
        table.add_row(Text(name), Text(_given(play, name)), learned)
    return table


def _doing(progress: JobProgress | None) -> str:
    if progress is None:
        return "starting"
    rounds = progress.rounds
    return progress.phase if rounds is None else f"{progress.phase} {rounds[0]:,} of {rounds[1]:,}"


def _given(play: _Play, party: str) -> str:
    """The example's inputs, which are no secret: they are in the documentation."""
    if party == play.job.dealer:
        return "nothing: it deals"
    parts = [
        f"{name} {words[0]}" if len(words) == 1 else f"{len(words)} x {name}"
        for name, words in play.inputs.get(party, {}).items()
    ]
    return "\n".join(parts) or ("nothing: it computes" if party in play.job.compute else "nothing")


def _document(play: _Play, roster: Roster) -> dict[str, object]:
    parties: list[Mapping[str, object]] = []
    for name in play.names:
        ending = play.endings[name]
        kept = ("error",) if ending.error is not None else ("outcome", "text", "job", "cost")
        parties.append({"party": name, **{key: ending.document[key] for key in kept}})
    document: dict[str, object] = {
        "protocol": play.job.protocol.name,
        "label": play.job.label,
        "roster": roster.fingerprint,
        "parties": parties,
    }
    if (failure := _failure(play)) is not None:
        document["error"] = to_document(failure)
    return document
