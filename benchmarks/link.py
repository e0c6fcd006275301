"""What a link costs beside plain TCP and TLS, on this machine, in one run: the row `link`.

Two processes on the loopback interface. Measures take turns, so that a busy machine slows all of them; the table
shows medians. References: trio's SocketStream, and trio.SSLStream (TLS 1.3, self-made P-256 certificate, both sides
authenticated by nothing but it). Large: 64 MiB arrays, until the receiver has the last byte and says so. Small: 64
bytes there and back. Handshake: from TCP connect to the first moment at which data may be sent.
"""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import trio

from benchmarks.cluster import HOST
from mpcnet.errors import PeerError
from mpcnet.identity import Identity, Member, Roster
from mpcnet.primitives import AeadName, random_bytes
from mpcnet.transport.connect import Local, dial
from mpcnet.transport.free_ports import free_ports
from mpcnet.transport.tcp import TcpTransport
from mpcnet.transport.timing import Timing
from mpcnet.wire.frames import Frame, Header, Kind
from mpcnet.wire.limits import Limits

LARGE_BYTES = 2**26
SMALL = bytes(64)
LARGE_COMES = b"L" * len(SMALL)
ROUND_TRIPS = 300
HANDSHAKES = 5
CIPHERS: tuple[AeadName, ...] = ("AESGCM", "ChaChaPoly")

Settings = dict[str, Any]


class Wire(Protocol):
    """One kind of connection that is measured: it carries whole messages one way and back."""

    async def large(self, array: memoryview) -> None:
        """Send an array, and return when the other side has it."""
        ...

    async def small(self, trips: int) -> None:
        """Send a message there and back, this number of times."""
        ...


# --- references: a stream of bytes --------------------------------------------------------------------------


