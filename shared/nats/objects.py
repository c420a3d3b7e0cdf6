"""The object store ARTIFACTS: bundles, transcripts and large bodies, found by name and checked by hash."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path

import nats.errors
import nats.js.errors

from shared.contracts.messages import ArtifactRef
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.streams import ARTIFACTS, STREAM_FULL


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
        return await self._put(name, hashlib.sha256(data).hexdigest(), len(data), data)

    async def _put(self, name: str, digest: str, size: int, data: bytes | io.BufferedReader) -> ArtifactRef:
        reference = ArtifactRef(name=f"{name}.{digest[:16]}", sha256=digest, size=size)
        store = await self._bus.js.object_store(ARTIFACTS)
        try:
            info = await store.get_info(reference.name)
            if info.size == reference.size:
                return reference
        except nats.js.errors.NotFoundError:
            pass
        try:
            await store.put(reference.name, data)
        except nats.js.errors.APIError as error:
            if error.err_code in STREAM_FULL:
                raise LogFull(
                    "The object store ARTIFACTS is full: give it more room with "
                    f"`nats stream edit OBJ_{ARTIFACTS} --max-bytes`."
                ) from error
            raise
        return reference

    async def get(self, reference: ArtifactRef) -> bytes:
        """The bytes of a reference; raises `ArtifactLost`."""
        store = await self._bus.js.object_store(ARTIFACTS)
        try:
            data = (await store.get(reference.name)).data or b""
        except nats.js.errors.NotFoundError as error:
            raise ArtifactLost(f"The artifact {reference.name} is not in the object store.") from error
        if hashlib.sha256(data).hexdigest() != reference.sha256:
            raise ArtifactLost(f"The artifact {reference.name} does not have the hash its event names.")
        return data

    async def put_file(self, name: str, path: Path) -> ArtifactRef:
        """Store a file's bytes, which are never in memory whole; raises `ArtifactTooLarge`, `LogFull`."""
        with path.open("rb") as file:
            size = path.stat().st_size
            self._check(name, size)
            digest = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            return await self._put(name, digest, size, file)

    async def get_file(self, reference: ArtifactRef, path: Path) -> Path:
        """Write a reference's bytes to ``path``."""
        path.write_bytes(await self.get(reference))
        return path

    def _check(self, name: str, size: int) -> None:
        most = self._bus.limits.max_artifact_bytes
        if size > most:
            raise ArtifactTooLarge(
                f"{name} has {size:,} bytes, and an artifact has at most {most:,}: make less of it (are build results "
                "among the files?), or raise JOURNEYMAN_MAX_ARTIFACT_BYTES."
            )
