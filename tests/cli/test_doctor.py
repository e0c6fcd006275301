"""What the doctor finds, on files and addresses that are wrong in known ways."""

from __future__ import annotations

import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from mpcnet import Identity, Member, Roster
from mpcnet.cli import doctor, machine_checks
from mpcnet.cli.doctor import examine
from mpcnet.cli.machine_checks import Finding
from mpcnet.transport.reachability import Reached, call

if TYPE_CHECKING:
    from tests.cli.conftest import Command


def about(topic: str, findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(item.level, item.what) for item in findings if item.topic == topic]


@contextmanager
def listening(address: str) -> Generator[None]:
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        yield


def test_a_healthy_party(four: Path) -> None:
    roster = Roster.load("roster.toml")
    with listening(roster.by_name("carol").address):
        findings = examine(["bob.key"], None, "job.toml")
    assert about("key", findings) == [("ok", "bob.key is whole, readable by you alone, not sealed")]
    assert about("roster", findings) == [
        ("ok", f"roster.toml has 4 parties; its fingerprint is {roster.fingerprint}"),
        ("ok", "bob.key is the key of bob"),
    ]
    assert about("job", findings) == [("ok", "job.toml fits the roster and protocol 'average'; part in it: bob")]
    places = {member.name: f"{member.name} at {member.address}" for member in roster}
    assert about("address", findings) == [
        ("ok", f"we can listen at {roster.by_name('bob').address}, as bob"),
        ("ok", f"{places['alice']}: no process listens there now"),  # it calls us
        ("ok", f"{places['carol']}: a process answers"),
        ("warning", f"{places['dave']}: no process listens there now"),
    ]


