"""Approving, revising, answering, telling, stopping and retrying, by the API that the dashboard uses."""

from __future__ import annotations

import pytest

from testing.api_client import ApiClient, names_of
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


async def test_only_the_plan_that_waits_can_be_approved(api_client: ApiClient) -> None:
    id = await api_client.submit("Take a note\n\nWrite down what a bill is.", directive="plan")
    first = (await api_client.until(id, "task.plan-ready")).data
    await api_client.say(id, "reject", feedback="Say it in one sentence.")
    second = (await api_client.until(id, "task.plan-ready", nth=2)).data
    assert (first.version, second.version) == (1, 2)

    older = await api_client.ask(id, "approve", version=1, digest=first.digest)
    assert (older.status_code, older.json()["code"]) == (409, "approval-stale")
    assert older.headers["content-type"].startswith("application/problem+json")
    other = await api_client.ask(id, "approve", version=2, digest="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "approval-mismatch")
    based = await api_client.ask(id, "approve", version=2, digest=second.digest, base_commit="0" * 40)
    assert (based.status_code, based.json()["code"]) == (409, "approval-mismatch")
    assert "task.approved" not in names_of(await api_client.story(id))

    await api_client.approve(id, version=2)
    task = await api_client.completed(id)
    assert [plan["approved_by"] is not None for plan in task["plans"]] == [False, True]
    again = await api_client.ask(id, "approve", version=2, digest=second.digest)
    assert (again.status_code, again.json()["code"]) == (409, "task-wrong-state")


async def test_a_question_of_the_agent_waits_for_its_answer(api_client: ApiClient) -> None:
    id = await api_client.submit("Take a note\n\ndemo: ask Which colour?", directive="implement")
    asked = await api_client.until(id, "task.question-asked")
    task = await api_client.task(id, seq=asked.position)
    assert (task["status"], task["question"]) == ("waiting-input", "Which colour?")
    assert task["run"]["options"] == ["Yes", "No"]
    await api_client.say(id, "input", message="Ultramarine")
    task = await api_client.completed(id)
    assert "Ultramarine" in task["summary"]


async def test_what_is_said_to_a_working_agent_reaches_it(api_client: ApiClient) -> None:
    id = await api_client.submit("Take a note\n\ndemo: turns 60", directive="implement")
    await api_client.heard(id, "turn 1")
    await api_client.say(id, "input", message="Please mention the penguin.")
    task = await api_client.completed(id)
    assert "Please mention the penguin." in task["summary"]
    await api_client.heard(id, "Please mention the penguin.")


async def test_a_stopped_task_is_tried_again_in_a_new_round(api_client: ApiClient, system: System) -> None:
    id = await api_client.submit("Take a note\n\ndemo: write note.txt hello\ndemo: ask Go on?", directive="implement")
    await api_client.until(id, "run.question-asked")
    await api_client.say(id, "stop")
    stopped = await api_client.until(id, "task.cancelled")
    assert not system.agents(id)
    await api_client.say(id, "retry")
    await api_client.until(id, "run.question-asked", after=stopped.position)
    await api_client.say(id, "input", message="Yes")
    done = await api_client.until(id, "task.completed", after=stopped.position)
    task = await api_client.task(id, seq=done.position)
    assert (task["status"], task["round"], task["attempt"]) == ("completed", 2, 2)


async def test_a_command_that_does_not_fit_is_refused_with_a_code_and_a_sentence(api_client: ApiClient) -> None:
    id = await api_client.submit("Nothing\n\nNowhere.", repo="octo/unknown")
    await api_client.until(id, "task.declined")
    for verb, body in (("stop", {}), ("approve", {}), ("input", {"message": "Hello?"}), ("reject", {})):
        answer = await api_client.ask(id, verb, **body)
        problem = answer.json()
        assert answer.status_code == 409, verb
        assert problem["code"] in ("task-finished", "task-wrong-state"), verb
        assert problem["detail"].endswith("."), verb
