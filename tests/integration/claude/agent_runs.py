"""Invocations of the real CLI against the scripted model."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import msgspec

from shared.claude.process.binary import find_cli
from shared.claude.process.invocation import Invocation
from shared.claude.role import AgentRole
from testing.confined import sandbox


class Runs:
    """Makes invocations of one test and ends, by their own marks, what a failed test leaves."""

    def __init__(self, folder: Path, url: str, repository: Path, agents: dict[str, AgentRole]) -> None:
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
            sandbox=sandbox(),
            api_key="demo-key",
            base_url=self._url,
            max_retries=1,
            inherited=os.environ,
        )
        return msgspec.structs.replace(invocation, **changes)
