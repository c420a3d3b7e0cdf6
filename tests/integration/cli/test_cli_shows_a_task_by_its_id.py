from __future__ import annotations

from shared.contracts import task
from shared.nats.bus import Bus
from testing.command_line import Run
from testing.nats import Nats
from tests.integration.gateway.gateway_process import happen

KNOWN, UNKNOWN = "01JXTASKTASKTASKTASKTASKTA", "01JXOTHEROTHEROTHEROTHEROT"


async def test_the_log_decides_whether_there_is_a_task_while_the_projector_is_away(
    journeyman: Run, nats_server: Nats, bus: Bus
) -> None:
    await happen(bus, KNOWN, task.Submitted(title="t", text="x", source=task.Source(kind="cli")))
    for id, why in ((UNKNOWN, f"There is no task {UNKNOWN}"), (KNOWN, "The projector does not answer")):
        ended = await journeyman("task", "show", id, JOURNEYMAN_NATS_URL=nats_server.url)
        assert ended.code == 1
        assert why in " ".join(ended.err.split())
