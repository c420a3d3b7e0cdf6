"""What the brain's agent can look up in a conversation, and what it can propose.

Every text of a stranger comes back marked as one. Nothing here changes a task: what would is proposed to the person,
and there is no tool that approves, rejects or publishes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import msgspec

from shared.claude.runner import quoted
from shared.claude.tools.server import Tool, ToolRefused
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id, derived_task_id
from shared.contracts.queries import (
    GetCosts,
    GetTask,
    GetTimeline,
    GroupBy,
    ListTasks,
    Query,
    TaskDetail,
    TaskSummary,
)
from shared.contracts.rules import UNKNOWN
from shared.contracts.session import Action, Asked, Proposal, Propose
from shared.contracts.subjects import Actor, BadAddress, actor
from shared.contracts.task import Status
from shared.event_store.envelope import RecordedEvent
from shared.nats.objects import ArtifactLost, Artifacts
from shared.ops.config import BadConfig, Config, load_config
from shared.ops.settings import Settings
from shared.ops.visible import visible
from shared.runtime.client import Client, QueryFailed
from shared.workspace.gateway_git import GatewayGit, RepositoryRefused
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.target import Target

MAX_FILE_BYTES: Final = 200_000
MAX_DIFF_CHARS: Final = 40_000
MOST_LINES: Final = 500
"""Of files in a list, and of events in a timeline."""

Id = Annotated[str, msgspec.Meta(max_length=128, description="The task's id")]
Words = Annotated[str, msgspec.Meta(max_length=20_000)]
Name = Annotated[str, msgspec.Meta(max_length=300)]
A = TypeVar("A", bound=msgspec.Struct)
Report = Callable[[Actor, Propose], Awaitable[RecordedEvent | None]]


class ListArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which tasks."""

    status: Annotated[str, msgspec.Meta(description=f"One of {', '.join(Status)}; empty: all")] = ""
    repo: Name = ""
    words: Annotated[Name, msgspec.Meta(description="Part of a title, text, id, repository or reference")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 20


class TaskArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which task."""

    task_id: Id


class CostArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Grouped by what, and of which days (UTC, both included)."""

    group_by: GroupBy = GroupBy.DAY
    from_day: date | None = None
    to_day: date | None = None


class NoArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing to choose."""


class FolderArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which files of a repository."""

    repo: Name
    folder: Name = ""
    commit: Annotated[Name, msgspec.Meta(description="A branch, tag or commit; empty: where work starts")] = ""


class FileArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which file, and which of its lines."""

    repo: Name
    path: Name
    commit: Annotated[Name, msgspec.Meta(description="A branch, tag or commit; empty: where work starts")] = ""
    first_line: Annotated[int, msgspec.Meta(ge=1)] = 1
    lines: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 400


class SubmitArguments(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be done, in which repository."""

    title: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]
    text: Words
    repo: Name = ""


class ReasonArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which task, and why."""

    task_id: Id
    reason: Words = ""


class MessageArguments(msgspec.Struct, forbid_unknown_fields=True):
    """Which task, and what its agent is to hear."""

    task_id: Id
    message: Words


class Looks:
    """What can be looked up: the same for every conversation."""

    def __init__(self, settings: Settings, client: Client, artifacts: Artifacts, gateway: GatewayGit) -> None:
        self._settings = settings
        self._client = client
        self._artifacts = artifacts
        self._gateway = gateway

    def tools(self) -> Sequence[Tool]:
        """Those that change nothing and propose nothing."""
        return (
            Tool("list_tasks", "The tasks, newest first, with state, evidence and cost.", ListArguments, self._list),
            Tool("get_task", "Everything about one task.", TaskArguments, self._get),
            Tool("get_timeline", "What happened to one task, a line for each event.", TaskArguments, self._timeline),
            Tool("read_plan", "The newest plan of a task.", TaskArguments, self._plan),
            Tool("read_diff", "What the newest run of a task has changed.", TaskArguments, self._diff),
            Tool("costs", "What was spent, grouped.", CostArguments, self._costs),
            Tool("list_repositories", "The repositories that work can be done in.", NoArguments, self._repositories),
            Tool("list_files", "The files of a repository at a commit.", FolderArguments, self._files),
            Tool("read_file", "A text file of a repository at a commit.", FileArguments, self._file),
        )

    async def _list(self, given: ListArguments, _: str) -> str:
        try:
            status = Status(given.status) if given.status else None
        except ValueError:
            raise ToolRefused(f"There is no state {given.status!r}: take one of {', '.join(Status)}.") from None
        page = await self._asked(ListTasks(status=status, repo=given.repo, q=given.words, limit=given.limit))
        counts = ", ".join(f"{count} {name}" for name, count in page.counts.items() if count) or "no tasks"
        return "\n".join((f"In all: {counts}.", *map(_line, page.items)))

    async def _get(self, given: TaskArguments, _: str) -> str:
        task = (await self._task(given.task_id)).task
        return quoted(f"task {task.id}", _fields(task))

    async def _timeline(self, given: TaskArguments, _: str) -> str:
        about = self._actor(given.task_id)
        items: list[str] = []
        cursor: str | None = ""
        while cursor is not None and len(items) < MOST_LINES:
            page = await self._asked(GetTimeline(id=about.id, cursor=cursor))
            items += [f"{each.seq} {each.time} {each.summary}" for each in page.items]
            cursor = page.next_cursor
        return quoted(f"timeline of task {about.id}", "\n".join(items))

    async def _plan(self, given: TaskArguments, _: str) -> str:
        task = (await self._task(given.task_id)).task
        if not task.plans:
            raise ToolRefused("The task has no plan yet.")
        plan = task.plans[-1]
        state = f"approved by {plan.approved_by}" if plan.approved_at else "not approved"
        return f"Version {plan.version}, {state}.\n{quoted(f'plan of task {task.id}', plan.markdown)}"

    async def _diff(self, given: TaskArguments, _: str) -> str:
        task = (await self._task(given.task_id)).task
        if task.run is None or task.run.diff is None:
            raise ToolRefused("The task has changed nothing yet.")
        try:
            diff = (await self._artifacts.get(task.run.diff)).decode("utf-8", "replace")
        except ArtifactLost as error:
            raise ToolRefused(str(error)) from None
        files = "\n".join(f"{each.path} +{each.added} -{each.removed}" for each in task.run.files)
        return quoted(f"diff of task {task.id}", f"{files}\n\n{visible(diff)[:MAX_DIFF_CHARS]}")

    async def _costs(self, given: CostArguments, _: str) -> str:
        asked = GetCosts(group_by=given.group_by, from_day=given.from_day, to_day=given.to_day)
        costs = await self._asked(asked)
        lines = [f"{each.key or '(none)'}: {_dollars(each.cost_microusd)}, {each.tasks} tasks" for each in costs.items]
        total = f"In all {_dollars(costs.total.cost_microusd)} for {costs.total.tasks} tasks."
        return quoted("costs", "\n".join((total, *lines[:200])))

    async def _repositories(self, _: NoArguments, __: str) -> str:
        repos = self._config().repos
        return "\n".join(sorted(repos)) or "No repository is configured."

    async def _files(self, given: FolderArguments, _: str) -> str:
        target, commit = await self._at(given.repo, given.commit)
        folder = f"{commit}:{_inside(given.folder)}"
        listed = await _read(target.mirror(), "ls-tree", "-r", "--name-only", "-z", folder)
        names = [visible(name) for name in listed.split("\0") if name]
        more = [f"[{len(names) - MOST_LINES} more]"] if len(names) > MOST_LINES else []
        return quoted(f"{given.repo} at {commit}", "\n".join((*names[:MOST_LINES], *more)))

    async def _file(self, given: FileArguments, _: str) -> str:
        target, commit = await self._at(given.repo, given.commit)
        name = f"{commit}:{_inside(given.path)}"
        mirror = target.mirror()
        if int(await _read(mirror, "cat-file", "-s", name)) > MAX_FILE_BYTES:
            raise ToolRefused(f"{given.path} has more than {MAX_FILE_BYTES} bytes.")
        text = await _read(mirror, "cat-file", "blob", name)
        if "\0" in text:
            raise ToolRefused(f"{given.path} is no text.")
        first = given.first_line
        chosen = visible(text).splitlines()[first - 1 : first - 1 + given.lines]
        numbered = "\n".join(f"{number}\t{line}" for number, line in enumerate(chosen, first))
        return quoted(f"{given.repo}/{given.path} at {commit}", numbered)

    async def _at(self, name: str, commit: str) -> tuple[Target, str]:
        config = self._config()
        repo = config.repo_for(name)
        if repo is None or not config.name_for(name):
            raise ToolRefused(f"There is no repository {name[:100]!r}: ask list_repositories.")
        known = config.name_for(name)
        try:
            start = "" if commit else await self._gateway.start_of_work(known, repo)
            target = Target(self._settings, self._gateway, known, start)
            mirror = target.mirror()
            if start:
                await mirror.ensure(start)
            return target, start or await mirror.resolve(commit)
        except (RepositoryRefused, BadConfig, GitFailed) as error:
            raise ToolRefused(str(error)) from None

    def _config(self) -> Config:
        try:
            return load_config(self._settings.config_path)
        except BadConfig as error:
            raise ToolRefused(str(error)) from None

    def _actor(self, id: str) -> Actor:
        try:
            return actor("task", id)
        except BadAddress as error:
            raise ToolRefused(str(error)) from None

    async def _task(self, id: str) -> Any:
        about = self._actor(id)
        try:
            return await self._client.query_actor(GetTask(id=about.id), about)
        except QueryFailed as error:
            raise ToolRefused(error.detail) from None

    async def _asked(self, query: Query[A]) -> A:
        try:
            return await self._client.query(query)
        except QueryFailed as error:
            raise ToolRefused(error.detail) from None

    async def exists(self, id: str) -> None:
        """Raise `ToolRefused` where there is no such task."""
        try:
            await self._task(id)
        except ToolRefused:
            raise ToolRefused(UNKNOWN.sentence) from None

    def repository(self, name: str) -> str:
        """The configured repository of this name, or the only one; raises `ToolRefused`."""
        config = self._config()
        if config.repo_for(name) is None:
            known = ", ".join(sorted(config.repos)) or "none is configured"
            raise ToolRefused(f"Name one of the repositories: {known}.")
        return config.name_for(name)


class Proposals:
    """What the agent can propose in one attempt at the answer that ``started`` tells of."""

    def __init__(self, looks: Looks, report: Report, started: RecordedEvent, attempt: int, asked: Asked) -> None:
        self._looks = looks
        self._started = started
        self._report = report
        self._attempt = attempt
        self._asked = asked

    def tools(self) -> Sequence[Tool]:
        """Those that propose something."""
        return (
            Tool("propose_task", "Propose to open a task; a person confirms it.", SubmitArguments, self._submit),
            Tool("propose_stop", "Propose to stop a task; a person confirms it.", ReasonArguments, self._stop),
            Tool("propose_retry", "Propose to try a task again; a person confirms it.", ReasonArguments, self._retry),
            Tool(
                "propose_message",
                "Propose to tell a task's agent something; a person confirms it.",
                MessageArguments,
                self._message,
            ),
        )

    async def _submit(self, given: SubmitArguments, _: str) -> str:
        repo = self._looks.repository(given.repo or self._asked.repo)
        return await self._propose(Action.SUBMIT, "", repo=repo, title=given.title, text=given.text)

    async def _stop(self, given: ReasonArguments, _: str) -> str:
        await self._looks.exists(given.task_id)
        return await self._propose(Action.STOP, given.task_id, text=given.reason)

    async def _retry(self, given: ReasonArguments, _: str) -> str:
        await self._looks.exists(given.task_id)
        return await self._propose(Action.RETRY, given.task_id, text=given.reason)

    async def _message(self, given: MessageArguments, _: str) -> str:
        await self._looks.exists(given.task_id)
        return await self._propose(Action.MESSAGE, given.task_id, text=given.message)

    async def _propose(self, action: Action, task_id: str, *, repo: str = "", title: str = "", text: str = "") -> str:
        # By what is proposed in answer to which message: proposed again, also by another attempt, it is the same.
        conversation = self._started.actor
        id = derived_id("proposal", conversation.id, self._asked.message_id, action, task_id, repo, title, text)
        begun_ms = int(self._started.time.timestamp() * 1000)
        proposal = Proposal(
            proposal_id=id,
            action=action,
            task_id=task_id or derived_task_id(begun_ms, id),
            repo=repo,
            title=title,
            text=text,
        )
        try:
            await self._report(conversation, Propose(attempt=self._attempt, proposal=proposal))
        except Rejected as rejection:
            raise ToolRefused(rejection.sentence) from None
        return "It is proposed: the person sees a card, and nothing happens before they confirm it."


def _inside(path: str) -> str:
    """A path in a repository; raises `ToolRefused` for one that leaves it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ToolRefused("A path with '..' leads nowhere here.")
    return "/".join(parts)


