"""One party of MPyC with the same work: `python -m benchmarks.mpyc_party -P host:port ... -I index`.

MPyC reads its own addresses from the command line. Jobs come and results go as in `benchmarks.party`. Rows of
vectors use its numpy vectors, which are its fastest way. Three parties, one of whom may be corrupted.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
import time
from typing import Any

import numpy as np

with contextlib.redirect_stderr(io.StringIO()):
    from mpyc.runtime import mpc

from benchmarks.rows import ROWS, values_of

PRIVATE_BITS = {"multiply": 64, "compare": 64, "compare-32": 32, "second-price": 32, "sequential": 64}
"""MPyC's secure integers by row; they hold the same values as ours."""


async def work(row: str, x: Any, y: Any) -> list[int]:
    """The row's work on shared vectors; the results where they are opened, else nothing."""
    match row:
        case "multiply":
            await mpc.gather(x * y)
        case "compare" | "compare-32":
            await mpc.gather(x < y)
        case "sequential":
            for _ in range(1000):
                x = mpc.mul(x, y)
            await mpc.gather(x)
        case _:
            hot, highest = mpc.np_argmax(x, arg_unary=True, arg_only=False)
            index = mpc.np_sum(hot * np.arange(len(x), dtype=object))
            second = mpc.np_amax(x - hot * (highest + 1))
            return [int(value) for value in (await mpc.output(index), await mpc.output(second))]
    return []


async def share(row: str, n: int) -> tuple[Any, Any]:
    """The inputs of the first two parties, shared."""
    secint = mpc.SecInt(PRIVATE_BITS[row])
    plain = [values_of(ROWS[row], n, owner) for owner in (0, 1)]
    if row == "sequential":
        x, y = (mpc.input(secint(int(one[0])), senders=0) for one in plain)
    else:
        x, y = (mpc.input(secint.array(np.array(one, object)), senders=0) for one in plain)
    await mpc.gather(x, y)
    return x, y


async def serve() -> None:
    """Run jobs until standard input ends."""
    await mpc.start()
    while line := sys.stdin.readline():
        command = json.loads(line)
        row, n = command["row"], command["n"]
        x, y = await share(row, n)
        spans: list[tuple[float, float]] = []
        sent = 0
        for number in range(command["repeats"] + 1):
            gc.collect()
            await mpc.output(mpc.SecInt(32)(number))  # a round with all parties: they begin together
            before = _sent_bytes()
            started = time.perf_counter()
            opened = await work(row, x, y)
            spans.append((started, time.perf_counter()))
            sent = _sent_bytes() - before
            if opened:
                expected = ROWS[row].expected(values_of(ROWS[row], n, 0), values_of(ROWS[row], n, 1))
                assert opened == [int(expected["winner"][0]), int(expected["price"][0])]
        print(json.dumps({"spans": spans[1:], "sent": sent}), flush=True)
    await mpc.shutdown()


def _sent_bytes() -> int:
    others = [peer for peer in mpc.parties if peer.pid != mpc.pid]
    return sum(peer.protocol.nbytes_sent for peer in others)


if __name__ == "__main__":
    with contextlib.redirect_stderr(io.StringIO()):
        mpc.run(serve())
