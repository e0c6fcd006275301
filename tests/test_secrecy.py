"""Inputs, shares, seeds and keys show up in no log line, no error and no `repr`, in no common encoding.

Jobs run over real links with canaries for inputs, succeed and fail in each way, and everything that a person or a
log collector could see of them is searched. Shares and seeds are caught where they travel.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import Identity, MpcnetError, RangeError
from mpcnet.declare import Party
from mpcnet.session.events import Event
from mpcnet.sim import Crash, Stall, simulate
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Change, Endings, Loopback, Nothing, job_of, run_parties, scripted

CANARIES = {"alice": 91_734_655_021, "bob": 82_645_910_377, "carol": 73_519_064_882}
INPUTS: dict[str, dict[str, object]] = {name: {"value": value} for name, value in CANARIES.items()}


def encodings(secret: bytes | int) -> set[str]:
    """How a secret may look in a text."""
    if isinstance(secret, int):
        data = secret.to_bytes(8, "little", signed=True)
        texts = {str(secret), f"{secret:,}", f"{secret:_}", f"{secret:x}"}
    else:
        data, texts = secret, set[str]()
    for one in (data, data[::-1]):
        plain = one.lstrip(b"\0") if isinstance(secret, int) else one
        texts |= {one.hex(), plain.hex(), repr(one)[2:-1], repr(plain)[2:-1], str(list(one))[1:-1]}
        texts |= {base64.b64encode(one).decode().rstrip("="), base64.urlsafe_b64encode(one).decode().rstrip("=")}
        texts |= {base64.b32encode(one).decode().rstrip("=").lower(), str(int.from_bytes(one, "little"))}
    return {text.lower() for text in texts if len(text) >= 8}


class Observer:
    """Collects what can be seen, and what must not be."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.secrets: dict[str, bytes | int] = {f"input of {name}": value for name, value in CANARIES.items()}

    def see(self, *things: object) -> None:
        for thing in things:
            self.seen += [str(thing), repr(thing)]

    def see_error(self, error: BaseException | None) -> None:
        """An error, its notes, causes and members."""
        if error is None:
            return
        self.see(error, error.args, getattr(error, "__notes__", ()), {**vars(error)})
        for inner in (error.__cause__, error.__context__):
            self.see_error(inner)
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
                self.see_error(member)  # pyright: ignore[reportUnknownArgumentType]

    def note_shares(self, _receiver: int, frame: Frame) -> Iterable[Frame]:
        """Seeds and shares as they go to the link."""
        if frame.header.kind is Kind.PAIR_SEED:
            self.secrets[f"part of a pair seed {len(self.secrets)}"] = bytes(frame.body)
        if frame.header.kind is Kind.ROUND and frame.body:
            self.secrets[f"share {len(self.secrets)}"] = bytes(frame.body[:8])
        return [frame]

    def found(self) -> list[str]:
        """Which secrets can be seen."""
        text = "\n".join(self.seen).lower()
        return [what for what, secret in self.secrets.items() if any(form in text for form in encodings(secret))]


@pytest.fixture
def observer(caplog: pytest.LogCaptureFixture) -> Observer:
    caplog.set_level(logging.DEBUG)
    return Observer()


async def program(party: Party[Nothing]) -> str:
    """Reveals something that depends on all inputs and equals none."""
    value = party.share("value")
    first = await party.reveal(answer=value.sum())
    assert first
    second = await party.reveal(second=value.sum() + 1)
    return f"revealed {len(second)}"


