from __future__ import annotations

import time

import pytest

from shared.nats.bus import Bus, NatsUnreachable
from tests.support.nats import Nats, free_port


async def test_a_nats_that_is_not_there_is_given_up_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(NatsUnreachable, match="JOURNEYMAN_NATS_URL"):
        await Bus.connect(f"nats://127.0.0.1:{free_port()}", name="test", patience_s=1.0)
    assert time.monotonic() - began < 10


async def test_a_publish_while_nats_is_away_fails_at_once_and_never_arrives_late(bus: Bus, nats_server: Nats) -> None:
    await nats_server.kill()
    with pytest.raises(TimeoutError):
        for _ in range(200):
            await bus.publish("parked.x", b"late", {})
    await nats_server.start()
