"""One connection to NATS that reconnects for ever and says why when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import nats
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import PubAck
from nats.js.client import JetStreamContext

CONNECT_TIMEOUT_S: Final = 2.0
PUBLISH_TIMEOUT_S: Final = 5.0
JETSTREAM_PATIENCE_S: Final = 60.0
"""How long a start waits for a JetStream that recovers its streams, elects a leader or has a slow disk."""

T = TypeVar("T")

_FOR_EVER: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "allow_reconnect": True,
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "ping_interval": 5,
    "max_outstanding_pings": 2,
}

log = structlog.get_logger(__name__)


class NatsUnreachable(Exception):
    """Nobody answers at the address of NATS; the text names the setting and the mend."""


class Bus:
    """A connection and its JetStream context. Publishes have deadlines; permission errors are made visible."""

    def __init__(self, nc: Client, js: JetStreamContext) -> None:
        self.nc = nc
        self.js = js
        self.violations: list[str] = []
        self._was_connected = False
        self._on_reconnect: list[Callable[[], None]] = []
        self.closed = asyncio.Event()

    @classmethod
    async def connect(cls, url: str, *, name: str, patience_s: float = 10.0) -> Bus:
        """Connect, trying again for ``patience_s`` seconds; raises `NatsUnreachable`."""
        nc = Client()
        bus = cls(nc, nc.jetstream(timeout=PUBLISH_TIMEOUT_S))
        connecting = nc.connect(
            servers=url.split(","),
            name=name,
            error_cb=bus._error,
            reconnected_cb=bus._reconnected,
            disconnected_cb=bus._disconnected,
            closed_cb=bus._closed,
            **_FOR_EVER,
        )
        try:
            # A client that reconnects for ever tries its first connection for ever as well.
            await asyncio.wait_for(connecting, patience_s)
        except (OSError, TimeoutError, nats.errors.Error) as error:
            await nc.close()
            raise NatsUnreachable(
                f"NATS does not answer at {url}: start it, or set JOURNEYMAN_NATS_URL to where it listens."
            ) from error
        bus._was_connected = True
        return bus

    @property
    def connected(self) -> bool:
        """Whether the connection stands right now."""
        return bool(self.nc.is_connected)

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after every reconnect; returns a function that ends it."""
        self._on_reconnect.append(callback)
        return lambda: self._on_reconnect.remove(callback)

    async def publish(self, subject: str, body: bytes, headers: dict[str, str]) -> PubAck:
        """Publish to the stream of the subject and wait for its word.

        Raises nats-py's errors; `TimeoutError` means that it is not known whether it was stored.
        """
        if not self.connected:
            # nats-py would keep it and send it after the reconnect, long after the caller was told that it failed.
            raise TimeoutError("NATS is not connected")
        return await self.js.publish(subject, body, timeout=PUBLISH_TIMEOUT_S, headers=dict(headers))

    async def request(self, subject: str, body: bytes = b"", timeout: float = 5.0) -> Msg:
        """A request to whoever answers; raises `TimeoutError` or nats-py's `NoRespondersError`."""
        return await self.nc.request(subject, body, timeout=timeout)

    async def api(self, subject: str, body: bytes = b"", timeout: float = 5.0) -> bytes:
        """A raw JetStream API call."""
        return (await self.nc.request(f"$JS.API.{subject}", body, timeout=timeout)).data

    async def settled(self, ask: Callable[[], Awaitable[T]], patience_s: float = JETSTREAM_PATIENCE_S) -> T:
        """The answer of a JetStream call that may be made again, once there is one; raises `NatsUnreachable`."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return await ask()
            except (TimeoutError, nats.errors.TimeoutError, nats.js.errors.ServiceUnavailableError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise NatsUnreachable(
                        f"NATS is there, but its JetStream has not answered for {patience_s:g} s: "
                        "see whether it runs with JetStream (`nats-server -js`) and its disk has room."
                    ) from error
                log.info("JetStream does not answer yet, asking again", error=str(error))
                await asyncio.sleep(0.25)

    async def close(self) -> None:
        """Flush and leave."""
        if not self.nc.is_closed:
            try:
                await asyncio.wait_for(self.nc.flush(timeout=2), 2)
            except (TimeoutError, nats.errors.Error):
                log.debug("flush before closing did not finish")
            await self.nc.close()

    async def _error(self, error: Exception) -> None:
        if not self._was_connected:
            return
        text = str(error) or type(error).__name__
        if "permissions violation" in text.lower():
            self.violations.append(text)
            log.error("NATS refuses this service something", error=text)
        else:
            log.warning("NATS connection trouble", error=text)

    async def _reconnected(self) -> None:
        log.info("connected to NATS again")
        for callback in list(self._on_reconnect):
            callback()

    async def _disconnected(self) -> None:
        if not self.nc.is_closed:
            log.warning("lost the connection to NATS, trying again")

    async def _closed(self) -> None:
        self.closed.set()
