"""A small HTTP server of ours for a stateful fake of somebody's REST API, on loopback, without a framework."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

Json = Any
Answer = tuple[int, Json]
NO_CONTENT: Final[Answer] = (204, None)


class RestServer:
    """Answers with what `answer` says; requests come one at a time, as they arrive.

    ``clock`` is the server's own; ``link`` the header of the answer that is being made.
    """

    def __init__(self) -> None:
        self.port = 0
        self.clock: Callable[[], float] = time.time
        self.link = ""
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Answer:
        """Status and JSON; None has no body."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *fields = head.decode("latin-1").strip().split("\r\n")
                method, target, _ = first.split(" ")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in fields)}
                content = await reader.readexactly(int(headers.get("content-length", 0)))
                parts = urlsplit(target)
                body = json.loads(content) if content else None
                self.link = ""
                status, told = self.answer(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
                payload = b"" if told is None else json.dumps(told).encode()
                lines = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(payload)}"]
                lines += [
                    f"date: {formatdate(self.clock(), usegmt=True)}",
                    *([f"link: {self.link}"] if self.link else []),
                ]
                writer.write("\r\n".join((*lines, "", "")).encode() + payload)
                await writer.drain()
        writer.close()
