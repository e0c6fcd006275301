"""One key stands for one array: across runs, forks, steps, evaluations and the dealer, as the session makes them.

Everything that a party hides is hidden by arrays whose keys are made of the pair's seed, the job id and a label. A
key that stands for two arrays tells their difference. So all keys are noted that the parties of two runs make over
links: each belongs to the two ends of a pair, and is made once by each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from mpcnet import Job
from mpcnet.algebra import Z64, Label, prg
from mpcnet.correlated.dealing import SHORT_WORDS
from mpcnet.declare import Party
from mpcnet.engine import Context, Round, Step
from mpcnet.session.agreement import job_id
from tests.support.parties import Loopback, Nothing, job_of, run_parties

VALUES: dict[str, dict[str, object]] = {"alice": {"value": 3}, "bob": {"value": 5}}
LONG = SHORT_WORDS // 3 + 1
"""Products whose triples are more words than a short request has."""


@dataclass
class Keys:
    """What `stream_key` was asked for, and gave."""

    asked: list[tuple[bytes, bytes, Label]] = field(default_factory=list[tuple[bytes, bytes, Label]])
    made: Counter[bytes] = field(default_factory=Counter[bytes])


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    keys, make = Keys(), prg.stream_key

    def noted(seed: bytes, job: bytes, label: Label) -> bytes:
        key = make(seed, job, label)
        keys.asked.append((seed, job, label))
        keys.made[key] += 1
        return key

    monkeypatch.setattr(prg, "stream_key", noted)
    return keys


def dealt(program: Any, label: str = "test") -> Job[Nothing, Any]:
    return replace(job_of(program, ("alice", "bob"), label=label), dealer="carol")


async def product(party: Party[Nothing]) -> int:
    """Inputs, triples of two requests, zero shares."""
    values = party.share("value")
    first = await party.reveal(answer=values[0] * values[1])
    second = await party.reveal(second=values[1] * values[1])
    return int(first["answer"]) + int(second["second"])


def masked(context: Context) -> Step[bytes]:
    """A step of one's own that takes a pair's array, as a protocol does."""
    peer = 1 - context.me
    drawn = context.pair_uniform(peer, Z64, (2,), purpose="mask").tobytes()
    inbox = yield Round({peer: drawn}, {peer: len(drawn)})
    assert bytes(inbox[peer]) == drawn, "the two of a pair draw the same"
    return drawn


async def everything(party: Party[Nothing]) -> list[int]:
    """All places where a key could be made twice: forks alike by their ends, or when their labels are joined."""
    found = [await product(party)]
    for outer, inner in (("a", "x"), ("b", "x"), ("run", "x"), ("x", "a")):
        async with party.fork(outer) as first, first.fork(inner) as second:
            found += [await product(first), await product(second)]
            await second.run("x", masked)
            await first.run("x", masked)
    async with party.fork("ab") as first, first.fork("c") as one:
        found.append(await product(one))
    async with party.fork("abc") as whole:
        found.append(await product(whole))
    for name in ("x", "a", "bx"):
        await party.run(name, masked)
    return found


async def long_requests(party: Party[Nothing]) -> list[int]:
    values = party.share("value")
    await party.evaluate(values)
    many = np.ones(LONG, np.int64)
    totals: list[int] = []
    for name in ("answer", "second"):
        out = await party.reveal(**{name: ((values[0] * many) * (values[1] * many)).sum()})
        totals.append(int(out[name]))
    return totals


@pytest.mark.parametrize(
    ("program", "expected"), [(everything, [40] * 11), (long_requests, [15 * LONG] * 2)], ids=["forks", "long"]
)
async def test_no_key_is_made_for_two_arrays(keys: Keys, program: Any, expected: list[int]) -> None:
    """Twice the same job, under the same label, between parties that have kept their pairs' seeds."""
    ids: list[bytes] = []
    async with Loopback(3).meshes() as meshes:
        for _ in range(2):
            endings = await run_parties(meshes, dealt(program), {**VALUES, "carol": {}})
            assert endings.outcomes == {"alice": expected, "bob": expected, "carol": None}
            ids.append(endings.results["alice"].job)
    assert len({seed for seed, _, _ in keys.asked}) == 3, "a seed for each pair, kept from run to run"
    assert {job for _, job, _ in keys.asked} == set(ids), "bound to the run, and not to its label"
    assert len(set(ids)) == 2
    again = Counter({key: count for key, count in keys.made.items() if count > 2})
    assert not again, f"{len(again)} keys stand for more arrays than one"


async def test_the_id_of_a_job_is_what_it_is() -> None:
    """Pinned: other tests compute it with the product's own function."""
    nonces = bytes(range(96))
    assert job_id(b"agreement", nonces).hex() == "917f1e7c7b8d85b190106c26ac9c56e9f54a6d7ec548d89805cebeecabf458b0"
    others = [job_id(b"agreement", b"\1" + nonces[1:]), job_id(b"agreement", nonces[:-1] + b"\0")]
    assert len({job_id(b"agreement", nonces), job_id(b"agreemenu", nonces), *others}) == 4
