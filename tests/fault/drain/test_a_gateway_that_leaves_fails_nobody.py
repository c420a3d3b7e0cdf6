"""What a gateway owes to its connected clients when it is asked to leave."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from services.gateway.server import FAREWELL_S
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, issue_opened, signed

HOOK = "/webhooks/github"


@pytest.fixture
async def gateway(nats_server: Nats, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(nats_server.url, tmp_path / "data") as running:
        yield running


async def test_a_webhook_that_is_on_its_way_is_still_taken(gateway: Gateway, bus: Bus) -> None:
    body = issue_opened()
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = {**signed(body, "on-its-way"), "Host": address.netloc, "Content-Length": str(len(body))}
    writer.write(f"POST {HOOK} HTTP/1.1\r\n".encode())
    writer.write("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body[:20])
    await writer.drain()
    async with gateway.http() as other:
        assert (await other.get("/health/ready")).status_code == 200, "it has read what came before"
        gateway.process.send_signal(signal.SIGTERM)
        writer.write(body[20:])
        answer = (await reader.read()).decode()
    writer.close()
    assert await gateway.process.wait() == 0
    if answer.startswith("HTTP/1.1 503") and '"log-unavailable"' in answer:
        return  # the log stood still for longer than a sender is kept waiting: it has its answer
    assert answer.startswith("HTTP/1.1 202")
    taken = json.loads(answer.rpartition("\r\n\r\n")[2])["delivery"]
    assert len(await NatsJournal(bus).load(Actor("delivery", taken))) == 1


async def test_who_keeps_a_connection_is_answered_once_more_and_told_that_it_ends(gateway: Gateway) -> None:
    async with gateway.http() as http:
        assert (await http.get("/health/ready")).headers.get("connection") is None
        gateway.process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        try:
            while (answer := await http.get("/health/ready")).status_code == 200:
                assert answer.headers.get("connection") in (None, "close")
        except httpx.TransportError:
            assert time.monotonic() - asked > FAREWELL_S, "it goes on answering for so long"
        else:
            assert answer.status_code == 503
            assert answer.json()["problems"].keys() == {"draining"}
            assert answer.headers["connection"] == "close"
    assert await gateway.process.wait() == 0


async def test_a_dashboard_is_told_to_come_back(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        gateway.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert await gateway.process.wait() == 0
