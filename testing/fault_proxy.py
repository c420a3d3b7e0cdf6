"""An HTTP proxy between a client and a server on this machine that lets go wrong what goes wrong on the way.

In front of GitHub's API: an answer that is lost after the server has acted, a limit, a server that is down. In front of
a receiver of webhooks: a delivery that comes twice, or after a later one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final, Self

import httpx

_HOP: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "content-encoding"})


class Fault(StrEnum):
    """What happens to one request."""

    ERROR_AFTER = "500 after it acted"
    LOST_AFTER = "no answer after it acted"
    ERROR_BEFORE = "502 before it acted"
    DROPPED = "the connection ends before it acted"
    DELAYED = "the answer comes late"
    LIMITED = "429 with Retry-After"
    LIMITED_WITHOUT_TIME = "429 without Retry-After"
    SECONDARY = "a secondary rate limit"
    TWICE = "the request comes twice"
    LATER = "the request comes after the next one"


OF_AN_API: Final = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED, Fault.LIMITED)
OF_WEBHOOKS: Final = (Fault.ERROR_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED, Fault.TWICE, Fault.LATER)
_BEFORE: Final = frozenset(
    {Fault.ERROR_BEFORE, Fault.DROPPED, Fault.LIMITED, Fault.LIMITED_WITHOUT_TIME, Fault.SECONDARY}
)


class FaultProxy:
    """Passes requests on to ``target``; to a ``share`` of them one of the ``faults`` happens.

    ``delay_s`` is how long a late answer takes, ``retry_after_s`` what a limit asks for. `then` says what happens
    to the next requests, whatever the share. ``happened`` counts the faults.
    """

    def __init__(
        self,
        target: str,
        *,
        random: Random | None = None,
        share: float = 0.0,
        faults: Sequence[Fault] = OF_AN_API,
        delay_s: float = 1.0,
        retry_after_s: int = 1,
    ) -> None:
        self.port = 0
        self.target = target.rstrip("/")
        self.share = share
        self.happened: Counter[Fault] = Counter()
        self._random = random or Random(0)
        self._faults = tuple(faults)
        self._delay_s = delay_s
        self._retry_after_s = retry_after_s
        self._next: deque[Fault | None] = deque()
        self._passed = asyncio.Condition()
        self._count = 0
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address to give to the client instead of the server's."""
        return f"http://127.0.0.1:{self.port}"

    def then(self, *faults: Fault | None) -> None:
        """What happens to the next requests, in this order; None is nothing."""
        self._next.extend(faults)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 16)
        self.port = self._server.sockets[0].getsockname()[1]
        self._http = httpx.AsyncClient(timeout=30.0, trust_env=False, verify=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for each in list(self._connections):
            each.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._http.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    method, path, _ = head[0].split(" ")
                    headers = {
                        name.strip().lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in head[1:])
                        if name.strip()
                    }
                    body = await reader.readexactly(int(headers.get("content-length") or 0))
                    answer = await self._answer(method, path, headers, body)
                    if answer is None:
                        writer.transport.abort()
                        return
                    writer.write(_bytes(*answer))
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            self._connections.discard(task)
            writer.close()

    def _choose(self) -> Fault | None:
        if self._next:
            return self._next.popleft()
        return self._random.choice(self._faults) if self._faults and self._random.random() < self.share else None

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        fault = self._choose()
        if fault is not None:
            self.happened[fault] += 1
        if fault in _BEFORE:
            return self._refusal(fault)
        if fault is Fault.LATER:
            await self._let_one_pass()
        try:
            if fault is Fault.TWICE:
                await self._pass_on(method, path, headers, body)
            answer = await self._pass_on(method, path, headers, body)
        except httpx.HTTPError:
            return None
        if fault is Fault.DELAYED:
            await asyncio.sleep(self._delay_s)
        match fault:
            case Fault.ERROR_AFTER:
                return _error(500, "Server Error")
            case Fault.LOST_AFTER:
                return None
            case _:
                return answer

    def _refusal(self, fault: Fault | None) -> tuple[int, dict[str, str], bytes] | None:
        match fault:
            case Fault.LIMITED:
                return _error(429, "Too many requests", {"retry-after": str(self._retry_after_s)})
            case Fault.LIMITED_WITHOUT_TIME:
                return _error(429, "Too many requests")
            case Fault.SECONDARY:
                sentence = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
                return _error(403, sentence, {"retry-after": str(self._retry_after_s)})
            case Fault.ERROR_BEFORE:
                return _error(502, "Bad Gateway")
            case _:
                return None

    async def _let_one_pass(self) -> None:
        """Wait for another request; where none comes, go on after a while."""
        seen = self._count
        async with self._passed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._passed.wait_for(lambda: self._count > seen), self._delay_s)

    async def _pass_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        passed = {name: value for name, value in headers.items() if name not in _HOP}
        got = await self._http.request(method, f"{self.target}{path}", headers=passed, content=body)
        async with self._passed:
            self._count += 1
            self._passed.notify_all()
        # Addresses in headers lead to the next page or to the new name: through the proxy again.
        shown = {name: value.replace(self.target, self.url) for name, value in got.headers.items() if name not in _HOP}
        return got.status_code, shown, got.content


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"message": message}).encode()
    return status, {"content-type": "application/json", **(headers or {})}, body


def _bytes(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} -", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
