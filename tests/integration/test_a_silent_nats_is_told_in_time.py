"""A NATS whose process is stopped takes connections and says nothing: nobody waits for one deadline after the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cli.connection import connect
from services.gateway.live.hub import event_hub
from services.gateway.silent_nats import SilentNats
from services.projector.projector import Projector
from shared.nats.bus import Bus, NatsUnreachable
from shared.nats.pulse import Pulse
from shared.nats.streams import provision
from shared.ops.timings import NatsTimings
from testing.nats import Nats
from testing.stream_limits import SMALL

WITHIN_S = 8.0
"""Five seconds, and what a busy machine adds."""


@contextlib.contextmanager
def frozen(nats: Nats) -> Iterator[None]:
    os.kill(nats.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(nats.pid, signal.SIGCONT)


@pytest.fixture
async def pulse(bus: Bus) -> AsyncIterator[Pulse]:
    made = Pulse(bus)
    beating = asyncio.create_task(made.run())
    yield made
    made.drain()
    await beating


async def asked(app: ASGIApp, path: str = "/api/tasks") -> list[int]:
    """The statuses that the application answers with."""
    statuses = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    await app({"type": "http", "path": path, "headers": []}, receive, send)  # type: ignore[arg-type]
    return statuses


async def test_what_waits_for_it_ends_in_words_and_what_needs_it_not_goes_on(nats_server: Nats, pulse: Pulse) -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(600)

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await pulse.until_heard()

    began = time.monotonic()
    with frozen(nats_server):
        assert await asked(SilentNats(waits, pulse)) == [503]
        assert pulse.silent
        goes_on = asyncio.create_task(asked(SilentNats(answers, pulse)))
        assert await asked(SilentNats(waits, pulse)) == [503], "and at once, when it is known"
        assert time.monotonic() - began < WITHIN_S
    await asyncio.wait_for(pulse.until_heard(), WITHIN_S)
    assert await goes_on == [200]
    async with pulse.beating():
        await asyncio.sleep(0)


async def test_a_service_that_starts_waits_for_a_nats_that_still_reads_its_streams(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    await provision(bus, SMALL)
    hasty = await Bus.connect(nats_server.url, name="hasty", timings=NatsTimings(answer_s=0.2))
    hub, projector = event_hub(hasty), Projector(hasty, tmp_path)
    with frozen(nats_server):
        starting = asyncio.gather(hub.begin(), projector.start())
        await asyncio.sleep(0.5)  # longer than one answer may take
        assert not starting.done()
    assert (await asyncio.wait_for(starting, WITHIN_S))[1] == 0
    await projector.close()
    await hasty.close()


async def test_a_command_says_that_it_is_silent(nats_server: Nats) -> None:
    began = time.monotonic()
    with frozen(nats_server), pytest.raises(NatsUnreachable, match="takes connections and says nothing"):
        await connect(nats_server.url, name="x")
    assert time.monotonic() - began < WITHIN_S
