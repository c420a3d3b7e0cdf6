"""The gateway as its own process with its real web server, and what talks to it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from shared.contracts.kinds import kind_of
from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, encode_event, utc_now
from shared.nats.bus import Bus
from shared.ops.timings import PRODUCTION, Timings
from testing.door import BEARER, SETTINGS, lay_token
from testing.eventually import eventually
from testing.prefork import Life, Prefork, the_prefork

SECRET = "It's a Secret to Everybody"


class ServiceProcess:
    """A service over one data directory; ``prefork`` is what it is forked from, unless from the one of all."""

    def __init__(
        self,
        name: str,
        nats_url: str,
        data: Path,
        timings: Timings = PRODUCTION,
        prefork: Prefork | None = None,
        /,
        **environment: str,
    ) -> None:
        self.name = name
        self.data = data
        self.ready = data.with_name(f"{data.name}.{name}.ready")
        self.errors = data.with_name(f"{data.name}.{name}.log")
        self._environment = os.environ | {
            "JOURNEYMAN_NATS_URL": nats_url,
            "JOURNEYMAN_DATA_DIR": str(data),
            "JOURNEYMAN_HEALTH_PORT": "0",
            "JOURNEYMAN_HTTP_PORT": "0",
            "JOURNEYMAN_MACHINE_ID": "test",
            **SETTINGS,
            # What is tested of a gateway here is something else; test_people_log_in.py has the login on.
            "JOURNEYMAN_LOGIN": "off",
            "JOURNEYMAN_READY_FILE": str(self.ready),
            **environment,
        }
        self._timings = timings
        self._prefork = prefork
        self._process: Life | None = None

    @property
    def process(self) -> Life:
        assert self._process is not None
        return self._process

    async def __aenter__(self) -> Self:
        await self.again()
        return self

    async def __aexit__(self, *exit: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 40)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def spawn(self) -> None:
        self.ready.unlink(missing_ok=True)
        lay_token(self.data)
        if self.name == "brain" and not (config := self.data / "journeyman.toml").exists():
            # It refuses tasks about no repository. Nobody works in this one.
            config.write_text('[repos.demo]\npath = "."\n')
        self.errors.unlink(missing_ok=True)
        prefork = self._prefork or the_prefork()
        self._process = await prefork.bear(self.name, self._environment, self.errors, self._timings)

    async def kill(self) -> None:
        """As by a power cut of the process."""
        self.process.kill()
        await self.process.wait()

    async def again(self) -> None:
        """Start it anew, and wait until it is ready."""
        await self.spawn()
        await eventually(self._is_ready, within=90)

    async def refusal(self) -> str:
        """Start it where it must refuse: everything it leaves with exit code 1."""
        await self.spawn()
        assert await asyncio.wait_for(self.process.wait(), 90) == 1
        return self.errors.read_text()

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.ready.read_text())
        return facts

    def _is_ready(self) -> bool:
        if self.process.returncode is not None:
            raise RuntimeError(self.errors.read_text())
        return self.ready.exists()


class Gateway(ServiceProcess):
    """The gateway, and a browserless client for it."""

    def __init__(
        self,
        nats_url: str,
        data: Path,
        timings: Timings = PRODUCTION,
        prefork: Prefork | None = None,
        /,
        **environment: str,
    ) -> None:
        secret = {"JOURNEYMAN_GITHUB_WEBHOOK_SECRET": SECRET}
        super().__init__("gateway", nats_url, data, timings, prefork, **{**secret, **environment})

    @property
    def url(self) -> str:
        return str(self.facts["http"])

    def http(
        self, *, who: Mapping[str, str] = BEARER, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.AsyncClient:
        """A client for Ada, or for whom the headers ``who`` let in."""
        sent = {**who, **(headers or {})}
        return httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False, headers=sent, **options)

    def socket(self, *, who: Mapping[str, str] = BEARER, query: str = "", **options: Any) -> connect:
        """A socket for Ada, or for whom the headers ``who`` or a ticket in the query let in."""
        sent = {**who, **options.pop("additional_headers", {})}
        url = self.url.replace("http://", "ws://") + f"/ws{query}"
        return connect(url, proxy=None, open_timeout=60, additional_headers=sent, **options)


def issue_opened(number: int = 7, **changes: Any) -> bytes:
    """GitHub's ``issues`` ``opened``, as far as anybody reads it."""
    issue = {
        "number": number,
        "title": "Parser drops the last line",
        "body": "It does.",
        "html_url": f"https://github.com/octo/app/issues/{number}",
        "created_at": "2026-01-02T03:04:05Z",
        "user": {"login": "ada", "type": "User"},
        "author_association": "OWNER",
    }
    return json.dumps(
        {
            "action": "opened",
            "issue": issue | changes,
            "repository": {"full_name": "octo/app"},
            "sender": {"login": "ada", "type": "User"},
        }
    ).encode()


def signed(body: bytes, delivery: str = "d-1", event: str = "issues", secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


async def sent_until_stored(http: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> list[httpx.Response]:
    """Every answer, the last one not 503: as a sender does, it is sent again while NATS does not answer in time."""
    answers: list[httpx.Response] = []

    async def sent() -> bool:
        answers.append(await http.post("/webhooks/github", content=body, headers=headers))
        return answers[-1].status_code != 503

    await eventually(sent)
    return answers


class Heard:
    """A socket that keeps what it hears."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.messages: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def next(self, within: float = 60.0) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.recv(), within))
        self.messages.append(message)
        return message

    async def until(self, type: str, within: float = 60.0) -> dict[str, Any]:
        """The next message of this type; those before it are kept too."""
        while True:
            message = await self.next(within)
            if message["type"] == type:
                return message

    async def take(self, count: int) -> list[dict[str, Any]]:
        return [await self.next() for _ in range(count)]

    def seqs(self, type: str) -> list[int]:
        return [message["seq"] for message in self.messages if message["type"] == type]


async def heard_by_now(gateway: Gateway, seq: int) -> None:
    """The gateway's feed has come to this sequence."""

    async def position() -> bool:
        async with gateway.socket() as socket:
            heard = Heard(socket)
            await heard.say(type="ping")
            return bool((await heard.next())["seq"] >= seq)

    await eventually(position)


async def happen(bus: Bus, task_id: str, event: Event, sequence: int = 1) -> int:
    """An event as its service would append it; returns its stream sequence."""
    actor = Actor(kind_of(event), task_id)
    metadata = MessageMetadata(
        id=f"{task_id}-{sequence}-{name_of(event)}", source="test", time=utc_now(), principal="user:test"
    )
    body = encode_event(actor, event, sequence=sequence, prevhash="", metadata=metadata)
    return int((await bus.js.publish(event_subject(actor, name_of(event)), body)).seq)


async def speak(bus: Bus, task_id: str, kind: str, number: int) -> int:
    """An agent's output line; returns its stream sequence."""
    line = msgspec.json.encode({"type": "assistant", "number": number})
    return int((await bus.js.publish(f"out.{kind}.{task_id}", line)).seq)
