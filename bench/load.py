"""The load generator: keep-alive connections, one request at a time on each, ready-made bytes, one thread.

Plain sockets behind a selector cost about 20 microseconds a request, so it is never what is measured.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

import msgspec

from bench.measure import Timed, timed
from bench.world import CannotMeasure

SILENCE_S: Final = 30.0


class Burst(msgspec.Struct, frozen=True):
    """One run: its times, and how many answers had which status."""

    timed: Timed
    statuses: dict[int, int]


async def burst(port: int, requests: Sequence[bytes], connections: int, *, expected: int) -> Burst:
    """Send every request once; raises `CannotMeasure` when one is not answered with ``expected``."""
    found = await asyncio.to_thread(_send_all, port, requests, connections)
    if found.statuses != {expected: len(requests)}:
        raise CannotMeasure(f"Of {len(requests)} requests not all were answered with {expected}: {found.statuses}.")
    return found


class _Connection:
    """One keep-alive connection and what is on its way on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begun = 0.0
        self._read = b""

    def send(self, request: bytes) -> None:
        self.begun = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int:
        """The answer's status, or 0 while it is not complete."""
        part = self.socket.recv(65536)
        if not part:
            raise CannotMeasure("The server has closed a connection in the middle of a run.")
        self._read += part
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return 0
        self._read = b""
        return int(head[9:12])


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise CannotMeasure("The server's answer has no Content-Length.")


def _send_all(port: int, requests: Sequence[bytes], connections: int) -> Burst:
    waiting = deque(requests)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        opened = [_Connection(port) for _ in range(min(connections, len(requests)))]
        try:
            begun = time.perf_counter()
            for connection in opened:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send(waiting.popleft())
            while len(latencies) < len(requests):
                ready = selector.select(SILENCE_S)
                if not ready:
                    raise CannotMeasure(f"The server has not answered for {SILENCE_S:g} s.")
                for key, _ in ready:
                    connection = key.data
                    if status := connection.receive():
                        latencies.append(time.perf_counter() - connection.begun)
                        statuses[status] += 1
                        if waiting:
                            connection.send(waiting.popleft())
            elapsed = time.perf_counter() - begun
        finally:
            for connection in opened:
                connection.socket.close()
    return Burst(timed(latencies, elapsed), dict(statuses))
