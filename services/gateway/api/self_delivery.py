"""`/api/test-event`: whether a webhook would arrive, tried out."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, post

from services.gateway.api.dependencies import problems
from services.gateway.api.schemas import Body, Line
from services.gateway.inbound.self_delivery import Delivered, SelfDelivery


class Trial(Body, frozen=True, kw_only=True):
    """Which repository the event is about: the only one by default."""

    repo: Line = ""


class SelfDeliveryController(Controller):
    """The gateway sends an event to itself."""

    path = "/api/test-event"
    tags = ("webhooks",)

    @post(
        "/",
        operation_id="sendTestEvent",
        summary="Send a signed test event to our own webhook",
        status_code=200,
        responses=problems(400, 409, 429, 503),
    )
    async def send(
        self, request: Request[Any, Any, Any], self_delivery: SelfDelivery, data: Trial | None = None
    ) -> Delivered:
        """What the webhook answered, be it a refusal."""
        return await self_delivery.send(request.app, (data or Trial()).repo)
