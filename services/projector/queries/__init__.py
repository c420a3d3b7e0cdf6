"""The answers to the questions of `shared.contracts.queries` from the read models. No SQL crosses the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from services.projector.queries import costs, deliveries, sessions, status, tasks, timeline
from services.projector.queries.params import Connection, Place
from shared.contracts.queries import (
    CountDeliveries,
    GetCosts,
    GetDelivery,
    GetSession,
    GetStatus,
    GetTask,
    GetTimeline,
    ListDeliveries,
    ListSessions,
    ListTasks,
    Query,
)

Answering = Callable[[Connection, Any, Place], msgspec.Struct]
"""Answers one question from one snapshot of the database."""

ANSWERS: dict[type[Query[Any]], Answering] = {
    ListTasks: tasks.answer_list,
    GetTask: tasks.answer_get,
    GetTimeline: timeline.answer,
    GetCosts: costs.answer,
    ListDeliveries: deliveries.answer_list,
    CountDeliveries: deliveries.answer_count,
    GetDelivery: deliveries.answer_get,
    GetSession: sessions.answer,
    ListSessions: sessions.answer_list,
    GetStatus: status.answer,
}

QUERIES: dict[str, type[Query[Any]]] = {query.name: query for query in ANSWERS}
"""The questions about the read models by their names."""