async def _read(mirror: Mirror, *asked: str) -> str:
    """What git has in a mirror; raises `ToolRefused` where it is not there, or is no file or folder."""
    try:
        return await mirror.git(*asked)
    except GitFailed:
        place = visible(asked[-1].partition(":")[2]) or "the repository's root"
        raise ToolRefused(f"There is no such file or folder at that commit: {place}. Ask list_files.") from None


def _line(task: TaskSummary) -> str:
    proven = f", evidence {task.evidence}" if task.evidence else ""
    about = f"{task.id} [{task.status}{proven}, {_dollars(task.cost_microusd)}] {task.repo}"
    return f"{about} {quoted(task.source.kind, visible(task.title))}"


def _fields(task: TaskDetail) -> str:
    """The task as JSON, without what has a tool of its own and what is empty."""
    plain: dict[str, Any] = msgspec.to_builtins(task)
    for name in ("plans", "usage", "actions", "created_seq", "version"):
        plain.pop(name, None)
    return msgspec.json.format(msgspec.json.encode(_without_blanks(plain))).decode()


def _without_blanks(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_blanks(each) for key, each in value.items() if each not in ("", None, [], {})}
        case list() | tuple():
            return [_without_blanks(each) for each in value]
        case str():
            return visible(value)
        case _:
            return value


def _dollars(microusd: int) -> str:
    return f"${microusd / 1_000_000:.4f}"
