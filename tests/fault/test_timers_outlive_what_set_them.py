"""A plan's wait for its approval, in a real brain that is killed and over a NATS that is killed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from services.brain.actors import task as task_actor
from shared.actor import ActorHost
from shared.contracts import plan, task
from shared.deciding import Decider
from shared.envelope import Recorded, utc_now
from shared.ids import new_task_id
from shared.subjects import Actor
from tests.support.cast import Cast
from tests.support.eventually import eventually

HOURS = 0.002
PLANS = Decider[Any](
    "plan",
    0,
    lambda state, command: plan.Proposed(
        version=1, digest="d" * 64, base_commit="c", markdown="# P", summary="s", attempt=1
    ),
    lambda state, event: 1,
)


async def test_a_plan_expires_once_and_in_time_although_brain_and_nats_were_killed_meanwhile(tmp_path: Path) -> None:
    async with Cast(tmp_path) as cast:
        brain = cast.add("brain", JOURNEYMAN_APPROVAL_TIMEOUT_HOURS=str(HOURS))
        await brain.start()
        id, proposed = await _proposed(cast)
        due = proposed.time + timedelta(hours=HOURS)
        await eventually(lambda: _timers(cast, f"timer.set.task.{id}.expire-approval"))
        await brain.kill()
        await cast.nats.kill()
        await eventually(lambda: utc_now() > due, within=30)
        await cast.nats.start()
        await eventually(lambda: cast.bus.connected)
        await brain.start()
        expired = await cast.until(id, "task.approval-expired", within=30)
        assert expired.time >= due
        await eventually(lambda: _timers(cast, ""))
        names = [each.name for each in await cast.journal.load(Actor("task", id))]
        assert names.count("approval-expired") == 1 and names[-1] == "approval-expired"


async def _proposed(cast: Cast) -> tuple[str, Recorded]:
    """A task whose plan has just been proposed."""
    host = ActorHost(cast.journal, [task_actor.DECIDER, PLANS], source="journeyman/test")
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
        await host.tell(Actor("task", id), command, id=f"{id}-{number}", principal="service:test")
    await cast.until(id, "task.planning-requested")
    proposed = await host.tell(Actor("plan", id), plan.Stop(), id=f"{id}-plan", principal="service:test")
    assert proposed is not None
    return id, proposed


async def _timers(cast: Cast, subject: str) -> bool:
    """Whether TIMERS holds one message of this subject, or, where that is empty, none at all."""
    info = await cast.bus.js.stream_info("TIMERS", subjects_filter=">")
    return (info.state.subjects or {}) == ({subject: 1} if subject else {})
