"""The real CLI against the scripted model: one repository, one config directory and one model per test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.claude.demo.model import DemoModel
from shared.claude.demo.repo import create_demo_repository
from shared.claude.process.reaper import sweep
from shared.claude.role import AgentRole, load_role
from tests.integration.claude.agent_runs import Runs

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def model() -> AsyncIterator[DemoModel]:
    model = DemoModel()
    model.url = await model.start()  # type: ignore[attr-defined]  # only the tests want it kept
    yield model
    await model.stop()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    create_demo_repository(tmp_path / "repository")
    return tmp_path / "repository"


@pytest.fixture
def agents() -> dict[str, AgentRole]:
    return {each.name: load_role(each) for each in (ROOT / "agents").iterdir()}


@pytest.fixture
def runs(tmp_path: Path, model: DemoModel, repository: Path, agents: dict[str, AgentRole]) -> Iterator[Runs]:
    runs = Runs(tmp_path, model.url, repository, agents)  # type: ignore[attr-defined]  # set by the fixture above
    yield runs
    for mark in runs.marks:
        sweep(mark)
