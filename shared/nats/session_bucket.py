"""The bucket SESSIONS: who is logged in, one-time links and tickets, and when a token was last used.

Everything in it ends by itself, and no event is lost with it: who may log in is in the log. Names are hashes, so that
nobody can log in with what is in here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import nats.js.errors

from shared.event_store.journal import LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.journal import CONFLICTS
from shared.nats.last import last_message
from shared.nats.streams import SESSIONS, STREAM_FULL

STREAM: Final = f"KV_{SESSIONS}"
GONE_S: Final = 60
"""How long it is said of something that it is gone."""


class Change(NamedTuple):
    """What is stored under a name now; no bytes: it is gone."""

    name: str
    data: bytes


class SessionBucket:
    """Short-lived bytes by name: tokens with dots."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, name: str, data: bytes, *, within_s: float) -> None:
        """Store under a name, for so many seconds. Raises `LogFull`, `LogUnavailable`, the connection's errors."""
        await self._store(name, data, {"Nats-TTL": f"{max(1, round(within_s))}s"})

    async def get(self, name: str) -> bytes | None:
        """What is there, None when it is gone. Raises the connection's errors."""
        message = await last_message(self._bus, STREAM, _subject(name))
        return (message.data or None) if message is not None else None

    async def take(self, name: str) -> bytes | None:
        """What is there, and have it gone: of several who take at the same time one gets it. Raises as `put` does."""
        message = await last_message(self._bus, STREAM, _subject(name))
        if message is None or not message.data:
            return None
        try:
            await self._end(name, {"Nats-Expected-Last-Subject-Sequence": str(message.seq)})
        except nats.js.errors.APIError as error:
            if error.err_code in CONFLICTS:
                return None
            raise
        return message.data

    async def remove(self, name: str) -> None:
        """Have it gone. Raises as `put` does."""
        await self._end(name, {})

    async def changes(self) -> AsyncIterator[Change]:
        """Everything that is there, and then what changes, without end."""
        async with Feed(self._bus, STREAM, f"$KV.{SESSIONS}.>", after=0) as feed:
            async for message in feed:
                yield Change(message.subject.removeprefix(f"$KV.{SESSIONS}."), message.data)

    async def _end(self, name: str, headers: dict[str, str]) -> None:
        await self._store(name, b"", headers | {"KV-Operation": "DEL", "Nats-TTL": f"{GONE_S}s"})

    async def _store(self, name: str, data: bytes, headers: dict[str, str]) -> None:
        try:
            await self._bus.publish(_subject(name), data, headers)
        except nats.js.errors.NoStreamResponseError as error:
            raise LogUnavailable(f"The bucket {SESSIONS} is missing: run `journeyman provision`.") from error
        except nats.js.errors.APIError as error:
            if error.err_code in STREAM_FULL:
                raise LogFull(f"There is no room in {SESSIONS}: some end by themselves, try again later.") from error
            raise


def _subject(name: str) -> str:
    return f"$KV.{SESSIONS}.{name}"
