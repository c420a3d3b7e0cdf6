"""What the agents and the checks left behind for a task: the diff of the run, and what they wrote."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from services.gateway.live.render import line_of
from services.gateway.stream_reads import BATCH, last_sequence, read_batch
from shared.contracts import run
from shared.contracts.decider import Rejected
from shared.contracts.evidence import Check
from shared.contracts.kinds import AGENTS, TASK_SCOPED
from shared.contracts.messages import ArtifactRef
from shared.contracts.subjects import actor, read_output_subject
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts, ConversationLost
from shared.nats.streams import OUTPUT

_PIECE_BYTES: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


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


class TaskArtifacts:
    """Reads the log, the output and the artifacts.

    Raises `BadAddress`, `ArtifactLost`, what the journal raises, and `Rejected` (``task-unknown``) for a task without
    any event.
    """

    def __init__(self, bus: Bus, journal: NatsJournal, artifacts: Artifacts, *, max_bytes: int) -> None:
        self._bus = bus
        self._journal = journal
        self._artifacts = artifacts
        self._max_bytes = max_bytes

    async def diff(self, task_id: str, *, up_to: int | None = None) -> bytes:
        """The diff of what was made last (by the event at ``up_to``), proven or not, or nothing."""
        made = [diff for event in await self._run(task_id, up_to) for diff in _diffs(event.data)]
        return b"" if not made or made[-1] is None else await self._artifacts.get(made[-1])

    async def check_output(self, task_id: str, number: int, *, up_to: int | None = None) -> Iterator[bytes]:
        """The kept output of check ``number`` (1, 2 …) of the newest attempt that has checks, in pieces.

        Raises `Rejected` ``check-unknown`` as well. What is read is named by this task's own events, and by nothing
        that the caller says.
        """
        told = [
            event.data.checks
            for event in await self._run(task_id, up_to)
            if isinstance(event.data, run.Succeeded | run.Failed | run.Reopened) and event.data.checks
        ]
        return await self._output(told, number, "check")

    async def setup_output(self, task_id: str, number: int, *, up_to: int | None = None) -> Iterator[bytes]:
        """The same of step ``number`` of the newest set-up; raises ``step-unknown``."""
        told = [
            event.data.setup
            for event in await self._run(task_id, up_to)
            if isinstance(event.data, run.Succeeded | run.Failed) and event.data.setup
        ]
        return await self._output(told, number, "step")

    async def _output(self, told: Sequence[tuple[Check, ...]], number: int, noun: str) -> Iterator[bytes]:
        commands = told[-1] if told else ()
        if not 1 <= number <= len(commands):
            sentence = f"The task's newest run has no {noun} {number}: it has {len(commands)}."
            raise Rejected(f"{noun}-unknown", sentence)
        output = commands[number - 1].output
        if output is None:
            raise Rejected(f"{noun}-unknown", f"Of {noun} {number} no output was kept beyond what the task shows.")
        return _gunzipped(await self._artifacts.get(output))

    async def transcript(self, task_id: str, *, after: int, limit: int, until: datetime | None = None) -> Transcript:
        """Lines behind an OUTPUT sequence; ``seq`` is the sequence up to which they are complete.

        With ``until`` only those that were stored by then. Raises `ConversationLost` when there were lines and none
        is left.
        """
        id = actor("task", task_id).id
        end = await last_sequence(self._bus, OUTPUT)
        items: list[TranscriptLine] = []
        size = 0
        while len(items) < limit:
            behind = items[-1].seq if items else after
            most = min(BATCH, limit - len(items))
            batch = await read_batch(self._bus, OUTPUT, f"out.*.{id}", start=behind + 1, limit=most)
            for message in batch.messages:
                if until is not None and message.stored > until:
                    seq = items[-1].seq if items else after
                    return Transcript(seq=seq, items=items, next_after=None)
                size += len(message.data)
                if items and size > self._max_bytes:
                    return Transcript(seq=items[-1].seq, items=items, next_after=items[-1].seq)
                kind = read_output_subject(message.subject).kind
                items.append(TranscriptLine(seq=message.position, actor=kind, line=line_of(message.data)))
            if not batch.pending:
                if not items and not after:
                    await self._must_exist(id)
                    await self._must_not_have_spoken(id)
                # Lines may have come since the end was asked for; ``after`` may be beyond it, and is no sequence then.
                seq = max(end, items[-1].seq) if items else end
                return Transcript(seq=seq, items=items, next_after=None)
        return Transcript(seq=items[-1].seq, items=items, next_after=items[-1].seq)

    async def _run(self, task_id: str, up_to: int | None) -> list[RecordedEvent]:
        """The events of the task's run, oldest first."""
        events = await self._journal.load(actor("run", task_id), up_to=up_to)
        if not events:
            await self._must_exist(task_id)
        return events

    async def _must_exist(self, task_id: str) -> None:
        """Raise `Rejected` for a task that the log has no event of."""
        if not await self._journal.newest(actor("task", task_id)):
            raise Rejected("task-unknown", "There is no such task: look its id up in the task list.")

    async def _must_not_have_spoken(self, task_id: str) -> None:
        """Raise `ConversationLost` for a task whose agents have used tokens: they have said something then."""
        for kind in AGENTS.keys() & set(TASK_SCOPED):
            for event in await self._journal.load(actor(kind, task_id)):
                if getattr(event.data, "usage", ()):
                    raise ConversationLost(
                        "What the agents of this task said is not kept any more: OUTPUT keeps it for a week, and drops "
                        "the oldest when it is full. An archive that was written in time has it."
                    )


def _diffs(event: Any) -> tuple[ArtifactRef | None, ...]:
    """The diff of what an event of a run says was made; nothing where it says nothing of the kind."""
    match event:
        case run.Committed(diff=diff) | run.Succeeded(diff=diff) | run.Failed(result=run.KeptResult(diff=diff)):
            return (diff,)
        case _:
            return ()


def _gunzipped(data: bytes) -> Iterator[bytes]:
    """The text of a gzip file in pieces, so that a small file of a large text takes no more memory than a piece."""
    stream = zlib.decompressobj(_GZIP)
    rest = data
    while piece := stream.decompress(rest, _PIECE_BYTES):
        yield piece
        rest = stream.unconsumed_tail
