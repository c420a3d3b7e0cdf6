"""NATS is killed under load, loses acknowledgements, is full: what was accepted is in the log once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import msgspec
import pytest

from shared.contracts.subjects import Actor
from shared.contracts.task import Stop
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.streams import COMMANDS, EVENTS, MEBI
from shared.ops.proc import parse_stat
from shared.runtime.client import Client, NoAnswer
from testing.eventually import eventually
from testing.load import PATIENCE_S, Load
from testing.nats import Nats
from testing.proxy import AckDroppingProxy
from testing.slow_timings import PATIENT, connect_patiently

pytestmark = [pytest.mark.xdist_group("fault"), pytest.mark.timeout(400)]

KILLS = 4
HOSTS = 3


@pytest.fixture
async def buses(nats_server: Nats) -> AsyncIterator[list[Bus]]:
    found = [await connect_patiently(nats_server.url, name=f"host-{number}") for number in range(HOSTS)]
    yield found
    await asyncio.gather(*(bus.close() for bus in found))


async def test_nothing_is_lost_or_doubled_when_nats_is_killed_under_load(
    nats_server: Nats, buses: list[Bus], bus: Bus, random: Random
) -> None:
    load = Load(buses, actors=8, random=random)
    over = asyncio.Event()
    working = asyncio.create_task(load.run(until=over.is_set))
    outages = []
    for _ in range(KILLS):
        before = len(load.accepted)
        while len(load.accepted) < before + random.randint(20, 120):
            assert not working.done()
            await asyncio.sleep(0.005)
        began, before = time.monotonic(), len(load.accepted)
        await nats_server.kill()
        await nats_server.start()
        while len(load.accepted) < before + len(load.actors):
            assert not working.done()
            await asyncio.sleep(0.005)
        outages.append(time.monotonic() - began)
    over.set()
    await working
    found = await load.check(bus)
    print(f"{KILLS} kills: {found}; back at work after {max(outages):.1f} s at most")


async def test_a_lost_acknowledgement_is_no_second_commit(nats_server: Nats, bus: Bus, random: Random) -> None:
    hasty = msgspec.structs.replace(PATIENT, publish_s=0.3)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            AckDroppingProxy(int(nats_server.url.rpartition(":")[2]), share=0.3, random=random)
        )
        buses = []
        for number in range(HOSTS):
            buses.append(each := await connect_patiently(proxy.url, name=f"host-{number}", timings=hasty))
            stack.push_async_callback(each.close)
        load = Load(buses, actors=8, random=random)
        await load.run(until=lambda: len(load.accepted) >= 120)
        proxy.share = 0.0
        found = await load.check(bus)
    print(f"{proxy.eaten} acknowledgements lost: {found}")
    assert proxy.eaten >= 20


async def test_a_command_whose_acknowledgement_was_lost_is_sent_again_and_stored_once(
    nats_server: Nats, bus: Bus, random: Random
) -> None:
    hasty = msgspec.structs.replace(PATIENT, publish_s=2.0)
    async with AckDroppingProxy(int(nats_server.url.rpartition(":")[2]), share=1.0, random=random) as proxy:
        through = await connect_patiently(proxy.url, timings=hasty)
        client = Client(through, source="test")
        sending = asyncio.create_task(client.send(Actor("task", "A"), Stop(), principal="user:ada", timeout=0.01))
        await eventually(lambda: proxy.eaten)
        proxy.share = 0.0
        with pytest.raises(NoAnswer):  # it is stored, and no service is there
            await sending
        await through.close()
    assert (await bus.js.stream_info(COMMANDS)).state.messages == 1


async def test_a_full_log_says_so_at_once_and_goes_on_when_it_is_given_room(
    buses: list[Bus], bus: Bus, random: Random
) -> None:
    load = Load(buses[:1], actors=4, random=random)
    await resize(bus, 20_000)
    with pytest.raises(LogFull, match="--max-bytes"):
        await load.run(until=lambda: len(load.accepted) > 1000)
    assert load.accepted
    began = time.monotonic()
    with pytest.raises(LogFull):
        await load.run(until=lambda: False)
    assert time.monotonic() - began < PATIENCE_S / 2, "it waited for room"
    await load.check(bus)
    await resize(bus, MEBI)
    enough = len(load.accepted) + 40
    await load.run(until=lambda: len(load.accepted) >= enough)
    print(await load.check(bus))


async def test_a_server_that_falls_silent_is_not_taken_for_an_empty_actor(nats_server: Nats, bus: Bus) -> None:
    load = Load([bus], actors=1, random=Random(0))
    await load.run(until=lambda: len(load.accepted) >= 3)
    os.kill(nats_server.pid, signal.SIGSTOP)
    try:
        await eventually(lambda: has_stopped(nats_server.pid))  # the signal reaches its threads one by one
        with pytest.raises(TimeoutError):
            await get_batch(bus, EVENTS, "evt.>", start=1, limit=100)
    finally:
        os.kill(nats_server.pid, signal.SIGCONT)
    found = await get_batch(bus, EVENTS, "evt.>", start=1, limit=2)
    assert ([message.position for message in found.messages], found.pending) == ([1, 2], 1)


def has_stopped(pid: int) -> bool:
    """Whether every thread of a process stands still."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(parse_stat(each.read_text()).state == "T" for each in threads)


async def resize(bus: Bus, room: int) -> None:
    """Let EVENTS grow by this many bytes."""
    info = await bus.js.stream_info(EVENTS)
    info.config.max_bytes = info.state.bytes + room
    await bus.js.update_stream(info.config)