async def run(
    observer: Observer,
    caplog: pytest.LogCaptureFixture,
    inputs: dict[str, dict[str, object]],
    *,
    jobs: dict[str, Any] | None = None,
    carol: Change | None = None,
    look_inside: bool = True,
) -> Endings:
    """Run a job over links and let the observer see all of it."""
    loopback = Loopback(3)
    for name, identity in loopback.identities.items():
        observer.secrets[f"identity of {name}"] = vars_of(identity)["_seed"]
        observer.secrets[f"X25519 key of {name}"] = identity.x25519_secret
    events: list[Event] = []
    inside: list[object] = []

    async def watched(party: Party[Nothing]) -> str:
        inside.extend([party, vars(party), vars(party)["_surroundings"], vars(party)["_running"]])
        value = party.share("value")
        inside.extend([value, value.sum(), vars(party)["_program"]])
        revealed = await party.reveal(answer=value.sum())
        inside.append(revealed)
        return "done"

    def change(receiver: int, frame: Frame) -> Iterable[Frame]:
        frames = carol(receiver, frame) if carol is not None else [frame]
        return [one for sent in frames for one in observer.note_shares(receiver, sent)]

    changes = {name: change if name == "carol" else observer.note_shares for name in loopback.names}
    job = wide(job_of(watched if look_inside else program, loopback.names, deadline_seconds=0.5))
    async with loopback.meshes(changes=changes, listener=events.append) as meshes:
        observer.see(meshes, *meshes.values(), *(vars(mesh) for mesh in meshes.values()))
        observer.see(*(vars(mesh)["_transport"] for mesh in meshes.values()))
        observer.see(*loopback.identities.values(), loopback.roster)
        endings = await run_parties(meshes, job, inputs, jobs={k: wide(v) for k, v in (jobs or {}).items()})
    observer.see(endings, job, *events, *inside)
    for error in endings.errors.values():
        observer.see_error(error)
    for result in endings.results.values():
        observer.see(result, result.cost)
    observer.seen += [record.getMessage() + repr(record.args) + str(record.exc_info) for record in caplog.records]
    return endings


def wide(job: Any) -> Any:
    """The job with a range that holds the canaries."""
    value = replace(job.protocol.inputs["value"], range=(0, 10**11))
    return replace(job, protocol=replace(job.protocol, inputs={"value": value}))


def vars_of(thing: object) -> dict[str, Any]:
    """Attributes of an object with slots."""
    return {name: getattr(thing, name) for name in type(thing).__slots__}  # type: ignore[attr-defined]


def test_the_observer_finds_what_is_planted() -> None:
    key = bytes(range(7, 39))
    plants = [str(CANARIES["bob"]), f"{CANARIES['bob']:,}", repr(CANARIES["bob"].to_bytes(8, "big"))]
    for plant in plants:
        observer = Observer()
        observer.see(f"before {plant} after")
        assert observer.found() == ["input of bob"]
    forms = [key.hex(), key.hex().upper(), base64.b64encode(key).decode(), repr(key), key, list(key), {"k": key}]
    for form in forms:
        observer = Observer()
        observer.secrets["key"] = key
        observer.see(form)
        assert observer.found() == ["key"]


def test_the_observer_looks_into_causes_notes_and_groups() -> None:
    inner = ValueError(CANARIES["carol"])
    noted = KeyError("x")
    noted.add_note(f"it was {CANARIES['alice']}")
    group = ExceptionGroup("several", [inner, noted])
    outer = RuntimeError("outer")
    outer.__cause__ = group
    observer = Observer()
    observer.see_error(outer)
    assert observer.found() == ["input of alice", "input of carol"]


async def test_a_job_that_succeeds(observer: Observer, caplog: pytest.LogCaptureFixture) -> None:
    endings = await run(observer, caplog, INPUTS)
    assert len(endings.results) == 3
    assert len(observer.secrets) >= 3 + 6 + 6 + 6
    assert observer.found() == []


@pytest.mark.parametrize(
    "value", [CANARIES["bob"] * 1000, -CANARIES["bob"], str(CANARIES["bob"]), [CANARIES["bob"]]]
)
async def test_an_input_that_is_refused(
    value: object, observer: Observer, caplog: pytest.LogCaptureFixture
) -> None:
    observer.secrets["value"] = CANARIES["bob"] * 1000
    endings = await run(observer, caplog, {**INPUTS, "bob": {"value": value}})
    assert len(endings.errors) == 3
    assert observer.found() == []


def body(frame: Frame, data: bytes) -> list[Frame]:
    return [Frame(frame.header, memoryview(data))]


def longer(_to: int, frame: Frame) -> Iterable[Frame]:
    return body(frame, bytes(frame.body) + b"x") if frame.header.kind is Kind.ROUND else [frame]


