from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from nats.aio.msg import Msg

from shared.contracts import task
from shared.nats.bus import Bus
from testing.command_line import Run
from testing.nats import Nats
from tests.unit.projector.projector_support import TASK, answered, planned, projected

PAUSED = task.Paused(
    stage="planning", code="agent-overloaded", message="Busy.", until=datetime(2026, 3, 4, tzinfo=UTC), tries=1
)


async def test_approve_says_why_it_is_not_allowed_and_shows_no_plan(
    journeyman: Run, bus: Bus, nats_server: Nats
) -> None:
    shown = answered(projected(planned().add(PAUSED)), "tasks.get", id=TASK)

    async def respond(message: Msg) -> None:
        await message.respond(msgspec.json.encode(shown))

    await bus.nc.subscribe("qry.tasks.get", cb=respond)
    await bus.nc.flush()
    ended = await journeyman("task", "approve", TASK, "--yes", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 1
    assert "The task is paused, so there is no plan to decide on" in ended.err
    assert "# Plan 1" not in ended.err + ended.out
