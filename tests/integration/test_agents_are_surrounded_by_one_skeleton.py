"""What triage, planning and execution share around the work of an agent, on a real log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.planner.actors.plan import DECIDER
from shared.claude.agent_activity import AgentActivity, Reception
from shared.claude.runner import AgentRunner
from shared.contracts import plan
from shared.contracts.ids import derived_id
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.settings import load_settings
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost

PLAN = Actor("plan", "T1")
CLAIM = plan.Claim(draft=1, worker="w@here", session="s")
DRAFT = plan.Draft(repo="a/b", base_commit="c" * 40, title="t", text="x")


@pytest.fixture
def agents(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentActivity:
    """The planner's, on a machine without a model key."""
    monkeypatch.setenv("JOURNEYMAN_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    settings, journal = load_settings(), NatsJournal(bus)
    host = ActorHost(journal, [DECIDER], source="journeyman/planner")
    return AgentActivity(settings, host, journal, AgentRunner(settings, bus))


@pytest.mark.parametrize(("kind", "label"), [("run", "run"), ("plan", "plan"), ("task", "triage")])
def test_agents_that_an_older_version_started_are_found_by_their_names(
    agents: AgentActivity, kind: str, label: str
) -> None:
    work = agents.work(Actor(kind, "T1"), 3)
    assert [each.name for each in work.run_dirs] == [f"{kind}-T1-3-1", f"{kind}-T1-3-2"]
    assert work.mark == f"{kind}-T1@{agents.runner.node_id}-3"
    assert work.session() == derived_id(label, "T1", "3")
    assert work.session(2) == derived_id(label, "T1", "3", "2")


async def test_a_report_says_whether_it_was_taken_and_whether_the_work_has_another_worker(
    agents: AgentActivity,
) -> None:
    await agents.host.report(PLAN, DRAFT)
    assert await agents.claim(PLAN, CLAIM) == 1
    assert await agents.claim(PLAN, CLAIM) == 2
    overtaken = plan.Fail(attempt=1, code="c", message="m")
    assert await agents.report(PLAN, overtaken) is Reception.OVERTAKEN
    assert await agents.report(PLAN, plan.Propose(attempt=2, markdown="m", summary="s")) is Reception.TAKEN
    assert await agents.report(PLAN, plan.Fail(attempt=2, code="c", message="m")) is Reception.REFUSED
    assert await agents.claim(PLAN, CLAIM) is None


async def test_work_that_is_being_stopped_ends_as_stopped_whatever_its_agent_has_done(agents: AgentActivity) -> None:
    await agents.host.report(PLAN, DRAFT)
    await agents.claim(PLAN, CLAIM)
    await agents.host.report(PLAN, plan.Stop())
    proposal = plan.Propose(attempt=1, markdown="m", summary="s")
    assert await agents.report(PLAN, proposal, stopped=lambda: plan.RecordStopped(attempt=1)) is Reception.TAKEN
    assert (await agents.host.state(PLAN)).status is plan.Status.STOPPED


async def test_work_that_failed_for_good_is_reported_and_what_nobody_waits_for_is_left(agents: AgentActivity) -> None:
    await agents.host.report(PLAN, DRAFT)
    for _ in range(2):
        await agents.give_up(PLAN, CLAIM, lambda attempt: plan.Fail(attempt=attempt, code="c", message="m"))
    assert [each.name for each in await agents.journal.load(PLAN)] == ["drafting-started", "claimed", "failed"]


async def test_work_waits_where_no_agent_can_run_and_is_handed_over_when_its_service_leaves(
    agents: AgentActivity,
) -> None:
    draining = asyncio.Event()
    waiting = asyncio.create_task(agents.until_agents_run(ActivityContext(1, draining)))
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    draining.set()
    with pytest.raises(HandOver):
        await waiting
