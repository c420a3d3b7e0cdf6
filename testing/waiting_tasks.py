"""Tasks that come to wait for a moment, told into the log without the services that would do the work."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from services.brain.actors import task as task_actor
from shared.contracts import plan, task
from shared.contracts.decider import Decider
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.runtime.actor_host import ActorHost
from testing.service_group import ServiceGroup

_PLANS: Final = Decider[Any](
    "plan",
    0,
    lambda state, command: plan.Proposed(
        version=1, digest="d" * 64, base_commit="c", markdown="# P", summary="s", attempt=1
    ),
    lambda state, event: 1,
)


async def planned(group: ServiceGroup) -> tuple[str, RecordedEvent]:
    """A task whose plan has just been proposed, and that event."""
    host = ActorHost(group.journal, [task_actor.DECIDER, _PLANS], source="journeyman/test")
    id = await _planning(group, host)
    proposed = await host.execute(Actor("plan", id), plan.Stop(), id=f"{id}-plan", principal="service:test")
    assert proposed is not None
    return id, proposed


async def paused(group: ServiceGroup, until: datetime) -> str:
    """A task whose planning has failed for now."""
    host = ActorHost(group.journal, [task_actor.DECIDER], source="journeyman/test")
    id = await _planning(group, host)
    failure = task.RecordFailure(
        stage=task.Stage.PLANNING, code="agent-overloaded", message="Busy.", retries_at=(until,)
    )
    await host.execute(Actor("task", id), failure, id=f"{id}-failed", principal="service:test")
    return id


async def _planning(group: ServiceGroup, host: ActorHost) -> str:
    """A task that waits for its plan."""
    id = new_task_id()
    commands: list[task.TaskCommand] = [
        task.Submit(title="t", text="x", source=task.Source(kind="test"), directive=task.Directive.PLAN),
        task.RequestTriage(),
        task.RecordTriage(
            attempt=1, verdict=task.Verdict.PLAN, decided_by="rules", reason="", repo="r", base_commit="c"
        ),
        task.RequestPlanning(),
    ]
    for number, command in enumerate(commands):
        await host.execute(Actor("task", id), command, id=f"{id}-{number}", principal="service:test")
    await group.until(id, "task.planning-requested")
    return id
