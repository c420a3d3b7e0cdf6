"""The scripted model, holding agents in the middle of their work until it is let go."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from shared.claude.demo.conversation import Role, ScriptedConversation
from shared.claude.demo.model import DemoModel
from testing.demo_model import CountingModel

HELD_AT: Final = {Role.BRAIN: 0, Role.PLANNER: 1, Role.EXECUTOR: 2}
"""The turn of each role that is not answered before `release`."""


class _Holding(DemoModel):
    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__()
        self.roles = roles
        self.asked: Counter[tuple[str, str]] = Counter()
        self.held: set[Role] = set()
        self.free = {role: asyncio.Event() for role in Role}

    async def _answer(self, writer: asyncio.StreamWriter, talk: ScriptedConversation, body: Mapping[str, Any]) -> bool:
        said = hashlib.sha256(json.dumps(body.get("messages")).encode()).hexdigest()
        self.asked[f"{talk.role} {talk.session}, turn {len(talk.exchanges)}", said] += 1
        if talk.role in self.roles and len(talk.exchanges) == HELD_AT[talk.role]:
            self.held.add(talk.role)
            await self.free[talk.role].wait()
        return await super()._answer(writer, talk, body)


class HeldModel(CountingModel):
    """A model for a `ServiceGroup` that holds the agents of these roles, and remembers what it was asked."""

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

    def holds(self, role: Role) -> bool:
        """Whether an agent of this role waits for its answer."""
        return role in self._holding.held

    def release(self, *roles: Role) -> None:
        """Answer these roles, or all, from now on at once."""
        for role in roles or Role:
            self._loop.call_soon_threadsafe(self._holding.free[role].set)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold each role until its `release`, and none of them any more when the context has ended."""
        for role in Role:
            self._holding.free[role].clear()
        self._holding.roles = frozenset(HELD_AT)
        try:
            yield
        finally:
            self._holding.roles = frozenset()
            self._holding.held.clear()
            self.release()
