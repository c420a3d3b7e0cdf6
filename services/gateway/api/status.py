"""`/api/status`: how things stand. It answers also when a part is away, because then people look."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from services.gateway.api.asking import MinSeq, Views, asked, problems
from services.gateway.api.machine import Machinery
from shared.claude.workshop import Workshop
from shared.client import QueryFailed
from shared.settings import Settings
from shared.version import VERSION


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
        self, views: Views, machinery: Machinery, workshop: Workshop, settings: Settings, min_seq: MinSeq = None
    ) -> dict[str, Any]:
        """``projector_problem`` says why the read models' part is missing, and is empty otherwise.

        ``parked`` counts what no handler could take. In a replay, only the read models' part is of its moment.
        """
        problem = ""
        try:
            models = await views.query("status", asked(min_seq=min_seq))
        except QueryFailed as error:
            if views.replay:
                raise
            models = {"seq": 0, "position": 0, "tasks": {}, "cost_today_microusd": 0, "tokens_today": 0, "running": []}
            problem = error.detail
        machine = await machinery.look()
        agents_problem = workshop.problem() or ""
        return {
            **models,
            "projector_problem": problem,
            "machine": settings.machine_id,
            "version": VERSION,
            "demo": settings.demo_model,
            "approval": settings.approval,
            "agents_ready": not agents_problem,
            "agents_problem": agents_problem,
            "queues": machine.queues,
            "parked": machine.parked,
            "services": [
                {"name": each.service, "id": each.id, "machine": each.machine, "started": each.started}
                for each in machine.services
            ],
        }
