"""The fixtures of tests that share one running system; a folder's conftest imports them."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from testing.api_client import ApiClient
from testing.demo_model import CountingModel
from testing.system import System

AGENTS: Final = Path(__file__).resolve().parents[1] / "agents"


@pytest.fixture(scope="session")
def model() -> Iterator[CountingModel]:
    """The scripted model of the shared system."""
    with CountingModel() as model:
        yield model


@pytest.fixture(scope="session")
def secret_values() -> dict[str, str]:
    """The shared system's secrets, by setting: easy to find again where they must not be."""
    return {
        "github_webhook_secret": f"canary-webhook-{secrets.token_hex(16)}",
        "anthropic_api_key": f"canary-model-key-{secrets.token_hex(16)}",
    }


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agents that come with Journeyman, with an executor that may ask people."""
    folder = tmp_path_factory.mktemp("agents") / "agents"
    shutil.copytree(AGENTS, folder)
    executor = folder / "executor" / "CLAUDE.md"
    executor.write_text(
        re.sub(r"^tools: (?!.*AskUserQuestion)", r"\g<0>AskUserQuestion, ", executor.read_text(), flags=re.M)
    )
    return folder


@pytest.fixture(scope="session")
def system(
    tmp_path_factory: pytest.TempPathFactory, model: CountingModel, secret_values: dict[str, str], agents: Path
) -> Iterator[System]:
    """One system for all tests that leave it as it was. When it has ended, none of its processes is left."""
    data = tmp_path_factory.mktemp("system")
    system = System.start(
        data,
        demo_model="1",
        anthropic_base_url=model.url,
        agents_dir=str(agents),
        github_webhook_secret=secret_values["github_webhook_secret"],
        anthropic_api_key=secret_values["anthropic_api_key"],
    )
    try:
        yield system
    finally:
        left = system.stop()
    assert left == []


@pytest.fixture
async def api_client(system: System) -> AsyncIterator[ApiClient]:
    """Somebody at the shared system."""
    async with ApiClient.at(system) as api_client:
        yield api_client
