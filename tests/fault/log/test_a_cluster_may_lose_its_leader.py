"""Three servers hold the log; the one that leads it is killed under load."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import msgspec
import pytest

from shared.nats.streams import EVENTS, OUTPUT, provision
from testing.cluster import Cluster, leader
from testing.eventually import eventually
from testing.load import Load
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("fault"), pytest.mark.timeout(400)]


async def test_every_accepted_command_completes_once_although_the_leader_is_killed(
    tmp_path: Path, random: Random
) -> None:
    async with Cluster(tmp_path / "nats") as cluster, AsyncExitStack() as stack:
        buses = []
        for number in range(4):
            buses.append(each := await connect_patiently(cluster.url, name=f"host-{number}"))
            stack.push_async_callback(each.close)
        bus = buses.pop()
        await provision(bus, msgspec.structs.replace(SMALL, replicas=3))
        assert (await bus.js.stream_info(EVENTS)).config.num_replicas == 3
        assert (await bus.js.stream_info(OUTPUT)).config.num_replicas == 3

        load = Load(buses, actors=6, random=random)
        over = asyncio.Event()
        working = asyncio.create_task(load.run(until=over.is_set))

        async def further(commands: int) -> None:
            goal = len(load.accepted) + commands
            await eventually(lambda: working.done() or len(load.accepted) >= goal, within=90)
            if working.done():
                await working

        await further(60)
        killed = await eventually(lambda: leader(bus), within=90)
        began = time.monotonic()
        await cluster.kill(killed)
        await further(len(load.actors))
        away = time.monotonic() - began
        await cluster.start(killed)
        await further(60)
        over.set()
        await working
        print(f"{killed} led and was killed: {await load.check(bus)}; writing again after {away:.1f} s")
