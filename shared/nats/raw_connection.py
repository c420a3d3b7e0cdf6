"""A connection of its own for reading a stream in bulk, so that questions never wait behind thousands of messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shared.nats.bus import CONNECT_TIMEOUT_S, Bus
from shared.nats.login import Login, LoginClient

STATUS_AT = len(b"NATS/1.0")
"""Where a message without a body (a heartbeat, the end of a pull) carries a space and its status."""


class RawMessage(NamedTuple):
    """A stored message as it came over the wire; the reply subject tells its sequences."""

    subject: bytes
    reply: bytes
    body: bytes


class RawConnection(LoginClient):
    """A client that hands out messages as soon as they are parsed: what nats-py 2.16 does for each message behind that
    (reading its headers, a message object, a queue, a task) costs twice as much as all the rest.

    Everything a reader in bulk needs is in the body and in the reply subject. Heartbeats and other statuses go the
    usual way, to the callback of their subscription.
    """

    def __init__(self, login: Login, take: Callable[[RawMessage], None]) -> None:
        super().__init__(login)
        self._take_message = take

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        if headers and headers[STATUS_AT : STATUS_AT + 1] == b" ":
            await super()._process_msg(sid, subject, reply, data, headers)
        elif sid in self._subs:
            self._take_message(RawMessage(subject, reply, data))


async def connect_raw(
    bus: Bus, name: str, take: Callable[[RawMessage], None], on_reconnect: Callable[[], None]
) -> RawConnection:
    """A second connection to where the bus is connected; it reconnects for ever and tells so.

    ``take`` gets the messages of all its subscriptions.
    """
    connection = RawConnection(bus.login, take)

    async def reconnected() -> None:
        on_reconnect()

    await connection.connect(
        servers=[server.geturl() for server in bus.nc.servers],
        name=name,
        connect_timeout=int(CONNECT_TIMEOUT_S),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=5,
        max_outstanding_pings=2,
        reconnected_cb=reconnected,
        **connection.login_options(),
    )
    return connection
