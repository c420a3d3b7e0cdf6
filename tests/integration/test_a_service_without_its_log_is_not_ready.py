from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from nats.js.api import DiscardPolicy

from shared.nats.bus import Bus
from shared.nats.streams import EVENTS, provision
from testing.eventually import eventually
from testing.nats import Nats
from testing.stream_limits import SMALL
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess


async def test_a_service_says_that_the_log_or_one_of_its_guards_is_gone_and_when_it_is_back(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    async with (
        Gateway(nats_server.url, tmp_path / "gateway") as gateway,
        ServiceProcess("planner", nats_server.url, tmp_path / "planner") as planner,
        httpx.AsyncClient(timeout=60, trust_env=False) as http,
    ):
        addresses = [gateway.url, f"http://127.0.0.1:{planner.facts['health']}"]

        def problem(words: str) -> Callable[[], Awaitable[bool]]:
            async def told() -> bool:
                answers = [await http.get(f"{each}/health/ready") for each in addresses]
                return all(each.status_code == 503 and words in each.json()["problems"]["log"] for each in answers)

            return told

        async def ready() -> bool:
            return all([(await http.get(f"{each}/health/ready")).status_code == 200 for each in addresses])

        await eventually(ready)
        config = (await bus.js.stream_info(EVENTS)).config
        await bus.js.update_stream(config.evolve(discard=DiscardPolicy.OLD))
        await eventually(problem("guard discard new"))
        await bus.js.update_stream(config)
        await eventually(ready)

        await bus.js.delete_stream(EVENTS)
        await eventually(problem("EVENTS is missing: run `journeyman provision`"))
        for each in addresses:
            assert (await http.get(f"{each}/health/live")).status_code == 200
        await provision(bus, SMALL)
        await eventually(ready)
