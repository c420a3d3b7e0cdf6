"""Approving, revising, answering, telling, stopping and retrying, by the API that the dashboard uses."""

from __future__ import annotations

import pytest

from testing.api_client import Visitor, names_of
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


async def test_only_the_plan_that_waits_can_be_approved(visitor: Visitor) -> None:
    id = await visitor.submit("Take a note\n\nWrite down what a bill is.", directive="plan")
    first = (await visitor.until(id, "task.plan-ready")).data
    await visitor.say(id, "reject", feedback="Say it in one sentence.")
    second = (await visitor.until(id, "task.plan-ready", nth=2)).data
    assert (first.version, second.version) == (1, 2)

    older = await visitor.ask(id, "approve", version=1, digest=first.digest)
    assert (older.status_code, older.json()["code"]) == (409, "approval-stale")
    assert older.headers["content-type"].startswith("application/problem+json")
    other = await visitor.ask(id, "approve", version=2, digest="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "approval-mismatch")
    based = await visitor.ask(id, "approve", version=2, digest=second.digest, base_commit="0" * 40)
    assert (based.status_code, based.json()["code"]) == (409, "approval-mismatch")
    assert "task.approved" not in names_of(await visitor.story(id))

    await visitor.approve(id, version=2)
    task = await visitor.completed(id)
    assert [plan["approved_by"] is not None for plan in task["plans"]] == [False, True]
    again = await visitor.ask(id, "approve", version=2, digest=second.digest)
    assert (again.status_code, again.json()["code"]) == (409, "task-wrong-state")


async def test_a_question_of_the_agent_waits_for_its_answer(visitor: Visitor) -> None:
    id = await visitor.submit("Take a note\n\ndemo: ask Which colour?", directive="implement")
    asked = await visitor.until(id, "task.question-asked")
    task = await visitor.task(id, seq=asked.position)
    assert (task["status"], task["question"]) == ("waiting-input", "Which colour?")
    assert task["run"]["options"] == ["Yes", "No"]
    await visitor.say(id, "input", message="Ultramarine")
    task = await visitor.completed(id)
    assert "Ultramarine" in task["summary"]


async def test_what_is_said_to_a_working_agent_reaches_it(visitor: Visitor) -> None:
    id = await visitor.submit("Take a note\n\ndemo: turns 60", directive="implement")
    await visitor.heard(id, "turn 1")
    await visitor.say(id, "input", message="Please mention the penguin.")
    task = await visitor.completed(id)
    assert "Please mention the penguin." in task["summary"]
    await visitor.heard(id, "Please mention the penguin.")


async def test_a_stopped_task_is_tried_again_in_a_new_round(visitor: Visitor, system: System) -> None:
    id = await visitor.submit("Take a note\n\ndemo: write note.txt hello\ndemo: ask Go on?", directive="implement")
    await visitor.until(id, "run.question-asked")
    await visitor.say(id, "stop")
    stopped = await visitor.until(id, "task.cancelled")
    assert not system.agents(id)
    await visitor.say(id, "retry")
    await visitor.until(id, "run.question-asked", after=stopped.position)
    await visitor.say(id, "input", message="Yes")
    done = await visitor.until(id, "task.completed", after=stopped.position)
    task = await visitor.task(id, seq=done.position)
    assert (task["status"], task["round"], task["attempt"]) == ("completed", 2, 2)


async def test_a_command_that_does_not_fit_is_refused_with_a_code_and_a_sentence(visitor: Visitor) -> None:
    id = await visitor.submit("Nothing\n\nNowhere.", repo="octo/unknown")
    await visitor.until(id, "task.declined")
    for verb, body in (("stop", {}), ("approve", {}), ("input", {"message": "Hello?"}), ("reject", {})):
        answer = await visitor.ask(id, verb, **body)
        problem = answer.json()
        assert answer.status_code == 409, verb
        assert problem["code"] in ("task-finished", "task-wrong-state"), verb
        assert problem["detail"].endswith("."), verb
