"""What a task's events become in the read models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.contracts import delivery, run, session, task
from shared.contracts.ids import derived_task_id
from testing.recorded import NO_BODY
from tests.unit.projector.projector_support import (
    TASK,
    Log,
    approved,
    ask,
    execution,
    planned,
    projected,
    proposed,
    submitted,
    succeeded,
    usage,
)


def shown(log: Log) -> dict[str, Any]:
    """The task as ``tasks.get`` shows it."""
    found: dict[str, Any] = ask(projected(log), "tasks.get", id=TASK)["task"]
    return found


def test_a_task_that_was_just_submitted_says_where_it_came_from() -> None:
    now = shown(Log().add(submitted(), principal="service:brain"))
    assert (now["status"], now["title"], now["version"]) == ("received", "Fix the sum", 1)
    assert now["source"] == {
        "kind": "github",
        "reference": "octo/app#7",
        "url": "https://example.org/7",
        "author": "octocat",
    }
    assert now["created_at"] == "2026-03-04T12:00:01Z"
    assert now["requester"] == "github:octocat"
    assert (now["run"], now["plans"], now["usage"]) == (None, [], [])


def test_an_approval_marks_the_version_it_names_with_who_and_when() -> None:
    log = planned().add(task.RevisionRequested(version=1, feedback="Smaller."), proposed(2))
    log.add(approved(2), principal="user:ada")
    plans = shown(log)["plans"]
    assert [(p["version"], p["approved_by"]) for p in plans] == [(1, None), (2, "user:ada")]
    assert plans[1]["approved_at"] == "2026-03-04T12:00:11Z"
    assert plans[1]["markdown"] == "# Plan 2"


def test_a_plan_that_waits_for_approval_shows_its_version_and_status() -> None:
    now = shown(planned())
    assert (now["status"], now["plan_status"], now["plan_version"]) == ("awaiting-approval", "proposed", 1)
    assert now["working_since"] is None


def test_a_round_that_waits_for_an_executor_is_queued() -> None:
    now = shown(planned().add(approved(), *execution()[:2]))
    assert (now["status"], now["run"]["status"], now["run"]["round"], now["run"]["attempt"]) == (
        "executing",
        "queued",
        1,
        0,
    )


def test_a_run_at_work_shows_its_worker_and_since_when() -> None:
    connection = projected(planned().add(approved(), *execution()))
    (running,) = ask(connection, "status")["running"]
    assert running == {
        "task_id": TASK,
        "title": "Mend the sum",
        "agent": "executor",
        "worker": "w1",
        "attempt": 1,
        "since": "2026-03-04T12:00:12Z",
    }
    assert ask(connection, "tasks.get", id=TASK)["task"]["run"]["model"] == "large"


def test_a_finished_run_shows_its_checks_its_files_and_its_commit() -> None:
    log = planned().add(approved(), *execution(), succeeded())
    log.add(task.Completed(summary="Added right.", commit="c1", branch="journeyman/x", url="https://example.org/c1"))
    now = shown(log)
    assert (now["status"], now["commit"], now["result_url"]) == ("completed", "c1", "https://example.org/c1")
    done = now["run"]
    assert (done["status"], done["duration_ms"], done["turn"]) == ("succeeded", 1234, 3)
    (check,) = done["checks"]
    assert (check["command"], check["exit_code"], check["output_tail"]) == ("pytest", 0, "1 passed")
    assert done["files"] == [{"path": "sum.py", "added": 1, "removed": 1}]


def test_a_retry_makes_the_next_round_and_clears_the_failure() -> None:
    log = planned().add(
        approved(),
        *execution(1),
        run.Failed(round=1, attempt=1, code="red", message="The tests are red."),
        task.Failed(stage="executing", code="red", message="The tests are red."),
    )
    failed = shown(log)
    assert (failed["status"], failed["error_code"], failed["run"]["error_message"]) == (
        "failed",
        "red",
        "The tests are red.",
    )
    again = shown(log.add(task.Retried(stage="executing"), *execution(2)))
    assert (again["status"], again["error_code"], again["round"], again["attempt"]) == ("executing", "", 2, 2)
    assert (again["run"]["round"], again["run"]["worker"]) == (2, "w2")


def ended_by(log: Log) -> tuple[str, str, str]:
    now = shown(log)
    end = (now["cancelled_how"], now["cancelled_by"], now["cancelled_reason"])
    assert listed_as(log) == end
    return end


def listed_as(log: Log) -> tuple[str, str, str]:
    """The same as the list of tasks has it."""
    (item,) = ask(projected(log), "tasks.list")["items"]
    return item["cancelled_how"], item["cancelled_by"], item["cancelled_reason"]


def test_a_stop_that_an_agent_had_to_hear_names_the_person_and_their_reason() -> None:
    log = planned().add(approved(), *execution())
    log.add(task.StopRequested(stage="executing", reason="Not in Rust, please"), principal="user:ada")
    assert ended_by(log) == ("stopped", "user:ada", "Not in Rust, please")
    log.add(task.Cancelled(reason="Not in Rust, please"), principal="service:brain")
    assert ended_by(log) == ("stopped", "user:ada", "Not in Rust, please")
    log.add(task.Retried(stage="executing"), principal="user:ada")
    assert ended_by(log) == ("", "", "")


def test_a_stop_of_a_task_that_only_waits_names_the_person_and_their_reason() -> None:
    log = planned().add(task.Cancelled(reason="Too late."), principal="user:ada")
    assert ended_by(log) == ("stopped", "user:ada", "Too late.")


def test_a_rejected_plan_and_one_that_nobody_approved_in_time_say_so() -> None:
    log = planned().add(task.Rejected(version=1, reason="Too large."), principal="user:ada")
    assert ended_by(log) == ("rejected", "user:ada", "Too large.")
    log = planned().add(task.ApprovalExpired(version=1), principal="service:brain")
    assert ended_by(log) == ("expired", "service:brain", "")


def test_a_pause_shows_why_and_its_end_clears_that() -> None:
    until = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    failed = run.Failed(round=1, attempt=1, code="agent-overloaded", message="Busy.", retryable=True)
    log = planned().add(approved(), *execution(1), failed)
    log.add(task.Paused(stage="executing", code="agent-overloaded", message="Busy.", until=until, tries=1))
    paused = shown(log)
    assert (paused["status"], paused["error_code"], paused["error_message"]) == ("paused", "agent-overloaded", "Busy.")
    assert paused["paused_until"] == "2026-03-04T12:30:00Z"
    assert ask(projected(log), "tasks.list")["items"][0]["paused_until"] == "2026-03-04T12:30:00Z"
    told = ask(projected(log), "tasks.timeline", id=TASK)["items"][-1]["summary"]
    assert told == "Paused in executing until 2026-03-04 12:30:00 UTC: Busy."
    again = shown(log.add(task.Resumed(stage="executing"), *execution(2)))
    assert (again["status"], again["error_code"], again["round"]) == ("executing", "", 2)
    assert again["paused_until"] is None


@pytest.mark.parametrize("after", [task.Retried(stage="executing"), task.Cancelled(reason="Enough.")])
def test_a_task_that_was_retried_or_stopped_while_paused_waits_for_no_moment(
    after: task.Retried | task.Cancelled,
) -> None:
    until = datetime(2026, 3, 4, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    log = planned().add(task.Paused(stage="planning", code="agent-overloaded", message="Busy.", until=until, tries=1))
    assert shown(log)["paused_until"] == "2026-03-04T12:30:00Z"
    assert shown(log.add(after))["paused_until"] is None


def test_a_plan_that_nobody_approved_in_time_ends_its_task() -> None:
    log = planned().add(task.ApprovalExpired(version=1))
    assert shown(log)["status"] == "cancelled"
    told = ask(projected(log), "tasks.timeline", id=TASK)["items"][-1]["summary"]
    assert told == "Nobody approved plan 1 in time."


def test_an_attempt_that_another_one_took_over_is_superseded() -> None:
    log = planned().add(approved(), *execution(), run.Claimed(round=1, attempt=2, worker="w9", session="s"))
    connection = projected(log)
    runs = connection.execute("SELECT attempt, status, worker FROM runs ORDER BY attempt").fetchall()
    assert runs == [(1, "superseded", "w1"), (2, "running", "w9")]


def test_usage_adds_up_over_agents_models_and_attempts() -> None:
    log = planned().add(
        approved(),
        *execution(),
        run.Checkpointed(attempt=1, turn=1, usage=usage(30) + usage(5, "small", priced=False)),
        succeeded(1, usage(60)),
    )
    now = shown(log)
    assert now["cost_microusd"] == 100 + 2000 + 30 + 5 + 60
    assert now["tokens"] == 5 * 20
    assert [(u["agent"], u["model"], u["cost_microusd"], u["priced"]) for u in now["usage"]] == [
        ("brain", "large", 100, True),
        ("planner", "large", 2000, True),
        ("executor", "large", 90, True),
        ("executor", "small", 5, False),
    ]


def test_a_stop_shows_until_the_agent_is_gone() -> None:
    log = planned().add(approved(), *execution(), task.StopRequested(stage="executing", reason="Enough."))
    assert (shown(log)["status"], shown(log)["stopping"]) == ("executing", True)
    log.add(run.StopRequested(attempt=1), run.Stopped(round=1, attempt=1, killed=2), task.Cancelled(reason="Enough."))
    now = shown(log)
    assert (now["status"], now["stopping"], now["run"]["status"], now["working_since"]) == (
        "cancelled",
        False,
        "stopped",
        None,
    )


def test_a_question_shows_until_the_agent_has_its_answer() -> None:
    log = planned().add(
        approved(),
        *execution(),
        run.QuestionAsked(attempt=1, request_id="q", question="Which sum?", options=("this", "that")),
        task.QuestionAsked(attempt=1, question="Which sum?", options=("this", "that")),
    )
    now = shown(log)
    assert (now["status"], now["question"], now["run"]["options"]) == (
        "waiting-input",
        "Which sum?",
        ["this", "that"],
    )
    now = shown(log.add(run.Resumed(attempt=1), task.WorkResumed(attempt=1)))
    assert (now["status"], now["question"], now["run"]["question"], now["run"]["options"]) == (
        "executing",
        "",
        "",
        [],
    )


def test_an_answered_question_is_a_completed_task_with_the_answer() -> None:
    now = shown(Log().add(submitted(), task.Answered(attempt=1, answer="42.", decided_by="model", usage=usage(7))))
    assert (now["status"], now["verdict"], now["answer"], now["cost_microusd"]) == ("completed", "answer", "42.", 7)


def test_every_event_of_a_task_is_in_its_timeline_with_a_sentence() -> None:
    log = planned()
    items = ask(projected(log), "tasks.timeline", id=TASK)["items"]
    assert [item["seq"] for item in items] == list(range(1, len(log.stored) + 1))
    assert items[0]["summary"] == "Submitted from octo/app#7: Fix the sum"
    assert items[-1] == {
        "seq": 8,
        "kind": "task",
        "event": "plan-ready",
        "version": 5,
        "time": "2026-03-04T12:00:08Z",
        "principal": "service:test",
        "summary": "Plan 1 waits for approval.",
        "data": items[-1]["data"],
    }
    assert items[-1]["data"]["digest"] == "1" * 64


def test_a_delivery_is_listed_with_the_task_of_its_thread_once_there_is_one() -> None:
    signal = delivery.Signal(
        kind=delivery.SignalKind.WORK, thread="github:octo/app#7", opened_at_ms=1000, title="t", text="t", author="ada"
    )
    accepted = delivery.Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d1",
        signal=signal,
        body_sha256="",
        body_size=0,
        body=NO_BODY,
    )
    log = Log().add(accepted, id="delivery-1")
    (item,) = ask(projected(log), "deliveries.list")["items"]
    assert (item["id"], item["thread"], item["task_id"]) == ("delivery-1", "github:octo/app#7", None)
    task_id = derived_task_id(1000, "github:octo/app#7")
    (item,) = ask(projected(log.add(submitted(), id=task_id)), "deliveries.list")["items"]
    assert item["task_id"] == task_id
    log.add(delivery.Refused(code="not-trusted", reason="Ask somebody."), id="delivery-1")
    found = ask(projected(log), "deliveries.get", id="delivery-1")["delivery"]
    assert (found["task_id"], found["title"], found["kind"]) == (task_id, "t", "work")
    assert [(step["event"], step["summary"].rpartition(". ")[2]) for step in found["steps"]][1:] == [
        ("refused", "Ask somebody.")
    ]


def test_a_conversation_keeps_its_lines_in_order() -> None:
    log = Log().add(
        session.Said(message="What is this?", author="user:ada", task_id=TASK),
        session.AnswerRecorded(task_id=TASK, text="A sum."),
        id="session-1",
    )
    lines = ask(projected(log), "sessions.get", id="session-1")["session"]["lines"]
    assert [(line["author"], line["text"]) for line in lines] == [("user:ada", "What is this?"), ("", "A sum.")]
