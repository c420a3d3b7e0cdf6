"""`journeyman task …`: submit, look at and steer tasks, over NATS alone."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import rich_click as click
from click.exceptions import Exit

from cli.commands.task_reading import COMMANDS, exit_code, words_of_end
from cli.completions import repositories, sources, statuses, task_ids
from cli.console import json_option, print_json, say, screen
from cli.systems import on_a_system

if TYPE_CHECKING:
    import msgspec

    from shared.contracts.queries import ListTasks, Query, TaskPage

A = TypeVar("A", bound="msgspec.Struct")
_LIMIT = click.IntRange(1, 200)


@click.group("task", cls=click.RichGroup)
def command() -> None:
    """Submit, look at and steer tasks. Of an ID, 6 characters of its beginning or end are enough."""


for _each in COMMANDS:
    command.add_command(_each)


@command.command("submit", cls=click.RichCommand)
@click.argument("text", required=False)
@click.option("--file", "-F", type=click.File(encoding="utf-8"), help="Read the text from this file.")
@click.option(
    "--repo", default="", shell_complete=repositories, help="The configured repository's name.  [default: the only one]"
)
@click.option("--title", default="", help="A short title.  [default: the text's first line]")
@click.option(
    "--directive",
    type=click.Choice(["auto", "plan", "implement"]),
    default="auto",
    show_default=True,
    help="Let triage decide, ask for a plan first, or for the work at once.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Show what happens until the task has ended or its pull request is in review; exit code 1 if it did not come "
    "so far. Its evidence is told.",
)
@click.option(
    "--idempotency-key",
    "key",
    help="Given again within 24 hours, it opens no second task.  [default: a new one, told when it may be needed]",
)
@click.option("--quiet", is_flag=True, help="With --wait: without the story.")
@json_option
@on_a_system
def submit(
    text: str | None,
    file: TextIO | None,
    repo: str,
    title: str,
    directive: str,
    wait: bool,
    key: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Open a task: TEXT says what is to be done; - reads it from standard input.

    The task's id goes to standard output as soon as there is one, its story to standard error.
    """
    from cli.tasks.steering import submit as open_task

    answer = asyncio.run(
        open_task(
            _text(text, file),
            title=title,
            repo=repo,
            directive=directive,
            wait=wait,
            key=key,
            quiet=quiet or as_json,
            opened=None if as_json else say,
        )
    )
    if as_json:
        print_json(answer)
    elif wait:
        say(words_of_end(answer), to_stderr=True)
    raise Exit(exit_code(answer) if wait else 0)


def _text(text: str | None, file: TextIO | None) -> str:
    if (text is None) == (file is None):
        raise click.UsageError("Say what is to be done: as TEXT, or with --file.")
    if text == "-":
        return sys.stdin.read()
    return text or "" if file is None else file.read()


@command.command("list", cls=click.RichCommand)
@click.option(
    "--status", metavar="STATUS", shell_complete=statuses, help="Only tasks in this status, such as awaiting-approval."
)
@click.option("--source", shell_complete=sources, help="Only tasks from github, cli, api, chat …")
@click.option("--repo", shell_complete=repositories, help="Only tasks of this repository.")
@click.option("--requester", metavar="WHO", help="Only tasks that user:ada, github:octocat … asked for.")
@click.option("-q", "--search", help="Only tasks with this text.")
@click.option("--limit", type=_LIMIT, default=50, show_default=True, help="Tasks of one page.")
@click.option("--cursor", default="", help="The page behind the one that named this cursor.")
@click.option("--all", "everything", is_flag=True, help="All pages.")
@json_option
@on_a_system
def list_(
    status: str | None,
    source: str | None,
    repo: str | None,
    requester: str | None,
    search: str | None,
    limit: int,
    cursor: str,
    everything: bool,
    as_json: bool,
) -> None:
    """The tasks, newest first."""
    from cli.tasks.pages import task_table
    from shared.contracts.queries import ListTasks
    from shared.contracts.task import Status

    if status not in (None, *Status):
        raise click.BadParameter(
            f"There is no status {status!r}; there are: {', '.join(Status)}.", param_hint="--status"
        )
    query = ListTasks(
        status=None if status is None else Status(status),
        source=source or "",
        repo=repo or "",
        requester=requester or "",
        q=search or "",
        limit=_LIMIT.max if everything and _LIMIT.max else limit,
        cursor=cursor,
    )
    answer = asyncio.run(_pages(query) if everything else _ask(query))
    if as_json:
        print_json(answer)
    elif answer.items:
        screen().print(task_table(answer.items))
        if answer.next_cursor:
            say(f"There are more: --cursor {answer.next_cursor}, or --all.", to_stderr=True)
    elif any((status, source, repo, requester, search, cursor)):
        say("No task fits.", to_stderr=True)
    else:
        say('No tasks yet: open one with `journeyman task submit "what is to be done"`.', to_stderr=True)