class StreamWire:
    """Plain TCP or TLS. The sizes are known to both sides, as they are in a protocol."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def large(self, array: memoryview) -> None:
        await self._stream.send_all(LARGE_COMES)
        await self._stream.send_all(array)
        await receive_exactly(self._stream, 1)

    async def small(self, trips: int) -> None:
        for _ in range(trips):
            await self._stream.send_all(SMALL)
            await receive_exactly(self._stream, len(SMALL))


async def receive_exactly(stream: trio.abc.Stream, count: int) -> None:
    while count:
        data = await stream.receive_some(min(count, 2**20))
        if not data:
            raise EOFError
        count -= len(data)


async def receive_array(stream: trio.abc.Stream, count: int) -> None:
    """The receiver wants an array, not pieces: the copy belongs to the work."""
    array = memoryview(np.empty(count, dtype=np.uint8).data)
    at = 0
    while at < count:
        data = await stream.receive_some(min(count - at, 2**20))
        if not data:
            raise EOFError
        array[at : at + len(data)] = data
        at += len(data)


async def answer_stream(stream: trio.abc.Stream) -> None:
    while data := await stream.receive_some(len(SMALL)):
        await receive_exactly(stream, len(SMALL) - len(data))
        if data[:1] == LARGE_COMES[:1]:
            await receive_array(stream, LARGE_BYTES)
            await stream.send_all(b"!")
        else:
            await stream.send_all(SMALL)


# --- ours: a link -------------------------------------------------------------------------------------------


class LinkWire:
    """A link of ours, used as a session does: a frame is answered where it comes in, as a round is."""

    def __init__(self, transport: TcpTransport, peer: Peer) -> None:
        self._transport = transport
        self._peer = peer

    async def large(self, array: memoryview) -> None:
        self._peer.expect(1)
        await self._transport.send(1, Frame(Header(Kind.DATA), array))
        await self._peer.answered.wait()

    async def small(self, trips: int) -> None:
        self._peer.expect(trips)
        await self._transport.send(1, Frame(Header(Kind.DATA), memoryview(SMALL)))
        await self._peer.answered.wait()


class Peer:
    """A receiver that answers frames, or that counts answers and asks again.

    Args:
        other: roster index of the other party.
        asks: whether it is this one that counts.
    """

    def __init__(self, other: int, *, asks: bool) -> None:
        self.up = trio.Event()
        self.answered = trio.Event()
        self.transport: TcpTransport | None = None
        self._other = other
        self._asks = asks
        self._left = 0

    def expect(self, answers: int) -> None:
        """Expect this number of answers."""
        self._left, self.answered = answers, trio.Event()

    def peer_up(self, peer: int, incarnation: bytes) -> None:
        self.up.set()

    def peer_down(self, peer: int, error: PeerError | None) -> None:
        pass

    def admit(self, peer: int, header: Header, body_bytes: int) -> bool:
        return True

    def frame_received(self, peer: int, frame: Frame) -> None:
        body = memoryview(b"!") if frame.body.nbytes == LARGE_BYTES else frame.body
        if self._asks:
            self._left -= 1
            if not self._left:
                self.answered.set()
                return
        assert self.transport is not None
        if not self.transport.send_now(self._other, Frame(Header(Kind.DATA), body)):
            raise RuntimeError("a link that carries one message at a time has room")


# --- the other process --------------------------------------------------------------------------------------


def parties(settings: Settings, cipher: AeadName) -> tuple[Roster, list[Identity]]:
    identities = [Identity(base64.b64decode(seed)) for seed in settings["seeds"]]
    ports = settings["ports"][cipher]
    members = (
        Member(index, name, identities[index].public, f"{HOST}:{ports[index]}")
        for index, name in enumerate(("alice", "bob"))
    )
    return Roster(tuple(members), cipher=cipher), identities


def server_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["certificate"])
    return context


async def serve(settings: Settings) -> None:
    context = server_context(settings)

    async def plain(stream: trio.SocketStream) -> None:
        await answer_stream(stream)

    async def tls(stream: trio.SocketStream) -> None:
        wrapped = trio.SSLStream(stream, context, server_side=True)
        # It breaks off where a handshake was measured, and nothing else.
        with suppress(trio.BrokenResourceError):
            await answer_stream(wrapped)

    async def link(cipher: AeadName) -> None:
        roster, identities = parties(settings, cipher)
        peer = Peer(0, asks=False)
        peer.transport = TcpTransport(roster, identities[1], me=1)
        async with peer.transport.serve(peer):
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_tcp, plain, settings["ports"]["plain"])
        await nursery.start(trio.serve_tcp, tls, settings["ports"]["tls"])
        for cipher in CIPHERS:
            nursery.start_soon(link, cipher)
        print("ready", flush=True)
        await trio.sleep_forever()


# --- this process -------------------------------------------------------------------------------------------


def make_certificate(path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))


@contextmanager
def other_process() -> Generator[Settings, None, None]:
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder, "certificate.pem")
        make_certificate(certificate)
        ports = free_ports(6)
        settings: Settings = {
            "certificate": str(certificate),
            "seeds": [base64.b64encode(random_bytes(32)).decode() for _ in range(2)],
            "ports": {"plain": ports[0], "tls": ports[1], "AESGCM": ports[2:4], "ChaChaPoly": ports[4:6]},
        }
        command = [sys.executable, "-m", "benchmarks.link", "--serve"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(settings) + "\n")
            child.stdin.flush()
            child.stdout.readline()
            try:
                yield settings
            finally:
                child.terminate()


def client_context(settings: Settings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings["certificate"])


async def open_plain(settings: Settings) -> trio.abc.Stream:
    return await trio.open_tcp_stream(HOST, settings["ports"]["plain"])


async def open_tls(settings: Settings, context: ssl.SSLContext) -> trio.abc.Stream:
    stream = await trio.open_tcp_stream(HOST, settings["ports"]["tls"])
    wrapped = trio.SSLStream(stream, context, server_hostname="localhost")
    await wrapped.do_handshake()
    return wrapped


@asynccontextmanager
async def open_link(settings: Settings, cipher: AeadName) -> AsyncGenerator[LinkWire, None]:
    roster, identities = parties(settings, cipher)
    peer = Peer(1, asks=True)
    peer.transport = transport = TcpTransport(roster, identities[0], me=0)
    async with transport.serve(peer):
        await peer.up.wait()
        yield LinkWire(transport, peer)


async def shake_hands(local: Local) -> None:
    link = await dial(local, 1, lambda _peer, _header, _size: True)
    link.close()


async def shake_hands_tls(settings: Settings, context: ssl.SSLContext) -> None:
    await trio.aclose_forcefully(await open_tls(settings, context))


Times = dict[str, list[float]]


async def measure_wires(settings: Settings, repeats: int) -> tuple[Times, Times]:
    """Seconds per large message, and per round trip of small ones."""
    array = memoryview(np.arange(LARGE_BYTES // 8, dtype=np.uint64).data).cast("B")
    large: Times = {}
    small: Times = {}
    async with open_link(settings, "AESGCM") as aes, open_link(settings, "ChaChaPoly") as chacha:
        plain, tls = await open_plain(settings), await open_tls(settings, client_context(settings))
        wires: dict[str, Wire] = {
            "plain TCP": StreamWire(plain),
            "TLS": StreamWire(tls),
            "link AES-GCM": aes,
            "link ChaCha20": chacha,
        }
        for _ in range(repeats):
            for name, wire in wires.items():
                large.setdefault(name, []).append(await seconds_of(partial(wire.large, array)))
            for name, wire in wires.items():
                seconds = await seconds_of(partial(wire.small, ROUND_TRIPS))
                small.setdefault(name, []).append(seconds / ROUND_TRIPS)
        await trio.aclose_forcefully(plain)
        await trio.aclose_forcefully(tls)
    return large, small


async def measure_handshakes(settings: Settings, repeats: int) -> Times:
    times: Times = {}
    roster, identities = parties(settings, "AESGCM")
    local = Local(roster, identities[0], 0, bytes(16), Limits(), Timing())
    context = client_context(settings)
    for _ in range(repeats * HANDSHAKES):
        times.setdefault("TLS", []).append(await seconds_of(partial(shake_hands_tls, settings, context)))
        times.setdefault("link AES-GCM", []).append(await seconds_of(partial(shake_hands, local)))
    return times


async def seconds_of(action: Callable[[], Any]) -> float:
    started = trio.current_time()
    await action()
    return trio.current_time() - started


@dataclass(frozen=True)
class Measured:
    """Medians in seconds, by wire: for an array of `LARGE_BYTES`, a round trip of `SMALL`, and a handshake."""

    large: dict[str, float]
    small: dict[str, float]
    handshakes: dict[str, float]


def measure_links(repeats: int, *, handshakes: bool = True) -> Measured:
    """Measure all wires in turns."""
    with other_process() as settings:
        large, small = trio.run(measure_wires, settings, repeats)
        hands = trio.run(measure_handshakes, settings, repeats) if handshakes else {}
    return Measured(_medians(large), _medians(small), _medians(hands))


def _medians(times: Times) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    if sys.argv[1:] != ["--serve"]:
        sys.exit("this is the other side of the row 'link': run python -m benchmarks link")
    trio.run(serve, cast("Settings", json.loads(sys.stdin.readline())))
