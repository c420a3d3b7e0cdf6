"""People's view of a task at a sender of ours besides GitHub: the reply's rules, its activity, the sender's board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from services.gateway.actors.reply import DECIDER
from services.gateway.outbound import displays
from services.gateway.outbound.channels.board import Board, BoardEffects, Parts
from services.gateway.outbound.channels.registry import boards
from services.gateway.outbound.displays import Displays
from shared.contracts import reply
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.queries import TaskDetail
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.in_memory import MemoryJournal
from shared.ops.config import Config
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost
from testing.recorded import TASK_ID
from testing.shown_on_github import Killed, dying

REPLY = Actor("reply", TASK_ID)


@dataclass
class OnBoard:
    """One task, what people see of it, and gateways that come and go. ``settings`` have the sender's credentials."""

    name: str
    settings: Settings
    config: Config = field(default_factory=Config)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    task: TaskDetail | None = None
    worker: int = 0

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another process: it remembers nothing."""
        self.worker += 1
        self.host = ActorHost(self.journal, [DECIDER], source="journeyman/gateway")

        async def task(id: str) -> TaskDetail | None:
            return self.task

        parts = Parts(config=lambda: self.config, task=task, journal=self.journal)
        self.board: Board = boards(self.settings, parts)[self.name]
        self.displays = Displays(self.host, {self.name: BoardEffects(self.board, parts)}, worker=f"g{self.worker}")

    async def close(self) -> None:
        """Close the connections."""
        rest: Any = vars(self.board)["_rest"]
        await rest.close()

    async def want(self, command: Command) -> RecordedEvent | None:
        """Have the reply decide; None when nothing new is wanted."""
        return await self.host.execute(REPLY, command, id=f"c{len(self.journal.log)}", principal="service:gateway")

    async def show(self, event: RecordedEvent | None, delivered: int = 1) -> None:
        assert event is not None
        with patch.object(displays, "SETTLE_S", 0.0):
            await self.displays.show(event, ActivityContext(delivered, asyncio.Event()))

    async def show_in_the_end(self, event: RecordedEvent, *, dies_at: Callable[[str], bool], most: int = 40) -> int:
        """As the log's consumer does: again until it is acknowledged. Returns how often it was delivered."""
        for delivered in range(1, most):
            try:
                with dying(dies_at):
                    await self.show(event, delivered)
            except (Killed, HandOver):
                await self.close()
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
