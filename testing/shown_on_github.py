"""People's view of a task on a GitHub of ours, without services around: the reply's rules, its activity, its effects.

A gateway may die at each of the activity's crash points; the next one takes the same message again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from msgspec.structs import replace

from services.gateway.actors.reply import DECIDER
from services.gateway.github.budget import Budget
from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppKey, PersonalToken, credentials_of
from services.gateway.github.transport import Transport
from services.gateway.outbound import displays
from services.gateway.outbound.commit_checks import CommitChecks
from services.gateway.outbound.displays import Displays
from services.gateway.outbound.github_effects import GitHubEffects
from shared.contracts import reply
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.queries import TaskDetail
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.in_memory import MemoryJournal
from shared.ops.config import Config, Policy, Repo
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost
from testing.github_server import GitHubServer, app_key
from testing.recorded import TASK_ID

REPO = "octo/app"
REPLY = Actor("reply", TASK_ID)


class Killed(BaseException):
    """The gateway is gone."""


@dataclass
class OnGitHub:
    """One task, what people see of it, and gateways that come and go. ``url`` is where the API is reached."""

    server: GitHubServer
    url: str
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    task: TaskDetail | None = None
    by_token: bool = False
    worker: int = 0

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another process: it remembers nothing."""
        self.worker += 1
        transport = Transport(self.url)
        app = next(iter(self.server.apps.values()), None)
        access = (
            PersonalToken(self.server.user("journeyman-bot"))
            if self.by_token or app is None
            else AppKey(str(app.id), app_key())
        )
        budget = Budget(per_minute=100_000, per_hour=100_000)
        self.github = GitHub(transport, credentials_of(access, transport), budget=budget)
        self.host = ActorHost(self.journal, [DECIDER], source="journeyman/gateway")

        async def task(id: str) -> TaskDetail | None:
            return self.task

        effects = GitHubEffects(
            self.github,
            lambda: Config(repos={REPO: Repo(url="https://github.com/octo/app")}, policy=Policy()),
            task,
            self.journal,
            check=CommitChecks(self.github, self.journal).show,
        )
        self.displays = Displays(self.host, {"github": effects}, worker=f"g{self.worker}")

    async def want(self, command: Command) -> RecordedEvent | None:
        """Have the reply decide; None when nothing new is wanted."""
        return await self.host.execute(REPLY, command, id=f"c{len(self.journal.log)}", principal="service:gateway")

    async def show(self, event: RecordedEvent | None, delivered: int = 1) -> None:
        assert event is not None
        with patch.object(displays, "SETTLE_S", 0.0):
            await self.displays.show(event, ActivityContext(delivered, asyncio.Event()))

    async def show_in_the_end(self, event: RecordedEvent, *, dies_at: Callable[[str], bool], most: int = 30) -> int:
        """As the log's consumer does: again until it is acknowledged. Returns how often it was delivered."""
        for delivered in range(1, most):
            try:
                with dying(dies_at):
                    await self.show(event, delivered)
            except (Killed, HandOver):
                await self.github.close()
                self.begin_anew()
            except (OSError, Rejected):
                continue
            else:
                return delivered
        raise AssertionError(f"{event.data} is never shown")

    async def state(self) -> reply.Reply:
        state: reply.Reply = await self.host.state(REPLY)
        return state

    def stands_at(self, task: TaskDetail, version: int) -> None:
        """The read models tell this."""
        self.task = replace(task, version=version)


@contextmanager
def dying(dies_at: Callable[[str], bool]) -> Iterator[None]:
    """Crash points at which the process ends."""

    def crash_point(name: str) -> None:
        if dies_at(name):
            raise Killed(name)

    with patch.multiple(displays, crash_point=crash_point, BACKOFF_S=(0.0, 0.01), OTHERS_TURN_S=0.05, SETTLE_S=0.0):
        yield
