"""People and senders: what is not answered as it should be, although the log answers in time, is a failure."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple, NoReturn

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from cli.demo.webhook import Issue, new_issue
from shared.nats.bus import Bus
from shared.nats.streams import EVENTS
from testing.door import BEARER
from testing.eventually import end, eventually

ELSEWHERE: Final = "octo/elsewhere"
"""A repository that is not configured: its tasks are declined without a model."""
PACE_S: Final = 0.15
PATIENT_S: Final = 120.0
STALL_S: Final = 0.75
"""A log that takes longer for an answer has a gateway say that it must wait: the machine stands still."""


class Failure(NamedTuple):
    """A request that went wrong, from when to when; ``busy`` when the answer was to come again later."""

    began: float
    ended: float
    busy: bool
    said: str


class Traffic:
    """A steady load on whichever gateway the proxy in front of them has chosen."""

    def __init__(self, secret: str) -> None:
        self._failures: list[Failure] = []
        self._stalls: list[tuple[float, float]] = []
        self.answered: Counter[str] = Counter()
        self.accepted: list[str] = []
        """The tasks of the webhooks that were taken."""
        self.heard: list[int] = []
        """Sequences of the events that came by WebSocket, over all its connections."""
        self._secret = secret
        self._gateway: httpx.AsyncClient | None = None
        self._gateways: list[httpx.AsyncClient] = []
        self._listening: asyncio.Task[NoReturn] | None = None

    @property
    def gateway(self) -> httpx.AsyncClient:
        """Whom new requests go to."""
        assert self._gateway is not None
        return self._gateway

    @property
    def failures(self) -> list[str]:
        """What went wrong; to come again later is right while the machine stands still."""
        return [each.said for each in self._failures if not (each.busy and self._stood_still(each))]

    def _stood_still(self, failure: Failure) -> bool:
        return any(began < failure.ended and failure.began < ended for began, ended in self._stalls)

    def use(self, url: str) -> None:
        """Send new requests there; those under way go on where they are."""
        headers = {"X-Journeyman": "1", **BEARER}
        self._gateway = httpx.AsyncClient(base_url=url, timeout=PATIENT_S, trust_env=False, headers=headers)
        self._gateways.append(self._gateway)

    @contextlib.asynccontextmanager
    async def flowing(self, bus: Bus) -> AsyncIterator[None]:
        """The load goes on while the context lasts; afterwards every request has been answered."""
        stop = asyncio.Event()
        looking = asyncio.create_task(self._look(bus))
        loops = [self._again(once, stop) for once in (self._deliver, self._list, self._read, self._command)]
        self._listening = asyncio.create_task(self._listen())
        running = [asyncio.create_task(each) for each in loops]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*running)
            await end(looking)

    async def close(self) -> None:
        """Hang up."""
        if self._listening is not None:
            await end(self._listening)
        for gateway in self._gateways:
            await gateway.aclose()

    async def deliver(self, issue: Issue) -> None:
        """A signed webhook; sent again, with its id, until it is taken."""
        body = msgspec.json.encode(issue.payload())
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.digest(self._secret.encode(), body, "sha256").hex(),
        }

        async def taken() -> bool:
            return await self._ask(202, "POST", "/webhooks/github", content=body, headers=headers) is not None

        await eventually(taken, within=PATIENT_S, every=PACE_S)
        self.accepted.append(issue.task_id)

    async def open(self, text: str, directive: str) -> str:
        """A task by the API; returns its id."""

        async def opened() -> str:
            answer = await self._ask(201, "POST", "/api/tasks", json={"text": text, "directive": directive})
            return "" if answer is None else str(answer.json()["id"])

        return str(await eventually(opened, within=PATIENT_S, every=PACE_S))

    async def heard_up_to(self, seq: int) -> None:
        """Wait until the WebSocket has told an event."""
        await eventually(lambda: bool(self.heard) and self.heard[-1] >= seq, within=PATIENT_S)

    async def _again(self, once: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        while not stop.is_set():
            await once()
            await asyncio.sleep(PACE_S)

    async def _deliver(self) -> None:
        await self.deliver(new_issue(ELSEWHERE, 1000 + len(self.accepted)))

    async def _list(self) -> None:
        await self._ask(200, "GET", "/api/tasks", params={"limit": 20})

    async def _read(self) -> None:
        """What was heard of must be there to be read."""
        if self.heard:
            await self._ask(200, "GET", "/api/tasks", params={"limit": 1, "min_seq": self.heard[-1]})

    async def _command(self) -> None:
        """The brain's word on a command, which here is no: the task does not exist."""
        await self._ask(404, "POST", f"/api/tasks/{uuid.uuid4().hex.upper()}/stop", json={})

    async def _ask(self, expected: int, method: str, path: str, **more: object) -> httpx.Response | None:
        """The answer, if it is the expected one."""
        gateway = self.gateway
        what = f"{method} {path.rpartition('/')[2] if expected == 404 else path} at {gateway.base_url}"
        began = time.monotonic()
        try:
            answer = await gateway.request(method, path, **more)  # type: ignore[arg-type]  # httpx's own arguments
        except httpx.HTTPError as error:
            self._failures.append(Failure(began, time.monotonic(), False, f"{what}: {error!r}"))
            return None
        if answer.status_code != expected:
            if (expected, answer.status_code) == (202, 200) and any(each.busy for each in self._failures):
                return answer  # stored although its sender was told to come again
            busy = answer.status_code in (503, 504)
            said = f"{what}: {answer.status_code} {answer.text[:300]}"
            self._failures.append(Failure(began, time.monotonic(), busy, said))
            return None
        self.answered[f"{method} {expected}"] += 1
        return answer

    async def _look(self, bus: Bus) -> NoReturn:
        """Note when the log, the gateway or this process does not get on."""
        while True:
            began = time.monotonic()
            await bus.js.stream_info(EVENTS)
            with contextlib.suppress(httpx.HTTPError):
                await self.gateway.get("/health/live")
            await asyncio.sleep(PACE_S)
            if (ended := time.monotonic()) - began > STALL_S + PACE_S:
                self._stalls.append((began, ended))

    async def _listen(self) -> NoReturn:
        """A dashboard: whenever its connection ends, it comes back with the last sequence it has seen."""
        while True:
            address = str(self.gateway.base_url).replace("http://", "ws://").rstrip("/") + "/ws"
            with contextlib.suppress(ConnectionClosed, OSError):
                async with connect(address, proxy=None, additional_headers=BEARER) as socket:
                    after = self.heard[-1] if self.heard else 0
                    await socket.send(json.dumps({"type": "subscribe", "topics": ["tasks"], "after": after}))
                    async for frame in socket:
                        message = json.loads(frame)
                        if "event" in message:
                            self.heard.append(message["seq"])
            await asyncio.sleep(PACE_S)
