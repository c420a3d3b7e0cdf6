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
from cli.failures import Failure
from shared.nats.bus import Bus, NatsMisconfigured, NatsUnreachable
from shared.nats.journal import NatsJournal
from shared.nats.login import NO_LOGIN, Login
from shared.nats.pulse import Pulse
from shared.ops import logs
from shared.ops.addresses import without_credentials
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.settings import Settings
from shared.runtime.client import Client

PATIENCE_S: Final = 2.0
GRACE_S: Final = 1.0
SILENT_S: Final = 3.0
"""How much longer a command waits for a NATS that takes connections and says nothing: its machine has much to do."""


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
async def linked(*, patience_s: float = PATIENCE_S, goes_on: bool = False) -> AsyncIterator[Link]:
    """Connect to the system that the command acts on; raises what `find_endpoint` raises, and `NatsUnreachable`.

    The latter also when NATS falls silent in the middle, unless the command ``goes_on`` for as long as somebody looks:
    then that is told, and waited for.
    """
    logs.configure("cli", level="error", format="console")
    endpoint, settings = find_endpoint()
    if not endpoint.nats:
        raise Failure(
            f"Of the system at {endpoint.http} only the dashboard's address is known, and this command needs its NATS: "
            "name that with `journeyman context add NAME --url nats://…`."
        )
    if endpoint.context:
        say(f"context {endpoint.context}: {without_credentials(endpoint.nats)}", to_stderr=True)
    bus = await connect(
        endpoint.nats, name="journeyman-cli", login=endpoint.login, patience_s=patience_s, limits=settings
    )
    link = Link(endpoint, settings, bus, Client(bus, source="journeyman/cli"), NatsJournal(bus))
    pulse = Pulse(bus)
    watching = [asyncio.create_task(pulse.run()), *([asyncio.create_task(_tell_silence(pulse))] if goes_on else [])]
    try:
        async with contextlib.nullcontext() if goes_on else pulse.beating():
            yield link
    except TimeoutError as error:
        if not pulse.silent:
            raise
        raise NatsUnreachable(_silent(endpoint.nats)) from error
    finally:
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await bus.close(flush=not pulse.silent)


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
            try:
                return await connect(url, name=name, login=login, patience_s=SILENT_S, limits=limits)
            except NatsMisconfigured:
                raise
            except NatsUnreachable:
                raise NatsUnreachable(_silent(url)) from error
        if isinstance(error, NatsUnreachable):
            raise
        raise NatsUnreachable(
            f"NATS does not answer at {without_credentials(url)}: start it (`journeyman up` starts its own), "
            "or set JOURNEYMAN_NATS_URL to where it listens."
        ) from error


async def _tell_silence(pulse: Pulse) -> None:
    while True:
        await pulse.until_silent()
        say("NATS says nothing any more; this goes on when it does.", to_stderr=True)
        await pulse.until_heard()
        say("NATS answers again.", to_stderr=True)


def _silent(url: str) -> str:
    return (
        f"NATS at {without_credentials(url)} takes connections and says nothing: see whether its process is stopped or "
        "its machine hangs, and start it again."
    )


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
