"""`/api/sessions` and `/api/chat`."""

from __future__ import annotations

from litestar import Controller, get, post

from services.gateway.api.dependencies import MinSeq, ReadModels, problems
from services.gateway.api.schemas import Message, MessageTaken
from services.gateway.commands import TaskCommands
from shared.contracts.queries import GetSession, SessionAnswer
from shared.contracts.subjects import actor


class SessionController(Controller):
    """Conversations with the brain."""

    path = "/api"
    tags = ("chat",)

    @get("/sessions/{id:str}", operation_id="getSession", summary="A conversation", responses=problems(404, 410, 503))
    async def get_session(self, id: str, read_models: ReadModels, min_seq: MinSeq = 0) -> SessionAnswer:
        """Its lines, oldest first."""
        about = actor("session", id)
        return await read_models.query_actor(GetSession(id=about.id, min_seq=min_seq), about)

    @post(
        "/chat",
        operation_id="sayToBrain",
        summary="Say something to the brain",
        status_code=202,
        responses=problems(400, 404, 409, 422, 503),
    )
    async def say(
        self, data: Message, commands: TaskCommands, principal: str, idempotency_key: str | None = None
    ) -> MessageTaken:
        """The message becomes a task, whose answer or result comes back into the session."""
        said = await commands.say(
            data.message,
            session_id=data.session_id,
            repo=data.repo,
            principal=principal,
            idempotency_key=idempotency_key,
        )
        return MessageTaken(task_id=said.task_id, session_id=said.session_id, seq=said.position)
