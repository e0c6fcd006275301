"""What `mpcnet doctor` finds on the machine itself: versions, AES, congestion control, open files, bytecode, clock.

Each check is a function of facts, which `examine_machine` collects.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from mpcnet.cli.formatting import time_text
from mpcnet.primitives import openssl_version

__all__ = (
    "Finding",
    "Level",
    "aes",
    "bytecode",
    "clock",
    "congestion",
    "examine_machine",
    "open_files",
    "versions",
)

Level = Literal["ok", "warning", "problem"]

_LIBRARIES = ("numpy", "cryptography", "pynacl", "trio", "msgpack", "packaging", "click", "rich")
_SPARE_FILES = 64
"""Standard streams, libraries, and connections that have not proven a key yet."""
_CLOCK_SLACK_SECONDS = 60.0
_LOOPBACK = (
    "Inside one machine a plain stream ran at 2.7 GB/s with bbr and at 7 with cubic; no result depends on it."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's.

    Args:
        level: how grave it is.
        topic: what was looked at.
        what: what was found.
        advice: what it means, and what to do.
    """

    level: Level
    topic: str
    what: str
    advice: str = ""


def examine_machine(parties: int, dated: Mapping[str, float]) -> list[Finding]:
    """All checks that look at nothing but this machine.

    Args:
        parties: how many the roster has; 0 if it is not known.
        dated: by name, when files of ours were written, in seconds since 1970.
    """
    installed = {name: _installed(name) for name in ("mpcnet", *_LIBRARIES)}
    return [
        *versions(installed, importlib.metadata.requires("mpcnet") or []),
        aes(_text("/proc/cpuinfo"), platform.machine()),
        congestion(_text("/proc/sys/net/ipv4/tcp_congestion_control").strip()),
        open_files(_limit_on_files(), parties),
        bytecode(off=sys.dont_write_bytecode),
        clock(time.time(), {**dated, "the installation of mpcnet": _installed_at()}),
    ]


def versions(installed: Mapping[str, str | None], required: list[str]) -> list[Finding]:
    """Whether all libraries are there, in versions that mpcnet takes.

    Args:
        installed: by distribution, its version; None where it is missing.
        required: what mpcnet's own metadata says, extras included.
    """
    names = ", ".join(f"{name} {version}" for name, version in installed.items() if version is not None)
    what = f"Python {platform.python_version()}, {names}; {openssl_version()}"
    problems: list[Finding] = []
    for wanted in map(Requirement, required):
        version = installed.get(wanted.name, "")
        if version == "" or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            need = f"{wanted.name}{wanted.specifier}"
            found = f"{wanted.name} is {'missing' if version is None else version}; mpcnet needs {need}"
            problems.append(Finding("problem", "versions", found, f"pip install --upgrade '{need}'"))
    return problems or [Finding("ok", "versions", what)]


def aes(cpuinfo: str, machine: str) -> Finding:
    """Whether the processor computes AES itself; Linux says so."""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    if flags is None:
        return Finding(
            "ok", "AES", f"this system does not say whether its processor ({machine}) computes AES itself"
        )
    if "aes" in flags[1].split():
        return Finding("ok", "AES", "the processor computes AES itself: links and streams run at full speed")
    return Finding(
        "warning",
        "AES",
        "the processor has no AES instructions",
        "Links by AES-GCM and all pseudorandom streams take several times as long. If most machines of the roster "
        "are like this one, make it with --cipher ChaChaPoly.",
    )


def congestion(name: str) -> Finding:
    """Which congestion control TCP has."""
    if not name:
        return Finding("ok", "network", "this system does not say how it controls congestion")
    measured = f"{'as' if name == 'bbr' else 'other than'} where docs/performance.md was measured"
    return Finding("ok", "network", f"TCP congestion control is {name}, {measured}", _LOOPBACK)


def open_files(limit: int | None, parties: int) -> Finding:
    """Whether as many connections may be open as the roster has parties."""
    if limit is None:
        return Finding("ok", "files", "this system sets no limit on open files")
    needed = parties + _SPARE_FILES
    if limit >= needed:
        return Finding(
            "ok", "files", f"{limit} files may be open, one for each other party and {_SPARE_FILES} more"
        )
    return Finding(
        "problem",
        "files",
        f"only {limit} files may be open; a roster of {parties} parties takes {needed}",
        f"ulimit -n {needed}, before mpcnet run.",
    )


def bytecode(*, off: bool) -> Finding:
    """Whether Python keeps what it compiles."""
    if not off:
        return Finding("ok", "start", "Python keeps compiled code, so that starts are quick")
    return Finding(
        "warning",
        "start",
        "Python keeps no compiled code: each start compiles everything anew, up to a second",
        "Unset PYTHONDONTWRITEBYTECODE, and leave out python -B.",
    )


def clock(now: float, dated: Mapping[str, float]) -> Finding:
    """Whether the clock is behind files that we wrote."""
    latest = max(dated, key=lambda name: dated[name])
    behind = dated[latest] - now
    meaning = "Deadlines run on another clock and keys have no dates: a wrong one shows in logs and files only."
    if behind <= _CLOCK_SLACK_SECONDS:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
        return Finding("ok", "clock", f"it is {day}, after all files of ours were written", meaning)
    what = f"the clock is {time_text(behind)} behind the date of {latest}"
    return Finding("warning", "clock", what, f"{meaning} Set it, for example by NTP.")


# Facts


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _installed_at() -> float:
    try:
        return Path(__file__).stat().st_mtime
    except OSError:  # out of an archive
        return 0.0


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _limit_on_files() -> int | None:
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
