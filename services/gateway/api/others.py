"""Costs, sessions and the chat."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.params import Parameter

from services.gateway.api.asking import MinSeq, Views, asked, problems
from services.gateway.api.shapes import Message, MessageTaken
from services.gateway.desk import Desk
from shared.subjects import actor


class GroupBy(StrEnum):
    """What costs can be grouped by."""

    DAY = "day"
    AGENT = "agent"
    MODEL = "model"
    USER = "user"
    SESSION = "session"
    TASK = "task"
    REPO = "repo"


class CostController(Controller):
    """What the models cost: integer micro-dollars and tokens."""

    path = "/api/costs"
    tags = ("costs",)

    @get("/", operation_id="getCosts", summary="Costs, grouped", responses=problems(400, 404, 410, 503))
    async def get_costs(
        self,
        views: Views,
        group_by: GroupBy = GroupBy.DAY,
        from_: Annotated[date | None, Parameter(query="from", description="First day (UTC)")] = None,
        to: Annotated[date | None, Parameter(query="to", description="Last day (UTC)")] = None,
        min_seq: MinSeq = None,
    ) -> dict[str, Any]:
        """Costs of the days from and to, both included."""
        days = {"from": from_.isoformat() if from_ else None, "to": to.isoformat() if to else None}
        return await views.query("costs", asked(group_by=group_by, **days, min_seq=min_seq))


class SessionController(Controller):
    """Conversations with the brain."""

    path = "/api"
    tags = ("chat",)

    @get("/sessions/{id:str}", operation_id="getSession", summary="A conversation", responses=problems(404, 410, 503))
    async def get_session(self, id: str, views: Views, min_seq: MinSeq = None) -> dict[str, Any]:
        """Its lines, oldest first."""
        return await views.query_actor("sessions.get", actor("session", id), min_seq=min_seq)

    @post(
        "/chat",
        operation_id="sayToBrain",
        summary="Say something to the brain",
        status_code=202,
        responses=problems(400, 403, 404, 409, 422, 503),
    )
    async def say(self, data: Message, desk: Desk, principal: str, idempotency_key: str | None = None) -> MessageTaken:
        """The message becomes a task, whose answer or result comes back into the session."""
        said = await desk.say(
            data.message,
            session_id=data.session_id,
            repo=data.repo,
            principal=principal,
            idempotency_key=idempotency_key,
        )
        return MessageTaken(task_id=said.task_id, session_id=said.session_id, seq=said.position)
