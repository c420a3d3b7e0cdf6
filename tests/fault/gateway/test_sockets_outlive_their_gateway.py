"""Hundreds of dashboards, a stream of events, and a gateway that is killed under them, twice."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from shared.contracts import task
from shared.nats.bus import Bus
from testing.campaign_size import CampaignSize
from testing.eventually import eventually
from testing.nats import Nats, free_port
from tests.integration.gateway.gateway_process import Gateway, happen

EVENTS: Final = 150
WITHIN_S: Final = 120.0


class Frame(msgspec.Struct, frozen=True):
    """As much as counts here of what a socket is sent."""

    type: str
    seq: int = 0


frames: Final = msgspec.json.Decoder(Frame)


class Dashboard:
    """One client: it remembers the sequences of its events, and comes back with the last one."""

    def __init__(self, url: str, random: Random) -> None:
        self._url = url.replace("http://", "ws://") + "/ws"
        self._random = random
        self.seen: list[int] = []
        self.connections = 0

    async def follow(self, events: int) -> None:
        """Until it has heard so many."""
        while True:
            try:
                if await self._listen(events):
                    return
            except (OSError, WebSocketException):
                await asyncio.sleep(self._random.uniform(0.1, 1.0))

    async def _listen(self, events: int) -> bool:
        async with connect(
            self._url, proxy=None, compression=None, ping_interval=None, open_timeout=WITHIN_S
        ) as socket:
            self.connections += 1
            after = self.seen[-1] if self.seen else 0
            await socket.send(msgspec.json.encode({"type": "subscribe", "topics": ["tasks"], "after": after}).decode())
            async for text in socket:
                frame = frames.decode(text)
                if frame.type == "task.updated":
                    self.seen.append(frame.seq)
                if len(self.seen) >= events:
                    return True
        return False


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_each_socket_goes_on_behind_its_last_sequence_without_gap_or_duplicate(
    nats_server: Nats, bus: Bus, tmp_path: Path, random: Random, campaign_size: CampaignSize
) -> None:
    happened: list[int] = []
    async with Gateway(nats_server.url, tmp_path / "data", JOURNEYMAN_HTTP_PORT=str(free_port())) as gateway:
        dashboards = [Dashboard(gateway.url, random) for _ in range(campaign_size.pick(small=100, full=500))]

        def all_came(times: int) -> bool:
            return min(each.connections for each in dashboards) >= times

        async def go_on(until: int) -> None:
            while len(happened) < until:
                number = len(happened) + 1
                happened.append(await happen(bus, f"T{number % 7}", task.InputGiven(message="m"), number))
                await asyncio.sleep(0.02)

        following = [asyncio.create_task(each.follow(EVENTS)) for each in dashboards]
        try:
            for part in (1, 2):
                await eventually(partial(all_came, part), within=WITHIN_S)
                happening = asyncio.create_task(go_on(part * EVENTS // 3))
                await eventually(lambda: any(each.seen[-1:] == happened[-1:] for each in dashboards if happened))
                await gateway.kill()
                await happening
                await gateway.again()
            await go_on(EVENTS)
            await asyncio.wait_for(asyncio.gather(*following), WITHIN_S)
        finally:
            for each in following:
                each.cancel()
            await asyncio.gather(*following, return_exceptions=True)
    assert [number for number, each in enumerate(dashboards) if each.seen != happened] == []
    assert min(each.connections for each in dashboards) >= 3
