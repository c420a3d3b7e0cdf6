"""A plan's wait for its approval, in a real brain that is killed and over a NATS that is killed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from shared.contracts.subjects import Actor
from shared.event_store.envelope import utc_now
from testing.eventually import eventually
from testing.service_group import ServiceGroup
from testing.waiting_tasks import planned

HOURS = 0.002


async def test_a_plan_expires_once_and_in_time_although_brain_and_nats_were_killed_meanwhile(tmp_path: Path) -> None:
    async with ServiceGroup(tmp_path) as group:
        brain = group.add("brain", JOURNEYMAN_APPROVAL_TIMEOUT_HOURS=str(HOURS))
        await brain.start()
        id, proposed = await planned(group)
        due = proposed.time + timedelta(hours=HOURS)

        async def is_set() -> bool:
            """Or has come due before anybody looked, on a machine that stood still."""
            return utc_now() > due or await _timers(group, f"timer.set.task.{id}.expire-approval")

        await eventually(is_set)
        await brain.kill()
        await group.nats.kill()
        await eventually(lambda: utc_now() > due, within=30)
        await group.nats.start()
        await eventually(lambda: group.bus.connected)
        await brain.start()
        expired = await group.until(id, "task.approval-expired")
        assert expired.time >= due
        await eventually(lambda: _timers(group, ""))
        names = [each.name for each in await group.journal.load(Actor("task", id))]
        assert names.count("approval-expired") == 1 and names[-1] == "approval-expired"


async def _timers(group: ServiceGroup, subject: str) -> bool:
    """Whether TIMERS holds one message of this subject, or, where that is empty, none at all."""
    info = await group.bus.js.stream_info("TIMERS", subjects_filter=">")
    return (info.state.subjects or {}) == ({subject: 1} if subject else {})
