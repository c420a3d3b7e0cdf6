"""The object store ARTIFACTS: bundles, transcripts and large bodies, found by name and checked by hash."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path
from typing import IO, Final

from shared.contracts.messages import ArtifactRef
from shared.nats.bus import Bus
from shared.nats.stored_objects import copy_object, object_named, replace_object

READS: Final = 3
PAUSE_S: Final = 0.25


class ArtifactLost(Exception):
    """An artifact is missing or is not what its reference says."""


class ConversationLost(Exception):
    """Agents have worked for a task, and OUTPUT has no line of them any more."""


class ArtifactTooLarge(Exception):
    """More bytes than one artifact may have; nothing was stored."""


class Artifacts:
    """Put and get bytes. Names are content-addressed, so putting the same bytes again stores nothing new."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, name: str, data: bytes) -> ArtifactRef:
        """Store ``data`` as ``<name>.<first 16 hex digits of its SHA-256>``; raises `ArtifactTooLarge`, `LogFull`."""
        self._check(name, len(data))
        return await self._put(name, hashlib.sha256(data).hexdigest(), len(data), io.BytesIO(data))

    async def _put(self, name: str, digest: str, size: int, data: IO[bytes]) -> ArtifactRef:
        reference = ArtifactRef(name=f"{name}.{digest[:16]}", sha256=digest, size=size)
        there = await object_named(self._bus, reference.name)
        if there is None or there.deleted or there.size != reference.size:
            await replace_object(self._bus, reference.name, data, there)
        return reference

    async def get(self, reference: ArtifactRef) -> bytes:
        """The bytes of a reference; raises `ArtifactLost`."""
        data = io.BytesIO()
        await self._copy(reference, data)
        return data.getvalue()

    async def _copy(self, reference: ArtifactRef, out: IO[bytes]) -> None:
        stored = await object_named(self._bus, reference.name)
        if stored is None or stored.deleted:
            raise ArtifactLost(f"The artifact {reference.name} is not in the object store.")
        if stored.sha256 != reference.sha256:
            raise ArtifactLost(f"The artifact {reference.name} does not have the hash its event names.")
        for attempt in range(READS):
            await asyncio.sleep(PAUSE_S * attempt)  # the replica that was asked may be behind the leader
            out.seek(0)
            out.truncate()
            if await copy_object(self._bus, stored, out):
                return
        raise ArtifactLost(f"The artifact {reference.name} is not whole in the object store any more.")

    async def put_file(self, name: str, path: Path) -> ArtifactRef:
        """Store a file's bytes, which are never in memory whole; raises `ArtifactTooLarge`, `LogFull`."""
        with path.open("rb") as file:
            size = path.stat().st_size
            self._check(name, size)
            digest = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            return await self._put(name, digest, size, file)

    async def get_file(self, reference: ArtifactRef, path: Path) -> Path:
        """Write a reference's bytes, which are never in memory whole, to ``path``; raises `ArtifactLost`."""
        with path.open("wb") as file:
            await self._copy(reference, file)
        return path

    def _check(self, name: str, size: int) -> None:
        most = self._bus.limits.max_artifact_bytes
        if size > most:
            raise ArtifactTooLarge(
                f"{name} has {size:,} bytes, and an artifact has at most {most:,}: make less of it (are build results "
                "among the files?), or raise JOURNEYMAN_MAX_ARTIFACT_BYTES."
            )
