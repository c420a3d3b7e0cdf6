"""What the log takes on the disk: a block that is full is compressed, and its events are read as they were written."""

from __future__ import annotations

import asyncio

from nats.js.api import StoreCompression

from shared.nats.bus import Bus
from shared.nats.stored_objects import messages_after
from shared.nats.streams import EVENTS, OUTPUT, check_guards
from testing.eventually import eventually
from testing.nats import Nats

BLOCK = 8 << 20
"""Bytes after which NATS begins another block of a large stream."""
AT_ONCE = 50


async def test_a_full_block_takes_less_than_half_and_outlives_a_kill(nats_server: Nats, bus: Bus) -> None:
    text = "The agent hands out every cent when a bill is split. " * 1000
    bodies = [f'{{"number":{number},"text":"{text}"}}'.encode() for number in range(BLOCK // len(text) + 10)]
    for first in range(0, len(bodies), AT_ONCE):
        some = bodies[first : first + AT_ONCE]
        await asyncio.gather(*(bus.publish("evt.task.A1.retried", body, {}) for body in some))
    (first_block,) = (nats_server.directory / "store").rglob("EVENTS/msgs/1.blk")
    assert first_block.with_name("2.blk").exists()
    # The server does it beside its work.
    await eventually(lambda: first_block.stat().st_size < BLOCK // 2)
    await nats_server.kill()
    await nats_server.start()
    await check_guards(bus)
    assert sorted([each.data async for each in messages_after(bus, EVENTS, "evt.>", 0)]) == sorted(bodies)


async def test_the_log_and_the_live_output_of_a_new_system_are_compressed(bus: Bus) -> None:
    for name in (EVENTS, OUTPUT):
        assert (await bus.js.stream_info(name)).config.compression == StoreCompression.S2


async def test_the_guards_stand_on_an_older_log_that_is_not_compressed(bus: Bus) -> None:
    config = (await bus.js.stream_info(EVENTS)).config
    await bus.js.update_stream(config.evolve(compression=StoreCompression.NONE))
    await check_guards(bus)
