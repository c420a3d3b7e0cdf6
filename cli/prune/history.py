"""What the log says of ended tasks, and which artifacts are still needed: one reading of all events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from cli.fold import DECIDERS
from cli.log_reader import read
from shared.backup.references import artifacts_named_in
from shared.contracts.run import Checkpointed
from shared.contracts.task import TERMINAL, Status, Task
from shared.event_store.envelope import BadEnvelope, decode_event
from shared.nats.bus import Bus
from shared.nats.dead_letters import DeadLetter, body_of
from shared.nats.objects import ArtifactLost
from shared.nats.stored_objects import messages_after
from shared.nats.streams import COMMANDS, PARKED


class EndedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task in which nothing goes on: how and when it ended, and the branch and commit that it published last."""

    id: str
    status: Status
    at: datetime
    repo: str
    branch: str
    published: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """``ended`` is by task; ``needed`` are names of artifacts, ``checkpoints`` those by task that only its checkpoints
    name: they are for another machine to go on with a round, and once the task has ended no round goes on.
    """

    ended: dict[str, EndedTask]
    needed: frozenset[str]
    checkpoints: dict[str, frozenset[str]]


async def read_history(bus: Bus, progress: Callable[[int, int], None]) -> History:
    """Read the log to its end, and what waits in mailboxes or is parked. Raises the connection's errors."""
    reading = _Reading()
    async for message in read(bus, "evt.>", start=1, follow=False):
        reading.take(message.subject, message.data, message.position)
        progress(message.position, message.position + message.pending)
    async for waiting in messages_after(bus, COMMANDS, "cmd.>", 0):
        reading.need(waiting.data)
    async for letter in messages_after(bus, PARKED, "parked.>", 0):
        reading.need(letter.data)
        try:
            reading.need(await body_of(bus, msgspec.json.decode(letter.data, type=DeadLetter)))
        except (ArtifactLost, msgspec.MsgspecError):
            continue
    return reading.history()


class _Reading:
    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._times: dict[str, datetime] = {}
        self._unreadable: set[str] = set()
        self._needed: set[str] = set()
        self._checkpoints: dict[str, set[str]] = {}

    def take(self, subject: str, body: bytes, position: int) -> None:
        """One event."""
        names = {each.name for each in artifacts_named_in(body)}
        try:
            event = decode_event(subject, body, position)
            state: Any = None
            if event.actor.kind == "task":
                decider = DECIDERS["task"]
                state = decider.evolve(self._tasks.get(event.actor.id, decider.initial), event.data)
        except BadEnvelope:
            # Of a version that we do not know: its task may be doing anything.
            self._unreadable.add(subject.split(".")[2])
            self._needed |= names
            return
        if state is not None:
            self._tasks[event.actor.id] = state
        self._times[event.actor.id] = event.time
        if isinstance(event.data, Checkpointed):
            self._checkpoints.setdefault(event.actor.id, set()).update(names)
        else:
            self._needed |= names

    def need(self, body: bytes) -> None:
        """A message that may still be handled."""
        self._needed.update(each.name for each in artifacts_named_in(body))

    def history(self) -> History:
        """What came of it all."""
        ended = {
            id: EndedTask(
                id=id,
                status=state.status,
                at=self._times[id],
                repo=state.repo,
                branch=state.branch,
                published=state.published,
            )
            for id, state in self._tasks.items()
            if state.status in TERMINAL and not state.stopping and id not in self._unreadable
        }
        return History(
            ended=ended,
            needed=frozenset(self._needed),
            checkpoints={id: frozenset(names - self._needed) for id, names in self._checkpoints.items()},
        )
