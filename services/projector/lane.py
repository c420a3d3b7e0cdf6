"""A connection of its own for reading the log in bulk, so that questions never wait behind thousands of events."""

from __future__ import annotations

from collections.abc import Callable

from nats.aio.client import Client

from shared.nats.bus import CONNECT_TIMEOUT_S, Bus

STATUS_AT = len(b"NATS/1.0")
"""Where a message without an event (a heartbeat, the end of a pull) carries a space and its status."""


class Lane(Client):
    """A client that leaves stored headers unread: reading them costs nats-py 2.16 as much as all the rest of a message.

    Everything the projector needs is in the body and in the reply subject. Heartbeats and other statuses are read.
    """

    async def _process_headers(self, headers: bytes | None) -> dict[str, str] | None:
        if headers and headers[STATUS_AT : STATUS_AT + 1] == b" ":
            return await super()._process_headers(headers)
        return None


async def open_lane(bus: Bus, on_reconnect: Callable[[], None]) -> Lane:
    """A second connection to where the bus is connected; it reconnects for ever and tells so."""
    lane = Lane()

    async def reconnected() -> None:
        on_reconnect()

    await lane.connect(
        servers=[server.geturl() for server in bus.nc.servers],
        name="journeyman-projector-log",
        connect_timeout=int(CONNECT_TIMEOUT_S),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=5,
        max_outstanding_pings=2,
        reconnected_cb=reconnected,
    )
    return lane
