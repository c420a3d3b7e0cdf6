"""A gateway and a brain of one test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from testing.command_line import Run, run_in
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess


@pytest.fixture
async def gateway(nats_server: Nats, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Running, with a webhook secret."""
    async with Gateway(nats_server.url, tmp_path / "data") as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway."""
    async with gateway.http() as client:
        yield client


@pytest.fixture
async def brain(nats_server: Nats, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """Running."""
    async with ServiceProcess("brain", nats_server.url, tmp_path / "brain") as running:
        yield running


@pytest.fixture
def journeyman(tmp_path: Path) -> Run:
    """Runs one command to its end, in an empty directory."""
    return partial(run_in, tmp_path, within=120)
