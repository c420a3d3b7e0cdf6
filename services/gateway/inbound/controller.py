"""`POST /webhooks/{name}`, and `POST /webhooks/{name}/{key}` for senders that cannot sign."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.response.base import ASGIResponse

from services.gateway.inbound.receiver import Receiver
from services.gateway.problems import documented

_REFUSALS = {
    400: "Unparsable",
    401: "Bad or missing signature",
    404: "Unknown name",
    408: "Slow body",
    413: "More than 25 MB",
    415: "Neither JSON nor a form, or compressed",
    503: "Cannot be stored right now",
}


_RESPONSES = {
    202: ResponseSpec(dict[str, str], description="Stored: the id of the delivery", generate_examples=False),
    200: ResponseSpec(
        dict[str, str], description="A duplicate, a ping, or not for us, with the reason", generate_examples=False
    ),
    **{status: documented(text) for status, text in _REFUSALS.items()},
}
_RETRY_AFTER = ResponseHeader(name="Retry-After", documentation_only=True)


class WebhookController(Controller):
    """Where senders deliver."""

    path = "/webhooks"
    tags = ("webhooks",)

    @post(
        "/{name:str}",
        operation_id="receiveWebhook",
        summary="A sender's delivery",
        description="Answered with 202 as soon as the delivery is stored durably, 200 when there is nothing to do.",
        status_code=202,
        request_max_body_size=None,
        response_headers=[_RETRY_AFTER],
        responses=_RESPONSES,
    )
    async def receive(self, name: str, request: Request[Any, Any, Any], receiver: Receiver) -> ASGIResponse:
        """Take one delivery."""
        return await _received(receiver, name, request)

    @post(
        "/{name:str}/{key:str}",
        operation_id="receiveWebhookByKey",
        summary="A delivery of a sender that cannot sign",
        description="The address has the webhook's secret in it, where the sender has no better way to prove itself.",
        status_code=202,
        request_max_body_size=None,
        response_headers=[_RETRY_AFTER],
        responses=_RESPONSES,
    )
    async def receive_by_key(
        self, name: str, key: str, request: Request[Any, Any, Any], receiver: Receiver
    ) -> ASGIResponse:
        """Take one delivery."""
        return await _received(receiver, name, request, key=key)


async def _received(receiver: Receiver, name: str, request: Request[Any, Any, Any], *, key: str = "") -> ASGIResponse:
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in request.scope["headers"]}
    client = request.scope.get("client")
    answer = await receiver.receive(name, headers, request.receive, key=key, client=client[0] if client else "")
    return ASGIResponse(body=msgspec.json.encode(answer.body), status_code=answer.status)
