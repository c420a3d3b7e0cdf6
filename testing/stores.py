"""Everything that a system keeps, as bytes, to look for what must not be in it."""

from __future__ import annotations

import contextlib
import gzip
import os
from pathlib import Path

from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import ARTIFACTS, EVENTS, OUTPUT


async def everything_stored(bus: Bus, data: Path) -> list[tuple[str, bytes]]:
    """(where, content) of every event, line of output, artifact, read-model file, log file, and other file."""
    found: list[tuple[str, bytes]] = []
    for stream in (EVENTS, OUTPUT):
        found += await _messages(bus, stream)
    store = await bus.js.object_store(ARTIFACTS)
    for entry in await store.list():
        content = (await store.get(str(entry.name))).data or b""
        found.append((f"ARTIFACTS {entry.name}", _plain(content)))
    for folder, _, names in os.walk(data):
        for file in (Path(folder, name) for name in sorted(names)):
            # The system is at work: what it clears away meanwhile is not kept.
            with contextlib.suppress(OSError):
                if file.is_file():
                    found.append((_place(file.relative_to(data)), file.read_bytes()))
    return found


async def _messages(bus: Bus, stream: str) -> list[tuple[str, bytes]]:
    last = (await bus.js.stream_info(stream)).state.last_seq
    found: list[tuple[str, bytes]] = []
    if last:
        async with Feed(bus, stream, ">", after=0) as feed:
            async for message in feed:
                found.append((f"{stream} {message.position} {message.subject}", message.data))
                if message.position >= last:
                    break
    return found


def _place(path: Path) -> str:
    sort = {"projector": "read models", "logs": "logs", "nats": "streams' files"}.get(path.parts[0], "files")
    return f"{sort} {path}"


def _plain(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