@command.command("show", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--events/--no-events", default=True, show_default=True, help="With the task's events.")
@json_option
@on_a_system
def show(id: str, events: bool, as_json: bool) -> None:
    """One task on one page: where it is, its plan, its run, its cost and its events."""
    from cli.tasks.pages import print_task
    from shared.contracts.queries import GetTask, GetTimeline, TaskAnswer, TimelineItem

    async def ask() -> tuple[TaskAnswer, tuple[TimelineItem, ...]]:
        from cli.connection import linked
        from cli.tasks.steering import full_id
        from shared.contracts.subjects import actor

        async with linked() as link:
            task_id = await full_id(link, id)
            about = actor("task", task_id)
            found = await link.client.query_actor(GetTask(id=task_id), about)
            if not events:
                return found, ()
            return found, (await link.client.query_actor(GetTimeline(id=task_id, limit=500), about)).items

    answer, story = asyncio.run(ask())
    if as_json:
        print_json({"seq": answer.seq, "task": answer.task} | ({"timeline": story} if events else {}))
    else:
        print_task(screen(), answer.task, story)


@command.command("approve", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--version", type=click.IntRange(min=1), help="The plan's version, as you have seen it.")
@click.option("--digest", help="The plan's digest, or at least its first 8 digits.")
@click.option(
    "--budget", type=click.FloatRange(min=0), default=0.0, help="Most dollars the work may cost; 0: no own limit."
)
@click.option("--yes", "-y", is_flag=True, help="Approve what is shown without asking.")
@json_option
@on_a_system
def approve(id: str, version: int | None, digest: str | None, budget: float, yes: bool, as_json: bool) -> None:
    """Show the plan that waits, and approve exactly that one: its version, its digest, its base commit.

    With --version and --digest, exactly the named plan is approved, without showing it.
    """
    from cli.tasks.approval import approve as approve_plan

    if (version is None) != (digest is None):
        raise click.UsageError("--version and --digest belong together.")
    named = None if version is None or digest is None else (version, digest)
    answer = approve_plan(id, named=named, budget_usd=budget, ask=not yes, quiet=as_json)
    _say(answer, as_json, "approved")


@command.command("reject", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--reason", default="", help="Why; the task ends.")
@click.option("--feedback", default="", help="What another plan should do differently; the task goes on.")
@json_option
@on_a_system
def reject(id: str, reason: str, feedback: str, as_json: bool) -> None:
    """Turn the plan down: for good, or, with --feedback, in favour of another one."""
    from shared.contracts import task

    if reason and feedback:
        raise click.UsageError("Give --reason to end the task, or --feedback for another plan.")
    made = task.Revise(feedback=feedback) if feedback else task.Reject(reason=reason)
    _send(id, made, as_json, "another plan is on its way" if feedback else "rejected")


@command.command("stop", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--reason", default="", help="Why.")
@json_option
@on_a_system
def stop(id: str, reason: str, as_json: bool) -> None:
    """Stop the task, whatever it is doing; its agent and all its processes end."""
    from shared.contracts import task

    _send(id, task.Stop(reason=reason), as_json, "stopping")


@command.command("retry", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--from-result", is_flag=True, help="Let the agent go on with the result that fell short.")
@click.option("--afresh", is_flag=True, help="Have the work done anew, also where a result waits to be published.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Most dollars the work may cost from now on.  [default: as it was approved]",
)
@json_option
@on_a_system
def retry(id: str, from_result: bool, afresh: bool, budget: float, as_json: bool) -> None:
    """Try a failed, stopped or declined task again, or a paused one at once; an approved plan stays approved.

    After a failed publication this publishes the commit that is there, and no agent works again. Work that has reached
    its budget needs a larger one.
    """
    from shared.contracts import task

    if from_result and afresh:
        raise click.UsageError("Give --from-result to go on with what is there, or --afresh to begin anew.")
    wanted = task.Retry(from_result=from_result, afresh=afresh, budget_microusd=round(budget * 1_000_000))
    _send(id, wanted, as_json, "trying again")


@command.command("publish", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@json_option
@on_a_system
def publish(id: str, as_json: bool) -> None:
    """Publish the result of a task that fell short, as it is."""
    from shared.contracts import task

    _send(id, task.Publish(), as_json, "publishing")


@command.command("follow-up", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.argument("text")
@json_option
@on_a_system
def follow_up(id: str, text: str, as_json: bool) -> None:
    """Wish something further: TEXT goes to the agent at work, asks for another plan, or makes another round."""
    from cli.tasks.steering import follow_up as wish

    _say(asyncio.run(wish(id, text)), as_json, "taken")


@command.command("input", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.argument("text")
@json_option
@on_a_system
def input_(id: str, text: str, as_json: bool) -> None:
    """Say TEXT to the working agent, or answer its question."""
    from shared.contracts import task

    _send(id, task.GiveInput(message=text), as_json, "told the agent")


async def _pages(query: ListTasks) -> TaskPage:
    """All pages as one."""
    import msgspec

    from cli.connection import linked

    async with linked() as link:
        answer = await link.client.query(query)
        items = list(answer.items)
        while answer.next_cursor:
            answer = await link.client.query(msgspec.structs.replace(query, cursor=answer.next_cursor))
            items += answer.items
    return msgspec.structs.replace(answer, items=tuple(items))


async def _ask(query: Query[A]) -> A:
    from cli.connection import linked

    async with linked() as link:
        return await link.client.query(query)


def _send(id: str, message: Any, as_json: bool, done: str) -> None:
    from cli.tasks.steering import send

    _say(asyncio.run(send(id, message)), as_json, done)


def _say(answer: dict[str, Any], as_json: bool, done: str) -> None:
    if as_json:
        print_json(answer)
    elif answer["event"] is None:
        say("nothing to do: it was done before")
    else:
        say(f"{done} (#{answer['seq']})")
