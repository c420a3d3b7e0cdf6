"""One connection to NATS that reconnects for ever and says why when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import nats
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Subscription
from nats.js.api import PubAck
from nats.js.client import JetStreamContext

from shared.event_store.envelope import TooLarge
from shared.ops.addresses import NATS_ADDRESS, without_credentials
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.timings import NATS, NatsTimings

CONNECT_TIMEOUT_S: Final = 2.0
LEAVE_S: Final = 10.0
"""How long the server may take to send the last messages of a subscription that is being drained."""
HEADER_BYTES: Final = 4096
"""Of the server's limit for a message: what its headers may take."""
JETSTREAM_PATIENCE_S: Final = 60.0
"""How long a start waits for a JetStream that recovers its streams, elects a leader or has a slow disk."""

T = TypeVar("T")

Message = Msg
"""What a subscription delivers: subject, headers, body, and a way to answer."""

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


class NatsMisconfigured(NatsUnreachable):
    """What we were given for NATS is wrong, so that trying again helps nothing."""


_REFUSED: Final = "authorization violation"
"""What the server says to wrong and to missing credentials; during the first connection nats-py has no type for it."""


def _refusal(url: str) -> str:
    what = "these credentials" if "@" in url else "a connection without credentials"
    return (
        f"NATS at {without_credentials(url)} refuses {what}: set JOURNEYMAN_NATS_URL with the user and password that "
        "it knows (nats://user:password@host:4222)."
    )


@lru_cache(512)
def _header_name(name: str) -> str:
    """A header's name; empty for what is none."""
    return name.strip() if name.isascii() and len(name.split()) == 1 else ""


class _Client(Client):
    """nats-py with two mends."""

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        # nats-py sends the PING ahead of its own write buffer. The PONG then says nothing about the buffered messages,
        # and `drain` discards what the server sends between the PONG and the buffered UNSUB (measured).
        await self._flush_pending(force_flush=True)
        await super()._send_ping(future)

    # nats-py looks at each character of each header's name: half of what reading a stored message costs (measured).
    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        found = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon and (key := _header_name(name)):
                found[key] = value.strip()
        return found


class Bus:
    """A connection and its JetStream context. Publishes have deadlines; permission errors are made visible.

    ``limits`` and ``timings`` hold for everything that goes over it.
    """

    def __init__(
        self, nc: Client, js: JetStreamContext, limits: Limits = DEFAULTS, timings: NatsTimings = NATS
    ) -> None:
        self.nc = nc
        self.js = js
        self.limits = limits
        self.timings = timings
        self.violations: list[str] = []
        self._was_connected = False
        self._refused = False
        self._on_reconnect: list[Callable[[], None]] = []
        self.closed = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        name: str,
        patience_s: float | None = None,
        limits: Limits = DEFAULTS,
        timings: NatsTimings = NATS,
    ) -> Bus:
        """Connect, trying again for ``patience_s`` seconds (else as the timings say).

        Raises `NatsUnreachable`; `NatsMisconfigured` for an address that cannot be read and for credentials that NATS
        refuses. Refused ones are tried again as well: another of the servers may take them.
        """
        nc = _Client()
        bus = cls(nc, nc.jetstream(timeout=timings.answer_s), limits, timings)
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
            await asyncio.wait_for(connecting, timings.connect_s if patience_s is None else patience_s)
        except (OSError, TimeoutError) as error:
            await nc.close()
            if bus._refused:
                raise NatsMisconfigured(_refusal(url)) from error
            raise NatsUnreachable(
                f"NATS does not answer at {without_credentials(url)}: start it, "
                "or set JOURNEYMAN_NATS_URL to where it listens."
            ) from error
        except nats.errors.Error as error:
            # nats-py raises it for the address, before it has made anything that could be closed.
            raise NatsMisconfigured(
                f"The address of NATS cannot be read: {NATS_ADDRESS} (JOURNEYMAN_NATS_URL)."
            ) from error
        bus._was_connected = True
        return bus

    @property
    def connected(self) -> bool:
        """Whether the connection stands right now."""
        return bool(self.nc.is_connected)

    @property
    def most_bytes(self) -> int:
        """Bytes that one message to a stream may have."""
        most = self.limits.max_message_bytes
        return min(most, self.nc.max_payload - HEADER_BYTES) if self.connected else most

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after every reconnect; returns a function that ends it."""
        self._on_reconnect.append(callback)
        return lambda: self._on_reconnect.remove(callback)

    async def publish(self, subject: str, body: bytes, headers: dict[str, str]) -> PubAck:
        """Publish to the stream of the subject and wait for its word.

        Raises `TooLarge` and nats-py's errors; `TimeoutError` means that it is not known whether it was stored.
        """
        if len(body) > self.most_bytes:
            raise TooLarge(f"{subject} would have {len(body):,} bytes, and a message has at most {self.most_bytes:,}.")
        if not self.connected:
            # nats-py would keep it and send it after the reconnect, long after the caller was told that it failed.
            raise TimeoutError("NATS is not connected")
        return await self.js.publish(subject, body, timeout=self.timings.publish_s, headers=dict(headers))

    async def request(self, subject: str, body: bytes = b"", timeout: float = 5.0) -> Msg:
        """A request to any responder; raises `TimeoutError` or nats-py's `NoRespondersError`."""
        return await self.nc.request(subject, body, timeout=timeout)

    async def api(self, subject: str, body: bytes = b"", timeout: float = 5.0) -> bytes:
        """A raw JetStream API call."""
        return (await self.nc.request(f"$JS.API.{subject}", body, timeout=timeout)).data

    async def wait_for_jetstream(self, ask: Callable[[], Awaitable[T]], patience_s: float = JETSTREAM_PATIENCE_S) -> T:
        """The answer of a JetStream call that may be made again, once there is one; raises `NatsUnreachable`."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return await ask()
            except (TimeoutError, nats.js.errors.ServiceUnavailableError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise NatsUnreachable(
                        f"NATS is there, but its JetStream has not answered for {patience_s:g} s: "
                        "see whether it runs with JetStream (`nats-server -js`) and its disk has room."
                    ) from error
                log.info("JetStream does not answer yet, asking again", error=str(error))
                await asyncio.sleep(0.25)

    async def leave(self, subscription: Subscription) -> None:
        """End a subscription after everything that the server sent before it knew has been taken.

        nats-py's ``unsubscribe`` discards those messages, and their senders wait in vain.
        """
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            if self.connected:
                async with asyncio.timeout(LEAVE_S):
                    await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py says no type here
            else:
                await subscription.unsubscribe()

    async def close(self) -> None:
        """Flush and leave."""
        if not self.nc.is_closed:
            try:
                await asyncio.wait_for(self.nc.flush(timeout=2), 2)
            except (TimeoutError, nats.errors.Error):
                log.debug("flush before closing did not finish")
            await self.nc.close()

    async def _error(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if not self._was_connected:
            self._refused |= isinstance(error, nats.errors.AuthorizationError) or _REFUSED in text.lower()
            return
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
        self._give_up_requests()
        if not self.nc.is_closed:
            log.warning("lost the connection to NATS, trying again")

    def _give_up_requests(self) -> None:
        """Fail every pending request now: no answer comes any more, and nats-py would wait for the timeout."""
        for waiting in list(self.nc._resp_map.values()):
            if not waiting.done():
                waiting.set_exception(nats.errors.TimeoutError())

    async def _closed(self) -> None:
        self.closed.set()
