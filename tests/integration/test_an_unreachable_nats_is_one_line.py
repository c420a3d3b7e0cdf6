from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from cli.connection import connect
from shared.nats.bus import Bus, NatsMisconfigured, NatsUnreachable
from shared.nats.streams import check_guards
from testing.nats import Nats, refusing_port, server_with_password


async def test_a_nats_that_is_not_there_is_given_up_in_time() -> None:
    began = time.monotonic()
    with refusing_port() as port, pytest.raises(NatsUnreachable, match="JOURNEYMAN_NATS_URL"):
        await Bus.connect(f"nats://127.0.0.1:{port}", name="test", patience_s=1.0)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("address", ["nats://jm:s3cret/word@127.0.0.1:1", "nats://127.0.0.1:99999", "nats://none:1"])
async def test_an_address_that_the_client_cannot_read_is_one_line_without_its_password(address: str) -> None:
    with pytest.raises(NatsMisconfigured, match="JOURNEYMAN_NATS_URL") as wrong:
        await connect(address, name="test")
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("credentials", "what"), [("", "a connection without credentials"), ("jm:wr0ng@", "these credentials")]
)
async def test_a_nats_that_refuses_the_credentials_is_told_from_one_that_does_not_answer(
    tmp_path: Path, credentials: str, what: str
) -> None:
    with server_with_password(tmp_path / "nats", "jm", "s3cret") as port:
        with pytest.raises(NatsMisconfigured) as refused:
            await connect(f"nats://{credentials}127.0.0.1:{port}", name="test")
        bus = await connect(f"nats://jm:s3cret@127.0.0.1:{port}", name="test", patience_s=60.0)
        await bus.close()
    assert str(refused.value).startswith(f"NATS at nats://127.0.0.1:{port} refuses {what}: set JOURNEYMAN_NATS_URL")
    assert "wr0ng" not in str(refused.value)


async def test_a_publish_while_nats_is_away_fails_at_once_and_never_arrives_late(bus: Bus, nats_server: Nats) -> None:
    await nats_server.kill()
    with pytest.raises(TimeoutError):
        for _ in range(200):
            await bus.publish("parked.x", b"late", {})
    await nats_server.start()


async def test_a_start_waits_for_a_jetstream_that_is_slow_and_says_when_it_gives_up(
    bus: Bus, nats_server: Nats
) -> None:
    hasty = Bus(bus.nc, bus.nc.jetstream(timeout=0.2))
    os.kill(nats_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NatsUnreachable, match="JetStream has not answered"):
            await check_guards(hasty, patience_s=0)
        waiting = asyncio.create_task(check_guards(hasty))
        await asyncio.sleep(1)
        assert not waiting.done()
    finally:
        os.kill(nats_server.pid, signal.SIGCONT)
    await waiting
