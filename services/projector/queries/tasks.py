"""The task list, and everything about one task."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from services.projector.queries.asking import (
    PAGE_BYTES,
    Connection,
    Question,
    Refused,
    Text,
    encode_within,
    page,
    read_cursor,
    records,
)
from shared.contracts.rules import Standing, actions, actions_in_brief
from shared.contracts.task import Status

LIST_COLUMNS: Final = """
    id, left(title, 500) AS title, status, stopping, source_kind, source_reference, source_url, source_author, repo,
    created_at, updated_at, plan_version, approved_version, round, attempt, agent, worker, cost_microusd, tokens,
    branch, commit, error_code, left(error_message, 2000) AS error_message, left(question, 4000) AS question,
    paused_until, created_seq
"""


class List(Question, frozen=True, kw_only=True):
    """Newest first. Filters are exact, except ``q``: part of a title, text, id, repository or reference."""

    status: Status | None = None
    source: Text = ""
    agent: Text = ""
    repo: Text = ""
    q: Text = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: Text = ""


class Get(Question, frozen=True, kw_only=True):
    """One task by its id."""

    id: Text


def answer_list(connection: Connection, asked: List) -> dict[str, Any]:
    """``counts`` are of all tasks that the other filters let through, by status. ``actions`` come without reasons."""
    where, params = _filters(asked)
    counts = connection.execute(f"SELECT status, count(*) FROM tasks WHERE {where} GROUP BY status", params).fetchall()
    if asked.status is not None:
        where += " AND status = $status"
        params["status"] = asked.status.value
    if asked.cursor:
        where += " AND created_seq < $cursor"
        params["cursor"] = read_cursor(asked.cursor)
    rows = records(
        connection,
        f"SELECT {LIST_COLUMNS} FROM tasks WHERE {where} ORDER BY created_seq DESC LIMIT $limit",
        {**params, "limit": asked.limit + 1},
    )
    items, cursor = page(
        [_listed(row) | {"actions": actions_in_brief(_standing(row))} for row in rows], asked.limit, "created_seq"
    )
    return {"items": items, "next_cursor": cursor, "counts": dict(sorted(counts))}


def answer_get(connection: Connection, asked: Get) -> dict[str, Any]:
    """The task with its plans, its run, its usage and its actions; refused as ``not-found``."""
    found = records(connection, "SELECT * EXCLUDE (updated_seq) FROM tasks WHERE id = ?", [asked.id])
    if not found:
        raise Refused("not-found", f"There is no task {asked.id}.")
    task = _listed(found[0])
    task["actions"] = actions(_standing(task))
    run_status = task.pop("run_status")
    task["plans"] = records(
        connection,
        "SELECT version, digest, base_commit, markdown, summary, proposed_at AS at, approved_at, approved_by"
        " FROM plans WHERE task_id = ? ORDER BY version",
        [asked.id],
    )
    task["run"] = _run(connection, asked.id, run_status, task["round"])
    task["usage"] = records(
        connection,
        "SELECT agent, model, sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,"
        " sum(cache_read_tokens)::BIGINT AS cache_read_tokens, sum(cache_write_tokens)::BIGINT AS cache_write_tokens,"
        " sum(cost_microusd)::BIGINT AS cost_microusd, bool_and(priced) AS priced"
        " FROM usage WHERE task_id = ? GROUP BY agent, model ORDER BY min(seq), min(item)",
        [asked.id],
    )
    return {"task": msgspec.Raw(encode_within(task, PAGE_BYTES))}


def _filters(asked: List) -> tuple[str, dict[str, Any]]:
    where = ["true"]
    params: dict[str, Any] = {}
    for column, value in (("source_kind", asked.source), ("agent", asked.agent), ("repo", asked.repo)):
        if value:
            where.append(f"{column} = ${column}")
            params[column] = value
    if asked.q:
        searched = ("title", "text", "id", "repo", "source_reference")
        where.append("(" + " OR ".join(f"{column} ILIKE $q ESCAPE '\\'" for column in searched) + ")")
        params["q"] = "%" + asked.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return " AND ".join(where), params


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its source as one object."""
    source = {name: row.pop(f"source_{name}") for name in ("kind", "reference", "url", "author")}
    return {**row, "source": source}


def _standing(row: dict[str, Any]) -> Standing:
    return Standing(status=Status(row["status"]), stopping=row["stopping"], approved=bool(row["approved_version"]))


def _run(connection: Connection, id: str, status: str, round: int) -> dict[str, Any] | None:
    """The newest attempt; while a new round waits for an executor, that round without an attempt's facts."""
    if not status:
        return None
    found = records(
        connection,
        "SELECT * EXCLUDE (task_id, claimed_at) FROM runs WHERE task_id = ? ORDER BY attempt DESC LIMIT 1",
        [id],
    )
    if not found or status == "queued":
        return _queued(status, round, found[0]["attempt"] if found else 0)
    run = found[0]
    for name in ("checks", "files", "options", "diff"):
        run[name] = msgspec.Raw(run[name].encode())
    return run


def _queued(status: str, round: int, attempt: int) -> dict[str, Any]:
    texts = ("worker", "session", "cli_version", "model", "summary", "commit", "branch", "question")
    return {
        "status": status,
        "round": round,
        "attempt": attempt,
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(("error_code", "error_message"), ""),
        "turn": 0,
        "started_at": None,
        "finished_at": None,
        "duration_ms": 0,
        "checks": [],
        "files": [],
        "options": [],
        "diff": None,
    }
