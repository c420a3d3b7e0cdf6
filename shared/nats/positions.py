"""The bucket POSITIONS: up to which moment a sender has been asked for what we have missed, by the sender's name."""

from __future__ import annotations

import msgspec
import nats.js.errors

from shared.event_store.journal import LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.last import last_message
from shared.nats.streams import POSITIONS, STREAM_FULL


class _Position(msgspec.Struct, frozen=True):
    at: float


class Positions:
    """Keeps one moment for each name, in seconds since 1970 by the sender's own clock; the newest counts."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def get(self, name: str) -> float | None:
        """The moment, or None where there is none yet. Raises the connection's errors."""
        message = await last_message(self._bus, f"KV_{POSITIONS}", f"$KV.{POSITIONS}.{name}")
        return None if message is None else msgspec.json.decode(message.data, type=_Position).at

    async def put(self, name: str, at: float) -> None:
        """Keep it. Raises `LogFull`, `LogUnavailable`, and the connection's errors."""
        try:
            await self._bus.publish(f"$KV.{POSITIONS}.{name}", msgspec.json.encode(_Position(at)), {})
        except nats.js.errors.NoStreamResponseError as error:
            raise LogUnavailable(f"The bucket {POSITIONS} is missing: run `journeyman provision`.") from error
        except nats.js.errors.APIError as error:
            if error.err_code in STREAM_FULL:
                raise LogFull(f"There is no room in {POSITIONS} for another position.") from error
            raise
