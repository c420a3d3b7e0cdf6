"""What the object store ARTIFACTS holds, as its stream has it: for copies and for those who make room.

nats-py's own reader is an ordered consumer that waits for ever for a chunk that is gone; here each chunk is asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import nats.js.errors

from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.direct import Batch, Direct, get_batch
from shared.nats.streams import ARTIFACTS, STREAM_FULL

STREAM: Final = f"OBJ_{ARTIFACTS}"
PAGE: Final = 500
"""Messages of one read of a list."""
CHUNKS: Final = 64
"""Chunks of one read of an object; nats-py makes them of 128 KiB."""
TRIES: Final = 3
_META: Final = f"$O.{ARTIFACTS}.M"
_CHUNK: Final = f"$O.{ARTIFACTS}.C"
_DIGEST: Final = "SHA-256="


class _Meta(msgspec.Struct, frozen=True):
    name: str
    nuid: str = ""
    size: int = 0
    digest: str = ""
    deleted: bool = False


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object: where its description lies in the stream and when that was stored, its SHA-256 in hex and its size.

    ``sha256`` is empty for one that was deleted.
    """

    name: str
    nuid: str
    sha256: str
    size: int
    position: int
    stored: datetime
    description: bytes

    @property
    def deleted(self) -> bool:
        """Whether the store has its name alone."""
        return not self.sha256


async def objects_after(bus: Bus, position: int) -> AsyncIterator[StoredObject]:
    """Every object whose description is behind a position of the stream, in order; raises the connection's errors."""
    async for message in messages_after(bus, STREAM, f"{_META}.>", position):
        yield described(message.data, message.position, message.stored)


async def messages_after(bus: Bus, stream: str, subject: str, position: int) -> AsyncIterator[Direct]:
    """What a stream holds under a subject behind a position, to its end as of now; raises the connection's errors."""
    while True:
        batch = await _batch(bus, stream, subject, position + 1, PAGE)
        for message in batch.messages:
            yield message
        if not batch.messages or not batch.pending:
            return
        position = batch.messages[-1].position


def described(description: bytes, position: int, stored: datetime) -> StoredObject:
    """The object that a stored description tells of; raises ValueError for what is none."""
    try:
        meta = msgspec.json.decode(description, type=_Meta)
        digest = base64.urlsafe_b64decode(meta.digest.removeprefix(_DIGEST))
    except (msgspec.MsgspecError, binascii.Error) as error:
        raise ValueError(f"{STREAM} holds no description of an object at {position}.") from error
    return StoredObject(
        name=meta.name,
        nuid=meta.nuid,
        sha256="" if meta.deleted else digest.hex(),
        size=meta.size,
        position=position,
        stored=stored,
        description=description,
    )


async def copy_object(bus: Bus, stored: StoredObject, path: Path) -> bool:
    """Write an object's bytes to a file; False when the store does not have all of them any more."""
    digest = hashlib.sha256()
    position = 0
    with path.open("wb") as file:
        while True:
            batch = await _batch(bus, STREAM, f"{_CHUNK}.{stored.nuid}", position + 1, CHUNKS)
            for chunk in batch.messages:
                digest.update(chunk.data)
                file.write(chunk.data)
            if not batch.messages or not batch.pending:
                return digest.hexdigest() == stored.sha256
            position = batch.messages[-1].position


async def is_current(bus: Bus, stored: StoredObject) -> bool:
    """Whether nobody has deleted or replaced the object since it was listed."""
    subject = f"{_META}.{base64.urlsafe_b64encode(stored.name.encode()).decode()}"
    batch = await _batch(bus, STREAM, subject, 1, 1)
    return bool(batch.messages) and batch.messages[0].position == stored.position


async def put_back(bus: Bus, name: str, path: Path) -> None:
    """Store a file's bytes under the whole name that they had; raises `LogFull`."""
    store = await bus.js.object_store(ARTIFACTS)
    try:
        with path.open("rb") as file:
            await store.put(name, file)
    except nats.js.errors.APIError as error:
        if error.err_code in STREAM_FULL:
            raise LogFull(
                f"The object store ARTIFACTS is full: give it more room with `nats stream edit {STREAM} --max-bytes`."
            ) from error
        raise


async def delete_object(bus: Bus, name: str) -> None:
    """Delete an object's bytes; its name stays, and says so. One that is gone already stays gone."""
    store = await bus.js.object_store(ARTIFACTS)
    try:
        await store.delete(name)
    except nats.js.errors.NotFoundError:
        return


async def _batch(bus: Bus, stream: str, subject: str, start: int, limit: int) -> Batch:
    for _ in range(TRIES - 1):
        try:
            return await get_batch(bus, stream, subject, start=start, limit=limit)
        except TimeoutError:
            continue
    return await get_batch(bus, stream, subject, start=start, limit=limit)
