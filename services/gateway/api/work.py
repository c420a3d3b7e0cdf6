"""What the agents left behind for a task: the diff of the run, and the lines of their output."""

from __future__ import annotations

import msgspec

from services.gateway.live.render import line_of
from services.gateway.stored import BATCH, last_sequence
from shared.contracts import run
from shared.journal import Journal
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.objects import Artifacts
from shared.nats.streams import OUTPUT
from shared.subjects import actor, read_output_subject

MAX_BYTES = 8 << 20


class TranscriptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: its OUTPUT sequence, ``plan`` or ``run``, and the CLI's stream-json object."""

    seq: int
    actor: str
    line: msgspec.Raw


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """Lines in order. ``next_after`` is null at the end; else ask again with it as ``after``."""

    seq: int
    items: list[TranscriptLine]
    next_after: int | None


class Work:
    """Reads the log, the output and the artifacts. Raises `BadAddress`, `ArtifactLost`, and what the journal raises."""

    def __init__(self, bus: Bus, journal: Journal, artifacts: Artifacts) -> None:
        self._bus = bus
        self._journal = journal
        self._artifacts = artifacts

    async def diff(self, task_id: str) -> bytes:
        """The diff of the newest run that succeeded, or nothing."""
        events = await self._journal.load(actor("run", task_id))
        done = [event.data for event in events if isinstance(event.data, run.Succeeded)]
        if not done or done[-1].diff is None:
            return b""
        return await self._artifacts.get(done[-1].diff)

    async def transcript(self, task_id: str, *, after: int, limit: int) -> Transcript:
        """Lines behind an OUTPUT sequence; ``seq`` is the sequence up to which they are complete."""
        id = actor("task", task_id).id
        end = await last_sequence(self._bus, OUTPUT)
        items: list[TranscriptLine] = []
        size = 0
        while len(items) < limit and size < MAX_BYTES:
            behind = items[-1].seq if items else after
            most = min(BATCH, limit - len(items))
            batch = await get_batch(self._bus, OUTPUT, f"out.*.{id}", start=behind + 1, limit=most)
            for message in batch.messages:
                kind = read_output_subject(message.subject).kind
                items.append(TranscriptLine(seq=message.position, actor=kind, line=line_of(message.data)))
                size += len(message.data)
            if not batch.pending:
                seq = max(end, items[-1].seq if items else after)
                return Transcript(seq=seq, items=items, next_after=None)
        return Transcript(seq=items[-1].seq, items=items, next_after=items[-1].seq)
