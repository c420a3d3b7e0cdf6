"""A projector of one test's own whose lives begin fast, and the printed seed of what happens to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.nats.bus import Bus
from testing.nats import Nats
from testing.prefork import Prefork
from tests.fault.log.conftest import random
from tests.integration.projector.projector_process import Projector

__all__ = ["random"]


@pytest.fixture
def prefork() -> Iterator[Prefork]:
    with Prefork("projector") as prefork:
        yield prefork


@pytest.fixture
def projector(nats_server: Nats, bus: Bus, tmp_path: Path, prefork: Prefork) -> Projector:
    """Not started yet; ends with its prefork server."""
    return Projector(nats_server.url, tmp_path / "data", bus, prefork)
