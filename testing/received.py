"""A gateway's receiver in memory: what it answers to a delivery, and what then stands in the log."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Container
from typing import Any, Final, cast

from services.gateway.inbound.acceptance import Acceptance
from services.gateway.inbound.receiver import Answer, Receiver
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.problems import Problem
from shared.contracts.delivery import Accepted, Signal
from shared.contracts.messages import ArtifactRef
from shared.event_store.in_memory import MemoryJournal
from shared.ops.config import Config

SECRET: Final = b"the-secret-of-tests"
NEXT: Final = b"the-secret-after-that"


class _Artifacts:
    async def put(self, name: str, content: bytes) -> ArtifactRef:
        return ArtifactRef(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


class Received:
    """The door of one sender, whose secret is being rotated."""

    def __init__(self, name: str, config: Config, *, asked: Container[str] = ()) -> None:
        self.name = name
        self.config = config
        self.journal = MemoryJournal()
        self._receiver = Receiver(
            Acceptance(cast(Any, self.journal), cast(Any, _Artifacts()), asked=asked),
            senders=ADAPTERS,
            secrets={name: (SECRET, NEXT)},
            config=lambda: self.config,
            connected=lambda: True,
        )

    async def send(self, body: bytes, headers: dict[str, str], key: str = "") -> Answer:
        """What the sender hears: a refusal has its sentence as the reason."""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        told = {"content-type": "application/json; charset=utf-8", **headers}
        try:
            return await self._receiver.receive(self.name, told, receive, key=key)
        except Problem as problem:
            return Answer(problem.status, {"status": problem.code, "reason": problem.detail})

    @property
    def signals(self) -> list[Signal]:
        """What was accepted."""
        return [each.data.signal for each in self.journal.log if isinstance(each.data, Accepted)]


def signed(header: str, body: bytes, *, secret: bytes = SECRET, prefix: str = "") -> dict[str, str]:
    """The header with the body's signature."""
    return {header: prefix + hmac.new(secret, body, "sha256").hexdigest()}


def encoded(payload: Any) -> bytes:
    """As senders write it, which is not as Python would."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
