"""TCP proxies in front of NATS: one lets acknowledgements of publishes get lost, one lets the log be away."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from types import TracebackType
from typing import Final, Self

_ACK: Final = b'{"stream":'


class Proxy:
    """Passes everything through to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target, limit=4 << 20)
        except OSError:
            writer.close()  # as the server itself would refuse
            return
        both = (self._up(reader, to_server), self._down(from_server, writer))
        for each in both:
            task = asyncio.ensure_future(each)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass_on(reader, writer)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass_on(reader, writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(1 << 16):
                writer.write(chunk)
                await writer.drain()
        writer.close()


class AckDroppingProxy(Proxy):
    """Passes everything through, but drops a PubAck (success or error) with probability ``share``.

    It reads the server's side of the NATS protocol message by message, so that what it drops is always one whole
    message. ``eaten`` counts them.
    """

    def __init__(self, port: int, *, share: float, random: Random) -> None:
        super().__init__(port)
        self.share = share
        self.eaten = 0
        self._random = random

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                body = b""
                words = line.split()
                if words and words[0] in (b"MSG", b"HMSG"):
                    body = await reader.readexactly(int(words[-1]) + 2)
                if self._is_ack(words, body) and self._random.random() < self.share:
                    self.eaten += 1
                    continue
                writer.write(line + body)
                await writer.drain()
        writer.close()

    def _is_ack(self, words: list[bytes], body: bytes) -> bool:
        return bool(words) and words[0] == b"MSG" and (body.startswith(_ACK) or b'"err_code":10071' in body)


class Outage(Proxy):
    """Passes everything through until a client sends the message that it waits for; from then on NATS is away.

    With ``silent`` only messages of that sort are not answered and the connection stands; without it, every connection
    ends and none is accepted. ``lost`` counts the messages that did not reach the server.
    """

    def __init__(self, port: int, *, silent: bool = False) -> None:
        super().__init__(port)
        self.lost = 0
        self._silent = silent
        self._awaited: tuple[bytes, ...] = ()
        self._away = False
        self._clients: set[asyncio.StreamWriter] = set()

    def begin_at(self, *texts: str) -> None:
        """Let NATS be away from the first message on that has all these texts in its subject, headers or body."""
        self._awaited = tuple(text.encode() for text in texts)

    def end(self) -> None:
        """NATS is back."""
        self._awaited, self._away = (), False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._away:
            writer.close()
            return
        self._clients.add(writer)
        await super()._serve(reader, writer)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while message := await _sent(reader):
                if not self._awaited or not all(text in message for text in self._awaited):
                    writer.write(message)
                    await writer.drain()
                    continue
                self.lost += 1
                if not self._silent:
                    self._cut()
        writer.close()

    def _cut(self) -> None:
        self._away = True
        for client in self._clients:
            client.close()
        self._clients.clear()


async def _sent(reader: asyncio.StreamReader) -> bytes:
    """The next operation of a client, whole; empty at the end."""
    line = await reader.readline()
    words = line.split()
    if words and words[0] in (b"PUB", b"HPUB"):
        return line + await reader.readexactly(int(words[-1]) + 2)
    return line
