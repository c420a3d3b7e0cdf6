"""A service group of services for each test that kills one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from testing.service_group import ServiceGroup

ACK_WAIT_S = 6.0
"""Shorter than in earnest, and longer than a busy machine stands still: another one would take over by then.

Every promise is about the ack wait and so many seconds more.
"""


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[ServiceGroup]:
    """NATS and the model; the test adds the services."""
    async with ServiceGroup(tmp_path / "group", ack_wait_s=ACK_WAIT_S, checks=[]) as group:
        yield group
