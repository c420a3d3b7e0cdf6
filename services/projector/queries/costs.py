"""What the models cost, grouped."""

from __future__ import annotations

from datetime import date
from typing import Final

from services.projector.queries.params import Connection, Place, records
from shared.contracts.queries import Costs, GetCosts, GroupBy, Spend, SpendGroup

MOST_GROUPS: Final = 2000

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

TASKS: Final = "count(DISTINCT nullif(task_id, ''))"
"""Answers in a conversation are spent on no task."""


def answer(connection: Connection, asked: GetCosts, place: Place) -> Costs:
    """Days in order, everything else dearest first, the first 2000 of them; ``total`` is over all."""
    where = "day BETWEEN ? AND ?"
    params = [asked.from_day or date.min, asked.to_day or date.max]
    order = "key" if asked.group_by is GroupBy.DAY else "cost_microusd DESC, key"
    items = records(
        connection,
        SpendGroup,
        f"SELECT {KEYS[asked.group_by]} AS key, {SUMS}, {TASKS} AS tasks FROM usage WHERE {where}"
        f" GROUP BY key ORDER BY {order} LIMIT {MOST_GROUPS}",
        params,
    )
    (total,) = records(connection, Spend, f"SELECT {SUMS}, {TASKS} AS tasks FROM usage WHERE {where}", params)
    return Costs(seq=place.seq, group_by=asked.group_by, items=items, total=total)