def test_the_command(four: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = mpcnet("doctor", "--job", "job.toml")
    assert (ended.code, ended.err) == (0, "")
    assert "0 problems" in ended.out.splitlines()[-1]
    document = mpcnet("doctor", "--json").document
    assert document["problems"] == 0
    assert document["findings"][0] == {
        "level": "ok",
        "topic": "key",
        "what": "alice.key is whole, readable by you alone, not sealed",
        "advice": "",
    }
    monkeypatch.setenv("COLUMNS", "40")
    lines = mpcnet("doctor").out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 40
    (four / "alice.key").chmod(0o644)
    sick = mpcnet("doctor", "--json")
    assert (sick.code, sick.document["problems"]) == (1, 1)
    assert "chmod 600 alice.key" in sick.document["findings"][0]["what"]


def test_an_empty_folder(folder: Path) -> None:
    findings = examine([], None, None)
    assert about("key", findings) == [("warning", "there is no key file here")]
    assert about("roster", findings) == [("warning", "there is no roster.toml here")]
    assert about("address", findings) == []


@pytest.mark.parametrize(
    ("arguments", "topic", "words"),
    [
        ((("none.key",), None, None), "key", "none.key does not exist"),
        ((("job.toml",), None, None), "key", "job.toml is open to others"),
        (((), "none.toml", None), "roster", "none.toml does not exist"),
        (((), "job.toml", None), "roster", "not a roster"),
        (((), None, "roster.toml"), "job", "a job file has no field"),
        (((), None, "none.toml"), "job", "none.toml does not exist"),
    ],
)
def test_files_that_are_wrong(
    four: Path, arguments: tuple[tuple[str, ...], str | None, str | None], topic: str, words: str
) -> None:
    findings = about(topic, examine(*arguments))
    assert [level for level, what in findings if words in what] == ["problem"]


def test_a_key_of_nobody(four: Path, mpcnet: Command) -> None:
    (four / "word").write_text("secret\n")
    (four / "word").chmod(0o600)
    assert mpcnet("keygen", "eve", "--passphrase-file", "word").code == 0
    findings = examine(["eve.key"], None, "job.toml")
    assert about("key", findings) == [("ok", "eve.key is whole, readable by you alone, sealed by a passphrase")]
    assert ("problem", "the key in eve.key is not in the roster") in about("roster", findings)
    beside = about("roster", examine([], None, None))
    assert ("warning", "the key in eve.key is not in the roster") in beside, "one of many that lie about"


def test_a_job_that_does_not_fit_is_said_once(four: Path, mpcnet: Command) -> None:
    """Although each of the four keys that lie here would find it."""
    (four / "job.toml").write_text(mpcnet("job", "average").out.replace('"carol", "dave"', '"carol", "erin"'))
    (found,) = [level for level, what in about("job", examine((), None, "job.toml")) if "erin" in what]
    assert found == "problem"


def test_a_job_of_others(four: Path, mpcnet: Command) -> None:
    (four / "job.toml").write_text(mpcnet("job", "average", "--role", "owners=bob,carol,dave").out)
    findings = examine(["alice.key"], None, "job.toml")
    assert about("job", findings) == [("warning", "job.toml: alice has no part in job 'average'")]
    (four / "job.toml").write_text(mpcnet("job", "average", "--role", "owners=alice,carol,dvae").out)
    ((level, what),) = about("job", examine(["alice.key"], None, "job.toml"))
    assert level == "problem"
    assert what.endswith("did you mean 'dave'?")


def test_a_job_that_few_take_part_in_looks_for_those_alone(four: Path, mpcnet: Command) -> None:
    (four / "job.toml").write_text(mpcnet("job", "average", "--role", "owners=alice,bob,carol").out)
    places = [what for _, what in about("address", examine(["alice.key"], None, "job.toml"))]
    assert [what.split()[0] for what in places] == ["we", "bob", "carol"]


def with_address(name: str, address: str) -> None:
    text = Path("roster.toml").read_text()
    Path("roster.toml").write_text(text.replace(Roster.load("roster.toml").by_name(name).address, address))


def test_our_address(four: Path) -> None:
    ours = Roster.load("roster.toml").by_name("bob").address
    with listening(ours):
        assert ("warning", f"our address {ours}: a process listens there already") in about(
            "address", examine(["bob.key"], None, None)
        )
    with_address("bob", "192.0.2.7:9100")
    first, *_ = about("address", examine(["bob.key"], None, None))
    assert first == ("problem", "our address 192.0.2.7:9100: this machine does not have it")


@pytest.mark.parametrize(("name", "level"), [("carol", "problem"), ("alice", "ok")])
def test_a_name_that_nobody_knows(four: Path, monkeypatch: pytest.MonkeyPatch, name: str, level: str) -> None:
    """Whom we call must be found; who calls us need not be."""
    resolve = trio.socket.getaddrinfo

    async def unknown(host: str, *arguments: object, **named: object) -> object:
        if host == "no.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return await resolve(host, *arguments, **named)  # type: ignore[arg-type]

    with_address(name, "no.example:7000")
    monkeypatch.setattr(trio.socket, "getaddrinfo", unknown)
    found = about("address", examine(["bob.key"], None, None))
    assert (level, f"{name} at no.example:7000: its name is unknown to the name servers") in found


def test_one_address_under_two_names(four: Path) -> None:
    port = Roster.load("roster.toml").by_name("carol").port
    with_address("dave", f"127.1:{port}")
    found = about("address", examine(["alice.key"], None, None))
    assert ("problem", "carol and dave have one address under two names") in found


async def test_an_address_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, autojump_clock: object) -> None:
    member = Member(0, "zoe", Identity.generate().public, "zoe.example:7000")

    async def resolve(*_: object, **__: object) -> list[object]:
        return []

    monkeypatch.setattr(trio.socket, "getaddrinfo", resolve)

    async def silent(*_: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(trio, "open_tcp_stream", silent)
    reached = (await call(member)).reached
    assert reached is Reached.SILENT
    finding = doctor.judge(member, reached, we_call=True)
    assert (finding.level, finding.what) == ("warning", "zoe at zoe.example:7000: no answer within 3 s")
    assert "zoe's machine is off" in finding.advice


# The machine_checks. Facts are given: the tests run on any.


def level(finding: Finding) -> str:
    return finding.level


def test_aes() -> None:
    assert level(machine_checks.aes("flags\t\t: fpu aes avx\n", "x86_64")) == "ok"
    assert level(machine_checks.aes("Features\t: fp asimd\n", "aarch64")) == "warning"
    assert "does not say" in machine_checks.aes("", "arm64").what


def test_open_files() -> None:
    assert level(machine_checks.open_files(256, 100)) == "ok"
    short = machine_checks.open_files(256, 1000)
    assert (short.level, short.advice) == ("problem", "ulimit -n 1064, before mpcnet run.")
    assert level(machine_checks.open_files(None, 1000)) == "ok"


def test_the_clock() -> None:
    assert level(machine_checks.clock(1000.0, {"a": 999.0})) == "ok"
    wrong = machine_checks.clock(1000.0, {"a": 999.0, "alice.key": 1500.0})
    assert (wrong.level, wrong.what) == ("warning", "the clock is 500 s behind the date of alice.key")


def test_compiled_code_and_congestion_control() -> None:
    assert level(machine_checks.bytecode(off=True)) == "warning"
    assert level(machine_checks.bytecode(off=False)) == "ok"
    for name, words in (("bbr", "as where"), ("cubic", "other than where"), ("", "does not say")):
        assert words in machine_checks.congestion(name).what


def test_versions() -> None:
    required = [
        "numpy>=2.0",
        "trio>=0.27,<1",
        'hypothesis>=6.100; extra == "dev"',
        'pynacl>9; python_version < "3"',
    ]
    new = {"numpy": "2.0.1", "trio": "0.30.0+local", "pynacl": "1.5"}
    (fine,) = machine_checks.versions(new, required)
    assert fine.level == "ok"
    old, missing = machine_checks.versions({"numpy": "1.26.4", "trio": None}, required)
    assert (old.level, old.what) == ("problem", "numpy is 1.26.4; mpcnet needs numpy>=2.0")
    assert (missing.what, missing.advice) == (
        "trio is missing; mpcnet needs trio<1,>=0.27",
        "pip install --upgrade 'trio<1,>=0.27'",
    )
    early, late = machine_checks.versions({"numpy": "2.0.0rc1", "trio": "1.0.1"}, required)
    assert (early.level, late.level) == ("problem", "problem")
