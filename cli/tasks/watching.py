"""Looking on at a task: until it ends, what its agents do, and what they made."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Final

from cli.connection import Link, linked
from cli.console import say, screen
from cli.failures import Failure
from cli.follow import Storyteller, follow
from cli.short_ids import whole_id
from services.brain.actors.task import DECIDER as TASK
from services.gateway.api.artifacts import TaskArtifacts
from shared.contracts.evidence import Outcome
from shared.contracts.messages import Event, name_of
from shared.contracts.rules import RESTS
from shared.contracts.subjects import Actor
from shared.contracts.task import (
    Answered,
    Approval,
    Completed,
    Failed,
    FollowedUp,
    InReview,
    PlanReady,
    PublicationRequested,
    Retried,
    Status,
    Task,
)
from shared.event_store.envelope import RecordedEvent
from shared.nats.direct import get_batch
from shared.nats.objects import Artifacts
from shared.nats.streams import OUTPUT

_BATCH: Final = 500
_POLL_S: Final = 0.3
_GOES_ON: Final = (Retried, FollowedUp, PublicationRequested)
"""What a task that has ended goes on with."""


async def wait(id: str, *, timeout_s: float | None, quiet: bool) -> dict[str, Any]:
    """Stay until the task has ended or is in review; how it stands.

    Raises `Failure` when that takes longer than ``timeout_s``.
    """
    async with linked(goes_on=True) as link:
        task_id = await whole_id(link.bus, id)
        events = await link.journal.load(Actor("task", task_id))
        if (end := _end_of(events)) is not None:
            return {"id": task_id, **ended(end)}
        if (asked := waits_for(events)) and not quiet:
            say(asked, to_stderr=True)
        try:
            async with asyncio.timeout(timeout_s):
                told = int(
                    (await link.bus.js.stream_info(OUTPUT)).state.last_seq
                )  # `task logs` has what was said before
                how = await until_end(link, task_id, events[-1].position, quiet=quiet, output_after=told)
                return {"id": task_id, **how}
        except TimeoutError:
            asked = waits_for(await link.journal.load(Actor("task", task_id)))
            raise Failure(f"Task {task_id} has not ended within {timeout_s:g} s. {asked or 'It goes on.'}") from None


def waits_for(events: list[RecordedEvent]) -> str:
    """What a task waits for that only a person can say; empty while it goes on by itself."""
    state: Task = TASK.initial
    for event in events:
        state = TASK.evolve(state, event.data)
    id = events[-1].actor.id
    match state.status:
        case Status.AWAITING_APPROVAL if not state.approved:
            return f"Its plan waits for approval: `journeyman task approve {id}`."
        case Status.WAITING_INPUT:
            return f"Its agent has asked something: `journeyman task show {id}` has the question."
        case _:
            return ""


async def until_end(link: Link, task_id: str, after: int, *, quiet: bool, output_after: int = 0) -> dict[str, Any]:
    """Tell what happens behind a stream sequence, and in OUTPUT behind another one, until the task's end.

    Returns how it ended.
    """
    console = screen(to_stderr=True)
    teller = Storyteller(console)
    try:
        async with contextlib.aclosing(follow(link.bus, task_id, after=after, output_after=output_after)) as story:
            async for item in story:
                if not quiet:
                    teller.tell(item)
                if not isinstance(item, RecordedEvent):
                    continue
                if isinstance(item.data, PlanReady) and item.data.approval is not Approval.AUTO and not quiet:
                    console.print(f"[yellow]The plan waits for you:[/] `journeyman task approve {task_id}`")
                if isinstance(item.data, RESTS):
                    return ended(item)
    except asyncio.CancelledError:
        if not quiet:
            say(f"The task goes on. Come back to it with `journeyman task wait {task_id}`.", to_stderr=True)
        raise
    raise Failure("The story broke off.")


def ended(end: RecordedEvent) -> dict[str, Any]:
    """How a task ended, for scripts."""
    return {**end_of(end.data), "event": end.name, "seq": end.position}


def end_of(event: Event) -> dict[str, str]:
    """How a task ended: its status, and of a result what came of it, how well that is proven, and where it is."""
    match event:
        case InReview(evidence=evidence, outcome=outcome, url=url):
            return {"status": Status.IN_REVIEW, "evidence": evidence or "", "outcome": outcome or "", "url": url}
        case Completed(evidence=evidence, outcome=outcome, url=url):
            found = {"url": url} if url else {}
            return {"status": Status.COMPLETED, "evidence": evidence or "", "outcome": outcome or "", **found}
        case Answered():
            return {"status": Status.COMPLETED, "evidence": "", "outcome": Outcome.ANSWERED}
        case Failed(result=kept):
            return {"status": Status.FAILED, "evidence": kept.evidence if kept else "", "outcome": ""}
        case _:
            return {"status": name_of(event), "evidence": "", "outcome": ""}


def _end_of(events: list[RecordedEvent]) -> RecordedEvent | None:
    """The event that ended the task, unless it went on after that."""
    end: RecordedEvent | None = None
    for event in events:
        if isinstance(event.data, RESTS):
            end = event
        elif isinstance(event.data, _GOES_ON):
            end = None
    return end


async def logs(id: str, *, following: bool) -> AsyncGenerator[tuple[str, bytes], None]:
    """What the task's agents wrote that OUTPUT still has: whose it is, and a line of the CLI's stream-json.

    With ``following``, until the task has ended.
    """
    async with linked(goes_on=following) as link:
        task_id = await whole_id(link.bus, id)
        ends = asyncio.create_task(_ended(link, task_id)) if following else None
        start, told = 1, False
        try:
            while True:
                over = ends is None or ends.done()
                batch = await get_batch(link.bus, OUTPUT, f"out.*.{task_id}", start=start, limit=_BATCH)
                for message in batch.messages:
                    start, told = message.position + 1, True
                    yield message.subject.split(".")[1], message.data
                if batch.pending:
                    continue
                if over:
                    break
                await asyncio.sleep(_POLL_S)
            if ends is not None:
                ends.result()
        finally:
            if ends is not None:
                ends.cancel()
                await asyncio.gather(ends, return_exceptions=True)
    if not told:
        say(
            f"No agent has written anything for {task_id} that OUTPUT still has: it keeps a week, and "
            "`journeyman task show` says what the work came to.",
            to_stderr=True,
        )


async def _ended(link: Link, task_id: str) -> None:
    """Return when the task has ended."""
    events = await link.journal.load(Actor("task", task_id))
    if _end_of(events) is None:
        async with contextlib.aclosing(follow(link.bus, task_id, after=events[-1].position)) as story:
            async for item in story:
                if isinstance(item, RecordedEvent) and isinstance(item.data, RESTS):
                    return


async def diff(id: str) -> tuple[str, bytes]:
    """The task's whole id, and the diff of what its newest run made, whether or not it was proven."""
    async with linked() as link:
        task_id = await whole_id(link.bus, id)
        artifacts = TaskArtifacts(
            link.bus, link.journal, Artifacts(link.bus), max_bytes=link.settings.max_transcript_bytes
        )
        return task_id, await artifacts.diff(task_id)


async def address(id: str) -> dict[str, str]:
    """The task's whole id, and the ``url`` at which the dashboard shows it."""
    async with linked() as link:
        task_id = await whole_id(link.bus, id)
        dashboard = (link.settings.public_url or link.endpoint.http).rstrip("/")
        return {"id": task_id, "url": f"{dashboard}/tasks/{task_id}"}
