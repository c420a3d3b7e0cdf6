"""The state of affairs in one look."""

from __future__ import annotations

from datetime import UTC, datetime

from services.projector.queries.params import Connection, Place, records
from shared.contracts.queries import Affairs, GetStatus, Working


def answer(connection: Connection, asked: GetStatus, place: Place) -> Affairs:
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
        Working,
        "SELECT id AS task_id, left(title, 500) AS title, agent, worker, attempt, working_since AS since FROM tasks"
        " WHERE working_since IS NOT NULL ORDER BY working_since, id LIMIT 200",
    )
    return Affairs(
        seq=place.seq,
        position=place.seq,
        lag_events=place.behind,
        tasks=dict(sorted(counts)),
        cost_today_microusd=cost,
        tokens_today=tokens,
        running=running,
        unread=unread,
    )
