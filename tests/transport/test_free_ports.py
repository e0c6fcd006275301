"""Ports that are free and different."""

from __future__ import annotations

import itertools
import socket

import pytest

from mpcnet.transport.free_ports import free_ports


def test_ports_are_different_and_free() -> None:
    ports = free_ports(40)
    assert len(set(ports)) == 40
    assert all(20_000 <= port < 32_000 for port in ports)


def test_a_port_that_is_taken_is_not_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        draws = itertools.count()

        def drawn(count: int) -> bytes:
            return next(draws).to_bytes(count, "little")

        monkeypatch.setattr("mpcnet.transport.free_ports._PORTS", range(port, port + 50))
        monkeypatch.setattr("mpcnet.transport.free_ports.random_bytes", drawn)
        assert port not in free_ports(5)
