"""The web application: every route, and what their handlers are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from services.gateway import operations as ops
from services.gateway.api.agents import RoleController
from services.gateway.api.artifacts import TaskArtifacts
from services.gateway.api.costs import CostController
from services.gateway.api.deliveries import DeliveryController
from services.gateway.api.dependencies import read_models
from services.gateway.api.doors import DoorController
from services.gateway.api.idempotency import idempotency_key
from services.gateway.api.me import MeController
from services.gateway.api.people import TokenController, UserController
from services.gateway.api.refusals import RefusalResponses
from services.gateway.api.repos import RepoController
from services.gateway.api.request import ApiRequest
from services.gateway.api.self_delivery import SelfDeliveryController
from services.gateway.api.sessions import SessionController
from services.gateway.api.status import StatusController
from services.gateway.api.system import SystemOverview
from services.gateway.api.tasks import TaskController
from services.gateway.api.webhooks import WebhookController as WebhookDefinitionController
from services.gateway.commands import TaskCommands
from services.gateway.config_file import ConfigFile
from services.gateway.custom.commands import WebhookCommands
from services.gateway.custom.drafts import WebhookDrafts
from services.gateway.custom.registry import Webhooks
from services.gateway.custom.trials import WebhookTrials
from services.gateway.head_requests import HeadRequests
from services.gateway.inbound.call_log import CallLog
from services.gateway.inbound.controller import WebhookController
from services.gateway.inbound.delivery_bodies import DeliveryBodies
from services.gateway.inbound.missed_events import Looks
from services.gateway.inbound.receiver import Receiver
from services.gateway.inbound.replays import DeliveryReplays
from services.gateway.inbound.self_delivery import SelfDelivery
from services.gateway.live.socket import Live, live_socket
from services.gateway.people_commands import PeopleCommands
from services.gateway.problems import handle
from services.gateway.request_metrics import RequestMetrics
from services.gateway.security.authentication import Authentication
from services.gateway.security.authorisation import OPERATION, authorise
from services.gateway.security.concurrency_limit import ConcurrencyLimit
from services.gateway.security.door import Door
from services.gateway.security.identity import identity_of, principal_of
from services.gateway.security.known_parameters import refuse_unknown
from services.gateway.security.origin_guard import OriginGuard
from services.gateway.security.response_headers import ResponseHeaders
from services.gateway.security.trusted_proxies import TrustedProxies
from services.gateway.silent_nats import SilentNats
from services.gateway.web import Web, dashboard
from shared.claude.runner import AgentRunner
from shared.nats.calls import CallBucket
from shared.nats.pulse import Pulse
from shared.ops.addresses import networks_of
from shared.ops.health import Health
from shared.ops.settings import Settings
from shared.ops.version import VERSION
from shared.runtime.client import Client
from shared.runtime.people import People


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What handlers ask for by name."""

    receiver: Receiver
    self_delivery: SelfDelivery
    webhooks: Webhooks
    webhook_commands: WebhookCommands
    webhook_trials: WebhookTrials
    webhook_drafts: WebhookDrafts
    call_log: CallLog
    call_bucket: CallBucket
    missed_looks: Looks
    delivery_replays: DeliveryReplays
    delivery_bodies: DeliveryBodies
    config: ConfigFile
    commands: TaskCommands
    client: Client
    artifacts: TaskArtifacts
    system_overview: SystemOverview
    pulse: Pulse
    runner: AgentRunner
    live: Live
    web: Web
    health: Health
    settings: Settings
    agents_path: Path
    door: Door
    people: People
    people_commands: PeopleCommands


def create_app(parts: Parts) -> ASGIApp:
    """The routes, and what every request passes before one of them is looked up."""
    limited = ConcurrencyLimit(create_routes(parts), most=parts.settings.max_requests)
    authenticated = Authentication(HeadRequests(RequestMetrics(limited)), parts.door)
    patient = SilentNats(authenticated, parts.pulse)
    guarded = ResponseHeaders(OriginGuard(patient, public_url=parts.settings.public_url))
    return TrustedProxies(guarded, networks_of(parts.settings.trusted_proxies))


def create_routes(parts: Parts) -> Litestar:
    """Every route, without what stands before the router."""
    return _routes(
        {field.name: getattr(parts, field.name) for field in fields(parts)},
        max_body_size=parts.settings.max_request_bytes,
    )


def openapi() -> dict[str, Any]:
    """The OpenAPI document, made without a server, a setting or a part."""
    return _routes(dict.fromkeys(field.name for field in fields(Parts)), max_body_size=None).openapi_schema.to_schema()


def _routes(parts: dict[str, Any], *, max_body_size: int | None) -> Litestar:
    return Litestar(
        route_handlers=[
            WebhookController,
            Router(
                path="/",
                route_handlers=[
                    TaskController,
                    SessionController,
                    CostController,
                    RoleController,
                    RepoController,
                    StatusController,
                    DeliveryController,
                    DoorController,
                    SelfDeliveryController,
                    WebhookDefinitionController,
                    MeController,
                    UserController,
                    TokenController,
                ],
                request_max_body_size=max_body_size,
                before_request=refuse_unknown,
            ),
            live_socket,
            ops.live,
            ops.ready,
            ops.metrics,
            ops.asyncapi,
            dashboard,
        ],
        dependencies={
            name: Provide(_always(part), use_cache=True, sync_to_thread=False) for name, part in parts.items()
        }
        | {
            "identity": Provide(identity_of, sync_to_thread=False),
            "principal": Provide(principal_of, sync_to_thread=False),
            "read_models": Provide(read_models, sync_to_thread=False),
            "idempotency_key": Provide(idempotency_key, sync_to_thread=False),
        },
        guards=[authorise],
        exception_handlers={Exception: handle},
        request_class=ApiRequest,
        plugins=[RefusalResponses()],
        openapi_config=OpenAPIConfig(
            title="Journeyman",
            version=VERSION,
            description="Errors are RFC 9457 problem details with a stable `code`.",
            render_plugins=[JsonRenderPlugin()],
            openapi_router=Router(
                path="/schema", route_handlers=[], include_in_schema=False, opt={OPERATION: "schema"}
            ),
        ),
        logging_config=None,
    )


def _always(value: Any) -> Callable[[], Any]:
    def provide() -> Any:
        return value

    return provide
