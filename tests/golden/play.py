"""A service group while a golden log is recorded, and what people and accidents do to it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from shared.claude.demo.model import DemoModel
from shared.claude.demo.script import Fail, Move
from shared.claude.process.reaper import family
from shared.contracts import task
from shared.contracts.ids import new_task_id
from shared.contracts.messages import Command, name_of
from shared.contracts.roles import CLOSED, COMMANDS
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.runtime.client import Client
from testing.api_client import ApiClient
from testing.checker import story_of
from testing.service_group import Member, ServiceGroup
from testing.system import REPO

WITHIN_S = 120.0
ADA = "user:ada"


class Play:
    """The words of the scenarios. ``last`` is the newest event that `until` has waited for."""

    def __init__(self, group: ServiceGroup) -> None:
        self.group = group
        self.client = Client(group.bus, source="journeyman/cli")
        self.last: RecordedEvent | None = None

    async def submit(
        self,
        text: str,
        *,
        directive: task.Directive = task.Directive.AUTO,
        approval: task.Approval = task.Approval.AUTO,
        repo: str = REPO,
        id: str = "",
    ) -> str:
        """A task of Ada's; returns its id."""
        id = id or new_task_id()
        source = task.Source(kind="api", author="ada")
        command = task.Submit(
            title=text.splitlines()[0], text=text, source=source, repo=repo, directive=directive, approval=approval
        )
        await self.tell(id, command)
        return id

    async def tell(self, id: str, command: Command, kind: str = "task") -> None:
        """Ada says something, and it is taken; what no person may say, the gateway does."""
        row = COMMANDS.get(kind, {}).get(name_of(command), CLOSED)
        principal = "service:gateway" if row is CLOSED else ADA
        await self.client.send(Actor(kind, id), command, principal=principal, timeout=WITHIN_S)

    async def until(self, id: str, what: str, *, anew: bool = False) -> RecordedEvent:
        """Wait for an event of this name; ``anew``: behind the one that was waited for before."""
        after = self.last.position if anew and self.last is not None else 0
        self.last = await self.group.until(id, what, after=after, within=WITHIN_S)
        return self.last

    async def approve(self, id: str, version: int = 1) -> None:
        """Approve the plan's version when it is there."""
        while (ready := (await self.until(id, "task.plan-ready", anew=version > 1)).data).version < version:
            continue
        await self.tell(id, task.Approve(version=ready.version, digest=ready.digest, base_commit=ready.base_commit))

    async def deliver(self, event: str, payload: dict[str, Any]) -> str:
        """A signed webhook of GitHub, accepted; returns the delivery's id."""
        async with httpx.AsyncClient(base_url=self.group.http, timeout=60, trust_env=False) as http:
            api_client = ApiClient(self.group, http, self.group.bus)  # type: ignore[arg-type]  # it has what a delivery needs
            answer = await api_client.deliver(payload, event=event)
        assert answer.is_success, answer.text
        return str(answer.json()["delivery"])

    async def names(self, id: str) -> list[str]:
        """The names of the task's events so far."""
        return [f"{each.kind}.{each.name}" for each in await story_of(self.group.bus, id)]


def cut_power(member: Member, id: str) -> None:
    """The service and its agents, at the same moment."""
    agents = [pid for kind in ("task", "plan", "run") for pid, _ in family(f"{kind}-{id}")]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (member.pid, *agents):
            os.kill(pid, number)


class _Exhausted(DemoModel):
    """A model whose account has used up what it may."""

    def _choose(self, talk: object) -> Move:
        return Fail(429, None)


@asynccontextmanager
async def exhausted_model() -> AsyncIterator[str]:
    """The address of a model API that answers 429 to everything."""
    model = _Exhausted()
    url = await model.start()
    try:
        yield url
    finally:
        await model.stop()
