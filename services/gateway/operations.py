"""Health, metrics and the event catalogue."""

from __future__ import annotations

import importlib
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.gateway.api.system import SystemOverview
from services.gateway.system_metrics import SYSTEM
from shared.ops.addresses import without_credentials
from shared.ops.health import Health
from shared.ops.settings import Settings


def _unhealthy(description: str) -> dict[int, ResponseSpec]:
    return {503: ResponseSpec(dict[str, Any], description=description, generate_examples=False)}


@get(
    "/health/live",
    operation_id="isLive",
    tags=["operations"],
    summary="Whether the process turns",
    responses=_unhealthy("The event loop is stuck"),
)
async def live(health: Health) -> Response[dict[str, Any]]:
    """200, or 503 when the event loop is stuck."""
    status, body = health.live()
    return Response(body, status_code=status)


@get(
    "/health/ready",
    operation_id="isReady",
    tags=["operations"],
    summary="Whether it can work",
    responses=_unhealthy("What is missing, by name, in `problems`"),
)
async def ready(health: Health) -> Response[dict[str, Any]]:
    """200, or 503 with what is missing."""
    status, body = health.ready()
    return Response(body, status_code=status)


@get("/metrics", operation_id="getMetrics", tags=["operations"], summary="Prometheus metrics", media_type="text/plain")
async def metrics(system_overview: SystemOverview) -> Response[bytes]:
    """Counters of this process, and what waits in the whole system; no label holds an id or a text of a user."""
    SYSTEM.show(await system_overview.look())
    # Litestar adds the charset itself.
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8"))


@get("/asyncapi.json", operation_id="getAsyncApi", tags=["operations"], summary="Events and commands as AsyncAPI 3")
async def asyncapi(settings: Settings) -> dict[str, Any]:
    """Generated from the contracts."""
    document: dict[str, Any] = importlib.import_module("shared.contracts.docs").asyncapi()
    servers = without_credentials(settings.nats_url).split(",")
    hosts = [urlsplit(server.strip()).netloc for server in servers]
    return document | {"servers": {f"nats{n}": {"host": host, "protocol": "nats"} for n, host in enumerate(hosts, 1)}}
