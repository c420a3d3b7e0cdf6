"""The named questions that the read models answer on ``qry.<name>``. No SQL crosses the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb

from services.projector.queries import costs, deliveries, sessions, status, tasks, timeline
from services.projector.queries.asking import Question

Answer = dict[str, Any]


class Query(NamedTuple):
    """A question's parameters and the function that answers it from one snapshot of the database."""

    params: type[Question]
    answer: Callable[[duckdb.DuckDBPyConnection, Any], Answer]


QUERIES: dict[str, Query] = {
    "tasks.list": Query(tasks.List, tasks.answer_list),
    "tasks.get": Query(tasks.Get, tasks.answer_get),
    "tasks.timeline": Query(timeline.Timeline, timeline.answer),
    "costs": Query(costs.Costs, costs.answer),
    "deliveries.list": Query(deliveries.List, deliveries.answer),
    "sessions.get": Query(sessions.Get, sessions.answer),
    "status": Query(status.Status, status.answer),
}
