"""What is asked on ``qry.<name>`` and what is answered have one shape each, and versions beside one another read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec
import pytest
from nats.aio.msg import Msg

from services.gateway.app import openapi
from services.projector.queries import ANSWERS
from shared.contracts.queries import (
    QUERIES,
    GetRebuild,
    GetStatus,
    GetTask,
    ListTasks,
    Query,
    Rebuild,
    TaskPage,
    TaskSource,
    TaskSummary,
    answer_of,
)
from shared.nats.bus import Bus
from shared.runtime.client import Client, QueryFailed

SUMMARY = TaskSummary(
    id="T1",
    title="t",
    status="paused",
    stopping=False,
    source=TaskSource(kind="api", reference="", url="", author=""),
    repo="",
    created_seq=1,
    created_at=datetime(2026, 3, 4, tzinfo=UTC),
    updated_at=datetime(2026, 3, 4, tzinfo=UTC),
    plan_version=0,
    round=0,
    attempt=0,
    agent="brain",
    worker="",
    cost_microusd=0,
    tokens=0,
    branch="",
    commit="",
    error_code="",
    error_message="",
    question="",
)
PAGE = msgspec.to_builtins(TaskPage(seq=1, items=(SUMMARY,), next_cursor=None, counts={"paused": 1}))
NEWER = ("paused_until", "approved_version", "actions")


def test_every_query_is_answered_by_the_projector_with_the_answer_that_its_class_names() -> None:
    assert set(ANSWERS) | {Rebuild, GetRebuild} == set(QUERIES.values())
    for query, answer in ANSWERS.items():
        assert get_type_hints(answer)["return"] is answer_of(query), query.name
        assert get_type_hints(answer)["asked"] is query, query.name


async def answered(bus: Bus, query: Query[Any], body: Any) -> Any:
    """What a client makes of an answer that a projector of some version sends."""

    async def respond(message: Msg) -> None:
        await message.respond(msgspec.json.encode(body))

    subscription = await bus.nc.subscribe(f"qry.{query.name}", cb=respond)
    await bus.nc.flush()
    try:
        return await Client(bus, source="test").query(query)
    finally:
        await subscription.unsubscribe()


async def test_an_answer_of_an_older_projector_without_newer_fields_is_read(bus: Bus) -> None:
    (item,) = PAGE["items"]
    older = {**PAGE, "items": [{name: value for name, value in item.items() if name not in NEWER}]}
    del older["sources"]
    page = await answered(bus, ListTasks(), older)
    assert isinstance(page, TaskPage)
    assert page.items[0] == SUMMARY
    assert (page.items[0].paused_until, page.items[0].actions, page.sources) == (None, {}, ())


async def test_an_answer_of_a_newer_projector_with_more_fields_statuses_and_actions_is_read(bus: Bus) -> None:
    (item,) = PAGE["items"]
    actions = {"fork": {"allowed": False, "code": "c", "reason": "No.", "since": 3}}
    newer = {**PAGE, "mood": 1, "items": [{**item, "status": "hibernating", "colour": "blue", "actions": actions}]}
    (read,) = (await answered(bus, ListTasks(), newer)).items
    assert (read.status, read.actions["fork"].reason) == ("hibernating", "No.")


async def test_a_refusal_and_an_unreadable_answer_are_told_by_their_codes(bus: Bus) -> None:
    with pytest.raises(QueryFailed) as refused:
        await answered(bus, GetTask(id="T1"), {"error": {"code": "not-found", "detail": "There is no task T1."}})
    assert (refused.value.code, refused.value.detail) == ("not-found", "There is no task T1.")
    with pytest.raises(QueryFailed, match="neighbouring versions") as unreadable:
        await answered(bus, GetStatus(), {"seq": "many"})
    assert unreadable.value.code == "answer-unreadable"


def test_parameters_that_were_not_given_are_not_sent() -> None:
    assert msgspec.json.encode(ListTasks(q="sum")) == b'{"q":"sum"}'


def test_the_openapi_document_says_the_shape_of_every_answer_about_the_read_models() -> None:
    paths = openapi()["paths"]
    shapes = {
        path: get["responses"]["200"]["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        for path, operations in paths.items()
        if path.startswith("/api/") and (get := operations.get("get")) and not path.endswith(("/diff", "/output"))
    }
    assert all(shapes.values()), shapes
    assert (
        shapes.items()
        >= {
            "/api/tasks": "TaskPage",
            "/api/tasks/{id}": "TaskAnswer",
            "/api/tasks/{id}/timeline": "TimelinePage",
            "/api/tasks/{id}/transcript": "Transcript",
            "/api/sessions/{id}": "SessionAnswer",
            "/api/deliveries": "DeliveryPage",
            "/api/deliveries/{id}": "DeliveryAnswer",
            "/api/costs": "Costs",
            "/api/agents": "Agents",
            "/api/skills": "Skills",
            "/api/repos": "ConfiguredRepos",
            "/api/status": "SystemStatus",
        }.items()
    )
