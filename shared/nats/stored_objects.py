"""What the object store ARTIFACTS holds, as its stream has it: for copies and for those who make room.

nats-py's own reader is an ordered consumer that waits for ever for a chunk that is gone; here each chunk is asked for.
Its writer asks for the stream and for the name once more, and takes four requests where one has to wait for two.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import msgspec
import nats.errors
import nats.js.errors

from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.direct import Batch, Direct, get_batch
from shared.nats.last import last_message
from shared.nats.streams import ARTIFACTS, STREAM_FULL
from shared.ops.uninterrupted import uninterrupted

STREAM: Final = f"OBJ_{ARTIFACTS}"
PAGE: Final = 500
"""Messages of one read of a list."""
CHUNK_BYTES: Final = 128 * 1024
CHUNKS: Final = 64
"""Chunks of one read of an object."""
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


async def object_named(bus: Bus, name: str) -> StoredObject | None:
    """The object of a name, as the stream's leader has it; raises the connection's errors."""
    message = await last_message(bus, STREAM, _description_of(name))
    # When it was stored is nothing that a name is looked up for.
    return None if message is None else described(message.data, message.seq, datetime.min.replace(tzinfo=UTC))


async def copy_object(bus: Bus, stored: StoredObject, out: IO[bytes]) -> bool:
    """Write an object's bytes to ``out``; False when the store does not have all of them any more."""
    digest = hashlib.sha256()
    position = 0
    while stored.size:
        batch = await _batch(bus, STREAM, f"{_CHUNK}.{stored.nuid}", position + 1, CHUNKS)
        for chunk in batch.messages:
            digest.update(chunk.data)
            out.write(chunk.data)
        if not batch.messages or not batch.pending:
            break
        position = batch.messages[-1].position
    return digest.hexdigest() == stored.sha256


async def is_current(bus: Bus, stored: StoredObject) -> bool:
    """Whether nobody has deleted or replaced the object since it was listed."""
    batch = await _batch(bus, STREAM, _description_of(stored.name), 1, 1)
    return bool(batch.messages) and batch.messages[0].position == stored.position


async def put_object(bus: Bus, name: str, data: IO[bytes]) -> None:
    """Store what ``data`` has from where it stands, in the form of every NATS client (ADR-20); raises `LogFull`."""
    nuid = secrets.token_hex(11)
    digest, size, count = hashlib.sha256(), 0, 0
    try:
        while chunk := data.read(CHUNK_BYTES):
            digest.update(chunk)
            size, count = size + len(chunk), count + 1
            await bus.publish(f"{_CHUNK}.{nuid}", chunk, {})
        description = {
            "name": name,
            "bucket": ARTIFACTS,
            "nuid": nuid,
            "size": size,
            "mtime": datetime.now(UTC).isoformat(),
            "chunks": count,
            "digest": f"{_DIGEST}{base64.urlsafe_b64encode(digest.digest()).decode()}",
            "deleted": False,
            "options": {"max_chunk_size": CHUNK_BYTES},
        }
        await bus.publish(_description_of(name), msgspec.json.encode(description), {"Nats-Rollup": "sub"})
    except BaseException as error:
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            await uninterrupted(bus.js.purge_stream(STREAM, subject=f"{_CHUNK}.{nuid}"))
        if isinstance(error, nats.js.errors.APIError) and error.err_code in STREAM_FULL:
            raise LogFull(
                f"The object store ARTIFACTS is full: give it more room with `nats stream edit {STREAM} --max-bytes`."
            ) from error
        raise


async def put_back(bus: Bus, name: str, path: Path) -> None:
    """Store a file's bytes under the whole name that they had; raises `LogFull`."""
    with path.open("rb") as file:
        await replace_object(bus, name, file, await object_named(bus, name))


async def replace_object(bus: Bus, name: str, data: IO[bytes], earlier: StoredObject | None) -> None:
    """`put_object` where there may be an ``earlier`` one, whose bytes go."""
    await put_object(bus, name, data)
    if earlier is not None and not earlier.deleted:
        await bus.js.purge_stream(STREAM, subject=f"{_CHUNK}.{earlier.nuid}")


async def delete_object(bus: Bus, name: str) -> None:
    """Delete an object's bytes; its name stays, and says so. One that is gone already stays gone."""
    store = await bus.js.object_store(ARTIFACTS)
    try:
        await store.delete(name)
    except nats.js.errors.NotFoundError:
        return


def _description_of(name: str) -> str:
    """The subject of an object's description."""
    return f"{_META}.{base64.urlsafe_b64encode(name.encode()).decode()}"


async def _batch(bus: Bus, stream: str, subject: str, start: int, limit: int) -> Batch:
    for _ in range(TRIES - 1):
        try:
            return await get_batch(bus, stream, subject, start=start, limit=limit)
        except TimeoutError:
            continue
    return await get_batch(bus, stream, subject, start=start, limit=limit)
