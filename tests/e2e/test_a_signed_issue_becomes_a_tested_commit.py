"""The main job, end to end: from a sender's webhook to a commit in the target repository."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.ids import derived_id
from shared.contracts.usage import cost_of, tokens_of
from shared.workspace.git import git
from testing.api_client import ApiClient, issue, names_of, tokens_in, usage_of
from testing.demo_model import CountingModel
from testing.stores import everything_stored
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")

STORY = [
    "task.submitted",
    "task.triage-requested",
    "task.triaged",
    "task.planning-requested",
    "plan.drafting-started",
    "plan.claimed",
    "plan.proposed",
    "task.plan-ready",
    "task.approved",
    "task.execution-requested",
    "run.requested",
    "run.claimed",
    "run.started",
    "run.committed",
    "run.succeeded",
    "task.run-succeeded",
    "reply.requested",
    "reply.claimed",
    "reply.posted",
    "task.completed",
]


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """The one task that this module's tests look at."""
    return {}


async def the_task(api_client: ApiClient, told: dict[str, str]) -> str:
    """The demonstration's issue, delivered, planned, approved and completed; once."""
    if "id" not in told:
        payload, id = issue(DEMO_ISSUE_TITLE, DEMO_ISSUE_BODY, number=101)
        answer = await api_client.deliver(payload)
        assert answer.is_success, answer.text
        await api_client.approve(id)
        await api_client.completed(id)
        told["id"] = id
    return told["id"]


async def test_every_step_from_the_webhook_to_the_commit_is_an_event_in_its_order(
    api_client: ApiClient, told: dict[str, str]
) -> None:
    events = await api_client.story(await the_task(api_client, told))
    assert [name for name in names_of(events) if name != "run.checkpointed"] == STORY
    assert [event.position for event in events] == sorted(event.position for event in events)
    submitted = events[0]
    assert (submitted.principal, submitted.data.source.kind) == ("github:octocat", "github")
    assert {event.correlation_id for event in events} == {told["id"]}


async def test_the_branch_is_in_the_target_repository_and_its_test_passes_there(
    api_client: ApiClient, system: System, told: dict[str, str], tmp_path: Path
) -> None:
    task = await api_client.task(await the_task(api_client, told))

    def tested(commit: str, at: Path) -> int:
        subprocess.run(["git", "clone", "-q", "--no-checkout", str(system.repository), str(at)], check=True)
        subprocess.run(["git", "-C", str(at), "checkout", "-q", "--detach", commit], check=True)
        return subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=at, capture_output=True).returncode

    assert await head_of(system.repository, task["branch"]) == task["commit"]
    assert await asyncio.to_thread(tested, task["base_commit"], tmp_path / "before") != 0
    assert await asyncio.to_thread(tested, task["commit"], tmp_path / "after") == 0
    assert [check["exit_code"] for check in task["run"]["checks"]] == [0]


async def head_of(repository: Path, branch: str) -> str:
    return (await git("rev-parse", f"refs/heads/{branch}", cwd=repository)).strip()


async def test_cost_and_tokens_are_what_the_events_say_and_what_the_model_counted(
    api_client: ApiClient, model: CountingModel, told: dict[str, str]
) -> None:
    id = await the_task(api_client, told)
    usage = tuple(usage_of(await api_client.story(id)))
    task = await api_client.task(id)
    assert task["cost_microusd"] == cost_of(usage) > 0
    assert task["tokens"] == tokens_of(usage)
    assert {each["agent"] for each in task["usage"]} == {"brain", "planner", "executor"}
    answer = await api_client.http.get("/api/costs", params={"group_by": "task"})
    assert [each["cost_microusd"] for each in answer.json()["items"] if each["key"] == id] == [cost_of(usage)]
    sessions = (derived_id(role, id, "1") for role in ("triage", "plan", "run"))
    assert tokens_in(usage) == model.tokens(*sessions)


async def test_verify_finds_the_log_whole(api_client: ApiClient, system: System, told: dict[str, str]) -> None:
    await the_task(api_client, told)
    done = system.command("verify")
    assert done.returncode == 0, done.stderr
    assert "are whole" in done.stdout


async def test_no_store_and_no_log_holds_a_secret(
    api_client: ApiClient, system: System, secret_values: dict[str, str], told: dict[str, str]
) -> None:
    await the_task(api_client, told)
    stored = await everything_stored(api_client.bus, system.data)
    # What is looked through does hold what was said, so it would hold a secret that somebody said.
    for place in ("EVENTS", "OUTPUT", "ARTIFACTS", "read models", "logs"):
        assert any(where.startswith(place) for where, _ in stored), place
    assert any(b"split_evenly" in content for where, content in stored if where.startswith("OUTPUT"))
    for name, value in secret_values.items():
        found = [where for where, content in stored if value.encode() in content]
        assert found == [], f"{name} is in {found}"
