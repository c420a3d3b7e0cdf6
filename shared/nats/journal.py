"""The journal on JetStream: guarded appends with the read-back rule, loads by batch direct get, following by pull."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import nats.errors
import nats.js.errors

from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor, event_filter, event_subject
from shared.event_store.envelope import (
    CONTENT_TYPE,
    MessageMetadata,
    RecordedEvent,
    decode_event,
    encode_event,
    recorded,
)
from shared.event_store.journal import Conflict, Head, LogDamaged, LogFull, LogUnavailable, checked, head_of
from shared.nats.bus import Bus
from shared.nats.direct import Batch, get_batch
from shared.nats.feed import Feed
from shared.nats.last import Stored, last_message
from shared.nats.streams import EVENTS, STREAM_FULL

WRONG_LAST_SEQUENCE: Final = 10071
WRONG_LAST_SEQUENCE_IN_FLIGHT: Final = 10164
DUPLICATE_IN_BATCH: Final = 10201
SAME_ID_IN_FLIGHT: Final = 10158
CONFLICTS: Final = frozenset({WRONG_LAST_SEQUENCE, WRONG_LAST_SEQUENCE_IN_FLIGHT, DUPLICATE_IN_BATCH})
LOAD_BATCH: Final = 1000
PAUSE_S: Final = 0.25
CHECKS: Final = 5
SILENT: Final = "The event log does not answer: check that NATS runs and has a leader for EVENTS."


class NatsJournal:
    """See `shared.event_store.journal.Journal`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._tries = bus.timings.tries

    async def append(self, actor: Actor, event: Event, *, expected: Head, metadata: MessageMetadata) -> RecordedEvent:
        """See `Journal.append`. Source of the read-back rule: docs/architecture.md."""
        body = encode_event(actor, event, sequence=expected.sequence + 1, prevhash=expected.hash, metadata=metadata)
        subject = event_subject(actor, name_of(event))
        headers = {
            "Nats-Msg-Id": metadata.id,
            "Nats-Expected-Last-Subject-Sequence": str(expected.position),
            "Nats-Expected-Last-Subject-Sequence-Subject": event_filter(actor),
            "Content-Type": CONTENT_TYPE,
        }
        if metadata.traceparent:
            headers["traceparent"] = metadata.traceparent
        for attempt in range(self._tries):
            try:
                ack = await self._bus.publish(subject, body, headers)
            except nats.js.errors.APIError as error:
                if error.err_code in CONFLICTS:
                    return await self._read_back(actor, metadata)
                if error.err_code in STREAM_FULL:
                    raise LogFull(
                        "The event log is full: give EVENTS more room with `nats stream edit EVENTS --max-bytes`."
                    ) from error
                if error.code != 503 and error.err_code != SAME_ID_IN_FLIGHT:
                    raise
                # A stream without a leader answers at once; so does one that has our first try still in flight.
                await asyncio.sleep(PAUSE_S * (attempt + 1))
            except (TimeoutError, nats.errors.Error):
                # Not known whether it was stored: the same append again, with the same id, tells.
                await self._connected_again(attempt)
            else:
                if ack.duplicate:
                    return await self._read_back(actor, metadata, ack.seq)
                return recorded(
                    actor,
                    event,
                    body,
                    position=ack.seq,
                    sequence=expected.sequence + 1,
                    prevhash=expected.hash,
                    metadata=metadata,
                )
        raise LogUnavailable(SILENT)

    async def load(self, actor: Actor, *, after: Head | None = None, up_to: int | None = None) -> list[RecordedEvent]:
        """See `Journal.load`."""
        return [event async for page in self.pages(actor, after=after, up_to=up_to) for event in page]

    async def pages(
        self, actor: Actor, *, after: Head | None = None, up_to: int | None = None
    ) -> AsyncIterator[list[RecordedEvent]]:
        """See `Journal.pages`."""
        began = head = after or Head()
        newest = 0
        for attempt in range(CHECKS):
            await asyncio.sleep(PAUSE_S * attempt)
            if up_to is None:
                newest = await self.newest(actor)
            async for page in self._behind(actor, head.position, up_to):
                yield checked(actor, page, head)
                head = head_of(page[-1])
            if up_to is not None or (began.position <= newest <= head.position and (newest or not head.position)):
                return
            # A replica may be behind the leader, and a new leader behind what it will have: ask again.
        if newest > head.position:
            raise LogUnavailable(
                f"The replicas of EVENTS are behind their leader: {actor} cannot be read up to {newest}."
            )
        raise LogDamaged(
            f"The log of {actor} is damaged at its end (stream sequence {head.position}): what comes then cannot be "
            "read any more, or the log went backwards. Restore the log from its archive."
        )

    async def _behind(self, actor: Actor, position: int, up_to: int | None) -> AsyncIterator[list[RecordedEvent]]:
        while up_to is None or position < up_to:
            batch = await self._batch(event_filter(actor), position + 1)
            page = [
                decode_event(message.subject, message.data, message.position)
                for message in batch.messages
                if up_to is None or message.position <= up_to
            ]
            if page:
                yield page
            if not batch.messages or not batch.pending:
                break
            position = batch.messages[-1].position

    async def last(self, actor: Actor) -> RecordedEvent | None:
        """An actor's newest event, without a check of those before it. Raises `LogUnavailable`."""
        message = await self._last(actor)
        return None if message is None else decode_event(message.subject, message.data, message.seq)

    async def newest(self, actor: Actor) -> int:
        """The stream sequence of an actor's newest event, 0 for an actor without events. Raises `LogUnavailable`."""
        message = await self._last(actor)
        return 0 if message is None else message.seq

    async def follow(self, subject_filter: str, *, after: int) -> AsyncIterator[RecordedEvent]:
        """See `Journal.follow`. A message that cannot be decoded ends it with the decoder's error."""
        async with Feed(self._bus, EVENTS, subject_filter, after=after) as feed:
            async for message in feed:
                yield decode_event(message.subject, message.data, message.position)

    async def last_position(self) -> int:
        """See `Journal.last_position`."""
        return int((await self._bus.js.stream_info(EVENTS)).state.last_seq)

    async def _last(self, actor: Actor) -> Stored | None:
        for attempt in range(self._tries):
            try:
                return await last_message(self._bus, EVENTS, event_filter(actor))
            except nats.js.errors.NotFoundError:
                raise
            except (TimeoutError, nats.errors.Error):
                await self._connected_again(attempt)
        raise LogUnavailable(SILENT)

    async def _read_back(self, actor: Actor, metadata: MessageMetadata, known: int = 0) -> RecordedEvent:
        """Ours after all, or somebody else's: the actor's last event tells, or the one that the server knows by id."""
        event = await self.last(actor)
        if event is not None and known and event.position != known:
            for message in (await self._batch(event_filter(actor), known, 1)).messages:
                event = decode_event(message.subject, message.data, message.position)
        if event is not None and event.id == metadata.id and event.causation_id == metadata.causation_id:
            return event
        raise Conflict(f"Another append of {actor} came first.")

    async def _connected_again(self, attempt: int) -> None:
        await asyncio.sleep(PAUSE_S * attempt)
        for _ in range(50):
            if self._bus.connected:
                return
            await asyncio.sleep(0.1)

    async def _batch(self, subject: str, start: int, limit: int = LOAD_BATCH) -> Batch:
        for attempt in range(self._tries):
            try:
                return await get_batch(self._bus, EVENTS, subject, start=start, limit=limit)
            except (TimeoutError, nats.errors.Error):
                await self._connected_again(attempt)
        raise LogUnavailable(SILENT)
