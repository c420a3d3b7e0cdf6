"""The state of affairs in one look."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.projector.queries.asking import Connection, Question, records


class Status(Question, frozen=True, kw_only=True):
    """``day``: whose costs are told (UTC); without it today's."""

    day: date | None = None


def answer(connection: Connection, asked: Status) -> dict[str, Any]:
    """Tasks by status, what the day has cost, who is at work, and how many events could not be read."""
    counts = connection.execute("SELECT status, count(*) FROM tasks GROUP BY status").fetchall()
    ((cost, tokens),) = connection.execute(
        "SELECT coalesce(sum(cost_microusd), 0)::BIGINT,"
        " coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0)::BIGINT"
        " FROM usage WHERE day = ?",
        [asked.day or datetime.now(UTC).date()],
    ).fetchall()
    ((unread,),) = connection.execute("SELECT count(*) FROM unread").fetchall()
    running = records(
        connection,
        "SELECT id AS task_id, left(title, 500) AS title, agent, worker, attempt, working_since AS since FROM tasks"
        " WHERE working_since IS NOT NULL ORDER BY working_since, id LIMIT 200",
    )
    return {
        "tasks": dict(sorted(counts)),
        "cost_today_microusd": cost,
        "tokens_today": tokens,
        "running": running,
        "unread": unread,
    }
