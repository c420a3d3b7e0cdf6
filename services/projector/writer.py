"""Writing batches: rows and checkpoint in one transaction, by DuckDB's appender."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import duckdb
import msgspec
import structlog
from msgspec.structs import astuple

from services.projector import metrics
from services.projector.database import STREAM, in_utc
from services.projector.projection import Changes, project, touched
from services.projector.projection.facts import Fact, Stored, as_text, read
from services.projector.projection.rows import PlanRow, Row, RunRow, TaskRow
from services.projector.projection.story import Story
from shared.event_store.envelope import hash_of
from shared.ops.crash_points import crash_point

REMEMBERED_STORIES: Final = 1000
"""How many stories stay in memory between batches. Only speed depends on it."""
CHECKPOINT_COMMITS: Final = 100
"""After so many the write-ahead log is folded into the file, which takes 40 ms. A start replays it commit by commit,
0.4 ms each however small, so that DuckDB's own limit in bytes lets a start after a kill take a minute, and 500
commits 0.35 s of a processor that nobody else uses (measured)."""

EMPTY: Final = Story()
FOLDED: Final[Mapping[str, Callable[[Story], Mapping[Any, Row]]]] = {
    "tasks": lambda story: {} if story.task is None else {story.task.id: story.task},
    "plans": lambda story: story.plans,
    "runs": lambda story: story.runs,
}
"""The tables whose rows change, with a story's rows by what tells them apart."""

AnyRow = TypeVar("AnyRow", bound=Row)

log = structlog.get_logger(__name__)


class CheckpointMoved(Exception):
    """The checkpoint is not where this writer left it: somebody else wrote to the file."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The last event whose rows are in the database: stream sequence and SHA-256 in hex; 0 and empty at the start."""

    seq: int
    hash: str


class Writer:
    """The only writer of one database. Not thread-safe: one thread at a time.

    After an exception the transaction is rolled back and the writer must not be used again: nobody knows how far the
    database came, only its checkpoint does.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._stories: dict[str, Story] = {}
        self._commits = 0
        self.checkpoint = read_checkpoint(connection)

    def apply(self, batch: Sequence[Stored]) -> Checkpoint:
        """Write the rows of a batch, which continues from the checkpoint; returns the new checkpoint.

        An event whose values the database refuses is found by halving and kept as unread. Raises `CheckpointMoved`
        and DuckDB's errors.
        """
        try:
            with _without_collector():
                return self._commit(batch, [read(stored) for stored in batch])
        except (duckdb.DataError, duckdb.ProgrammingError, duckdb.IntegrityError) as error:
            if len(batch) == 1:
                log.error("the database refuses an event", seq=batch[0].seq, error=str(error))
                return self._commit(batch, [as_text(batch[0], f"the database refuses it: {error}")])
        middle = len(batch) // 2
        self.apply(batch[:middle])
        return self.apply(batch[middle:])

    def _commit(self, batch: Sequence[Stored], facts: Sequence[Fact]) -> Checkpoint:
        reached = Checkpoint(batch[-1].seq, hash_of(batch[-1].body))
        self._connection.begin()
        crash_point("projection.begun")
        try:
            before = self._recall(touched(facts))
            changes = project(before, facts)
            self._write(before, changes)
            crash_point("projection.written")
            self._advance(reached)
            crash_point("projection.advanced")
            self._connection.commit()
            crash_point("projection.committed")
        except BaseException:
            self._stories.clear()
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise
        self._remember(changes.stories)
        self.checkpoint = reached
        for unread in changes.unread:
            metrics.UNREAD.inc()
            log.warning("an event cannot be read", seq=unread.seq, subject=unread.subject, reason=unread.reason)
        self._commits += 1
        if self._commits >= CHECKPOINT_COMMITS:
            self._fold()
        return reached

    def _fold(self) -> None:
        with contextlib.suppress(duckdb.TransactionException):  # somebody reads: after the next commit, then
            self._connection.execute("CHECKPOINT")
            self._commits = 0

    def _write(self, before: Mapping[str, Story], changes: Changes) -> None:
        for table, rows_in in FOLDED.items():
            new: list[Row] = []
            changed: list[Row] = []
            for task_id, after in changes.stories.items():
                earlier = rows_in(before.get(task_id, EMPTY))
                for key, row in rows_in(after).items():
                    if key not in earlier:
                        new.append(row)
                    elif row is not earlier[key]:
                        changed.append(row)
            # To insert a row costs a third of what it costs to replace one.
            self._append(table, new)
            self._append(table, changed, upsert=True)
        for table in ("timeline", "unread", "usage", "deliveries", "session_lines"):
            self._append(table, getattr(changes, table))

    def _append(self, table: str, rows: Sequence[Row], *, upsert: bool = False) -> None:
        if rows:
            appender = self._connection.appender(table, action="upsert" if upsert else "insert")
            appender.append_rows([astuple(row) for row in rows])
            appender.flush()

    def _advance(self, reached: Checkpoint) -> None:
        moved = self._connection.execute(
            "UPDATE checkpoint SET seq = ?, hash = ? WHERE stream = ? AND seq = ? AND hash = ? RETURNING seq",
            [reached.seq, reached.hash, STREAM, self.checkpoint.seq, self.checkpoint.hash],
        ).fetchall()
        if len(moved) != 1:
            raise CheckpointMoved(
                f"The read models are no longer at {self.checkpoint.seq}, where this projector left them: "
                "another process writes to the file. Stop it."
            )

    def _recall(self, ids: Iterable[str]) -> dict[str, Story]:
        known = {task_id: self._stories[task_id] for task_id in ids if task_id in self._stories}
        missing = [task_id for task_id in ids if task_id not in known]
        return known | read_stories(self._connection, missing) if missing else known

    def _remember(self, stories: Mapping[str, Story]) -> None:
        for task_id, story in stories.items():
            self._stories.pop(task_id, None)
            self._stories[task_id] = story
        while len(self._stories) > REMEMBERED_STORIES:
            del self._stories[next(iter(self._stories))]


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """No search for cycles: a batch makes none, and many thousands of small things that would be searched each time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_checkpoint(connection: duckdb.DuckDBPyConnection) -> Checkpoint:
    """The checkpoint as it stands in the database."""
    ((seq, hash),) = connection.execute("SELECT seq, hash FROM checkpoint WHERE stream = ?", [STREAM]).fetchall()
    return Checkpoint(seq, hash)


def read_stories(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, Story]:
    """The stories of some tasks as they stand in the database; a task without rows has none."""
    tasks = {row.id: row for row in _rows(connection, "tasks", TaskRow, "id", ids)}
    plans: dict[str, dict[int, PlanRow]] = {}
    for plan in _rows(connection, "plans", PlanRow, "task_id", ids):
        plans.setdefault(plan.task_id, {})[plan.version] = plan
    runs: dict[str, dict[int, RunRow]] = {}
    for run in _rows(connection, "runs", RunRow, "task_id", ids):
        runs.setdefault(run.task_id, {})[run.attempt] = run
    return {
        task_id: Story(tasks.get(task_id), plans.get(task_id, {}), runs.get(task_id, {}))
        for task_id in tasks.keys() | plans.keys() | runs.keys()
    }


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, cls: type[AnyRow], key: str, ids: Sequence[str]
) -> list[AnyRow]:
    columns = cls.__struct_fields__
    found = connection.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE {key} IN (SELECT unnest(?::VARCHAR[]))", [list(ids)]
    ).fetchall()
    return [cls(**{name: in_utc(value) for name, value in zip(columns, values, strict=True)}) for values in found]
