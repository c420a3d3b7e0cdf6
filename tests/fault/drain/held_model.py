"""The scripted model, holding agents in the middle of their work until it is let go."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from shared.claude.demo_conversation import Conversation, Role
from shared.claude.demo_model import DemoModel
from tests.support.model import CountingModel

HELD_AT: Final = {Role.BRAIN: 0, Role.PLANNER: 1, Role.EXECUTOR: 2}
"""The turn of each role that is not answered before `release`."""


class _Holding(DemoModel):
    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__()
        self.roles = roles
        self.asked: Counter[tuple[str, str]] = Counter()
        self.held: set[Role] = set()
        self.free = asyncio.Event()

    async def _answer(self, writer: asyncio.StreamWriter, talk: Conversation, body: Mapping[str, Any]) -> bool:
        said = hashlib.sha256(json.dumps(body.get("messages")).encode()).hexdigest()
        self.asked[f"{talk.role} {talk.session}, turn {len(talk.exchanges)}", said] += 1
        if talk.role in self.roles and len(talk.exchanges) == HELD_AT[talk.role]:
            self.held.add(talk.role)
            await self.free.wait()
        return await super()._answer(writer, talk, body)


class HeldModel(CountingModel):
    """A model for a `Cast` that holds the agents of these roles, and remembers what it was asked."""

    def __init__(self, *roles: Role) -> None:
        super().__init__()
        self._model = self._holding = _Holding(frozenset(roles))

    @property
    def holds_all(self) -> bool:
        """Whether an agent of each role waits for its answer."""
        return self._holding.held == self._holding.roles

    @property
    def asked_again(self) -> list[str]:
        """Turns that were asked for more than once: work that was paid for twice."""
        return [turn for (turn, _), times in self._holding.asked.items() if times > 1]

    def release(self) -> None:
        """Answer, from now on at once."""
        self._loop.call_soon_threadsafe(self._holding.free.set)
