"""The people of the system, as the log has them now: who they are, and what they may do.

Whoever hosts actors asks here before an actor decides. It is one small fold in memory that follows ``evt.user.>``;
before somebody is refused, the log itself is asked once more.
"""

from __future__ import annotations

import asyncio
from typing import Final

from shared.contracts.messages import Command, name_of
from shared.contracts.roles import CLOSED, COMMANDS, refusal_of_command
from shared.contracts.subjects import Actor
from shared.contracts.user import NAME, NOBODY, User, evolve
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.runtime.watcher import watch_until

USER: Final = "user:"
LOCAL: Final = "user:local"
"""Whoever reaches a gateway whose login is off, which listens on loopback only."""


class People:
    """Follows the log."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._found: dict[str, User] = {}
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Follow the log until `drain`."""
        await watch_until(self._draining, self._journal, "evt.user.>", after=0, handle=self._hear)

    def drain(self) -> None:
        """Follow no longer."""
        self._draining.set()

    def find(self, name: str) -> User:
        """Who that is: `NOBODY` for somebody who was never invited."""
        return self._found.get(name, NOBODY)

    async def check(self, actor: Actor, command: Command, principal: str) -> None:
        """Let a command pass that its sender may give; raises `Rejected`, and what the journal raises.

        A system without people, whose login is off or which is just starting, refuses nobody.
        """
        if not principal.startswith(USER):
            return
        verb = name_of(command)
        closed = COMMANDS.get(actor.kind, {}).get(verb, CLOSED) is CLOSED
        if not closed and (principal == LOCAL or not self._found):
            return
        name = principal.removeprefix(USER)
        refused = refusal_of_command(actor.kind, verb, name=name, actor=actor.id, user=self.find(name))
        if refused is not None and not closed:
            # What was heard may be older than what the sender has been told.
            user = await self._by_the_log(name)
            refused = refusal_of_command(actor.kind, verb, name=name, actor=actor.id, user=user)
        if refused is not None:
            raise refused

    async def _by_the_log(self, name: str) -> User:
        user = NOBODY
        if not NAME.fullmatch(name):
            return user
        for event in await self._journal.load(Actor("user", name)):
            user = evolve(user, event.data)
        return user

    def _hear(self, event: RecordedEvent) -> None:
        name = event.actor.id
        self._found[name] = evolve(self.find(name), event.data)
