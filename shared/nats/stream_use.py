"""How full the streams are."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.nats.bus import Bus

MAX_PAGES: Final = 20
_OURS: Final = (
    "EVENTS",
    "COMMANDS",
    "OUTPUT",
    "TIMERS",
    "PARKED",
    "OBJ_ARTIFACTS",
    "KV_SNAPSHOTS",
    "KV_IDEMPOTENCY",
    "KV_SECRETS",
    "KV_SESSIONS",
    "KV_POSITIONS",
    "KV_CALLS",
)


class StreamUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream holds and may hold, as NATS counts it: bytes before it compresses them. 0 is no bound."""

    name: str
    messages: int
    bytes: int
    max_bytes: int

    @property
    def part(self) -> float:
        """How much of its room is taken, from 0 to 1."""
        return self.bytes / self.max_bytes if self.max_bytes else 0.0


class _Config(msgspec.Struct, frozen=True):
    name: str
    max_bytes: int = -1


class _State(msgspec.Struct, frozen=True):
    messages: int = 0
    bytes: int = 0


class _Stream(msgspec.Struct, frozen=True):
    config: _Config
    state: _State


class _Streams(msgspec.Struct, frozen=True):
    total: int = 0
    streams: list[_Stream] | None = None


async def stream_use(bus: Bus) -> list[StreamUse]:
    """Our streams; others on the same NATS are left out. Raises the connection's errors."""
    found: dict[str, StreamUse] = {}
    offset = 0
    for _ in range(MAX_PAGES):
        page = msgspec.json.decode(await bus.api("STREAM.LIST", msgspec.json.encode({"offset": offset})), type=_Streams)
        for each in page.streams or []:
            found[each.config.name] = StreamUse(
                name=each.config.name,
                messages=each.state.messages,
                bytes=each.state.bytes,
                max_bytes=max(0, each.config.max_bytes),
            )
        offset += len(page.streams or [])
        if not page.streams or offset >= page.total:
            break
    return [found[name] for name in _OURS if name in found]
