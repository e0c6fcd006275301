"""What `reveal` returns: outputs that go to others are not in it, and can be asked for."""

from __future__ import annotations

import pytest

from mpcnet import LocalError, Revealed, simulate
from mpcnet.declare import Party
from tests.support.parties import Nothing, job_of


async def told_to_some(party: Party[Nothing]) -> tuple[int | None, bool, int, list[str]]:
    total = party.share("value").sum()
    out = await party.reveal(answer=total, quiet=2 * total)
    assert out.get("answer", 0) == out["answer"]
    return out.get("quiet"), "quiet" in out, out.get("quiet", -1), list(out)


async def test_an_output_for_others_is_not_there() -> None:
    job = job_of(told_to_some, ("alice", "bob"), watchers=("carol",))
    outputs = simulate(job, {"alice": {"value": 3}, "bob": {"value": 4}}).outputs
    assert outputs["carol"] == (14, True, 14, ["answer", "quiet"])
    assert outputs["alice"] == outputs["bob"] == (None, False, -1, ["answer"])


async def test_taking_it_says_what_to_do() -> None:
    out = Revealed({}, {"quiet": 1})
    with pytest.raises(LocalError, match=r"'quiet' does not go to us: take out.get\('quiet'\)"):
        out["quiet"]
    with pytest.raises(LocalError, match="there is no output 'quite' here; revealed were: quiet"):
        out["quite"]
