"""People, and the door that they come in by, without a gateway: the real parts over a log and a bucket in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import msgspec

from services.brain.actors import user
from services.gateway.people_commands import PeopleCommands
from services.gateway.security.door import Door
from services.gateway.security.identity import Identity, Via
from services.gateway.security.one_time import OneTime
from services.gateway.security.sessions import Sessions
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.contracts.user import Role
from shared.event_store.in_memory import MemoryJournal
from shared.nats.session_bucket import Change, SessionBucket
from shared.ops.machine_token import MachineToken
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client, CommandResult
from shared.runtime.people import People
from testing.door import ADA, TOKEN

OWNER: Final = Identity(name=ADA, role=Role.ADMIN, via=Via.MACHINE)


class MemoryBucket(SessionBucket):
    """The bucket SESSIONS of one test, in memory: what ends by itself does so when `tick` says how late it is."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, datetime]] = {}
        self._following: list[asyncio.Queue[Change]] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def clock(self) -> datetime:
        """The time that it goes by."""
        return self.now

    def tick(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by

    async def put(self, name: str, data: bytes, *, within_s: float) -> None:
        """As the real one."""
        self._kept[name] = (data, self.now + timedelta(seconds=max(1, round(within_s))))
        self._tell(Change(name, data))

    async def get(self, name: str) -> bytes | None:
        """As the real one."""
        data, ends_at = self._kept.get(name, (b"", self.now))
        return data if ends_at > self.now else None

    async def take(self, name: str) -> bytes | None:
        """As the real one."""
        data = await self.get(name)
        await self.remove(name)
        return data

    async def remove(self, name: str) -> None:
        """As the real one."""
        self._kept.pop(name, None)
        self._tell(Change(name, b""))

    async def changes(self) -> AsyncIterator[Change]:
        """As the real one."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        for name, (data, _) in self._kept.items():
            queue.put_nowait(Change(name, data))
        self._following.append(queue)
        while True:
            yield await queue.get()

    def _tell(self, change: Change) -> None:
        for queue in self._following:
            queue.put_nowait(change)


class House:
    """A door, and those who may come in by it. Ada runs the house; time is that of the bucket."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.journal = MemoryJournal()
        self.people = People(self.journal)
        self.bucket = MemoryBucket()
        self.sessions = Sessions(self.bucket, self.bucket.clock)
        self.one_time = OneTime(self.bucket)
        machine = None if is_open else MachineToken(TOKEN, ADA)
        self.door = Door(self.people, self.sessions, self.one_time, machine=machine, clock=self.bucket.clock)
        self.commands = PeopleCommands(_Brain(self.journal), self.people, self.sessions)
        self._at_work: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._at_work = [asyncio.create_task(self.people.run()), asyncio.create_task(self.sessions.run())]
        return self

    async def __aexit__(self, *exit: object) -> None:
        self.people.drain()
        self.sessions.drain()
        await asyncio.gather(*self._at_work)

    async def invite(self, name: str, role: Role) -> Identity:
        """Let a person in, and log them in."""
        await self.commands.invite(name, role, by=OWNER)
        return (await self.log_in(name))[1]

    async def log_in(self, name: str) -> tuple[str, Identity]:
        """The key of a new session, and who it is for."""
        link = await self.one_time.link(name)
        return await self.door.log_in(link, agent="test", address="192.0.2.1", before="")

    async def token(self, name: str, **wanted: Any) -> str:
        """A token of a person."""
        given = {"title": "test", "role": None, "scopes": (), "ends_at": None, "by": OWNER} | wanted
        return (await self.commands.make_token(name, **given)).secret


class _Brain(Client):
    """What decides about people, without a way to it."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._host = ActorHost(journal, [user.DECIDER], source="test")
        self._sent = 0

    async def send(
        self, actor: Actor, command: Command, *, principal: str, id: str | None = None, **_: Any
    ) -> CommandResult:
        """Decide at once."""
        self._sent += 1
        asked = msgspec.structs.replace(command, id=actor.id)
        done = await self._host.execute(actor, asked, id=id or f"c{self._sent}", principal=principal)
        return CommandResult(event=None, position=done.position if done else 0)
