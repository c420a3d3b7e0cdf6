"""The task list, and everything about one task."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from services.projector.queries.params import (
    PAGE_BYTES,
    Connection,
    Place,
    Refused,
    fit,
    page,
    read_cursor,
    records,
    rows,
)
from shared.contracts.evidence import Check, Evidence, Note, Outcome
from shared.contracts.messages import ArtifactRef
from shared.contracts.queries import (
    GetTask,
    ListTasks,
    ModelCost,
    PlanVersion,
    RunAttempt,
    TaskAnswer,
    TaskDetail,
    TaskPage,
    TaskSource,
    TaskSummary,
)
from shared.contracts.rules import Standing, actions, actions_in_brief
from shared.contracts.run import FileChange
from shared.contracts.run import Status as RunStatus
from shared.contracts.sentences.evidence import observed
from shared.contracts.task import Status, Verdict

LIST_COLUMNS: Final = """
    id, left(title, 500) AS title, status, stopping, source_kind, source_reference, source_url, source_author, repo,
    created_at, updated_at, plan_version, approved_version, round, attempt, agent, worker, cost_microusd, tokens,
    branch, commit, error_code, left(error_message, 2000) AS error_message, left(question, 4000) AS question,
    paused_until, evidence, outcome, has_result, ended_in, created_seq,
    cancelled_how, cancelled_by, left(cancelled_reason, 500) AS cancelled_reason, pull_request,
    left(attention, 500) AS attention
"""

_checks = msgspec.json.Decoder(tuple[Check, ...])
_notes = msgspec.json.Decoder(tuple[Note, ...])
_files = msgspec.json.Decoder(tuple[FileChange, ...])
_options = msgspec.json.Decoder(tuple[str, ...])
_diff = msgspec.json.Decoder(ArtifactRef | None)


def answer_list(connection: Connection, asked: ListTasks, place: Place) -> TaskPage:
    """``counts`` are of all tasks that the other filters let through, by status. ``actions`` come without reasons."""
    where, params = _filters(asked)
    counts = connection.execute(f"SELECT status, count(*) FROM tasks WHERE {where} GROUP BY status", params).fetchall()
    if asked.status is not None:
        where += " AND status = $status"
        params["status"] = asked.status.value
    if asked.cursor:
        where += " AND created_seq < $cursor"
        params["cursor"] = read_cursor(asked.cursor)
    found = rows(
        connection,
        f"SELECT {LIST_COLUMNS} FROM tasks WHERE {where} ORDER BY created_seq DESC LIMIT $limit",
        {**params, "limit": asked.limit + 1},
    )
    summaries = [TaskSummary(**_with_source(row), actions=actions_in_brief(_standing(row))) for row in found]
    items, cursor = page(summaries, asked.limit, lambda task: task.created_seq)
    return TaskPage(
        seq=place.seq, items=items, next_cursor=cursor, counts=dict(sorted(counts)), sources=_source_kinds(connection)
    )


def answer_get(connection: Connection, asked: GetTask, place: Place) -> TaskAnswer:
    """The task with its plans, its run, its usage and its actions; refused as ``not-found``."""
    found = rows(connection, "SELECT * EXCLUDE (updated_seq) FROM tasks WHERE id = ?", [asked.id])
    if not found:
        raise Refused("not-found", f"There is no task {asked.id}.")
    row = found[0]
    run_status = row.pop("run_status")
    plans = records(
        connection,
        PlanVersion,
        "SELECT version, digest, base_commit, markdown, summary, proposed_at AS at, approved_at, approved_by"
        " FROM plans WHERE task_id = ? ORDER BY version",
        [asked.id],
    )
    usage = records(
        connection,
        ModelCost,
        "SELECT agent, model, sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,"
        " sum(cache_read_tokens)::BIGINT AS cache_read_tokens, sum(cache_write_tokens)::BIGINT AS cache_write_tokens,"
        " sum(cost_microusd)::BIGINT AS cost_microusd, bool_and(priced) AS priced"
        " FROM usage WHERE task_id = ? GROUP BY agent, model ORDER BY min(seq), min(item)",
        [asked.id],
    )
    task = TaskDetail(
        **_with_source(row),
        actions=actions(_standing(row)),
        plans=plans,
        run=_run(connection, asked.id, run_status, row["round"]),
        usage=usage,
    )
    return TaskAnswer(seq=place.seq, task=fit(task, PAGE_BYTES))


def _source_kinds(connection: Connection) -> tuple[str, ...]:
    found = connection.execute("SELECT DISTINCT source_kind FROM tasks WHERE source_kind <> '' ORDER BY ALL").fetchall()
    return tuple(kind for (kind,) in found)


def _filters(asked: ListTasks) -> tuple[str, dict[str, Any]]:
    where = ["true"]
    params: dict[str, Any] = {}
    exact = {"source_kind": asked.source, "agent": asked.agent, "repo": asked.repo, "requester": asked.requester}
    for column, value in exact.items():
        if value:
            where.append(f"{column} = ${column}")
            params[column] = value
    if asked.q:
        searched = ("title", "text", "id", "repo", "source_reference")
        where.append("(" + " OR ".join(f"{column} ILIKE $q ESCAPE '\\'" for column in searched) + ")")
        params["q"] = "%" + asked.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return " AND ".join(where), params


def _with_source(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its source as one object."""
    source = TaskSource(**{name: row.pop(f"source_{name}") for name in ("kind", "reference", "url", "author")})
    return row | {"source": source}


def _standing(row: dict[str, Any]) -> Standing:
    return Standing(
        status=Status(row["status"]),
        stopping=row["stopping"],
        approved=bool(row["approved_version"]),
        result=row["has_result"],
        ended_in=row["ended_in"],
        nothing_changed=row["outcome"] == Outcome.NOTHING_TO_CHANGE,
        error_code=row["error_code"],
        reviews=row.get("verdict") == Verdict.REVIEW,
    )


def _run(connection: Connection, id: str, status: str, round: int) -> RunAttempt | None:
    """The newest attempt; while a new round waits for an executor, that round without an attempt's facts."""
    if not status:
        return None
    found = rows(
        connection,
        "SELECT * EXCLUDE (task_id, claimed_at) FROM runs WHERE task_id = ? ORDER BY attempt DESC LIMIT 1",
        [id],
    )
    if not found or status == RunStatus.QUEUED:
        return RunAttempt(status=status, round=round, attempt=found[0]["attempt"] if found else 0)
    run = found[0]
    checks, setup = _judged(run["checks"]), _judged(run["setup"])
    return RunAttempt(
        **run
        | {
            "checks": checks,
            "setup": setup,
            "observed": _observed(run, checks, setup),
            "notes": _notes.decode(run["notes"]),
            "files": _files.decode(run["files"]),
            "options": _options.decode(run["options"]),
            "diff": _diff.decode(run["diff"]),
        }
    )


def _observed(run: dict[str, Any], checks: tuple[Check, ...], setup: tuple[Check, ...]) -> str:
    """What was observed of an attempt that has ended with something to say of it."""
    match run["status"]:
        case RunStatus.FAILED if not run["evidence"] and not checks:
            return ""
        case RunStatus.SUCCEEDED | RunStatus.FAILED:
            return observed(Evidence(run["evidence"]) if run["evidence"] else None, checks, setup)
        case _:
            return ""


def _judged(checks: str) -> tuple[Check, ...]:
    """The checks, each with its verdict, also where an older event has none."""
    return tuple(msgspec.structs.replace(check, verdict=check.judged) for check in _checks.decode(checks))
