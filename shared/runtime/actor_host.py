"""The actor host: load, decide, append behind a guard. Whatever happens twice takes effect once."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from shared.contracts.decider import Decider, Rejected
from shared.contracts.ids import derived_id
from shared.contracts.messages import Command, name_of
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, RecordedEvent, utc_now
from shared.event_store.journal import Conflict, Head, Journal, head_of
from shared.event_store.snapshots import Snapshot, SnapshotStore, fits, fold_of
from shared.ops import metrics
from shared.ops.crash_points import crash_point
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.timings import PRODUCTION

SNAPSHOT_EVERY: Final = PRODUCTION.snapshot_every
"""Events between two snapshots of a long actor."""

log = structlog.get_logger(__name__)


Check = Callable[[Actor, Command, str], Awaitable[None]]
"""Raises `Rejected` for a command that its sender, a principal, may not give this actor."""


class UnknownKind(Exception):
    """This service hosts no actor of that kind."""


class _Kept:
    """One actor in memory: its state, its head, and the commands that made its last events."""

    def __init__(self, initial: Any, remember: int) -> None:
        self.state = initial
        self.head = Head()
        self.remember = remember
        self.handled: OrderedDict[str, int] = OrderedDict()
        self.lock = asyncio.Lock()
        self.kept_at = 0

    def take(self, decider: Decider[Any], event: RecordedEvent) -> None:
        self.state = decider.evolve(self.state, event.data)
        self.head = head_of(event)
        if event.causation_id:
            self.handled[event.causation_id] = event.position
            if len(self.handled) > self.remember:
                self.handled.popitem(last=False)


class ActorHost:
    """Takes commands for the actors of a service.

    States are kept in memory, the least recently used ones leave first. A kept state may be old, because another
    instance may have appended; the guard of the append finds that out, and a decision that appends nothing is
    checked against the log before it counts. ``check`` says who may give which command.
    """

    def __init__(
        self,
        journal: Journal,
        deciders: Sequence[Decider[Any]],
        *,
        source: str,
        clock: Callable[[], datetime] = utc_now,
        limits: Limits = DEFAULTS,
        snapshots: SnapshotStore | None = None,
        snapshot_every: int = SNAPSHOT_EVERY,
        check: Check | None = None,
    ) -> None:
        self._journal = journal
        self._check = check
        self._deciders = {decider.kind: decider for decider in deciders}
        self._source = source
        self._clock = clock
        self._limits = limits
        self._snapshots = snapshots
        self._snapshot_every = snapshot_every
        # Now: after an upgrade in place the files on disk are no longer the code that folds here.
        self._folds = {} if snapshots is None else {decider.kind: fold_of(decider) for decider in deciders}
        self._kept: OrderedDict[Actor, _Kept] = OrderedDict()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The actor kinds this host takes commands for."""
        return tuple(self._deciders)

    async def execute(
        self,
        actor: Actor,
        command: Command,
        *,
        id: str,
        principal: str,
        correlation_id: str = "",
        traceparent: str = "",
    ) -> RecordedEvent | None:
        """Let the actor decide on a command; returns its event, or None when nothing new happened.

        The same ``id`` again returns the event of the first time. Raises `Rejected`, `UnknownKind`, and what the
        journal raises (`LogDamaged`, `LogFull`, `LogUnavailable`).
        """
        decider = self._decider(actor)
        kept = self._find(actor, decider)
        async with kept.lock:
            fresh = False
            for attempt in range(self._limits.max_append_tries):
                if not kept.head.position:
                    await self._catch_up(actor, decider, kept)
                    fresh = True
                if (position := kept.handled.get(id)) is not None:
                    return await self._event_at(actor, position)
                if not attempt:
                    await self._let_pass(actor, command, principal)
                try:
                    event = decider.decide(kept.state, command)
                    if event is not None:
                        self._check_room(actor, kept.head.sequence, principal)
                except Rejected:
                    if not fresh and await self._catch_up(actor, decider, kept):
                        continue
                    metrics.COMMANDS.labels(actor.kind, name_of(command), "rejected").inc()
                    raise
                if event is None:
                    if not fresh and await self._catch_up(actor, decider, kept):
                        continue
                    metrics.COMMANDS.labels(actor.kind, name_of(command), "nothing").inc()
                    return None
                metadata = MessageMetadata(
                    id=derived_id(str(actor), id),
                    source=self._source,
                    time=self._clock(),
                    principal=principal,
                    causation_id=id,
                    correlation_id=correlation_id,
                    traceparent=traceparent,
                )
                try:
                    recorded = await self._journal.append(actor, event, expected=kept.head, metadata=metadata)
                except Conflict:
                    metrics.CONFLICTS.labels(actor.kind).inc()
                    await asyncio.sleep(random.uniform(0, 0.005 * attempt))
                    await self._catch_up(actor, decider, kept)
                    fresh = True
                    continue
                except BaseException:
                    # What is in memory may now be older than the log: start anew.
                    self._kept.pop(actor, None)
                    raise
                if recorded.position < kept.head.position or recorded.sequence != kept.head.sequence + 1:
                    await self._catch_up(actor, decider, kept)
                else:
                    kept.take(decider, recorded)
                await self._keep_snapshot(actor, decider, kept)
                metrics.COMMANDS.labels(actor.kind, name_of(command), "event").inc()
                return recorded
        raise Conflict(
            f"{actor} is appended to faster than this service can follow: {self._limits.max_append_tries} tries were "
            "not enough."
        )

    async def report(self, actor: Actor, command: Command) -> RecordedEvent | None:
        """`tell` the actor what the service itself has to say, in its own name and as something new."""
        principal = f"service:{self._source.rpartition('/')[2]}"
        return await self.execute(actor, command, id=str(uuid.uuid4()), principal=principal, correlation_id=actor.id)

    async def state(self, actor: Actor) -> Any:
        """The actor's state as of now, folded from the log."""
        decider = self._decider(actor)
        kept = self._find(actor, decider)
        async with kept.lock:
            await self._catch_up(actor, decider, kept)
            return kept.state

    def position(self, actor: Actor) -> int:
        """The stream sequence of the newest event in the kept state; 0 when no state is kept."""
        kept = self._kept.get(actor)
        return 0 if kept is None else kept.head.position

    async def _let_pass(self, actor: Actor, command: Command, principal: str) -> None:
        """An actor does not know who speaks to it, so whether they may is asked before it decides."""
        if self._check is None:
            return
        try:
            await self._check(actor, command, principal)
        except Rejected:
            metrics.COMMANDS.labels(actor.kind, name_of(command), "rejected").inc()
            raise

    def _check_room(self, actor: Actor, length: int, principal: str) -> None:
        """An actor that is full hears people no more; services may still bring its work to an end."""
        most = self._limits.max_actor_events
        if length < most or (principal.startswith("service:") and length < most + most // 10):
            return
        raise Rejected(
            "actor-full",
            f"{actor} has {length:,} events, the most that one may have: go on in a new {actor.kind}, or raise "
            "JOURNEYMAN_MAX_ACTOR_EVENTS.",
        )

    def _decider(self, actor: Actor) -> Decider[Any]:
        decider = self._deciders.get(actor.kind)
        if decider is None:
            raise UnknownKind(f"This service hosts {', '.join(self._deciders)}, not {actor.kind}.")
        return decider

    def _find(self, actor: Actor, decider: Decider[Any]) -> _Kept:
        kept = self._kept.get(actor)
        if kept is None:
            kept = self._kept[actor] = _Kept(decider.initial, self._limits.max_remembered_commands)
            while len(self._kept) > self._limits.max_kept_actors:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(actor)
        return kept

    async def _catch_up(self, actor: Actor, decider: Decider[Any], kept: _Kept) -> bool:
        """Fold what others appended; returns whether there was anything."""
        grown = False
        try:
            if not kept.head.position:
                await self._start_from_snapshot(actor, decider, kept)
            async for page in self._journal.pages(actor, after=kept.head):
                for event in page:
                    kept.take(decider, event)
                grown = True
        except BaseException:
            self._kept.pop(actor, None)
            raise
        await self._keep_snapshot(actor, decider, kept)
        return grown

    async def _start_from_snapshot(self, actor: Actor, decider: Decider[Any], kept: _Kept) -> None:
        if self._snapshots is None or (snapshot := await self._snapshots.get(actor)) is None:
            return
        if not fits(snapshot, actor, self._folds[decider.kind], await self._snapshots.event_at(snapshot.head.position)):
            log.warning("a snapshot does not fit the log or this code; folding from the beginning", actor=str(actor))
            return
        kept.state = msgspec.json.decode(snapshot.state, type=type(decider.initial))
        kept.head, kept.kept_at = snapshot.head, snapshot.head.sequence
        kept.handled = OrderedDict(snapshot.handled)

    async def _keep_snapshot(self, actor: Actor, decider: Decider[Any], kept: _Kept) -> None:
        """Of long actors only: most never get one."""
        if self._snapshots is None or kept.head.sequence - kept.kept_at < self._snapshot_every:
            return
        kept.kept_at = kept.head.sequence
        crash_point("snapshot.due")
        handled = tuple(kept.handled.items())
        state = msgspec.Raw(msgspec.json.encode(kept.state))
        await self._snapshots.put(
            actor, Snapshot(fold=self._folds[decider.kind], head=kept.head, state=state, handled=handled)
        )

    async def _event_at(self, actor: Actor, position: int) -> RecordedEvent | None:
        if self._snapshots is not None and (event := await self._snapshots.event_at(position)) is not None:
            return event
        events = await self._journal.load(actor, up_to=position)
        return events[-1] if events else None
