"""One connection to NATS that reconnects for ever and says why when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import nats
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Subscription
from nats.js.api import PubAck
from nats.js.client import JetStreamContext

from shared.event_store.envelope import TooLarge
from shared.nats.login import NO_LOGIN, BadLogin, Login, LoginClient, NoTls
from shared.ops.addresses import NATS_ADDRESS, without_credentials
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.timings import NATS, NatsTimings

CONNECT_TIMEOUT_S: Final = 2.0
LEAVE_S: Final = 10.0
"""How long the server may take to send the last messages of a subscription that is being drained."""
HEADER_BYTES: Final = 4096
"""Of the server's limit for a message: what its headers may take."""
WITHOUT_JETSTREAM: Final = "give the account JetStream with file storage, or log in to one that has it"
_NOT_ENABLED: Final = frozenset({10039, 10076})
"""What JetStream answers an account, and a server, that has none."""
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


_NO_CERTIFICATE: Final = "certificate required"
"""What TLS says to a client that shows none."""


def _problem(error: Exception, url: str, login: Login) -> str:
    """A sentence for what will not mend itself: the credentials, or TLS; empty for anything else."""
    where = f"NATS at {without_credentials(url)}"
    text = str(error).lower()
    match error:
        case nats.errors.AuthorizationError():
            return _refusal(where, url, login)
        case ssl.SSLCertVerificationError():
            return (
                f"{where} shows a certificate that is not trusted ({error.verify_message or 'not verified'}): set "
                "JOURNEYMAN_NATS_CA to the certificate of the authority that signed it, and use the name it is for."
            )
        case ssl.SSLError() if _NO_CERTIFICATE in text or "handshake failure" in text or "bad certificate" in text:
            shown = "this certificate" if login.cert else "a connection without a certificate"
            return (
                f"{where} refuses {shown}: set JOURNEYMAN_NATS_CERT and JOURNEYMAN_NATS_KEY to one that its authority "
                "has signed."
            )
        case NoTls():
            return (
                f"{where} does not insist on TLS, so nothing is sent to it: switch TLS on there, or write nats:// "
                "instead of tls://."
            )
        case _ if _REFUSED in text:
            return _refusal(where, url, login)
        case _:
            return ""


def _refusal(where: str, url: str, login: Login) -> str:
    if login.words:
        return (
            f"{where} refuses {login.words}: give what it knows (JOURNEYMAN_NATS_CREDS, JOURNEYMAN_NATS_NKEY, or "
            "JOURNEYMAN_NATS_USER and JOURNEYMAN_NATS_PASSWORD); credentials may have expired or been revoked."
        )
    what = "these credentials" if "@" in url else "a connection without credentials"
    return (
        f"{where} refuses {what}: set JOURNEYMAN_NATS_URL with the user and password that it knows "
        "(nats://user:password@host:4222), or one of JOURNEYMAN_NATS_CREDS, JOURNEYMAN_NATS_NKEY and "
        "JOURNEYMAN_NATS_USER."
    )


@lru_cache(512)
def _header_name(name: str) -> str:
    """A header's name; empty for what is none."""
    return name.strip() if name.isascii() and len(name.split()) == 1 else ""


class _Client(LoginClient):
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
        self,
        nc: LoginClient,
        js: JetStreamContext,
        limits: Limits = DEFAULTS,
        timings: NatsTimings = NATS,
        *,
        url: str = "",
        login: Login = NO_LOGIN,
    ) -> None:
        self.nc = nc
        self.js = js
        self.limits = limits
        self.timings = timings
        self.login = login
        self._url = url
        self.violations: list[str] = []
        self._was_connected = False
        self._problem = ""
        self._on_reconnect: list[Callable[[], None]] = []
        self.closed = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        name: str,
        login: Login = NO_LOGIN,
        patience_s: float | None = None,
        limits: Limits = DEFAULTS,
        timings: NatsTimings = NATS,
    ) -> Bus:
        """Connect, trying again for ``patience_s`` seconds (else as the timings say).

        Raises `NatsUnreachable`; `NatsMisconfigured` for an address that cannot be read, for credentials that NATS
        refuses, and for TLS that does not fit. What one server refuses is tried again: another one may take it.
        """
        nc = _Client(login)
        try:
            options = nc.login_options()
        except BadLogin as error:
            raise NatsMisconfigured(str(error)) from error
        bus = cls(nc, nc.jetstream(timeout=timings.answer_s), limits, timings, url=url, login=login)
        connecting = nc.connect(
            servers=url.split(","),
            name=name,
            error_cb=bus._error,
            reconnected_cb=bus._reconnected,
            disconnected_cb=bus._disconnected,
            closed_cb=bus._closed,
            **options,
            **_FOR_EVER,
        )
        try:
            # A client that reconnects for ever tries its first connection for ever as well.
            await asyncio.wait_for(connecting, timings.connect_s if patience_s is None else patience_s)
        except (OSError, TimeoutError) as error:
            await nc.close()
            if bus._problem:
                raise NatsMisconfigured(bus._problem) from error
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
        """The answer of a JetStream call that may be made again, once there is one.

        Raises `NatsUnreachable`, and `NatsMisconfigured` at once where there will never be one.
        """
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return await ask()
            except (TimeoutError, nats.js.errors.ServiceUnavailableError) as error:
                if problem := self._without_jetstream(error):
                    raise NatsMisconfigured(problem) from error
                if asyncio.get_running_loop().time() > deadline:
                    raise NatsUnreachable(
                        f"NATS is there, but its JetStream has not answered for {patience_s:g} s: "
                        "see whether it runs with JetStream, this account may use it, and its disk has room."
                    ) from error
                log.info("JetStream does not answer yet, asking again", error=str(error))
                await asyncio.sleep(0.25)

    @property
    def may_have_jetstream(self) -> bool:
        """Whether the server has JetStream, or is one of a cluster, of which another one may have it."""
        info = self.nc._server_info
        return bool(info.get("jetstream") or info.get("cluster"))

    def _without_jetstream(self, error: Exception) -> str:
        where = f"NATS at {without_credentials(self._url)}"
        if isinstance(error, nats.js.errors.APIError):
            if error.err_code in _NOT_ENABLED:
                return f"{where} has no JetStream for this account: {WITHOUT_JETSTREAM}."
            if not self.may_have_jetstream:
                return f"{where} runs without JetStream: start it with JetStream on, as deploy/nats.conf does."
        if violation := next((each for each in self.violations if "$js.api" in each.lower()), ""):
            return f"{where} does not let this login use JetStream ({violation}): see docs/external-nats.md."
        return ""

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

    async def close(self, *, flush: bool = True) -> None:
        """Flush, unless nobody would take it, and leave."""
        if not self.nc.is_closed:
            try:
                if flush:
                    await asyncio.wait_for(self.nc.flush(timeout=2), 2)
            except (TimeoutError, nats.errors.Error):
                log.debug("flush before closing did not finish")
            await self.nc.close()

    async def _error(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if not self._was_connected:
            self._problem = _problem(error, self._url, self.login) or self._problem
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
