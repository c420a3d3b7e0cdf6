"""The object store ARTIFACTS: bundles, transcripts and large bodies, found by name and checked by hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nats.errors
import nats.js.errors

from shared.contracts.messages import ArtifactRef
from shared.nats.bus import Bus
from shared.nats.streams import ARTIFACTS


class ArtifactLost(Exception):
    """An artifact is missing or is not what its reference says."""


class Artifacts:
    """Put and get bytes. Names are content-addressed, so putting the same bytes again stores nothing new."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, name: str, data: bytes) -> ArtifactRef:
        """Store ``data`` as ``<name>.<first 16 hex digits of its SHA-256>``."""
        digest = hashlib.sha256(data).hexdigest()
        reference = ArtifactRef(name=f"{name}.{digest[:16]}", sha256=digest, size=len(data))
        store = await self._bus.js.object_store(ARTIFACTS)
        try:
            info = await store.get_info(reference.name)
            if info.size == reference.size:
                return reference
        except nats.js.errors.NotFoundError:
            pass
        await store.put(reference.name, data)
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
        """Store a file's bytes."""
        return await self.put(name, path.read_bytes())

    async def get_file(self, reference: ArtifactRef, path: Path) -> Path:
        """Write a reference's bytes to ``path``."""
        path.write_bytes(await self.get(reference))
        return path
