"""A party that has a mesh for one job, and stays for a while if it fails before all parties have come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import trio

from mpcnet import AgreementMismatch, Job, MpcnetError, PeerAborted, find_protocol
from mpcnet.errors import first_cause
from mpcnet.session.events import Event
from mpcnet.session.take_part import take_part
from tests.support.parties import Loopback


class _Told:
    """Hears what a terminal would show."""

    def __init__(self, staying: trio.Event) -> None:
        self._staying = staying

    def listener(self, event: Event) -> None:
        pass

    def look(self, awaited: Mapping[str, str]) -> None:
        assert set(awaited) <= {"alice", "bob", "carol"}

    def stays(self, error: MpcnetError, late: Sequence[str], seconds: float) -> None:
        assert list(late) == ["bob"]
        assert isinstance(error, AgreementMismatch | PeerAborted)
        self._staying.set()


async def test_a_party_whose_job_failed_stays_to_tell_who_comes_later() -> None:
    average = find_protocol("average")
    three = Loopback()
    job = Job(average, average.make_params({}), {"owners": three.names}, "late", deadline_seconds=1000)
    other = Job(average, average.make_params({"high": 9}), job.roles, "late", deadline_seconds=1000)
    staying = {name: trio.Event() for name in ("alice", "carol")}
    jobs = {"alice": job, "carol": other}

    async def join(name: str) -> None:
        with pytest.raises(BaseExceptionGroup) as raised:
            await take_part(jobs[name], three.roster, three.identities[name], {"value": 1}, _Told(staying[name]))
        assert isinstance(first_cause(raised.value), AgreementMismatch | PeerAborted)

    async def come_late() -> None:
        for event in staying.values():
            await event.wait()
        async with three.mesh("bob").open() as bob:
            with pytest.raises((AgreementMismatch, PeerAborted)):
                await bob.run(job, {"value": 1})
            await gone.wait()  # both have told bob, and leave without waiting for more

    gone = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(come_late)
        async with trio.open_nursery() as early:
            for name in jobs:
                early.start_soon(join, name)
        gone.set()
