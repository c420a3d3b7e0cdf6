"""The people of the system, as the log has them now: who they are, what they may do, which tokens stand for them.

Whoever hosts actors asks here before an actor decides, and the gateway before it looks a route up. It is one small
fold in memory that follows ``evt.user.>``; before somebody is refused, the log itself is asked once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shared.contracts.messages import Command, name_of
from shared.contracts.roles import CLOSED, COMMANDS, refusal_of_command
from shared.contracts.subjects import Actor
from shared.contracts.user import NAME, NOBODY, Token, User, evolve
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.runtime.reached import Reached
from shared.runtime.watcher import until_draining, watch

USER: Final = "user:"
LOCAL: Final = "user:local"
"""Whoever reaches a gateway whose login is off, which listens on loopback only."""


class Held(NamedTuple):
    """A token, and the person it stands for."""

    name: str
    user: User
    token: Token


class People:
    """Follows the log."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._found: dict[str, User] = {}
        self._tokens: dict[str, tuple[str, Token]] = {}
        self._reached = Reached()
        self._listeners: list[Callable[[str], None]] = []
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Follow the log until `drain`."""
        await until_draining(self._draining, watch(self._journal, "evt.user.>", after=0, handle=self._hear))

    def drain(self) -> None:
        """Follow no longer."""
        self._draining.set()

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call this with the name of each person of whom something is new."""
        self._listeners.append(listener)

    async def heard(self, position: int) -> None:
        """Wait until the log was followed to a position, for a moment at most."""
        await self._reached.wait(position)

    def all(self) -> Mapping[str, User]:
        """Everybody by name."""
        return self._found

    def find(self, name: str) -> User:
        """Who that is: `NOBODY` for somebody who was never invited."""
        return self._found.get(name, NOBODY)

    def holder(self, hash: str) -> Held | None:
        """Whose token has this SHA-256; None for one that stands for nobody. Its end is the caller's business."""
        found = self._tokens.get(hash)
        if found is None:
            return None
        name, token = found
        return Held(name, self._found[name], token)

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
        before = self.find(name)
        user = self._found[name] = evolve(before, event.data)
        for token in before.tokens:
            self._tokens.pop(token.hash, None)
        self._tokens |= {token.hash: (name, token) for token in user.tokens}
        self._reached.move(event.position)
        for listener in self._listeners:
            listener(name)
