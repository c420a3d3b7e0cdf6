"""The named questions: filters, pages, sums, limits and refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec
import pytest

from services.projector.queries import QUERIES
from services.projector.queries.params import PAGE_BYTES, Refused
from shared.contracts import delivery, session, task
from testing.recorded import NO_BODY
from tests.unit.projector.projector_support import (
    NOON,
    TASK,
    Log,
    ask,
    planned,
    projected,
    proposed,
    submitted,
    triaged,
    usage,
)


def tasks(count: int, **changes: Any) -> Log:
    log = Log()
    for number in range(count):
        log.add(submitted(title=f"Task {number}", **changes), id=f"T{number:03}")
    return log


def listed(connection: duckdb.DuckDBPyConnection, **params: Any) -> list[str]:
    return [item["id"] for item in ask(connection, "tasks.list", **params)["items"]]


def pages(connection: duckdb.DuckDBPyConnection, name: str, **params: Any) -> list[list[Any]]:
    """Every page's items."""
    found: list[list[Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = ask(connection, name, **params, **cursor)
        found.append(answer["items"])
        if answer["next_cursor"] is None:
            return found
        cursor = {"cursor": answer["next_cursor"]}


def test_tasks_come_newest_first_and_in_pages_without_gap_or_overlap() -> None:
    connection = projected(tasks(7))
    assert listed(connection) == [f"T{n:03}" for n in reversed(range(7))]
    found = pages(connection, "tasks.list", limit=3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert [item["id"] for page in found for item in page] == listed(connection)


def test_a_full_last_page_has_no_next_one() -> None:
    assert len(pages(projected(tasks(6)), "tasks.list", limit=3)) == 2


def test_tasks_are_filtered_and_the_other_statuses_stay_counted() -> None:
    log = tasks(3)
    log.add(task.Declined(attempt=1, reason="No.", decided_by="rules"), id="T001")
    log.add(submitted(source=task.Source(kind="api"), repo="octo/web"), id="T100")
    connection = projected(log)
    assert listed(connection, status="declined") == ["T001"]
    assert ask(connection, "tasks.list", status="declined")["counts"] == {"declined": 1, "received": 3}
    assert listed(connection, source="api") == ["T100"]
    assert listed(connection, repo="octo/app", status="received") == ["T002", "T000"]
    assert listed(connection, agent="planner") == []


def test_tasks_are_found_by_who_asked_for_them() -> None:
    log = Log().add(submitted(), id="T001").add(submitted(), id="T002", principal="user:ada")
    connection = projected(log)
    assert listed(connection, requester="user:ada") == ["T002"]
    assert listed(connection, requester="github:octocat") == ["T001"], "the person behind the service that passed it on"
    assert ask(connection, "tasks.list", requester="user:ada")["counts"] == {"received": 1}
    assert listed(connection, requester="user:bo") == []


def test_a_list_says_of_which_kinds_of_source_there_are_tasks_whatever_is_asked_for() -> None:
    log = tasks(2)
    log.add(submitted(source=task.Source(kind="acme")), id="T100")
    log.add(submitted(source=task.Source(kind="")), id="T101")
    connection = projected(log)
    assert ask(connection, "tasks.list")["sources"] == ["acme", "github"]
    assert ask(connection, "tasks.list", source="acme", limit=1)["sources"] == ["acme", "github"]
    assert ask(projected(Log()), "tasks.list")["sources"] == []


@pytest.mark.parametrize("q", ["hAiRy", "100%", "T_1", "octo/web", "jira-9", "\\d"])
def test_a_search_finds_text_anywhere_and_takes_it_literally(q: str) -> None:
    log = tasks(3)
    source = task.Source(kind="jira", reference="JIRA-9")
    log.add(submitted(title="A hairy one", text="100% of \\d", source=source, repo="octo/web"), id="T_1")
    assert listed(projected(log), q=q) == ["T_1"]


def test_a_timeline_goes_on_after_a_sequence() -> None:
    connection = projected(planned())
    seqs = [item["seq"] for page in pages(connection, "tasks.timeline", id=TASK, limit=3) for item in page]
    assert seqs == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [i["seq"] for i in ask(connection, "tasks.timeline", id=TASK, after=6)["items"]] == [7, 8]


def test_costs_are_grouped_by_whatever_is_asked_for() -> None:
    log = Log()
    for number, day in ((1, datetime(2026, 3, 4, 23, 59, tzinfo=UTC)), (2, datetime(2026, 3, 5, 0, 0, tzinfo=UTC))):
        log.add(submitted(session_id=f"s{number}"), id=f"T{number}", principal=f"user:{number}", at=day)
        log.add(triaged(usage(100 * number)), proposed(1, usage(1, f"model-{number}")), id=f"T{number}", at=day)
    connection = projected(log)

    def grouped(by: str, **params: Any) -> dict[str, int]:
        answer = ask(connection, "costs", group_by=by, **params)
        assert answer["total"]["cost_microusd"] == sum(item["cost_microusd"] for item in answer["items"])
        return {item["key"]: item["cost_microusd"] for item in answer["items"]}

    assert grouped("day") == {"2026-03-04": 101, "2026-03-05": 201}
    assert grouped("agent") == {"brain": 300, "planner": 2}
    assert grouped("model") == {"large": 300, "model-1": 1, "model-2": 1}
    assert grouped("user") == {"user:1": 101, "user:2": 201}
    assert grouped("session") == {"s1": 101, "s2": 201}
    assert grouped("task") == {"T1": 101, "T2": 201}
    assert grouped("repo") == {"octo/app": 302}
    assert grouped("day", **{"from": "2026-03-05"}) == {"2026-03-05": 201}
    assert grouped("day", to="2026-03-04") == {"2026-03-04": 101}
    assert ask(connection, "costs")["items"][0]["tasks"] == 1


def test_nothing_spent_is_zero_and_not_null() -> None:
    total = ask(projected(Log()), "costs")["total"]
    assert set(total.values()) == {0}


@pytest.mark.parametrize(
    "name, params",
    [
        ("tasks.list", {"limit": 0}),
        ("tasks.list", {"limit": 201}),
        ("tasks.list", {"limit": "many"}),
        ("tasks.list", {"status": "lost"}),
        ("tasks.list", {"colour": "blue"}),
        ("tasks.list", {"cursor": "x'; DROP TABLE tasks"}),
        ("tasks.list", {"q": "x" * 513}),
        ("tasks.list", {"min_seq": -1}),
        ("tasks.get", {}),
        ("tasks.timeline", {"id": TASK, "after": "soon"}),
        ("costs", {"group_by": "mood"}),
        ("costs", {"from": "yesterday"}),
        ("status", {"id": TASK}),
    ],
)
def test_a_wrong_parameter_is_refused_with_a_sentence(name: str, params: dict[str, Any]) -> None:
    connection = projected(tasks(1))
    with pytest.raises(Refused) as refusal:
        ask(connection, name, **params)
    assert refusal.value.code == "bad-parameter"
    assert listed(connection) == ["T000"]


@pytest.mark.parametrize("name", ["tasks.get", "tasks.timeline", "sessions.get", "deliveries.get"])
def test_what_does_not_exist_is_not_found(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        ask(projected(Log()), name, id="nobody")
    assert refusal.value.code == "not-found"


def test_numbers_may_come_as_text() -> None:
    assert len(listed(projected(tasks(3)), limit="2", min_seq="1")) == 2


def test_no_answer_is_larger_than_a_message_and_pages_still_show_everything() -> None:
    log = Log()
    for _ in range(6):
        log.add(task.InputGiven(message="x" * 400_000))
    log.add(task.InputGiven(message="y" * 1_000_000)).add(submitted(text="\\" * 300_000, title="z" * 200_000))
    for version in range(1, 6):
        log.add(proposed(version))
    log.add(proposed(6).__class__(**{**msgspec.to_builtins(proposed(6)), "markdown": "é" * 300_000}))
    connection = projected(log)
    found = pages(connection, "tasks.timeline", id=TASK)
    assert [item["seq"] for page in found for item in page] == list(range(1, 15))
    for name, params in (("tasks.get", {"id": TASK}), ("tasks.list", {}), ("tasks.timeline", {"id": TASK})):
        assert len(msgspec.json.encode(ask(connection, name, **params))) <= PAGE_BYTES * 1.1
    assert found[-1][0]["data"] != {}


def test_a_long_conversation_shows_its_newest_lines() -> None:
    log = Log()
    for number in range(205):
        log.add(session.Said(message=f"{number}", author="user:ada", task_id=TASK), id="s")
    lines = ask(projected(log), "sessions.get", id="s")["session"]["lines"]
    assert [line["text"] for line in lines] == [str(number) for number in range(5, 205)]


def test_deliveries_come_newest_first() -> None:
    signal = delivery.Signal(kind=delivery.SignalKind.WORK, thread="t", opened_at_ms=1, title="t", text="t")
    log = Log()
    for number in range(5):
        accepted = delivery.Accepted(
            webhook="github",
            event="issues",
            action="opened",
            delivery=f"d{number}",
            signal=signal,
            body_sha256="",
            body_size=0,
            body=NO_BODY,
        )
        log.add(accepted, id=f"d{number}")
    connection = projected(log)
    found = pages(connection, "deliveries.list", limit=2)
    assert [item["id"] for page in found for item in page] == ["d4", "d3", "d2", "d1", "d0"]
    (counted,) = ask(connection, "deliveries.count")["items"]
    assert (counted["webhook"], counted["today"], counted["last"]["id"]) == ("github", 0, "d4")
    day = counted["last"]["at"][:10]
    assert ask(connection, "deliveries.count", day=day)["items"][0]["today"] == 5


def test_every_question_works_on_an_empty_database() -> None:
    connection = projected(Log())
    for name in QUERIES.keys() - {"tasks.get", "sessions.get", "tasks.timeline", "deliveries.get"}:
        ask(connection, name)


def test_todays_cost_counts_today_only() -> None:
    while True:
        today = datetime.now(UTC)
        log = Log().add(submitted(), triaged(usage(5)), at=NOON).add(proposed(1, usage(7)), at=today)
        now = ask(projected(log), "status")
        if datetime.now(UTC).date() == today.date():
            break
    assert (now["cost_today_microusd"], now["tokens_today"]) == (7, 20)
