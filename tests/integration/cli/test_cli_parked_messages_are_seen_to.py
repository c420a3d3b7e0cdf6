from __future__ import annotations

import json

from shared.nats.bus import Bus
from shared.runtime.acknowledge import RetryPolicy, acknowledge
from testing.command_line import Run
from testing.eventually import eventually
from testing.nats import Nats


async def test_a_parked_command_is_listed_replayed_and_dropped(journeyman: Run, bus: Bus, nats_server: Nats) -> None:
    await _park(bus)
    address = {"JOURNEYMAN_NATS_URL": nats_server.url}
    listed = await journeyman("parked", "list", "--json", **address)
    (entry,) = json.loads(listed.out)
    assert "cannot take [red]this\x1b[2J\u202e" in entry["reason"] and entry["subject"].endswith("task.A.stop")
    shown = (await journeyman("parked", "list", **address)).out
    assert "task.A.stop" in shown
    assert "cannot take [red]this␛[2J<U+202E>" in shown, "what is invisible is a mark, and foreign markup is text"
    assert (await journeyman("parked", "replay", str(entry["number"]), **address)).code == 0
    assert (await bus.js.stream_info("COMMANDS")).state.messages == 1
    gone = await journeyman("parked", "drop", str(entry["number"]), **address)
    assert gone.code == 1 and len(gone.err.strip().splitlines()) == 1
    assert "Nothing is parked" in (await journeyman("parked", "list", **address)).out


async def _park(bus: Bus) -> None:
    async def refuse(message: object) -> None:
        raise ValueError("cannot take [red]this\x1b[2J\u202e")

    await bus.publish("cmd.task.A.stop", b"{}", {})
    pull = await bus.js.pull_subscribe("", "brain-00", "COMMANDS")
    (message,) = await pull.fetch(1, timeout=30)
    await acknowledge(bus, message, refuse, consumer="brain-00", retry=RetryPolicy(most=1))

    async def settled() -> bool:
        return (await bus.js.stream_info("COMMANDS")).state.messages == 0

    await eventually(settled)
