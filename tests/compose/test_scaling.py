"""`docker compose up --scale executor=4 --scale planner=2` runs the whole system, and every replica works."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE

from .stack import SERVICES, Stack, eventually

AGENT_SERVICES = ("brain", "planner", "executor")
ISSUE = f"{DEMO_ISSUE_TITLE}\n\n{DEMO_ISSUE_BODY}"
# The scripted model waits so long in the middle of the work.
SLOW_ISSUE = f"{ISSUE}\n\ndemo executor: sleep 15"
# So long that it is still at work when it has been found and killed.
SLOWER_ISSUE = f"{ISSUE}\n\ndemo executor: sleep 45"
TASKS = 5


def runs_of(stack: Stack, tasks: list[str], what: str) -> list[dict[str, Any]]:
    """The data of every event `run.<what>` of these tasks, oldest first."""
    subjects = {f"run/{task}" for task in tasks}
    events = stack.events("run")
    return [event["data"] for event in events if event["type"] == f"run.{what}" and event["subject"] in subjects]


def workers_of(stack: Stack, tasks: list[str]) -> Counter[str]:
    return Counter(claim["worker"] for claim in runs_of(stack, tasks, "claimed"))


def wait_until_completed(stack: Stack, task_id: str) -> None:
    def completed() -> bool:
        task = stack.task(task_id)
        assert task["status"] not in ("failed", "cancelled", "declined"), (task["error_code"], task["error_message"])
        return bool(task["status"] == "completed")

    eventually(completed, within=240, what=f"task {task_id} has completed")


def all_healthy(stack: Stack, **replicas: int) -> bool:
    wanted = Counter({"nats": 1, "demo-model": 1, **dict.fromkeys(SERVICES, 1), **replicas})
    return Counter(c.service for c in stack.containers() if c.health == "healthy") == wanted


def test_the_signed_webhook_of_the_demo_becomes_a_completed_task(stack: Stack) -> None:
    ended = eventually(
        lambda: [c for c in stack.containers("demo") if c.state == "exited"],
        within=240,
        what="the demo container has ended",
    )
    assert ended[0].exit_code == 0, stack.compose("logs", "--no-color", "demo")


def test_every_service_is_healthy_in_the_number_asked_for(stack: Stack) -> None:
    eventually(lambda: all_healthy(stack, executor=4, planner=2), within=60, what="all replicas are healthy")


def test_provisioning_ran_once_and_succeeded(stack: Stack) -> None:
    assert [(c.state, c.exit_code) for c in stack.containers("provision")] == [("exited", 0)]


def test_the_dashboard_answers_on_the_published_port(stack: Stack) -> None:
    assert "<!doctype html>" in httpx.get(f"{stack.url}/", timeout=60).text.lower()


def test_nats_runs_with_every_append_on_disk_and_the_acks_that_clients_read(stack: Stack) -> None:
    (nats,) = stack.containers("nats")
    told = stack.execute(nats, "wget", "-q", "-O", "-", "http://127.0.0.1:8222/varz")
    assert '"sync_always": true' in told
    assert '"js_ack_fc_v2": false' in told


def test_five_tasks_are_spread_over_the_executors(stack: Stack) -> None:
    tasks = [stack.submit(SLOW_ISSUE) for _ in range(TASKS)]
    for task in tasks:
        wait_until_completed(stack, task)
    assert len(runs_of(stack, tasks, "succeeded")) == TASKS
    workers = workers_of(stack, tasks)
    assert workers.total() == TASKS, "a run was claimed more than once"
    assert len(workers) >= 3, f"two runs at most per executor, yet the five went to {workers}"


@pytest.mark.parametrize("service", AGENT_SERVICES)
def test_no_secret_of_the_gateway_is_in_reach_of_an_agent(stack: Stack, service: str) -> None:
    (gateway,) = stack.containers("gateway")
    secret = stack.execute(gateway, "cat", "/demo/webhook-secret").strip()
    search = "cat /proc/[0-9]*/environ /run/secrets/* 2>/dev/null | tr '\\0' '\\n'"
    for container in stack.containers(service):
        seen = stack.execute(container, "sh", "-c", search)
        assert "JOURNEYMAN_NATS_URL=" in seen
        assert secret not in seen
        assert "WEBHOOK_SECRET" not in seen


def test_another_executor_takes_over_the_work_of_a_killed_one(stack: Stack) -> None:
    task = stack.submit(SLOWER_ISSUE)
    eventually(lambda: runs_of(stack, [task], "started"), within=120, what="an executor's agent works on it")
    (first,) = workers_of(stack, [task])
    # A worker's name begins with its container's.
    (container,) = [c for c in stack.containers("executor") if first.startswith(c.id)]
    stack.kill(container)
    wait_until_completed(stack, task)
    assert len(workers_of(stack, [task])) == 2
    assert len(runs_of(stack, [task], "succeeded")) == 1


def test_a_service_is_rescaled_while_the_others_run(stack: Stack) -> None:
    before = {c.id for c in stack.containers() if c.service in ("gateway", "brain", "projector", "nats")}
    stack.rescale(executor=2, planner=1)
    eventually(lambda: all_healthy(stack, executor=2, planner=1), within=90, what="the smaller number is healthy")
    assert before <= {c.id for c in stack.containers()}
    wait_until_completed(stack, stack.submit(ISSUE))
