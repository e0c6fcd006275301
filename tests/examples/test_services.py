"""The example services against each other: a trio one, an asyncio one and a dealer, each a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from mpcnet import Identity, Member, Roster
from mpcnet.transport.free_ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SERVICES = {"alice": "examples.trio_service", "bob": "examples.asyncio_service", "dora": "examples.trio_service"}


class Service:
    """A running service: what it logs, and what it answers."""

    def __init__(self, name: str, port: int, process: trio.Process) -> None:
        self.name = name
        self.port = port
        self.process = process
        self.log = ""
        self._grown = trio.Event()

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        async for received in self.process.stderr:
            self.log += received.decode()
            self._grown.set()
            self._grown = trio.Event()

    async def until(self, text: str) -> None:
        """Wait until this stands in its log."""
        while text not in self.log:
            await self._grown.wait()

    async def ask(self, *words: str) -> str:
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            await stream.send_all(f"{' '.join(words)}\n".encode())
            return b"".join([part async for part in stream]).decode()

    async def end(self, by: signal.Signals) -> None:
        """A signal ends it, cleanly."""
        self.process.send_signal(by)
        assert await self.process.wait() == 0
        await self.until(f"{self.name}: stopped")
        assert "Traceback" not in self.log
        assert "Warning" not in self.log


@asynccontextmanager
async def running(name: str, port: int, folder: Path) -> AsyncGenerator[Service]:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-P", "-X", "dev", "-m", SERVICES[name], name, "--port", str(port)],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
    )
    service = Service(name, port, process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service.read_log)
            await service.until("ready on port")
            yield service
            process.kill()
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def prepare(folder: Path) -> dict[str, int]:
    """Keys and a roster; the ports on which the services are asked."""
    roster, ports = Roster(), free_ports(2 * len(SERVICES))
    for name, port in zip(SERVICES, ports, strict=False):
        identity = Identity.generate()
        identity.save(folder / f"{name}.key")
        roster = roster.add(Member(0, name, identity.public, f"127.0.0.1:{port}"))
    roster.save(folder / "roster.toml")
    return dict(zip(SERVICES, ports[len(SERVICES) :], strict=True))


async def auction(lot: str, alice: Service, bob: Service, dora: Service) -> set[str]:
    """All take part in it; their answers, which never tell the highest bid."""
    answers: set[str] = set()

    async def ask(service: Service, *words: str) -> None:
        answers.add(await service.ask(*words))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, alice, "bid", lot, "3800")
        nursery.start_soon(ask, bob, "bid", lot, "2514")
        nursery.start_soon(ask, dora, "deal", lot)
    return answers


SOLD = {"sold to alice for 2514\n", "dealt\n"}


@asynccontextmanager
async def open_bids(lot: str, *bidders: Service) -> AsyncGenerator[dict[str, str]]:
    """Bids of a lot that nobody deals, so that its job runs until somebody ends it; later, the answers."""
    answers: dict[str, str] = {}

    async def ask(service: Service) -> None:
        answers[service.name] = await service.ask("bid", lot, "3800")

    async with trio.open_nursery() as nursery:
        for service in bidders:
            nursery.start_soon(ask, service)
        for service in bidders:
            await service.until(f"{service.name}: {lot}: waiting for")
        if len(bidders) == 2:
            for service in bidders:
                await service.until(f"{service.name}: {lot}: waiting for dora\n")
        yield answers


@pytest.mark.slow
@pytest.mark.processes
async def test_services_under_trio_and_asyncio(tmp_path: Path) -> None:
    ports = prepare(tmp_path)
    with trio.fail_after(60):
        async with running("bob", ports["bob"], tmp_path) as bob, running("dora", ports["dora"], tmp_path) as dora:
            async with running("alice", ports["alice"], tmp_path) as alice:
                assert await auction("lot-1", alice, bob, dora) == SOLD
                assert (await alice.ask("sell", "lot-2")).startswith("error LocalError")
                asked = await trio.run_process(
                    [sys.executable, "-P", "-m", "examples.ask", str(bob.port), "bid", "lot-2"],
                    stdin=b"99999999999\n",
                    env=ENVIRONMENT,
                    capture_stdout=True,
                    check=False,
                )
                refused = b"error RangeError: input 'bid' of bob: "
                assert (asked.returncode, asked.stdout[: len(refused)]) == (1, refused)

                # A client that hangs up withdraws its request, and nothing else.
                async with open_bids("lot-3", alice) as answers:
                    with trio.CancelScope() as client:
                        async with trio.open_nursery() as nursery:
                            nursery.start_soon(bob.ask, "bid", "lot-3", "2514")
                            await bob.until("lot-3: waiting for dora\n")
                            client.cancel()
                assert answers == {"alice": "error PeerAborted: bob: ended the job: it was cancelled there\n"}
                assert await auction("lot-4", alice, bob, dora) == SOLD

                # Ctrl-C in the trio service while a job runs.
                async with open_bids("lot-5", alice, bob) as answers:
                    await alice.end(signal.SIGINT)
                assert answers["bob"] == "error PeerAborted: alice: ended the job: it was cancelled there\n"
                assert answers["alice"] == ""

            # bob goes on serving; now Ctrl-C in the asyncio service.
            async with running("alice", ports["alice"], tmp_path) as alice:
                assert await auction("lot-6", alice, bob, dora) == SOLD
                async with open_bids("lot-7", alice, bob) as answers:
                    await bob.end(signal.SIGINT)
                assert answers["alice"] == "error PeerAborted: bob: ended the job: it was cancelled there\n"
                await alice.end(signal.SIGTERM)
            await dora.end(signal.SIGTERM)