def wrong_bytes(_to: int, frame: Frame) -> Iterable[Frame]:
    return body(frame, bytes(byte ^ 0xA5 for byte in frame.body)) if frame.header.kind is Kind.ROUND else [frame]


def other_digest(_to: int, frame: Frame) -> Iterable[Frame]:
    if frame.header.kind is Kind.ROUND:
        return [Frame(replace(frame.header, digest=bytes(16)), frame.body)]
    return [frame]


def other_seed(_to: int, frame: Frame) -> Iterable[Frame]:
    return [frame, *body(frame, b"s" * 32)] if frame.header.kind is Kind.PAIR_SEED else [frame]


def silent(_to: int, frame: Frame) -> Iterable[Frame]:
    return [] if frame.header.kind in (Kind.ROUND, Kind.ABORT, Kind.FINISH) else [frame]


@pytest.mark.parametrize("cheat", [longer, wrong_bytes, other_digest, other_seed, silent])
async def test_a_peer_that_cheats(
    cheat: Change, observer: Observer, caplog: pytest.LogCaptureFixture, mock_clock: trio.testing.MockClock
) -> None:
    endings = await run(observer, caplog, INPUTS, carol=cheat, look_inside=cheat is not wrong_bytes)
    assert {"alice", "bob"} <= set(endings.errors)
    assert observer.found() == []


@pytest.fixture
def mock_clock() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0.02)


async def fails(party: Party[Nothing]) -> str:
    await party.reveal(answer=party.share("value").sum())
    raise ValueError("the program's own mistake")


async def diverges(party: Party[Nothing]) -> object:
    return await party.reveal(answer=party.share("value"))


async def leaves_the_ring(party: Party[Nothing]) -> object:
    value = party.share("value")
    with pytest.raises(RangeError) as caught:
        _ = value.sum() * 2**40
    raise caught.value


async def wrong_output(party: Party[Nothing]) -> object:
    return await party.reveal(undeclared=party.share("value"))


async def cancels(party: Party[Nothing]) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await party.reveal(answer=party.share("value").sum())


@pytest.mark.parametrize("other", [fails, diverges, leaves_the_ring, wrong_output, cancels])
async def test_a_program_that_goes_wrong(
    other: Any, observer: Observer, caplog: pytest.LogCaptureFixture, mock_clock: trio.testing.MockClock
) -> None:
    job = job_of(other, ("alice", "bob", "carol"), deadline_seconds=0.5)
    endings = await run(observer, caplog, INPUTS, jobs={"bob": job}, look_inside=False)
    assert "bob" in endings.errors
    assert observer.found() == []


async def test_a_job_that_is_not_agreed(observer: Observer, caplog: pytest.LogCaptureFixture) -> None:
    other = replace(job_of(program, ("alice", "bob", "carol")), protocol=scripted(program, version=2))
    endings = await run(observer, caplog, INPUTS, jobs={"bob": other})
    assert len(endings.errors) == 3
    assert observer.found() == []


@pytest.mark.parametrize("faults", [(), (Crash("bob", 1),), (Stall("carol", 0),)])
def test_simulations(faults: Any, observer: Observer, caplog: pytest.LogCaptureFixture) -> None:
    job = wide(job_of(program, ("alice", "bob", "carol")))
    simulation = simulate(job, INPUTS, faults=faults, allow_errors=True)
    for view in simulation.views.values():
        for entry in view:
            observer.secrets[f"share {len(observer.secrets)}"] = bytes(entry.body[:8])
            observer.see(entry)
    observer.see(simulation, simulation.cost, simulation.trace[:50], job)
    for error in simulation.errors.values():
        observer.see_error(error)
    observer.seen += [record.getMessage() for record in caplog.records]
    assert observer.found() == []


def test_keys(tmp_path: Any, observer: Observer) -> None:
    identity = Identity.generate()
    observer.secrets |= {"seed": vars_of(identity)["_seed"], "X25519": identity.x25519_secret}
    observer.see(identity, [identity], {"identity": identity}, identity.public_text)
    with pytest.raises(MpcnetError) as caught:
        Identity(vars_of(identity)["_seed"] + b"x")
    observer.see_error(caught.value)
    assert observer.found() == []
