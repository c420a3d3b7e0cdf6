"""Talking to a running system over NATS."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cli.console import say
from cli.endpoint import Endpoint, find_endpoint
from shared.nats.bus import Bus, NatsMisconfigured, NatsUnreachable
from shared.nats.journal import NatsJournal
from shared.nats.login import NO_LOGIN, Login
from shared.ops import logs
from shared.ops.addresses import without_credentials
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.settings import Settings
from shared.runtime.client import Client

PATIENCE_S: Final = 2.0
GRACE_S: Final = 1.0
SILENT_S: Final = 15.0
"""How long a command waits for a NATS that takes connections and says nothing: its machine has much to do."""


class Link(msgspec.Struct, frozen=True):
    """An open connection and what is built on it."""

    endpoint: Endpoint
    settings: Settings
    bus: Bus
    client: Client
    journal: NatsJournal

    @property
    def person(self) -> str:
        """Who sends the commands, by the name that people have in the system."""
        return self.endpoint.person or self.settings.person

    @property
    def principal(self) -> str:
        """What events say of who did it."""
        return f"user:{self.person}"


@contextlib.asynccontextmanager
async def linked(*, patience_s: float = PATIENCE_S) -> AsyncIterator[Link]:
    """Connect to the system that the command acts on; raises `NatsUnreachable`, and what `find_endpoint` raises."""
    logs.configure("cli", level="error", format="console")
    endpoint, settings = find_endpoint()
    if endpoint.context:
        say(f"context {endpoint.context}: {without_credentials(endpoint.nats)}", to_stderr=True)
    bus = await connect(
        endpoint.nats, name="journeyman-cli", login=endpoint.login, patience_s=patience_s, limits=settings
    )
    try:
        yield Link(endpoint, settings, bus, Client(bus, source="journeyman/cli"), NatsJournal(bus))
    finally:
        await bus.close()


async def connect(
    url: str, *, name: str, login: Login = NO_LOGIN, patience_s: float = PATIENCE_S, limits: Limits = DEFAULTS
) -> Bus:
    """A connection within ``patience_s`` seconds, and `SILENT_S` more where somebody listens; raises `NatsUnreachable`.

    The deadline is our own, because a client that reconnects for ever also tries to connect for ever.
    """
    try:
        async with asyncio.timeout(patience_s + GRACE_S):
            return await Bus.connect(url, name=name, login=login, patience_s=patience_s, limits=limits)
    except NatsMisconfigured:
        raise
    except (TimeoutError, NatsUnreachable) as error:
        if patience_s < SILENT_S and await _listens(url):
            return await connect(url, name=name, login=login, patience_s=SILENT_S, limits=limits)
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
