"""From its commit on, a result is no agent's work any more: whoever dies, it is judged and published, at no cost."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from shared.contracts import run, task
from shared.contracts.decider import Rejected
from shared.contracts.evidence import Evidence
from shared.contracts.subjects import Actor
from shared.contracts.usage import cost_of
from shared.event_store.envelope import RecordedEvent
from shared.runtime.client import Client
from shared.workspace.bundle import has_commit
from testing.api_client import END, usage_of
from testing.campaign_size import CampaignSize
from testing.checker import problems_of_costs, problems_of_events, problems_of_log, problems_of_story, story_of
from testing.eventually import eventually
from testing.held_command import HeldCommand
from testing.service_group import ROOT, Member, ServiceGroup
from tests.fault.crash.campaign import MENDED, submit
from tests.integration.workspace.workspace_support import sh_git

pytestmark = [pytest.mark.xdist_group("fault"), pytest.mark.timeout(240)]

NOOP: Final = str(ROOT / "testing" / "noop_agent.sh")
ACK_WAIT_S: Final = 2.0
"""Shorter than in earnest, because each death waits for it."""
WITHIN_S: Final = 40.0
IMPLEMENT: Final = task.Directive.IMPLEMENT


@contextlib.asynccontextmanager
async def two_machines(
    folder: Path, *, checks: list[str], setup: list[str] | None = None, agent: str = NOOP, crash_at: str = ""
) -> AsyncIterator[tuple[ServiceGroup, Member, Member]]:
    """A group with two executors on machines of their own; only the first one runs, and dies at ``crash_at``, once."""
    async with ServiceGroup(
        folder / "group", ack_wait_s=ACK_WAIT_S, checks=checks, setup=setup, network="checks"
    ) as group:
        first, second = (
            group.add(
                "executor",
                name=name,
                data=group.folder / name,
                CRASH_AT=point,
                CRASH_MARK=str(folder / "died-at"),
                JOURNEYMAN_CLAUDE_CLI=agent,
            )
            for name, point in (("first", crash_at), ("second", ""))
        )
        await group.start("brain", "gateway")
        await first.start()
        yield group, first, second


@pytest.mark.parametrize("held_in", ["checks", pytest.param("setup", marks=pytest.mark.campaign)])
async def test_a_result_whose_executor_dies_in_the_middle_is_judged_by_another_one_without_an_agent(
    held_in: str, tmp_path: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        held = await stack.enter_async_context(HeldCommand())
        checks, setup = ([held.command if held_in == name else "true"] for name in ("checks", "setup"))
        group, first, second = await stack.enter_async_context(two_machines(tmp_path, checks=checks, setup=setup))
        id = await submit(group, "Write one file", IMPLEMENT)
        await held.began(WITHIN_S)
        await first.kill()
        told = (await story_of(group.bus, id))[-1].position
        await second.start()
        await group.until(id, "run.claimed", after=told)
        held.release()
        story = await completed(group, id)
        assert only_one_agent(story, second)
        assert [each.data.attempt for each in story if each.name in ("committed", "succeeded")] == [1, 2]
        await first.start()
        await nothing_is_left(group, story)


@pytest.mark.campaign
@pytest.mark.parametrize(
    "point", ["run.commit-recorded", "verification.checked-out", "verification.set-up", "run.checked", "run.sealed"]
)
async def test_another_executor_makes_the_same_commits_and_publishes_once(point: str, tmp_path: Path) -> None:
    async with two_machines(tmp_path, checks=["true"], crash_at=f"executor.{point}") as (group, first, second):
        id = await submit(group, "Write one file", IMPLEMENT)
        await first.gone(within=WITHIN_S)
        await second.start()
        story = await completed(group, id)
        assert only_one_agent(story, second)
        made = one(story, "run.committed").data
        done = one(story, "run.succeeded").data
        assert (done.checked_commit, done.tree) == (made.commit, made.tree)
        if point == "run.sealed":
            (mirror,) = (first.data / "mirrors").glob("*.git")
            assert await has_commit(mirror, done.commit), "the first executor had made the very same commit"
        await first.start()
        await nothing_is_left(group, story)


@pytest.mark.campaign
@pytest.mark.parametrize("same_machine", [True, False], ids=["by-itself", "by-another"])
async def test_after_a_reopened_result_the_repair_goes_on(same_machine: bool, tmp_path: Path) -> None:
    async with two_machines(tmp_path, checks=[MENDED], agent="", crash_at="executor.run.reopened") as machines:
        group, first, second = machines
        id = await submit(group, "Mend it\n\ndemo executor: write broken.txt x", IMPLEMENT)
        await first.gone(within=WITHIN_S)
        await (first if same_machine else second).start()
        story = await completed(group, id)
        assert count(story, "run.reopened") == 1, "what was found is not found again"
        assert {each.path for each in one(story, "run.succeeded").data.files} == {"broken.txt", "mended.txt"}
        if not same_machine:
            await first.start()
        assert problems_of_costs(story, group.model) == []
        await nothing_is_left(group, story)


@pytest.mark.campaign
@pytest.mark.parametrize("death", ["none", "in the checks", "when it is heard"])
async def test_what_is_said_during_checks_is_heard(death: str, tmp_path: Path) -> None:
    crash_at = "executor.run.reopened" if death == "when it is heard" else ""
    async with (
        HeldCommand() as held,
        two_machines(tmp_path, checks=[held.command], crash_at=crash_at) as (group, first, second),
    ):
        id = await submit(group, "Write one file", IMPLEMENT)
        await held.began(WITHIN_S)
        await Client(group.bus, source="test").send(
            Actor("task", id), task.GiveInput(message="Mind the gap."), principal="user:ada"
        )
        await group.until(id, "run.input-given")
        if death == "in the checks":
            await first.kill()
        held.release()
        if death == "when it is heard":
            await first.gone(within=WITHIN_S)
        if death != "none":
            await second.start()
        story = await completed(group, id)
        assert one(story, "run.reopened").data.checks == ()
        assert [each.data.heard for each in story if isinstance(each.data, run.Committed)] == [0, 1]
        if death != "none":
            await first.start()
        await nothing_is_left(group, story)


async def test_a_retry_after_a_failed_publication_costs_nothing(tmp_path: Path) -> None:
    target = tmp_path / "group" / "repository"
    async with HeldCommand() as held, two_machines(tmp_path, checks=[held.command]) as (group, _, _):
        id = await submit(group, "Write one file", IMPLEMENT)
        await held.began(WITHIN_S)
        # A branch of this name, made where it cannot be foreseen, is in the way of all branches below it.
        sh_git(target, "branch", "journeyman", "main")
        held.release()
        failed = await group.until(id, "task.failed", within=WITHIN_S)
        assert failed.data.stage == task.Stage.PUBLISHING
        sh_git(target, "branch", "-D", "journeyman")
        await Client(group.bus, source="test").send(Actor("task", id), task.Retry(), principal="user:ada")
        await group.until(id, "task.completed", within=WITHIN_S)
        story = await story_of(group.bus, id)
        later = [each for each in story if each.position > failed.position]
        assert [each.name for each in later if each.kind == "run"] == []
        assert cost_of(tuple(usage_of(later))) == 0
        assert cost_of(tuple(usage_of(story))) > 0
        assert one(later, "task.completed").data.commit == one(story, "run.succeeded").data.commit


@pytest.mark.campaign
async def test_a_result_whose_checking_breaks_off_is_offered_as_it_is(tmp_path: Path) -> None:
    async with HeldCommand() as held, two_machines(tmp_path, checks=[held.command]) as (group, first, _):
        id = await submit(group, "Write one file", IMPLEMENT)
        await held.began(WITHIN_S)
        # The mirror that the verdict needs is gone behind the check.
        (mirror,) = (first.data / "mirrors").glob("*.git")
        shutil.rmtree(mirror)
        held.release()
        failed = (await group.until(id, "task.failed", within=WITHIN_S)).data
        story = await story_of(group.bus, id)
        made = one(story, "run.committed").data
        told = one(story, "run.failed").data
        assert (told.code, told.result.commit, told.result.bundle) == ("workspace-failed", made.commit, made.bundle)
        assert (told.evidence, failed.result.commit) == (Evidence.UNVERIFIED, made.commit)
        await Client(group.bus, source="test").send(Actor("task", id), task.Publish(), principal="user:ada")
        done = (await group.until(id, "task.completed", within=WITHIN_S)).data
        assert (done.commit, done.evidence) == (made.commit, Evidence.UNVERIFIED)


@pytest.mark.campaign
async def test_a_stop_at_any_moment_leaves_nothing(tmp_path: Path, campaign_size: CampaignSize) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    dice = Random(seed)
    checks = ["git clean -fdxq; git stash -uq", "setsid sleep 600 & sleep 2", 'rm -rf "$PWD"; exit 1']
    async with two_machines(tmp_path, checks=checks, setup=["touch made"]) as (group, _, _):
        client = Client(group.bus, source="test")

        async def stopped_somewhere() -> str:
            id = await submit(group, "Write one file", IMPLEMENT)
            await group.until(id, dice.choice(("run.claimed", "run.started", "run.checkpointed", "run.committed")))
            began, moment = time.monotonic(), dice.uniform(0, 1.5)
            await eventually(lambda: time.monotonic() - began > moment)
            with contextlib.suppress(Rejected):  # it may have ended by itself
                await client.send(Actor("task", id), task.Stop(reason="Enough."), principal="user:ada")
            return id

        ids = [await stopped_somewhere() for _ in range(campaign_size.pick(small=5, full=40))]

        async def ends() -> list[str]:
            stories = [await story_of(group.bus, id) for id in ids]
            found = [each.name for story in stories for each in story if each.kind == "task" and each.name in END]
            return found if len(found) == len(ids) else []

        ended = await eventually(ends, within=WITHIN_S)
        assert set(ended) <= {"cancelled", "completed", "failed"}
        assert "cancelled" in ended
        await eventually(lambda: not left_of(group) or _fail(left_of(group)), within=WITHIN_S)


# ---- the words of these tests --------------------------------------------------------------------------------------


async def completed(group: ServiceGroup, id: str) -> list[RecordedEvent]:
    await group.until(id, "task.completed", within=WITHIN_S)
    return await story_of(group.bus, id)


def only_one_agent(story: list[RecordedEvent], second: Member) -> bool:
    """Whether no agent was begun but the first one; it would have left its conversation."""
    return count(story, "run.started") == 1 and not list((second.data / "claude").rglob("*.jsonl"))


def one(story: list[RecordedEvent], what: str) -> RecordedEvent:
    (found,) = (each for each in story if f"{each.kind}.{each.name}" == what)
    return found


def count(story: list[RecordedEvent], what: str) -> int:
    return Counter(f"{each.kind}.{each.name}" for each in story)[what]


async def nothing_is_left(group: ServiceGroup, story: list[RecordedEvent]) -> None:
    assert problems_of_events(story) == []
    assert problems_of_story(story, group.repository) == []
    assert await problems_of_log(group.bus) == []
    await eventually(lambda: not left_of(group) or _fail(left_of(group)), within=WITHIN_S)


def left_of(group: ServiceGroup) -> list[str]:
    return group.left_over() + group.refs_left()


def _fail(left: list[str]) -> bool:
    raise AssertionError(f"left over: {left}")
