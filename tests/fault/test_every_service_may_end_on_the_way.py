"""Each of the five services, and NATS, is lost once while a task goes through the whole system; nobody notices."""

from __future__ import annotations

import os
import signal
import statistics
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from shared.claude.demo.conversation import Role
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.ids import derived_id
from shared.contracts.usage import cost_of
from shared.event_store.envelope import RecordedEvent
from shared.workspace.git import git
from testing.api_client import WITHIN, ApiClient, issue, names_of, tokens_in, usage_of
from testing.eventually import eventually
from testing.system import System
from tests.fault.drain.held_model import HeldModel

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("fault"), pytest.mark.timeout(400)]

BACK_S = 5.0
"""How soon a service that was killed is ready again, on a machine that has a processor for it."""
STALL_S = 15.0
"""How long a machine that others use may stand still, in the middle of that."""
LONG = 2 * WITHIN
"""For what waits for a redelivery as well."""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to leave"])
async def test_a_task_completes_once_although_each_service_ends_once_on_its_way(
    api_client: ApiClient, system: System, model: HeldModel, number: signal.Signals
) -> None:
    payload, id = issue(DEMO_ISSUE_TITLE, DEMO_ISSUE_BODY, number=500 + number)
    away: dict[str, float] = {}
    loads: list[float] = []

    async def hit(service: str) -> None:
        away[service] = await system.hit(service, number)
        loads.append(os.getloadavg()[0])

    async def agent_at_work(role: Role, kind: str) -> str:
        """The agent of this role, which waits in the middle of its work."""
        await eventually(lambda: model.holds(role), within=LONG)
        return await the_agent_of(system, kind, id)

    with model.holding():
        assert (await api_client.deliver(payload)).is_success
        triaging = await agent_at_work(Role.BRAIN, "task")
        await hit("brain")
        assert await the_agent_of(system, "task", id) == triaging, "the brain attaches to the agent that it had"
        model.release(Role.BRAIN)

        planning = await agent_at_work(Role.PLANNER, "plan")
        await hit("planner")
        await api_client.until(id, "plan.claimed", nth=2, within=LONG)
        assert await the_agent_of(system, "plan", id) == planning
        model.release(Role.PLANNER)

        await api_client.until(id, "plan.proposed", within=LONG)
        await hit("projector")
        await api_client.approve(id)

        working = await agent_at_work(Role.EXECUTOR, "run")
        await hit("executor")
        await api_client.until(id, "run.claimed", nth=2, within=LONG)
        assert await the_agent_of(system, "run", id) == working
        model.release(Role.EXECUTOR)

        await api_client.until(id, "reply.requested", within=LONG)
        await hit("gateway")
        task = await api_client.completed(id, within=LONG)

    story = await api_client.story(id)
    await nothing_is_lost_or_doubled(api_client, system, story, task["branch"], task["base_commit"])
    assert {event.data.session for event in story if event.name == "claimed" and event.kind == "run"} == {
        derived_id("run", id, "1")
    }
    sessions = [derived_id(role, id, "1") for role in ("triage", "plan", "run")]
    assert tokens_in(usage_of(story)) == model.tokens(*sessions), "what was spent is counted, and counted once"
    assert task["cost_microusd"] == cost_of(tuple(usage_of(story)))
    print({service: f"{seconds:.1f} s" for service, seconds in away.items()})
    if number is signal.SIGKILL:
        waiting = max(1.0, max(loads) / (os.cpu_count() or 1))
        assert statistics.median(away.values()) <= BACK_S * waiting
        assert max(away.values()) <= BACK_S * waiting + STALL_S


async def test_a_task_completes_although_nats_is_killed_in_the_middle_of_its_run(
    api_client: ApiClient, system: System, model: HeldModel
) -> None:
    id = await api_client.submit("Mend split_evenly\n\ndemo: turns 8", directive="implement")
    await api_client.until(id, "run.started")
    before = system.pids()
    await system.hit("nats")
    task = await api_client.completed(id, within=LONG)
    story = await api_client.story(id)
    await nothing_is_lost_or_doubled(api_client, system, story, task["branch"], task["base_commit"])
    assert tokens_in(usage_of(story)) == model.tokens(derived_id("run", id, "1"))
    assert {name: pid for name, pid in before.items() if name != "nats"}.items() <= system.pids().items()


async def test_what_was_on_the_way_when_all_services_were_killed_at_once_goes_on(
    api_client: ApiClient, system: System
) -> None:
    planned = await api_client.submit("Take a note\n\nWrite down what a bill is.", directive="plan")
    done = await api_client.submit("Take a note\n\ndemo: turns 8", directive="implement")
    await api_client.until(planned, "plan.claimed")
    await api_client.until(done, "run.claimed")
    services = ("brain", "planner", "executor", "projector", "gateway")
    killed = {name: system.send(name) for name in services}
    for name in services:
        await system.back(name, killed[name])
    await api_client.until(planned, "task.plan-ready", within=LONG)
    await api_client.approve(planned)
    for id in (planned, done):
        task = await api_client.completed(id, within=LONG)
        await nothing_is_lost_or_doubled(
            api_client, system, await api_client.story(id), task["branch"], task["base_commit"]
        )


# A worker that was lost claims its work again; everything else happens once.
REPEATED: Final = frozenset({"plan.claimed", "run.claimed", "run.started", "run.checkpointed", "reply.claimed"})

# ---- help ----------------------------------------------------------------------------------------------------------


async def the_agent_of(system: System, kind: str, task_id: str) -> str:
    """Which process works on one of the task's actors: its pid and start, as its run directory has them."""

    def look() -> list[Path]:
        return [run / "cli" for run in system.agent_runs(kind, task_id) if (run / "cli").exists()]

    (identity,) = await eventually(look)
    fields = identity.read_text().split()
    return f"{fields[1]} since {fields[22]}"


async def nothing_is_lost_or_doubled(
    api_client: ApiClient, system: System, story: list[RecordedEvent], branch: str, base: str
) -> None:
    """The log is whole, no command took effect twice, each step happened once, and there is one commit."""
    assert (await api_client.audit()).damage is None
    causes = Counter((event.kind, event.causation_id) for event in story)
    assert [cause for cause, times in causes.items() if times > 1] == []
    steps = Counter(name for name in names_of(story) if name not in REPEATED)
    assert [step for step, times in steps.items() if times > 1] == []
    assert int(await git("rev-list", "--count", f"{base}..{branch}", cwd=system.repository)) == 1
