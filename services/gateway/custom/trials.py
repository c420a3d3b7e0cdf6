"""A signed call of our own to a webhook that people have made, by the way that its sender's calls take."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import msgspec

from services.gateway.custom.examples import example_body, signed
from services.gateway.custom.registry import Webhooks
from services.gateway.inbound.self_delivery import Delivered, TrialLimit
from services.gateway.problems import Problem
from shared.contracts.delivery import Accepted
from shared.contracts.subjects import Actor
from shared.contracts.task_of import task_of
from shared.contracts.webhook import Definition
from shared.event_store.journal import Journal


class WebhookTrials:
    """Sends calls, as many in a minute as test events."""

    def __init__(self, webhooks: Webhooks, journal: Journal) -> None:
        self._webhooks = webhooks
        self._journal = journal
        self._limit = TrialLimit()

    async def send(self, app: Any, name: str, definition: Definition, body: str) -> Delivered:
        """Have ``app`` (an ASGI application) receive a body, or one that is made. Raises `Problem` where nothing can be
        sent, and after too many of them."""
        raw = body.encode() if body else msgspec.json.encode(example_body(definition, id=f"test-{uuid4().hex[:12]}"))
        secrets = await self._webhooks.secrets_of(name)
        try:
            headers = signed(definition.verification, raw, secrets[0] if secrets else b"")
        except ValueError as error:
            raise Problem(409, "sender-signs", str(error)) from error
        self._limit.count()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", trust_env=False
        ) as http:
            answer = await http.post(f"/webhooks/{name}", content=raw, headers=headers)
        told = msgspec.json.decode(answer.content, type=dict[str, Any])
        reason = str(told.get("reason") or told.get("status") or "")
        delivery = str(told.get("delivery", ""))
        if answer.is_error:
            reason = str(told.get("detail", ""))
        task = await self._task_of(delivery) if delivery else ""
        return Delivered(status=answer.status_code, delivery=delivery, task_id=task, reason=reason)

    async def _task_of(self, delivery: str) -> str:
        (first, *_) = await self._journal.load(Actor("delivery", delivery))
        accepted: Accepted = first.data
        return task_of(accepted.signal)
