"""The bucket SECRETS: bytes that somebody else has sealed, by name."""

from __future__ import annotations

import nats.js.errors

from shared.event_store.journal import LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.last import NO_MESSAGE
from shared.nats.streams import SECRETS, STREAM_FULL


class SealedBucket:
    """Keeps sealed bytes; the newest of a name counts."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, name: str, sealed: bytes) -> None:
        """Store them under a name of tokens with dots. Raises `LogFull`, `LogUnavailable`, the connection's errors."""
        try:
            await self._bus.publish(f"$KV.{SECRETS}.{name}", sealed, {})
        except nats.js.errors.NoStreamResponseError as error:
            raise LogUnavailable(f"The bucket {SECRETS} is missing: run `journeyman provision`.") from error
        except nats.js.errors.APIError as error:
            if error.err_code in STREAM_FULL:
                raise LogFull(f"There is no room in {SECRETS} for another secret.") from error
            raise

    async def get(self, name: str) -> bytes | None:
        """The newest bytes of a name, or None. Raises the connection's errors."""
        try:
            # From the leader: another replica may not have them yet.
            message = await self._bus.js.get_last_msg(f"KV_{SECRETS}", f"$KV.{SECRETS}.{name}")
        except nats.js.errors.NotFoundError as error:
            if error.err_code == NO_MESSAGE:
                return None
            raise
        return message.data or b""
