"""A projector of one test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.nats.bus import Bus
from testing.nats import Nats
from tests.integration.projector.projector_process import Projector


@pytest.fixture
async def projector(nats_server: Nats, bus: Bus, tmp_path: Path) -> AsyncIterator[Projector]:
    """Not started yet; ended with the test."""
    made = Projector(nats_server.url, tmp_path / "data", bus)
    yield made
    await made.__aexit__()
