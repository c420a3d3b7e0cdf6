"""The shared system of this folder's tests, with a model that can hold its agents in the middle of their work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.system_fixtures import agents, api_client, secret_values, system
from tests.fault.drain.held_model import HeldModel

__all__ = ["agents", "api_client", "secret_values", "system"]


@pytest.fixture(scope="session")
def model() -> Iterator[HeldModel]:
    """The scripted model of the shared system; it holds nobody who is not asked to wait."""
    with HeldModel() as model:
        yield model
