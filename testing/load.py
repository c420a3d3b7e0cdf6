"""Actors under load from several hosts, and the checker: every accepted command is in the log once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec

from shared.contracts.decider import Decider
from shared.contracts.session import Said, Say
from shared.contracts.subjects import Actor
from shared.event_store.journal import Conflict, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.runtime.actor_host import ActorHost

PATIENCE_S: Final = 60.0


class Told(msgspec.Struct, frozen=True):
    """How many messages an actor has."""

    messages: int = 0


def decide(state: Told, command: Say) -> Said:
    return Said(message=command.message, author=command.author, task_id=command.task_id)


def evolve(state: Told, event: object) -> Told:
    return Told(state.messages + 1)


DECIDER: Final = Decider("session", Told(), decide, evolve)
"""Every command makes an event, so an event too few or too many shows."""


class Load:
    """Tells ``actors`` one command after the other, from ``hosts`` hosts at once, each command by two of them."""

    def __init__(self, buses: list[Bus], *, actors: int, random: Random) -> None:
        self.hosts = [ActorHost(NatsJournal(bus), [DECIDER], source="test") for bus in buses]
        self.actors = [Actor("session", f"S{number:02}") for number in range(actors)]
        self.accepted: dict[str, int] = {}
        self.unclear = 0
        self._random = random
        self._number = 0

    async def run(self, *, until: Callable[[], bool]) -> None:
        """Work until ``until`` says so and every command that was begun is accepted."""
        workers = [asyncio.create_task(self._work(actor, until)) for actor in self.actors]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()

    async def _work(self, actor: Actor, until: Callable[[], bool]) -> None:
        while not until():
            self._number += 1
            id = f"{actor.id}-{self._number}"
            command = Say(id=actor.id, author="ada", message="…", task_id=id)
            # The mailbox delivers at least once: two hosts may have the same command at the same time.
            some = self._random.sample(self.hosts, k=min(2, len(self.hosts)))
            positions = await asyncio.gather(*(self._tell(host, actor, command, id) for host in some))
            assert len(set(positions)) == 1, f"{id} was stored at {positions}"
            self.accepted[id] = positions[0]

    async def _tell(self, host: ActorHost, actor: Actor, command: Say, id: str) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                recorded = await host.execute(actor, command, id=id, principal="user:ada")
                assert recorded is not None
                return recorded.position
            except (LogUnavailable, Conflict):
                self.unclear += 1
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def check(self, bus: Bus) -> str:
        """Read the log with an eye that knows nothing of the hosts; what was found, for the record."""
        journal = NatsJournal(bus)
        stored: Counter[str] = Counter()
        positions: dict[str, int] = {}
        for actor in self.actors:
            for event in await journal.load(actor):
                stored[event.causation_id] += 1
                positions[event.causation_id] = event.position
        assert {id: n for id, n in stored.items() if n > 1} == {}, "doubled"
        assert set(self.accepted) - set(stored) == set(), "lost"
        assert positions.items() >= self.accepted.items()
        assert await journal.last_position() == sum(stored.values())
        return f"{len(self.accepted)} accepted, {sum(stored.values())} stored, {self.unclear} told again"
