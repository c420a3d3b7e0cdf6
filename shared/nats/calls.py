"""The bucket CALLS: what each gateway has answered at each door of webhooks, for a week."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

import msgspec

from shared.contracts.calls import Call, Tally, newest, today, together
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.streams import CALLS

T = TypeVar("T")

MAX_ENTRIES: Final = 2_000
_tally: Final = msgspec.json.Decoder(Tally)
_calls: Final = msgspec.json.Decoder(tuple[Call, ...])


class CallBucket:
    """Each gateway writes its own entries, so that none overwrites another's; whoever reads puts them together."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, door: str, gateway: str, tally: Tally, calls: tuple[Call, ...]) -> None:
        """What this gateway has answered at a door. Raises the connection's errors and nats-py's."""
        await asyncio.gather(
            self._bus.publish(f"$KV.{CALLS}.{door}.{gateway}.tally", msgspec.json.encode(tally), {}),
            self._bus.publish(f"$KV.{CALLS}.{door}.{gateway}.calls", msgspec.json.encode(calls), {}),
        )

    async def tallies(self) -> dict[str, Tally]:
        """Every door that was called within a week. Raises the connection's errors."""
        found: dict[str, list[Tally]] = {}
        for door, tally in await self._read("*.*.tally", _tally):
            found.setdefault(door, []).append(tally)
        return {door: together(each, today()) for door, each in found.items()}

    async def recent(self, door: str) -> tuple[Call, ...]:
        """The newest calls of a door by all gateways. Raises the connection's errors."""
        return newest(call for _, calls in await self._read(f"{door}.*.calls", _calls) for call in calls)

    async def _read(self, keys: str, decoder: msgspec.json.Decoder[T]) -> list[tuple[str, T]]:
        found: list[tuple[str, T]] = []
        start = 1
        while len(found) < MAX_ENTRIES:
            page = await get_batch(self._bus, f"KV_{CALLS}", f"$KV.{CALLS}.{keys}", start=start, limit=100)
            for message in page.messages:
                try:
                    found.append((message.subject.split(".")[2], decoder.decode(message.data)))
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue  # of another version, and gone within a week
            if not page.messages or not page.pending:
                break
            start = page.messages[-1].position + 1
        return found
