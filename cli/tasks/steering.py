"""Commands to tasks, sent in the name of the person at this terminal."""

from __future__ import annotations

import uuid
from typing import Any, Final

from cli.connection import Link, linked, principal
from cli.console import screen
from cli.failures import Failure, explain
from cli.follow import Storyteller, follow
from shared.contracts.decider import Rejected
from shared.contracts.evidence import Outcome
from shared.contracts.ids import new_task_id
from shared.contracts.messages import Command, Event, name_of
from shared.contracts.queries import ListTasks
from shared.contracts.rules import ENDS
from shared.contracts.subjects import Actor
from shared.contracts.task import (
    Answered,
    Approval,
    Completed,
    Directive,
    Failed,
    FollowUp,
    PlanReady,
    Source,
    Status,
    Submit,
    title_of,
)
from shared.event_store.envelope import RecordedEvent
from shared.nats.errors import NatsError
from shared.nats.idempotency import KEY, Claim, IdempotencyKeys, fingerprint
from shared.ops.settings import load_settings
from shared.ops.visible import is_blank
from shared.runtime.client import NoAnswer

FULL: Final = 26
SHORTEST: Final = 6
LOOKED_AT: Final = 200


async def send(id: str, command: Command) -> dict[str, Any]:
    """Send one command; the event it led to (or None) and its stream sequence. Raises what `explain` knows."""
    async with linked() as link:
        return await tell(link, await full_id(link, id), command)


async def follow_up(id: str, text: str) -> dict[str, Any]:
    """Wish something further of a task, in the name of the person at this terminal."""
    return await send(id, FollowUp(text=text, author=principal().partition(":")[2]))


async def tell(link: Link, task_id: str, command: Command) -> dict[str, Any]:
    """The same over an open connection."""
    result = await link.client.send(Actor("task", task_id), command, principal=principal())
    return {"id": task_id, "event": result.event, "seq": result.position}


async def full_id(link: Link, id: str) -> str:
    """The whole id for the beginning or the end of one; raises `Failure` when it fits none, or several."""
    given = id.strip().upper()
    if len(given) >= FULL:
        return given
    if len(given) < SHORTEST:
        raise Failure(
            f"{id!r} is too short: give the task's id, or at least {SHORTEST} characters of its beginning or end."
        )
    answer = await link.client.query(ListTasks(limit=LOOKED_AT))
    fitting = [task.id for task in answer.items if task.id.startswith(given) or task.id.endswith(given)]
    if len(fitting) != 1:
        what = "No task" if not fitting else f"More than one task ({', '.join(fitting[:3])} …)"
        raise Failure(f"{what} among the newest {LOOKED_AT} has {id!r}: look it up with `journeyman task list`.")
    return fitting[0]


async def submit(
    text: str, *, title: str, repo: str, directive: str, wait: bool, key: str | None, quiet: bool
) -> dict[str, Any]:
    """Open a task, and with ``wait`` stay until it has ended; its id, its ``status`` and how well that is proven.

    The same idempotency key opens the same task again; when no answer comes, the failure names the key.
    """
    if is_blank(text):
        raise Failure("There is nothing to do: say what is to be done.")
    if key is not None and not KEY.fullmatch(key):
        raise Failure("An idempotency key has 1 to 255 visible ASCII characters.")
    key = key or str(uuid.uuid4())
    settings = load_settings()
    made = Submit(
        title=title_of(text) if is_blank(title) else title.strip(),
        text=text,
        source=Source(kind="cli", author=principal().partition(":")[2]),
        repo=repo,
        directive=Directive(directive),
        approval=Approval(settings.approval),
    )
    async with linked() as link:
        after = await link.journal.last_position()
        try:
            wanted = Claim(task_id=new_task_id(), request=fingerprint([text, title, repo, directive]))
            task_id = (await IdempotencyKeys(link.bus).claim(principal(), key, wanted)).task_id
            sent = await link.client.open(Actor("task", task_id), made, principal=principal())
        except Rejected as error:
            raise Failure(str(error)) from error
        except (NoAnswer, TimeoutError, NatsError) as error:
            raise Failure(
                f"{explain(error)} Submitted again with --idempotency-key {key}, it becomes no second task."
            ) from error
        if not wait:
            return {"id": task_id, "event": sent.event, "seq": sent.position, "status": "received"}
        return {"id": task_id, **await _wait(link, task_id, after, quiet=quiet)}


async def _wait(link: Link, task_id: str, after: int, *, quiet: bool) -> dict[str, Any]:
    console = screen(to_stderr=True)
    teller = Storyteller(console)
    if not quiet:
        console.print(f"task [cyan]{task_id}[/]")
    async for item in follow(link.bus, task_id, after=after):
        if not quiet:
            teller.tell(item)
        if not isinstance(item, RecordedEvent):
            continue
        if isinstance(item.data, PlanReady) and item.data.approval is not Approval.AUTO and not quiet:
            console.print(f"[yellow]The plan waits for you:[/] `journeyman task approve {task_id}`")
        if isinstance(item.data, ENDS):
            return {**end_of(item.data), "event": item.name, "seq": item.position}
    raise Failure("The story broke off.")


def end_of(event: Event) -> dict[str, str]:
    """How a task ended: its status, and of a result what came of it and how well that is proven."""
    match event:
        case Completed(evidence=evidence, outcome=outcome):
            return {"status": Status.COMPLETED, "evidence": evidence or "", "outcome": outcome or ""}
        case Answered():
            return {"status": Status.COMPLETED, "evidence": "", "outcome": Outcome.ANSWERED}
        case Failed(result=kept):
            return {"status": Status.FAILED, "evidence": kept.evidence if kept else "", "outcome": ""}
        case _:
            return {"status": name_of(event), "evidence": "", "outcome": ""}
