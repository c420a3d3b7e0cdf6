"""One service alone, as `journeyman service NAME`: its data directory is as private as that of `up`."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from testing.eventually import eventually
from testing.nats import Nats
from testing.system import JOURNEYMAN, plain_environment


@pytest.mark.parametrize("name", ["gateway", "projector"])
@pytest.mark.parametrize("open_before", [False, True])
async def test_the_data_directory_of_a_service_alone_is_for_its_owner_alone(
    nats_server: Nats, tmp_path: Path, name: str, open_before: bool
) -> None:
    data, ready, log = tmp_path / "data", tmp_path / "ready", tmp_path / "log"
    if open_before:
        data.mkdir()
        data.chmod(0o755)
    environment = plain_environment(
        data, nats_url=nats_server.url, http_port="0", health_port="0", ready_file=str(ready)
    )
    with log.open("wb") as told:
        service = await asyncio.create_subprocess_exec(
            str(JOURNEYMAN), "service", name, env=environment, cwd=tmp_path, stdout=told, stderr=told
        )
    try:
        await eventually(lambda: ready.exists() or service.returncode is not None, within=90)
        assert service.returncode is None, log.read_text()
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    finally:
        if service.returncode is None:
            service.terminate()
        assert await asyncio.wait_for(service.wait(), 60) == 0, log.read_text()
