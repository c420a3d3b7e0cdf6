"""`/api/status`: how things stand. It answers also when a part is away, because then people look."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from litestar import Controller, get

from services.gateway.api.dependencies import MinSeq, ReadModels, problems
from services.gateway.api.system import Queue, SystemOverview
from shared.claude.runner import AgentRunner
from shared.contracts.queries import Affairs, GetStatus
from shared.nats.stream_use import StreamUse
from shared.ops.disk_use import DiskUse
from shared.ops.senders import DEMO_SECRET_FILE, SENDERS
from shared.ops.settings import Settings
from shared.ops.version import VERSION
from shared.runtime.client import QueryFailed


class ServiceInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a service that answers; ``started`` is ISO 8601 UTC."""

    name: str
    id: str
    machine: str
    started: str


class WebhookSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gateway has the secret of a sender's webhook.

    ``secret_file`` is the file with it where `up --demo` has made it; without one, a person has set it.
    """

    sender: str
    ready: bool
    secret_file: str = ""


class SystemStatus(Affairs, frozen=True, kw_only=True):
    """How things stand: the read models' part (zeros while they are away), and what the gateway sees itself.

    ``projector_problem`` says why the read models' part is missing, and is empty otherwise. ``parked`` counts what no
    handler could take. ``disk`` is the data directory of the gateway that answers, which all services of `up` share.
    """

    projector_problem: str
    machine: str
    version: str
    demo: bool
    approval: str
    agents_ready: bool
    agents_problem: str
    queues: list[Queue]
    parked: int
    streams: list[StreamUse]
    disk: list[DiskUse]
    disk_free_bytes: int
    services: list[ServiceInstance]
    webhooks: list[WebhookSetup]


NOTHING_KNOWN: Final = Affairs(
    seq=0, position=0, lag_events=0, tasks={}, cost_today_microusd=0, tokens_today=0, running=(), unread=0
)
"""The read models' part while the projector does not answer."""


def webhooks_of(settings: Settings) -> list[WebhookSetup]:
    """What is set up of each sender's webhook."""
    return [_webhook(settings, sender) for sender in SENDERS]


def _webhook(settings: Settings, sender: str) -> WebhookSetup:
    secret = settings.webhook_secret(sender).get_secret_value().strip()
    made = settings.data_dir / DEMO_SECRET_FILE
    kept = bool(secret) and _holds(made, secret)
    return WebhookSetup(sender=sender, ready=bool(secret), secret_file=str(made) if kept else "")


def _holds(file: Path, secret: str) -> bool:
    try:
        return file.read_text().strip() == secret
    except (OSError, UnicodeDecodeError):
        return False


class StatusController(Controller):
    """How things stand."""

    path = "/api/status"
    tags = ("status",)

    @get(
        "/",
        operation_id="getStatus",
        summary="Machine, services, queues, costs today",
        responses=problems(404, 410, 503),
    )
    async def get_status(
        self,
        read_models: ReadModels,
        system_overview: SystemOverview,
        runner: AgentRunner,
        settings: Settings,
        min_seq: MinSeq = 0,
    ) -> SystemStatus:
        """The state of affairs. In a replay, only the read models' part is of its moment."""
        problem = ""
        try:
            if not read_models.replay and not system_overview.connected:
                raise QueryFailed("nats-away", "NATS does not answer: check that it runs.")
            affairs = await read_models.query(GetStatus(min_seq=min_seq))
        except QueryFailed as error:
            if read_models.replay:
                raise
            affairs, problem = NOTHING_KNOWN, error.detail
        machine = await system_overview.look()
        agents_problem = runner.problem() or ""
        return SystemStatus(
            **msgspec.structs.asdict(affairs),
            projector_problem=problem,
            machine=settings.machine_id,
            version=VERSION,
            demo=settings.demo_model,
            approval=settings.approval,
            agents_ready=not agents_problem,
            agents_problem=agents_problem,
            queues=machine.queues,
            parked=machine.parked,
            streams=machine.streams,
            disk=machine.disk,
            disk_free_bytes=machine.disk_free_bytes,
            services=[
                ServiceInstance(name=each.service, id=each.id, machine=each.machine, started=each.started)
                for each in machine.services
            ],
            webhooks=webhooks_of(settings),
        )
