"""Approving, revising, answering, telling, stopping and retrying, by the API that the dashboard uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shared.workspace.branches import branch_name
from testing.api_client import ApiClient, names_of
from testing.checker import branches_of
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
    id = await api_client.submit("Take a note\n\ndemo: turns 30", directive="implement")
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


async def test_a_further_wish_is_another_round_on_the_branch_that_is_there(
    api_client: ApiClient, system: System
) -> None:
    id = await api_client.submit("Take a note\n\ndemo: write note.txt hello", directive="implement")
    first = await api_client.completed(id)
    wished = await api_client.say(id, "follow-up", message="And another one.\n\ndemo: write second.txt hello")
    assert wished["event"]["data"]["base_commit"] == first["commit"]
    ready = await api_client.until(id, "task.plan-ready", after=wished["seq"])
    await api_client.say(id, "approve", version=1, digest=ready.data.digest)
    done = await api_client.until(id, "task.completed", after=wished["seq"])
    second = await api_client.task(id, seq=done.position)
    assert (second["status"], second["branch"], second["round"]) == ("completed", first["branch"], 2)
    tip = branches_of(system.repository)[second["branch"]]
    assert (tip.commit, tip.parents) == (second["commit"], (first["commit"],))


async def test_a_retry_after_a_failed_publication_publishes_what_is_there_and_pays_nothing(
    api_client: ApiClient, system: System
) -> None:
    title = "Keep a note"
    id = await api_client.submit(f"{title}\n\ndemo: ask Go on?\ndemo: write note.txt hello", directive="implement")
    await api_client.until(id, "run.question-asked")
    branch = branch_name(id, title)
    git(system.repository, "branch", branch, "main")
    await api_client.say(id, "input", message="Yes")
    failed = await api_client.until(id, "task.failed")
    before = await api_client.task(id, seq=failed.position)
    assert before["actions"]["retry"]["effect"].startswith("Publishes the commit")
    git(system.repository, "branch", "--delete", "--force", branch)
    await api_client.say(id, "retry")
    done = await api_client.until(id, "task.completed", after=failed.position)
    after = await api_client.task(id, seq=done.position)
    assert (after["commit"], after["round"], after["attempt"]) == (before["commit"], 1, 1)
    assert (after["cost_microusd"], after["tokens"]) == (before["cost_microusd"], before["tokens"])


async def test_a_command_that_does_not_fit_is_refused_with_a_code_and_a_sentence(api_client: ApiClient) -> None:
    id = await api_client.submit("Nothing\n\nAt all.", directive="plan")
    await api_client.say(id, "stop")
    await api_client.until(id, "task.cancelled")
    for verb, body in (("stop", {}), ("approve", {}), ("input", {"message": "Hello?"}), ("reject", {})):
        answer = await api_client.ask(id, verb, **body)
        problem = answer.json()
        assert answer.status_code == 409, verb
        assert problem["code"] in ("task-finished", "task-wrong-state"), verb
        assert problem["detail"].endswith("."), verb


def git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)
