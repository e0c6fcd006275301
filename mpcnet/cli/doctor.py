"""`mpcnet doctor`: looks at keys, roster, job, addresses and machine, and says what is wrong and what to do.

It asks only the operating system and name servers, and opens TCP connections to the others' addresses, on
which it says nothing: to them it is a stranger who hangs up. Passphrases are not asked for.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import trio
from rich.table import Table
from rich.text import Text

from mpcnet.cli.click_app import stdout
from mpcnet.cli.formatting import counted
from mpcnet.cli.machine_checks import Finding, Level, examine_machine
from mpcnet.cli.party_commands import Doctor
from mpcnet.cli.sentences import risk_text
from mpcnet.cli.shared_options import ROSTER
from mpcnet.declare import Job, load_job
from mpcnet.declare.plan import NoPart, make_plan
from mpcnet.declare.risks import risks_of
from mpcnet.errors import LocalError
from mpcnet.identity import Member, Roster
from mpcnet.identity.keys import peek
from mpcnet.transport.reachability import CONNECT_SECONDS, Listening, Reached, call, try_to_listen

__all__ = ("consult", "examine", "judge", "judge_listening")

_MOST_AT_ONCE = 32
_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


@dataclass(slots=True)
class _Chart:
    """What is known so far.

    Args:
        keys: by path, the public key.
        ours: the members whose keys we have.
        wanted: whom we look for: those of the job, else all others.
        dated: by path, when a file was written.
    """

    findings: list[Finding] = field(default_factory=list[Finding])
    keys: dict[str, bytes] = field(default_factory=dict[str, bytes])
    roster: Roster | None = None
    ours: list[Member] = field(default_factory=list[Member])
    wanted: list[Member] = field(default_factory=list[Member])
    dated: dict[str, float] = field(default_factory=dict[str, float])

    def note(self, finding: Finding) -> None:
        self.findings.append(finding)

    def date(self, path: str) -> None:
        self.dated[path] = Path(path).stat().st_mtime


def consult(asked: Doctor) -> int:
    """Check everything, and print what was found; the exit code: 1 if anything is a problem."""
    findings = examine(asked.key_paths, asked.roster_path, asked.job_path)
    counts = {level: sum(item.level == level for item in findings) for level in _STYLES}
    if asked.as_json:
        listed = [dataclasses.asdict(item) for item in findings]
        click.echo(json.dumps({"findings": listed, "problems": counts["problem"], "warnings": counts["warning"]}))
    else:
        _show(findings, counts["problem"], counts["warning"])
    return 1 if counts["problem"] else 0


def examine(key_paths: Sequence[str], roster_path: str | None, job_path: str | None) -> list[Finding]:
    """All findings, in the order of what one needs first."""
    chart = _Chart()
    _look_at_keys(chart, key_paths)
    _look_at_roster(chart, roster_path, chosen=bool(key_paths))
    if job_path is not None:
        _look_at_job(chart, job_path)
    if chart.roster is not None:
        trio.run(_look_at_addresses, chart)
    parties = 0 if chart.roster is None else len(chart.roster)
    return [*chart.findings, *examine_machine(parties, chart.dated)]


# Files


def _look_at_keys(chart: _Chart, paths: Sequence[str]) -> None:
    found = list(paths) or sorted(str(path) for path in Path().glob("*.key"))
    if not found:
        chart.note(
            Finding("warning", "key", "there is no key file here", "mpcnet keygen NAME makes one; --key FILE.")
        )
    for path in found:
        try:
            public, sealed = peek(path)
        except LocalError as error:
            chart.note(Finding("problem", "key", str(error), "It cannot be used until this is mended."))
            continue
        chart.keys[path] = public
        chart.date(path)
        secrecy = "sealed by a passphrase" if sealed else "not sealed"
        advice = "It is asked for at each start; --passphrase-file, where no user sits." if sealed else ""
        chart.note(Finding("ok", "key", f"{path} is whole, readable by you alone, {secrecy}", advice))


def _look_at_roster(chart: _Chart, path: str | None, *, chosen: bool) -> None:
    if path is None and not Path(ROSTER).exists():
        chart.note(Finding("warning", "roster", f"there is no {ROSTER} here", "mpcnet roster make; --roster FILE."))
        return
    path = path or ROSTER
    try:
        roster = Roster.load(path)
        roster.check()
    except LocalError as error:
        advice = "Make it anew of the lines of all parties: mpcnet roster make."
        chart.note(Finding("problem", "roster", str(error), advice))
        return
    chart.roster = roster
    chart.date(path)
    chart.note(
        Finding(
            "ok",
            "roster",
            f"{path} has {len(roster)} parties; its fingerprint is {roster.fingerprint}",
            "Compare it with the others over a channel on which you know their voices.",
        )
    )
    _look_for_us(chart, roster, chosen=chosen)


def _look_for_us(chart: _Chart, roster: Roster, *, chosen: bool) -> None:
    by_key = {member.key: member for member in roster}
    strange = [path for path, public in chart.keys.items() if public not in by_key]
    # Key files that happen to lie here may be of another roster, as long as one of them is of this one.
    level: Level = "problem" if chosen or len(strange) == len(chart.keys) else "warning"
    for path, public in chart.keys.items():
        if path in strange:
            what = f"the key in {path} is not in the roster"
            chart.note(Finding(level, "roster", what, "Send your line to the others: mpcnet roster line NAME."))
        else:
            chart.ours.append(by_key[public])
            chart.note(Finding("ok", "roster", f"{path} is the key of {by_key[public].name}"))
    ours = {member.index for member in chart.ours}
    chart.wanted = [member for member in roster if member.index not in ours]


def _look_at_job(chart: _Chart, path: str) -> None:
    try:
        job = load_job(path)
    except LocalError as error:
        chart.note(Finding("problem", "job", str(error), "mpcnet job PROTOCOL writes one that fits."))
        return
    chart.date(path)
    if chart.roster is None:
        chart.note(Finding("ok", "job", f"{path} is a job file for protocol '{job.protocol.name}'"))
        return
    members = chart.ours or list(chart.roster)[:1]
    plans = [plan for member in members if (plan := _plan(chart, path, job, member)) is not None]
    if not plans:
        return
    ours = {member.index for member in chart.ours}
    involved = {index for plan in plans for index in (*plan.participants, *plan.peers)}
    chart.wanted = [member for member in chart.roster if member.index in involved - ours]
    names = ", ".join(plan.me.name for plan in plans) if chart.ours else "none of ours"
    what = f"{path} fits the roster and protocol '{job.protocol.name}'; part in it: {names}"
    chart.note(Finding("ok", "job", what, "mpcnet explain says what you agree to."))
    for risk in risks_of(plans[0], of_roster=True):
        chart.note(Finding("warning", "job", risk_text(risk), "mpcnet explain tells more."))


def _plan(chart: _Chart, path: str, job: Job[Any, Any], member: Member) -> Any:
    assert chart.roster is not None  # noqa: S101 -- the caller has one
    try:
        return make_plan(job, chart.roster, member)
    except NoPart as error:
        advice = "Others are meant, or --key names the wrong key."
        chart.note(Finding("warning", "job", f"{path}: {error}", advice))
    except LocalError as error:
        # The same for each of several keys that lie here.
        found = Finding("problem", "job", f"{path}: {error}", "All parties need the same corrected file.")
        if found not in chart.findings:
            chart.note(found)
    return None


# Addresses


async def _look_at_addresses(chart: _Chart) -> None:
    for member in chart.ours:
        chart.note(judge_listening(member, await try_to_listen(member)))
    limiter = trio.CapacityLimiter(_MOST_AT_ONCE)
    reached: dict[int, Finding] = {}
    places: dict[int, frozenset[tuple[str, int]]] = {}
    first = min((member.index for member in chart.ours), default=-1)

    async def look(member: Member) -> None:
        async with limiter:
            found = await call(member)
        places[member.index] = found.places
        reached[member.index] = judge(member, found.reached, we_call=member.index > first)

    async with trio.open_nursery() as nursery:
        for member in chart.wanted:
            nursery.start_soon(look, member)
    for member in chart.wanted:
        chart.note(reached[member.index])
    _look_for_twins(chart, places)


_NOT_LISTENING: Mapping[Listening, tuple[Level, str, str]] = {
    Listening.UNKNOWN_NAME: ("problem", "its name is unknown here", "Write the right one, or an IP address."),
    Listening.TAKEN: (
        "warning",
        "a process listens there already",
        "That is as it should be if it is your own mpcnet run; otherwise choose another port.",
    ),
    Listening.ELSEWHERE: (
        "problem",
        "this machine does not have it",
        "Behind a gateway, write the address of this machine into your own roster, and let the gateway forward to "
        "it: addresses may differ between rosters, and are not in the fingerprint.",
    ),
    Listening.FORBIDDEN: ("problem", "we may not listen there", "Choose a port above 1023."),
    Listening.FAILED: ("problem", "the system refuses it", "We cannot listen there."),
}


def judge_listening(member: Member, found: Listening) -> Finding:
    """What it means for us how it went to listen at our address."""
    if found is Listening.FREE:
        return Finding("ok", "address", f"we can listen at {member.address}, as {member.name}")
    level, what, advice = _NOT_LISTENING[found]
    return Finding(level, "address", f"our address {member.address}: {what}", advice)


_UNREACHED: Mapping[Reached, tuple[str, str]] = {
    Reached.REFUSED: (
        "no process listens there now",
        "Fine until {name} starts mpcnet run; else the address is wrong.",
    ),
    Reached.SILENT: (
        f"no answer within {CONNECT_SECONDS:g} s",
        "{name}'s machine is off, or a firewall on the way drops what we send: open the port to us.",
    ),
    Reached.UNKNOWN_NAME: (
        "its name is unknown to the name servers",
        "Ask {name} for the right address, and mend your roster.",
    ),
    Reached.FAILED: ("it cannot be reached", "There is no way to it from this network."),
}


def judge(member: Member, reached: Reached, *, we_call: bool) -> Finding:
    """What it means for us how a call went."""
    place = f"{member.name} at {member.address}"
    if reached is Reached.ANSWERED:
        advice = "Who answers is not checked here: mpcnet run does, by the key."
        return Finding("ok", "address", f"{place}: a process answers", advice)
    what, advice = _UNREACHED[reached]
    if not we_call:
        # The lower index calls: only the way from it to us is used.
        return Finding("ok", "address", f"{place}: {what}", f"That is no matter: {member.name} calls us.")
    level: Level = "problem" if reached is Reached.UNKNOWN_NAME else "warning"
    return Finding(level, "address", f"{place}: {what}", advice.format(name=member.name))


def _look_for_twins(chart: _Chart, places: dict[int, frozenset[tuple[str, int]]]) -> None:
    """Two names of one machine and one port: the roster only compares how addresses are written."""
    assert chart.roster is not None  # noqa: S101 -- the caller has one
    at: dict[tuple[str, int], set[str]] = defaultdict(set)
    for index, found in places.items():
        for place in found:
            at[place].add(chart.roster.by_index(index).name)
    for names in sorted({tuple(sorted(names)) for names in at.values() if len(names) > 1}):
        what = f"{' and '.join(names)} have one address under two names"
        chart.note(Finding("problem", "address", what, "One of them is wrong: each party has a port of its own."))


# What it shows


def _show(findings: Sequence[Finding], problems: int, warnings: int) -> None:
    console = stdout()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for item in findings:
        text = Text(f"{item.topic}: {item.what}")
        if item.advice:
            text.append(f"\n{item.advice}", style="dim")
        table.add_row(Text(item.level, style=_STYLES[item.level]), text)
    console.print(table)
    console.print(Text(f"\n{counted(problems, 'problem')}, {counted(warnings, 'warning')}", style="bold"))
