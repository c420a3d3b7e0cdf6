"""Two projectors on one file: the second one refuses, whatever the first one is doing."""

from __future__ import annotations

import asyncio
import signal

import pytest

from shared.nats.bus import Bus
from testing.nats import Nats
from testing.prefork import Prefork
from tests.integration.projector.projector_process import Projector, a_long_log, expected, publish

pytestmark = [pytest.mark.xdist_group("projector"), pytest.mark.timeout(300)]


async def test_a_second_projector_leaves_with_one_line_while_the_first_one_writes_stands_still_or_rebuilds(
    nats_server: Nats, bus: Bus, projector: Projector, prefork: Prefork
) -> None:
    log = a_long_log(2000)
    second = Projector(nats_server.url, projector.data, bus, prefork)
    await projector.start()
    writing = asyncio.create_task(publish(bus, log))
    await _refuses(second, projector)
    projector.process.send_signal(signal.SIGSTOP)
    await _refuses(second, projector)
    projector.process.send_signal(signal.SIGCONT)
    await projector.ask("project.rebuild")
    await _refuses(second, projector)
    await writing
    await projector.reaches(len(log.stored))
    await projector.kill()
    await second.start()
    assert (await second.ask("status"))["seq"] == len(log.stored)
    await second.stop()
    assert second.rows() == expected(log)


async def _refuses(second: Projector, first: Projector) -> None:
    line = await second.refusal()
    assert line.startswith(f"journeyman projector: Another projector (process {first.process.pid}) writes the read")
    assert second.told.count("\n") == 1, second.told
    assert first.process.returncode is None
