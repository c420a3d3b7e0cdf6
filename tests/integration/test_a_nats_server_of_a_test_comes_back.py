"""What tests rely on, whether their NATS server is a container or a child process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx

from shared.nats.bus import Bus
from testing.eventually import eventually
from testing.nats import Nats


async def test_a_killed_server_comes_back_on_its_port_with_what_it_had_acknowledged(
    nats_server: Nats, bus: Bus
) -> None:
    url, pid = nats_server.url, nats_server.pid
    await bus.js.publish("evt.task.T1.submitted", b"{}")
    await nats_server.kill()
    await eventually(lambda: not bus.connected and not Path(f"/proc/{pid}").exists())
    await nats_server.start()
    assert (nats_server.url, nats_server.pid == pid) == (url, False)
    await eventually(lambda: bus.connected)
    assert (await bus.js.get_msg("EVENTS", seq=1)).data == b"{}"
    assert list((nats_server.directory / "store").rglob("EVENTS/msgs/*.blk")), (
        "its files are where a test can harm them"
    )


async def test_a_frozen_server_goes_on_when_it_is_thawed(nats_server: Nats, bus: Bus) -> None:
    os.kill(nats_server.pid, signal.SIGSTOP)
    os.kill(nats_server.pid, signal.SIGCONT)
    await bus.js.publish("evt.task.T1.submitted", b"{}")
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        told = (await http.get(f"http://127.0.0.1:{nats_server.monitor}/jsz")).json()
    assert told["messages"] == 1


async def test_the_server_is_a_container_where_that_is_asked_for(nats_server: Nats) -> None:
    own, theirs = (Path(f"/proc/{pid}/cgroup").read_text() for pid in ("self", nats_server.pid))
    if wanted := os.environ.get("JOURNEYMAN_TEST_NATS"):
        assert (wanted == "container") == (own != theirs)
