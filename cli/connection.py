"""Finding the running system, and talking to it over NATS."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cli.supervisor import record
from shared.nats.bus import Bus, NatsMisconfigured, NatsUnreachable
from shared.nats.journal import NatsJournal
from shared.ops import logs
from shared.ops.addresses import without_credentials
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.settings import Settings, load_settings
from shared.runtime.client import Client

PATIENCE_S: Final = 2.0
GRACE_S: Final = 1.0
SILENT_S: Final = 15.0
"""How long a command waits for a NATS that takes connections and says nothing: its machine has much to do."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Which system a command talks to: NATS, and the dashboard where one is known."""

    nats: str
    http: str
    data: Path
    pid: int = 0


class Link(msgspec.Struct, frozen=True):
    """An open connection and what is built on it."""

    endpoint: Endpoint
    bus: Bus
    client: Client
    journal: NatsJournal


def find_endpoint(settings: Settings | None = None) -> Endpoint:
    """JOURNEYMAN_NATS_URL when set; else the `up` of the data directory, or the demo's in it; else the default."""
    settings = settings or load_settings()
    http = f"http://{settings.http_host}:{settings.http_port}"
    if "nats_url" in settings.model_fields_set:
        return Endpoint(nats=settings.nats_url, http=settings.public_url or http, data=settings.data_dir)
    for data in (settings.data_dir, settings.data_dir / "demo"):
        found = record.read(data)
        if found is not None and found.alive and found.nats:
            return Endpoint(nats=found.nats, http=found.http, data=data, pid=found.pid)
    return Endpoint(nats=settings.nats_url, http=http, data=settings.data_dir)


@contextlib.asynccontextmanager
async def linked(*, patience_s: float = PATIENCE_S, nats_url: str = "") -> AsyncIterator[Link]:
    """Connect to the running system; raises `NatsUnreachable`."""
    logs.configure("cli", level="error", format="console")
    settings = load_settings()
    endpoint = find_endpoint(settings)
    if nats_url:
        endpoint = msgspec.structs.replace(endpoint, nats=nats_url)
    bus = await connect(endpoint.nats, name="journeyman-cli", patience_s=patience_s, limits=settings)
    try:
        yield Link(endpoint, bus, Client(bus, source="journeyman/cli"), NatsJournal(bus))
    finally:
        await bus.close()


async def connect(url: str, *, name: str, patience_s: float = PATIENCE_S, limits: Limits = DEFAULTS) -> Bus:
    """A connection within ``patience_s`` seconds, and `SILENT_S` more where somebody listens; raises `NatsUnreachable`.

    The deadline is our own, because a client that reconnects for ever also tries to connect for ever.
    """
    try:
        async with asyncio.timeout(patience_s + GRACE_S):
            return await Bus.connect(url, name=name, patience_s=patience_s, limits=limits)
    except NatsMisconfigured:
        raise
    except (TimeoutError, NatsUnreachable) as error:
        if patience_s < SILENT_S and await _listens(url):
            return await connect(url, name=name, patience_s=SILENT_S, limits=limits)
        if isinstance(error, NatsUnreachable):
            raise
        raise NatsUnreachable(
            f"NATS does not answer at {without_credentials(url)}: start it (`journeyman up` starts its own), "
            "or set JOURNEYMAN_NATS_URL to where it listens."
        ) from error


async def _listens(url: str) -> bool:
    """Whether one of the servers takes a connection."""
    for each in url.split(","):
        server = urlsplit(each.strip())
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(GRACE_S):
                _, writer = await asyncio.open_connection(server.hostname, server.port or 4222)
            writer.close()
            return True
    return False


def principal() -> str:
    """Who sends the commands: the account's login name."""
    try:
        return f"user:{getpass.getuser()}"
    except (OSError, KeyError):
        return "user:unknown"
