"""What the models cost, grouped."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Final

from services.projector.queries.asking import Connection, Question, records

MOST_GROUPS: Final = 2000


class GroupBy(StrEnum):
    """What costs can be grouped by."""

    DAY = "day"
    AGENT = "agent"
    MODEL = "model"
    USER = "user"
    SESSION = "session"
    TASK = "task"
    REPO = "repo"


KEYS: Final = {
    GroupBy.DAY: "strftime(day, '%Y-%m-%d')",
    GroupBy.AGENT: "agent",
    GroupBy.MODEL: "model",
    GroupBy.USER: "requester",
    GroupBy.SESSION: "session_id",
    GroupBy.TASK: "task_id",
    GroupBy.REPO: "repo",
}

SUMS: Final = ", ".join(
    f"coalesce(sum({name}), 0)::BIGINT AS {name}"
    for name in ("cost_microusd", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
)


class Costs(Question, frozen=True, kw_only=True, rename={"from_day": "from", "to_day": "to"}):
    """Days (UTC) from and to, both included."""

    group_by: GroupBy = GroupBy.DAY
    from_day: date | None = None
    to_day: date | None = None


def answer(connection: Connection, asked: Costs) -> dict[str, Any]:
    """Days in order, everything else dearest first, the first 2000 of them; ``total`` is over all."""
    where = "day BETWEEN ? AND ?"
    params = [asked.from_day or date.min, asked.to_day or date.max]
    order = "key" if asked.group_by is GroupBy.DAY else "cost_microusd DESC, key"
    items = records(
        connection,
        f"SELECT {KEYS[asked.group_by]} AS key, {SUMS}, count(DISTINCT task_id) AS tasks FROM usage WHERE {where}"
        f" GROUP BY key ORDER BY {order} LIMIT {MOST_GROUPS}",
        params,
    )
    (total,) = records(connection, f"SELECT {SUMS}, count(DISTINCT task_id) AS tasks FROM usage WHERE {where}", params)
    return {"group_by": asked.group_by, "items": items, "total": total}
