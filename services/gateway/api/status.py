"""`/api/status`: how things stand. It answers also when a part is away, because then people look."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Controller, get

from services.gateway.api.dependencies import MinSeq, ReadModels, problems
from services.gateway.api.system import Queue, SystemOverview
from shared.claude.runner import AgentRunner
from shared.contracts.queries import Affairs, GetStatus
from shared.ops.settings import Settings
from shared.ops.version import VERSION
from shared.runtime.client import QueryFailed


class ServiceInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a service that answers; ``started`` is ISO 8601 UTC."""

    name: str
    id: str
    machine: str
    started: str


class SystemStatus(Affairs, frozen=True, kw_only=True):
    """How things stand: the read models' part (zeros while they are away), and what the gateway sees itself.

    ``projector_problem`` says why the read models' part is missing, and is empty otherwise. ``parked`` counts what no
    handler could take.
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
    services: list[ServiceInstance]


NOTHING_KNOWN: Final = Affairs(
    seq=0, position=0, lag_events=0, tasks={}, cost_today_microusd=0, tokens_today=0, running=(), unread=0
)
"""The read models' part while the projector does not answer."""


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
            services=[
                ServiceInstance(name=each.service, id=each.id, machine=each.machine, started=each.started)
                for each in machine.services
            ],
        )
