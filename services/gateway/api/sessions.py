"""`/api/sessions` and `/api/chat`."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import Parameter

from services.gateway.api.dependencies import MinSeq, ReadModels, problems
from services.gateway.api.schemas import CommandDone, Message, MessageTaken, NewTitle, done
from services.gateway.commands import TaskCommands
from shared.contracts.queries import PAGE_SIZE, GetSession, ListSessions, SessionAnswer, SessionPage
from shared.contracts.session import Archive, Dismiss, Interrupt, Rename, Unarchive
from shared.contracts.subjects import actor

_STEERING = problems(400, 404, 409, 503)


class SessionController(Controller):
    """Conversations with the brain."""

    path = "/api"
    tags = ("chat",)

    @get("/sessions", operation_id="listSessions", summary="Conversations", responses=problems(400, 404, 410, 503))
    async def list_sessions(
        self,
        read_models: ReadModels,
        q: str = "",
        archived: bool = False,
        author: str = "",
        limit: Annotated[int, Parameter(ge=1, le=200)] = PAGE_SIZE,
        cursor: str = "",
        min_seq: MinSeq = 0,
    ) -> SessionPage:
        """The one that changed last first."""
        asked = ListSessions(q=q, archived=archived, author=author, limit=limit, cursor=cursor, min_seq=min_seq)
        return await read_models.query(asked)

    @get("/sessions/{id:str}", operation_id="getSession", summary="A conversation", responses=problems(404, 410, 503))
    async def get_session(
        self, id: str, read_models: ReadModels, before: int = 0, min_seq: MinSeq = 0
    ) -> SessionAnswer:
        """Its lines and events, oldest first; with ``before``, those in front of that sequence."""
        about = actor("session", id)
        return await read_models.query_actor(GetSession(id=about.id, before=before, min_seq=min_seq), about)

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
        """Work becomes a task, whose result comes back into the session; anything else is answered there."""
        said = await commands.say(
            data.message,
            session_id=data.session_id,
            repo=data.repo,
            principal=principal,
            attachments=data.attachments,
            message_id=data.message_id,
            idempotency_key=idempotency_key,
        )
        return MessageTaken(
            task_id=said.task_id, session_id=said.session_id, seq=said.position, message_id=said.message_id
        )

    @post(
        "/sessions/{id:str}/messages/{message_id:str}/interrupt",
        operation_id="interruptAnswer",
        summary="Break an answer off, or take a message back",
        status_code=200,
        responses=_STEERING,
    )
    async def interrupt(self, id: str, message_id: str, commands: TaskCommands, principal: str) -> CommandDone:
        """What was said by then stays."""
        return done(await commands.steer_session(id, Interrupt(message_id=message_id), principal=principal))

    @post(
        "/sessions/{id:str}/proposals/{proposal_id:str}/confirm",
        operation_id="confirmProposal",
        summary="Have done what the brain proposes",
        status_code=200,
        responses=_STEERING,
    )
    async def confirm(self, id: str, proposal_id: str, commands: TaskCommands, principal: str) -> CommandDone:
        """It is done in the name of whoever confirms it; twice is once."""
        return done(await commands.confirm(id, proposal_id, principal=principal))

    @post(
        "/sessions/{id:str}/proposals/{proposal_id:str}/dismiss",
        operation_id="dismissProposal",
        summary="Turn down what the brain proposes",
        status_code=200,
        responses=_STEERING,
    )
    async def dismiss(self, id: str, proposal_id: str, commands: TaskCommands, principal: str) -> CommandDone:
        """Nothing is done."""
        return done(await commands.steer_session(id, Dismiss(proposal_id=proposal_id), principal=principal))

    @post(
        "/sessions/{id:str}/rename",
        operation_id="renameSession",
        summary="Call a conversation something else",
        status_code=200,
        responses=problems(400, 404, 409, 422, 503),
    )
    async def rename(self, id: str, data: NewTitle, commands: TaskCommands, principal: str) -> CommandDone:
        """An empty title is that of its first words."""
        return done(await commands.steer_session(id, Rename(title=data.title), principal=principal))

    @post(
        "/sessions/{id:str}/archive",
        operation_id="archiveSession",
        summary="Put a conversation away",
        status_code=200,
        responses=_STEERING,
    )
    async def archive(self, id: str, commands: TaskCommands, principal: str) -> CommandDone:
        """It is in the list of archived ones, and can be gone on with."""
        return done(await commands.steer_session(id, Archive(), principal=principal))

    @post(
        "/sessions/{id:str}/unarchive",
        operation_id="unarchiveSession",
        summary="Take a conversation out again",
        status_code=200,
        responses=_STEERING,
    )
    async def unarchive(self, id: str, commands: TaskCommands, principal: str) -> CommandDone:
        """It is in the list again."""
        return done(await commands.steer_session(id, Unarchive(), principal=principal))
