"""Where GitHub keeps logs: another server, whose addresses let in by themselves, for a while.

Like the real one it refuses a request that brings credentials of somebody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

GONE: Final = b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>"


class StoredTexts:
    """``asked`` are the headers of all requests. Enter it."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[Mapping[str, str]] = []
        self._texts: dict[str, bytes] = {}
        self._serving: set[asyncio.Task[None]] = set()

    def keep(self, text: bytes) -> str:
        """The address of a text from now on."""
        key = secrets.token_hex(8)
        self._texts[key] = text
        return f"http://127.0.0.1:{self.port}/logs?sig={key}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    fields = (line.partition(":") for line in head[1:] if line)
                    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
                    self.asked.append(headers)
                    status, content = self._answer(head[0].split(" ")[1], headers)
                    writer.write(f"HTTP/1.1 {status} -\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            self._serving.discard(task)
            writer.close()

    def _answer(self, target: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if "authorization" in headers or "cookie" in headers:
            return 400, GONE
        key = parse_qs(urlsplit(target).query).get("sig", [""])[0]
        return (200, self._texts[key]) if key in self._texts else (403, GONE)
