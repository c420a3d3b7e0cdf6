"""Clients that are there and read nothing: real sockets whose buffers are full."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
from pathlib import Path
from typing import Final

import msgspec
import pytest

from shared.contracts import task
from shared.nats.bus import Bus
from testing.eventually import eventually
from tests.integration.gateway.gateway_process import Gateway, Heard, happen

SLOW: Final = 100
WARM: Final = 1_000
EVENTS: Final = 4_000
AT_ONCE: Final = 200
MOST_GROWTH: Final = 48 << 20
"""What waits for one socket may be 8 MiB: 100 of them without a bound in common would be 800."""
WITHIN_S: Final = 90.0


def deaf_socket(port: int) -> socket.socket:
    """A WebSocket that has subscribed to all tasks and reads no more, with as little room for what comes as can be."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.settimeout(60)
    deaf.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    deaf.sendall(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += deaf.recv(1024)
    assert b" 101 " in answer.partition(b"\r\n")[0]
    text = msgspec.json.encode({"type": "subscribe", "topics": ["tasks"]})
    # A masked text frame; the mask of zeros leaves the text as it is.
    deaf.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    while b"subscribed" not in answer:
        answer += deaf.recv(1024)
    return deaf


def resident(pid: int) -> int:
    """Bytes in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sockets_of(pid: int) -> int:
    """How many sockets a process holds."""
    count = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(each.readlink()).startswith("socket:")
    return count


@pytest.mark.campaign
async def test_deaf_sockets_are_dropped_while_the_others_hear_everything_and_memory_stays_flat(
    gateway: Gateway, bus: Bus
) -> None:
    pid = gateway.process.pid
    port = int(gateway.url.rpartition(":")[2])
    sent: list[int] = []

    async def send(count: int) -> None:
        for start in range(len(sent) + 1, len(sent) + count, AT_ONCE):
            numbers = range(start, start + AT_ONCE)
            events = [happen(bus, "T1", task.InputGiven(message="x" * 3000), number) for number in numbers]
            sent.extend(sorted(await asyncio.gather(*events)))

    async def listen(heard: Heard) -> None:
        while len(heard.messages) < 1 + WARM + EVENTS:
            await heard.next(within=WITHIN_S)

    async with gateway.socket() as hearing, contextlib.AsyncExitStack() as stack:
        heard = Heard(hearing)
        await heard.say(type="subscribe", topics=["tasks"])
        listening = asyncio.create_task(listen(heard))
        before = sockets_of(pid)
        for _ in range(SLOW):
            stack.enter_context(await asyncio.to_thread(deaf_socket, port))
        assert sockets_of(pid) == before + SLOW
        await send(WARM)
        flat = resident(pid)
        await send(EVENTS)
        print(f"grown by {resident(pid) - flat >> 10} KiB to {resident(pid) >> 10} KiB")
        assert resident(pid) - flat < MOST_GROWTH
        await listening
        assert heard.seqs("task.updated") == sent
        await eventually(lambda: sockets_of(pid) == before, within=WITHIN_S)
        async with gateway.http() as http:
            assert "journeyman_live_sockets 1.0" in (await http.get("/metrics")).text
        assert resident(pid) - flat < MOST_GROWTH
