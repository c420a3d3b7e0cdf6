"""What a service waits for is handed to its parts: nothing is patched to make one that waits less."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.nats.streams import COMMANDS, EVENTS, TIMERS
from testing.eventually import eventually
from testing.fast_timings import hurried
from testing.service_group import ACK_WAIT_S, ServiceGroup


async def ack_waits(group: ServiceGroup, stream: str) -> dict[str, float | None]:
    """The ack waits in seconds that the server keeps for the brain's consumers, by name."""
    found = await group.bus.js.consumers_info(stream)
    return {each.name: each.config.ack_wait for each in found if each.name.startswith("brain-")}


@pytest.mark.parametrize(
    ("ack_wait_s", "message", "work", "timer"), [(ACK_WAIT_S, 3.0, 10.0, 10.0), (1.5, 1.5, 1.5, 1.5)]
)
async def test_every_consumer_of_a_service_has_the_ack_wait_that_the_service_was_given(
    tmp_path: Path, ack_wait_s: float, message: float, work: float, timer: float
) -> None:
    async with ServiceGroup(tmp_path / "group", ack_wait_s=ack_wait_s) as group:
        await group.start("brain")

        async def all_are_there() -> bool:
            """A service is ready before its last consumer is."""
            assert set((await ack_waits(group, COMMANDS)).values()) == {message}
            agents = dict.fromkeys(("brain-triage", "brain-review", "brain-answer"), work)
            events = {"brain-reactor": message, "brain-timekeeper": timer, **agents}
            assert await ack_waits(group, EVENTS) == events
            assert await ack_waits(group, TIMERS) == {"brain-timers": timer}
            return True

        await eventually(all_are_there)


def test_a_service_in_a_hurry_does_more_often_what_recurs() -> None:
    timings = hurried(2.0)
    assert (timings.orphans_every_s, timings.orphans_grace_s) == (2.0, 2.0)
    assert (timings.checkpoint_every_s, timings.snapshot_every) == (0.2, 3)
