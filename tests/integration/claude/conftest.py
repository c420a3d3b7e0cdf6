"""The real CLI against the scripted model: one repository, one config directory and one model per test."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from shared.claude.agent import Agent, load_agent
from shared.claude.binary import find_cli
from shared.claude.demo_model import DemoModel
from shared.claude.demo_repo import create_demo_repository
from shared.claude.invocation import Invocation
from shared.claude.sweep import sweep

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
def agents() -> dict[str, Agent]:
    return {each.name: load_agent(each) for each in (ROOT / "agents").iterdir()}


class Runs:
    """Makes invocations of one test and ends, by their own marks, what a failed test leaves."""

    def __init__(self, folder: Path, url: str, repository: Path, agents: dict[str, Agent]) -> None:
        self._folder = folder
        self._url = url
        self._repository = repository
        self._agents = agents
        self.marks: list[str] = []

    def invocation(self, role: str = "executor", **changes: object) -> Invocation:
        mark = f"test-{uuid.uuid4()}"
        self.marks.append(mark)
        invocation = Invocation(
            cli=find_cli(os.environ.get("CLAUDE_CLI")),
            agent=self._agents[role],
            run_dir=self._folder / "runs" / mark,
            cwd=self._repository,
            config_dir=self._folder / "config",
            session_id=str(uuid.uuid4()),
            mark=mark,
            api_key="demo-key",
            base_url=self._url,
            max_retries=1,
            inherited=os.environ,
        )
        return msgspec.structs.replace(invocation, **changes)


@pytest.fixture
def runs(tmp_path: Path, model: DemoModel, repository: Path, agents: dict[str, Agent]) -> Iterator[Runs]:
    runs = Runs(tmp_path, model.url, repository, agents)  # type: ignore[attr-defined]  # set by the fixture above
    yield runs
    for mark in runs.marks:
        sweep(mark)
