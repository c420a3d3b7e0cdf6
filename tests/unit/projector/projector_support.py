"""Logs made by hand, as they would stand in EVENTS, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from services.projector.database import open_views
from services.projector.export import Dump, dump
from services.projector.projection.facts import Stored
from services.projector.queries import ANSWERS, QUERIES
from services.projector.queries.params import Place, read_question
from services.projector.writer import Writer, read_checkpoint
from shared.contracts import plan, run, task
from shared.contracts.evidence import Check
from shared.contracts.kinds import kind_of
from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor, event_subject
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, RecordedEvent, encode_event, hash_of

TASK = "01JX7Z0000000000000000TASK"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BASE = "c0ffee00" * 5


class Log:
    """A log that grows by one event a second, from noon on; every actor's events carry its own versions."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self._heads: dict[Actor, tuple[int, str]] = {}

    def add(self, *events: Event, id: str = TASK, principal: str = "service:test", at: datetime | None = None) -> Log:
        for event in events:
            actor = Actor(kind_of(event), id)
            sequence, previous = self._heads.get(actor, (0, ""))
            position = len(self.stored) + 1
            body = encode_event(
                actor,
                event,
                sequence=sequence + 1,
                prevhash=previous,
                metadata=MessageMetadata(
                    id=f"event-{position}",
                    source="journeyman/test",
                    time=at or NOON + timedelta(seconds=position),
                    principal=principal,
                ),
            )
            self._heads[actor] = (sequence + 1, hash_of(body))
            self.raw(event_subject(actor, name_of(event)), body)
        return self

    def raw(self, subject: str, body: bytes) -> Log:
        """A message as it is."""
        self.stored.append(Stored(len(self.stored) + 1, subject, body))
        return self


def log_of(recorded: Iterable[RecordedEvent]) -> Log:
    """The same events in a log."""
    log = Log()
    for each in recorded:
        log.add(each.data, id=each.actor.id, principal=each.principal)
    return log


def projected(log: Log, path: Path = Path(":memory:")) -> duckdb.DuckDBPyConnection:
    """A database with everything a log says."""
    connection = open_views(path)
    if log.stored:
        Writer(connection).apply(log.stored)
    return connection


def projected_in_batches(log: Log, cuts: Sequence[int], *, anew: bool) -> Dump:
    """The rows when the log is cut into batches; ``anew`` forgets everything in memory between two of them."""
    connection = open_views(Path(":memory:"))
    writer = Writer(connection)
    for start, end in pairwise(sorted({0, len(log.stored), *(cut % (len(log.stored) + 1) for cut in cuts)})):
        if anew:
            writer = Writer(connection)
        writer.apply(log.stored[start:end])
    rows = dump(connection)
    connection.close()
    return rows


def ask(connection: duckdb.DuckDBPyConnection, name: str, **params: Any) -> Any:
    """A named question, asked as from outside, and its answer as JSON data; raises `Refused`."""
    return msgspec.json.decode(msgspec.json.encode(answered(connection, name, **params)))


def answered(connection: duckdb.DuckDBPyConnection, name: str, **params: Any) -> Any:
    """The same as the struct that it is."""
    asked = read_question(QUERIES[name], msgspec.json.encode(params))
    return ANSWERS[type(asked)](connection, asked, Place(read_checkpoint(connection).seq))


def usage(cost: int, model: str = "large", *, tokens: int = 10, priced: bool = True) -> tuple[ModelUsage, ...]:
    return (ModelUsage(model=model, input_tokens=tokens, output_tokens=tokens, cost_microusd=cost, priced=priced),)


def submitted(**changes: Any) -> task.Submitted:
    source = task.Source(kind="github", reference="octo/app#7", url="https://example.org/7", author="octocat")
    return msgspec.structs.replace(
        task.Submitted(title="Fix the sum", text="1 + 1 gives 3.", source=source, repo="octo/app"), **changes
    )


def triaged(spent: tuple[ModelUsage, ...] = ()) -> task.Triaged:
    return task.Triaged(
        attempt=1,
        verdict=task.Verdict.PLAN,
        decided_by="model",
        reason="A bug.",
        title="Mend the sum",
        work_kind="bug",
        risk="low",
        repo="octo/app",
        base_commit=BASE,
        usage=spent,
    )


def proposed(version: int = 1, spent: tuple[ModelUsage, ...] = ()) -> plan.Proposed:
    return plan.Proposed(
        version=version,
        digest=str(version) * 64,
        base_commit=BASE,
        markdown=f"# Plan {version}",
        summary="Add right.",
        attempt=version,
        usage=spent,
    )


def approved(version: int = 1) -> task.Approved:
    return task.Approved(plan=task.ApprovedPlan(version=version, digest=str(version) * 64, base_commit=BASE))


def execution(number: int = 1) -> tuple[Event, ...]:
    """The events that put a round of work into an executor's hands."""
    common: dict[str, Any] = {"round": number, "repo": "octo/app", "base_commit": BASE, "title": "t", "text": "t"}
    return (
        task.ExecutionRequested(**common),
        run.Requested(**common),
        run.Claimed(round=number, attempt=number, worker=f"w{number}", session="s"),
        run.Started(attempt=number, cli_version="2.1", model="large"),
    )


def succeeded(number: int = 1, spent: tuple[ModelUsage, ...] = ()) -> run.Succeeded:
    return run.Succeeded(
        round=number,
        attempt=number,
        summary="Added right.",
        commit="c1",
        branch="journeyman/x",
        files=(run.FileChange(path="sum.py", added=1, removed=1),),
        checks=(Check(command="pytest", exit_code=0, duration_ms=12, output_tail="1 passed"),),
        turns=3,
        duration_ms=1234,
        usage=spent,
    )


def planned() -> Log:
    """A task up to the plan that waits for approval."""
    return Log().add(
        submitted(),
        task.TriageRequested(attempt=1),
        triaged(usage(100)),
        task.PlanningRequested(repo="octo/app", base_commit=BASE, title="t", text="t"),
        plan.DraftingStarted(draft=1, repo="octo/app", base_commit=BASE, title="t", text="t"),
        plan.Claimed(draft=1, attempt=1, worker="p1", session="s"),
        proposed(1, usage(2000)),
        task.PlanReady(version=1, digest="1" * 64, base_commit=BASE, summary="Add right."),
    )
