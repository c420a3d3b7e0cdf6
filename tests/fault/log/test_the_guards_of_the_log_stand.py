"""A service works on no log that could lose or change an event."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import nats.js.errors
import pytest
from nats.js.api import DiscardPolicy, StreamConfig

from shared.nats.bus import Bus
from shared.nats.streams import EVENTS, MEBI, GuardsOff, check_guards, stream_configs
from testing.nats import Nats
from testing.stream_limits import SMALL
from testing.system import JOURNEYMAN, plain_environment


def by_hand(**changes: object) -> Callable[[StreamConfig], StreamConfig]:
    return lambda config: config.evolve(**changes)


HANDS = {
    "max_age unlimited": by_hand(max_age=3600.0),
    "max_msgs_per_subject unlimited": by_hand(max_msgs_per_subject=5),
    "discard new": by_hand(discard=DiscardPolicy.OLD, max_bytes=64 * MEBI),
    "allow_rollup_hdrs off": by_hand(allow_rollup_hdrs=True, deny_purge=False),
    "deny_delete": by_hand(deny_delete=False),
}


async def switch_off(bus: Bus, guard: str) -> None:
    """As somebody does by hand, who has the rights of an administrator."""
    config = next(each for each in stream_configs(SMALL) if each.name == EVENTS)
    harmed = HANDS[guard](config)
    try:
        await bus.js.update_stream(harmed)
    except nats.js.errors.APIError:
        # The server itself lets nobody switch this one off, but the stream can be made anew.
        await bus.js.delete_stream(EVENTS)
        await bus.js.add_stream(harmed)


@pytest.mark.parametrize("guard", HANDS)
async def test_a_guard_that_was_switched_off_is_named(guard: str, bus: Bus) -> None:
    await switch_off(bus, guard)
    with pytest.raises(GuardsOff, match=guard):
        await check_guards(bus)


async def test_a_service_refuses_to_start_on_a_log_without_one_of_its_guards(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    await switch_off(bus, "max_age unlimited")
    data = tmp_path / "brain"
    data.mkdir()
    ended = await asyncio.to_thread(
        subprocess.run,
        [str(JOURNEYMAN), "service", "brain"],
        env=plain_environment(data, nats_url=nats_server.url, health_port="0"),
        cwd=data,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    lines = [line for line in ended.stderr.splitlines() if line.startswith("journeyman")]
    assert lines == ended.stderr.strip().splitlines()[-1:]
    assert "max_age unlimited" in lines[0]
