"""What `up` says and writes down: no password of NATS, and nothing that other users of the machine may read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.command_line import Run, StartUp
from testing.nats import server_with_password

PASSWORD = "canary-2f6e"


@pytest.fixture
def guarded_nats(tmp_path: Path) -> Iterator[str]:
    """The address of a NATS that asks for a password, with the password in it."""
    with server_with_password(tmp_path / "guarded", "ada", PASSWORD) as port:
        yield f"nats://ada:{PASSWORD}@127.0.0.1:{port}"


@pytest.mark.timeout(400)
async def test_the_password_of_nats_is_neither_said_nor_written_down(
    start_up: StartUp, journeyman: Run, guarded_nats: str
) -> None:
    up = await start_up(JOURNEYMAN_NATS_URL=guarded_nats)
    await up.wait_ready()
    assert up.ready["nats"] == guarded_nats.replace(f"ada:{PASSWORD}@", "")
    assert (await journeyman("task", "list", JOURNEYMAN_NATS_URL=guarded_nats)).code == 0
    checkup = await journeyman("doctor", JOURNEYMAN_NATS_URL=guarded_nats)
    assert PASSWORD not in checkup.out + checkup.err
    assert PASSWORD not in up.said
    assert [file for file in up.data.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()] == []
    assert await up.end() == 0


async def test_the_password_of_nats_is_in_no_error(journeyman: Run) -> None:
    nobody = f"nats://ada:{PASSWORD}@127.0.0.1:9"
    commands = (("task", "list"), ("service", "brain"), ("doctor",))
    # Each waits for seconds before it gives up, so they wait at the same time.
    for ended in await asyncio.gather(*(journeyman(*each, JOURNEYMAN_NATS_URL=nobody) for each in commands)):
        assert ended.code == 1
        assert "nats://127.0.0.1:9" in ended.out + ended.err
        assert PASSWORD not in ended.out + ended.err
    wrong = await journeyman("task", "list", JOURNEYMAN_NATS_URL=f"http://ada:{PASSWORD}@host")
    assert wrong.code == 1
    assert "JOURNEYMAN_NATS_URL" in wrong.err
    assert PASSWORD not in wrong.out + wrong.err
