"""`/api/tasks`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from litestar import Controller, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream
from msgspec.structs import replace

from services.gateway.api.artifacts import TaskArtifacts, Transcript
from services.gateway.api.dependencies import Filter, MinSeq, ReadModels, problems
from services.gateway.api.schemas import (
    Approval,
    CommandDone,
    Input,
    NewTask,
    Publishing,
    Rejection,
    Retrying,
    Stopping,
    TaskOpened,
    Wish,
    done,
)
from services.gateway.commands import TaskCommands
from services.gateway.security.identity import Identity
from shared.contracts.messages import MAX_SEQUENCE
from shared.contracts.permitted_actions import permitted
from shared.contracts.queries import (
    PAGE_SIZE,
    TIMELINE_PAGE_SIZE,
    GetTask,
    GetTimeline,
    ListTasks,
    TaskAnswer,
    TaskPage,
    TaskSummary,
    TimelinePage,
)
from shared.contracts.subjects import actor
from shared.contracts.task import Retry, Status

T = TypeVar("T", bound=TaskSummary)

BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
"""The moment of a replay that has told nothing yet."""


class TaskController(Controller):
    """Tasks: what they are, what happened, and what people want of them."""

    path = "/api/tasks"
    tags = ("tasks",)

    @get("/", operation_id="listTasks", summary="Tasks, newest first", responses=problems(400, 404, 410, 503))
    async def list_tasks(
        self,
        read_models: ReadModels,
        identity: Identity,
        status: Status | None = None,
        source: Filter = "",
        agent: Filter = "",
        repo: Filter = "",
        requester: Filter = "",
        q: Filter = "",
        limit: Annotated[int, Parameter(ge=1, le=200)] = PAGE_SIZE,
        cursor: Filter = "",
        min_seq: MinSeq = 0,
    ) -> TaskPage:
        """A page of tasks, and how many there are of each status; `requester` is `user:ada`, `github:octocat`."""
        page = await read_models.query(
            ListTasks(
                status=status,
                source=source,
                agent=agent,
                repo=repo,
                requester=requester,
                q=q,
                limit=limit,
                cursor=cursor,
                min_seq=min_seq,
            )
        )
        return replace(page, items=tuple(_for(identity, task, in_brief=True) for task in page.items))

    @post("/", operation_id="openTask", summary="Open a task", responses=problems(400, 422, 503))
    async def open_task(
        self, data: NewTask, commands: TaskCommands, principal: str, idempotency_key: str | None = None
    ) -> TaskOpened:
        """A new task; with an `Idempotency-Key` that came before, the task of that time."""
        opened = await commands.submit(
            data.text,
            title=data.title,
            repo=data.repo,
            directive=data.directive,
            principal=principal,
            idempotency_key=idempotency_key,
        )
        result = opened.result
        return TaskOpened(id=opened.id, event=result.event if result else None, seq=result.position if result else 0)

    @get("/{id:str}", operation_id="getTask", summary="Everything about one task", responses=problems(404, 410, 503))
    async def get_task(self, id: str, read_models: ReadModels, identity: Identity, min_seq: MinSeq = 0) -> TaskAnswer:
        """One task."""
        about = actor("task", id)
        answer = await read_models.query_actor(GetTask(id=about.id, min_seq=min_seq), about)
        return replace(answer, task=_for(identity, answer.task))

    @get("/{id:str}/timeline", operation_id="getTimeline", summary="What happened", responses=problems(404, 410, 503))
    async def get_timeline(
        self,
        id: str,
        read_models: ReadModels,
        after: Annotated[int, Parameter(ge=0, le=MAX_SEQUENCE)] = 0,
        limit: Annotated[int, Parameter(ge=1, le=500)] = TIMELINE_PAGE_SIZE,
        min_seq: MinSeq = 0,
    ) -> TimelinePage:
        """The task's events, oldest first."""
        about = actor("task", id)
        return await read_models.query_actor(GetTimeline(id=about.id, after=after, limit=limit, min_seq=min_seq), about)

    @get(
        "/{id:str}/diff",
        operation_id="getDiff",
        summary="The run's change as a unified diff, empty when there is none",
        media_type="text/x-diff",
        responses=problems(404, 410, 503),
    )
    async def get_diff(self, id: str, artifacts: TaskArtifacts, read_models: ReadModels) -> Response[bytes]:
        """The diff of what the newest run made, whether or not it was proven."""
        moment = await read_models.moment()
        return Response(await artifacts.diff(id, up_to=moment.seq if moment else None), media_type="text/x-diff")

    @get(
        "/{id:str}/checks/{number:int}/output",
        operation_id="getCheckOutput",
        summary="The whole output of one check",
        media_type="text/plain",
        responses=problems(404, 410, 503),
    )
    async def get_check_output(self, id: str, number: int, artifacts: TaskArtifacts, read_models: ReadModels) -> Stream:
        """What check ``number`` (1, 2 …) of the newest run that has checks wrote, as far as it was kept."""
        moment = await read_models.moment()
        output = await artifacts.check_output(id, number, up_to=moment.seq if moment else None)
        return _download(output, f"{id.lower()}-check-{number}.txt")

    @get(
        "/{id:str}/setup/{number:int}/output",
        operation_id="getSetupOutput",
        summary="The whole output of one step of the set-up",
        media_type="text/plain",
        responses=problems(404, 410, 503),
    )
    async def get_setup_output(self, id: str, number: int, artifacts: TaskArtifacts, read_models: ReadModels) -> Stream:
        """What step ``number`` (1, 2 …) of the newest run that was set up wrote, as far as it was kept."""
        moment = await read_models.moment()
        output = await artifacts.setup_output(id, number, up_to=moment.seq if moment else None)
        return _download(output, f"{id.lower()}-setup-{number}.txt")

    @get(
        "/{id:str}/transcript",
        operation_id="getTranscript",
        summary="The agents' output lines",
        responses=problems(404, 410, 503),
    )
    async def get_transcript(
        self,
        id: str,
        artifacts: TaskArtifacts,
        read_models: ReadModels,
        after: Annotated[int, Parameter(ge=0, le=MAX_SEQUENCE, description="The last OUTPUT sequence seen")] = 0,
        limit: Annotated[int, Parameter(ge=1, le=5_000)] = 2_000,
    ) -> Transcript:
        """The lines that are kept, oldest first."""
        moment = await read_models.moment()
        until = (moment.time or BEFORE_ALL) if moment else None
        return await artifacts.transcript(id, after=after, limit=limit, until=until)

    @post(
        "/{id:str}/approve",
        operation_id="approvePlan",
        summary="Approve a plan",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def approve(
        self, id: str, commands: TaskCommands, principal: str, data: Approval | None = None
    ) -> CommandDone:
        """Approve exactly this plan."""
        body = data or Approval()
        result = await commands.approve(
            id,
            version=body.version,
            digest=body.digest,
            base_commit=body.base_commit,
            budget_microusd=body.budget_microusd,
            principal=principal,
        )
        return done(result)

    @post(
        "/{id:str}/reject",
        operation_id="rejectPlan",
        summary="Turn a plan down, or ask for another one",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def reject(
        self, id: str, commands: TaskCommands, principal: str, data: Rejection | None = None
    ) -> CommandDone:
        """Turn the plan down."""
        body = data or Rejection()
        return done(await commands.reject(id, reason=body.reason, feedback=body.feedback, principal=principal))

    @post(
        "/{id:str}/stop",
        operation_id="stopTask",
        summary="Stop a task",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def stop(self, id: str, commands: TaskCommands, principal: str, data: Stopping | None = None) -> CommandDone:
        """Stop it, whatever it is doing."""
        return done(await commands.stop(id, (data or Stopping()).reason, principal=principal))

    @post(
        "/{id:str}/retry",
        operation_id="retryTask",
        summary="Try again",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def retry(self, id: str, commands: TaskCommands, principal: str, data: Retrying | None = None) -> CommandDone:
        """Try again after a failure, a stop or a refusal, or at once while paused.

        A failed publication is published again, unless the work is to be done afresh.
        """
        body = data or Retrying()
        wanted = Retry(from_result=body.from_result, afresh=body.afresh, budget_microusd=body.budget_microusd)
        return done(await commands.retry(id, wanted, principal=principal))

    @post(
        "/{id:str}/publish",
        operation_id="publishResult",
        summary="Publish the result that fell short",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def publish(
        self, id: str, commands: TaskCommands, principal: str, data: Publishing | None = None
    ) -> CommandDone:
        """Publish the result that is kept, as it is."""
        return done(await commands.publish(id, principal=principal))

    @post(
        "/{id:str}/follow-up",
        operation_id="followUp",
        summary="Wish something further",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def follow_up(self, id: str, data: Wish, commands: TaskCommands, principal: str) -> CommandDone:
        """Tell the agent at work, ask for another plan, or have another round on the branch that is there."""
        return done(await commands.follow_up(id, data.message, principal=principal))

    @post(
        "/{id:str}/input",
        operation_id="giveInput",
        summary="Say something to the agent",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def give_input(self, id: str, data: Input, commands: TaskCommands, principal: str) -> CommandDone:
        """Answer its question, or tell it something."""
        return done(await commands.give_input(id, data.message, principal=principal))


def _for(identity: Identity, task: T, *, in_brief: bool = False) -> T:
    """The task with the actions that this person may have."""
    return replace(task, actions=permitted(task.actions, identity.role, identity.scopes, in_brief=in_brief))


def _download(text: Iterator[bytes], name: str) -> Stream:
    return Stream(
        text,
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
