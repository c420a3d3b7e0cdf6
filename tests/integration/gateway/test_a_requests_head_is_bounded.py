from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.security.request_head import MAX_HEAD_BYTES
from services.gateway.server import WebServer
from testing.eventually import eventually
from tests.integration.gateway.gateway_process import Gateway

PATIENCE_S = 1.0
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
UPGRADE += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the number of bytes of the body; takes every WebSocket."""
    message = await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await receive()
        return
    size = len(message["body"])
    while message.get("more_body"):
        message = await receive()
        size += len(message.get("body", b""))
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = WebServer(
        app,
        host="127.0.0.1",
        port=0,
        max_frame_bytes=1024,
        draining=asyncio.Event(),
        head_patience_s=PATIENCE_S,
    )
    running = asyncio.create_task(server.run_until_drained())
    yield server.port
    server.drain()
    await running


class Line:
    """A connection that sends what the test writes."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Line:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *exit: object) -> None:
        self._writer.close()

    async def send(self, text: str | bytes) -> None:
        self._writer.write(text.encode() if isinstance(text, str) else text)
        await self._writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Status and body."""
        async with asyncio.timeout(60):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await self._reader.readexactly(int(length[0].partition(b":")[2])) if length else b""
        return int(head.split()[1]), body

    async def code(self) -> tuple[int, str]:
        """Status and code of a problem."""
        status, body = await self.answer()
        return status, str(json.loads(body)["code"])

    async def ended(self) -> bool:
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self._reader.read(), 60) == b""
        return True


def head(size: int, more: str = "") -> str:
    """A request's head of exactly so many bytes, in many headers."""
    text = f"GET / HTTP/1.1\r\nHost: localhost\r\n{more}"
    while len(text) + 200 < size:
        text += f"X-Filler: {'x' * 80}\r\n"
    return text + f"X-End: {'x' * (size - len(text) - 11)}\r\n\r\n"


async def test_a_head_of_the_bound_is_answered_and_one_byte_more_is_refused(port: int) -> None:
    for more, expected in ((0, 200), (1, 431)):
        async with Line(port) as line:
            await line.send(head(MAX_HEAD_BYTES + more))
            status, body = await line.answer()
            assert status == expected
    assert json.loads(body)["code"] == "head-too-large"
    assert "65,536" in json.loads(body)["detail"]


@pytest.mark.parametrize(
    "beginning", ["GET / HTTP/1.1\r\nX-Endless: ", "GET /", "\r\n" * 40_000], ids=["header", "path", "empty lines"]
)
async def test_a_head_without_an_end_is_refused(port: int, beginning: str) -> None:
    async with Line(port) as line:
        await line.send(beginning)
        await line.send("x" * MAX_HEAD_BYTES)
        assert (await line.answer())[0] in (400, 431)
        assert await line.ended()


async def test_a_handshake_has_the_same_bounds(port: int) -> None:
    async with Line(port) as line:
        await line.send(head(400, UPGRADE))
        assert (await line.answer())[0] == 101
    async with Line(port) as line:
        await line.send(head(MAX_HEAD_BYTES + 1, UPGRADE))
        assert await line.code() == (431, "head-too-large")
    for long in ("X-Filler: x\r\n" * 200, f"X-Long: {'x' * 20_000}\r\n"):
        async with Line(port) as line:
            await line.send(f"GET / HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}{long}\r\n")
            assert await line.code() == (431, "head-too-large")
            assert await line.ended()
    async with Line(port) as line:
        await line.send(f"GET / HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}")
        assert await line.code() == (408, "head-too-slow")


async def test_trailers_have_the_same_bound_and_a_body_of_many_parts_has_not(port: int) -> None:
    post = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with Line(port) as line:
        await line.send(post + "1\r\nx\r\n" * 40_000 + "0\r\n\r\n")
        assert await line.answer() == (200, b"40000")
        await line.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n" + "x" * 300_000)
        assert await line.answer() == (200, b"300000")
    async with Line(port) as line:
        with contextlib.suppress(ConnectionError):
            await line.send(post + "1\r\nx\r\n0\r\nX-Endless: " + "x" * 3 * MAX_HEAD_BYTES)
            assert await line.ended()


@pytest.mark.parametrize(
    ("beginning", "more"),
    [("GET / HTTP/1.1\r\nX-Slow: ", "x"), ("GET /", "x"), ("\r\n", "\r\n")],
    ids=["header", "path", "empty lines"],
)
async def test_a_head_that_drips_is_refused_when_its_time_is_over(port: int, beginning: str, more: str) -> None:
    async with Line(port) as line:
        await line.send(beginning)
        dripping = asyncio.create_task(_drip(line, more))
        assert await line.code() == (408, "head-too-slow")
        dripping.cancel()
        assert await line.ended()


async def _drip(line: Line, more: str) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(PATIENCE_S / 10)
            await line.send(more)


async def test_the_time_is_that_of_one_head_and_an_idle_connection_lives_longer(port: int) -> None:
    async with Line(port) as line:
        for _ in range(3):
            await line.send("GET / HTTP/1.1\r\n")
            await asyncio.sleep(PATIENCE_S * 0.4)
            await line.send("Host: localhost\r\n\r\n")
            assert await line.answer() == (200, b"0")
        await asyncio.sleep(PATIENCE_S * 1.5)
        await line.send(head(300))
        assert await line.answer() == (200, b"0")


async def test_a_slow_head_behind_a_request_does_not_cost_that_request_its_answer(port: int) -> None:
    async with Line(port) as line:
        await line.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nxx" + "GET / HTTP")
        assert await line.answer() == (200, b"2")
        assert await line.code() == (408, "head-too-slow")


async def test_a_gateway_does_not_grow_with_what_it_refuses(gateway: Gateway) -> None:
    port = int(gateway.url.rpartition(":")[2])
    before = _resident(gateway)
    for _ in range(3):
        async with Line(port) as line:
            with contextlib.suppress(ConnectionError):
                await line.send("GET /api/tasks HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
                for _ in range(100):
                    await line.send(b"x" * (1 << 20))
                raise AssertionError("it took 100 MB")

    # Sockets and the allocator take some; before this bound it was the whole of what was sent.
    await eventually(lambda: _resident(gateway) - before < 16 << 20)


def _resident(gateway: Gateway) -> int:
    """Bytes of memory that the process has."""
    pages = Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096
