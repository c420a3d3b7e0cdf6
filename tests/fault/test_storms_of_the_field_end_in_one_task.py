"""What ran away elsewhere, replayed against all services: sixteen triggers of one issue within a minute, hundreds of
identical comments, and a program that answers every comment of ours with a new wish.

Source: droid-action#117 (335 identical comments), Paca#354 (1,800 comments in 16 hours), cyrus#1328 (16 sessions).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from services.brain.actors.wishes import MAX_CHAIN
from shared.contracts import run, task
from shared.contracts.ids import derived_task_id
from shared.event_store.envelope import RecordedEvent
from testing.campaign_size import CampaignSize
from testing.checker import problems_of_log, story_of
from testing.eventually import eventually
from testing.github_around import WRITER, GitHubAround, is_told
from testing.service_group import SERVICES, ServiceGroup
from testing.system import REPO

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800), pytest.mark.asyncio(loop_scope="module")]

ECHO = "echo[bot]"
BESIDE = ("spend-recorded", "follow-up-refused", "edited")
"""What happens to a task without moving it."""
QUIET_S = 6.0
"""So long nothing happens any more when a storm is over."""


class Storm:
    """All services and a GitHub that sends them its events."""

    def __init__(self, group: ServiceGroup, github: GitHubAround) -> None:
        self.group, self.github = group, github

    def opens(self, text: str) -> tuple[int, str]:
        """The writer opens an issue: its number, and the task's id."""
        number = self.github.server.person(WRITER).opens_issue(REPO, "Take a note", text)
        created = datetime.fromisoformat(self.github.repo.issues[number]["created_at"])
        return number, derived_task_id(int(created.timestamp() * 1000), f"github:{self.github.repo.id}#{number}")

    def comments(self, number: int) -> Counter[str]:
        """Our comments at an issue, by what they are for: ``comment``, ``refusal`` or ``answer``."""
        made = self.github.server.changes("comment.created", by=self.github.app.login, number=number)
        return Counter(re.split(r"[:/ ]", each.text.partition("<!-- journeyman:")[2])[1] for each in made)

    async def over(self, task_id: str) -> list[RecordedEvent]:
        """The task's story once it rests: a result is in review, and nothing has come for a while."""
        seen, since = -1, 0.0

        async def rests() -> bool:
            nonlocal seen, since
            await self.github.server.delivered()
            story = await story_of(self.group.bus, task_id)
            now = asyncio.get_running_loop().time()
            if len(story) != seen:
                seen, since = len(story), now
            own = [each.name for each in story if each.kind == "task" and each.name not in BESIDE]
            return own[-1:] == ["in-review"] and is_told(story) and now - since > QUIET_S

        await eventually(rests, within=120.0, every=0.5)
        return await story_of(self.group.bus, task_id)

    async def echoes(self, number: int, most: int) -> None:
        """A program answers whatever our account writes or edits at an issue with a new wish, ``most`` times."""
        heard = answered = 0
        while answered < most:
            said = [each for each in self.github.server.journal if each.by == self.github.app.login]
            for each in said[heard:]:
                if each.number == number:
                    text = f"@agent fix number {answered}\n\ndemo executor: write more.txt x"
                    self.github.server.person(ECHO).comments(REPO, number, text)
                    answered += 1
            heard = len(said)
            await asyncio.sleep(0.02)

    async def tasks_of(self, number: int) -> int:
        """How many tasks were opened for an issue."""
        found = await self.group.bus.js.stream_info("EVENTS", subjects_filter="evt.task.*.submitted")
        ids = [subject.split(".")[2] for subject in found.state.subjects or {}]
        stories = [await story_of(self.group.bus, id) for id in ids]
        submitted = [each.data for story in stories for each in story if isinstance(each.data, task.Submitted)]
        return sum(each.source.reference.endswith(f"#{number}") for each in submitted)

    async def problems(self, number: int) -> list[str]:
        """What is wrong with how a storm at an issue ended: nothing of ours is there twice, and nothing was parked."""
        found = await problems_of_log(self.group.bus) + self.github.problems()
        if (tasks := await self.tasks_of(number)) != 1:
            found.append(f"{tasks} tasks were opened")
        if (sticky := self.comments(number)["comment"]) != 1:
            found.append(f"{sticky} comments tell how it stands")
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def storm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storm]:
    folder = tmp_path_factory.mktemp("storm")
    async with contextlib.AsyncExitStack() as stack:
        group = await stack.enter_async_context(ServiceGroup(folder / "group", ack_wait_s=2.0, checks=()))
        config = group.folder / "journeyman.toml"
        config.write_text(f'{config.read_text()}\n[policy]\nbots = ["{ECHO}"]\n')
        around = GitHubAround.of(REPO, git=group.repository / ".git", folder=folder, share=0.0)
        github = await stack.enter_async_context(around)
        github.server.user(ECHO, type="Bot")
        github.server.webhook(f"{group.http}/webhooks/github", group.secret, app=github.app)
        for service in SERVICES:
            environment: dict[str, Any] = github.environment if service == "gateway" else {}
            group.add(service, **environment)
        await asyncio.gather(*(each.start() for each in group.members.values()))
        yield Storm(group, github)


def runs_of(story: list[RecordedEvent]) -> int:
    """How often an agent began to work."""
    return sum(isinstance(each.data, run.Started) for each in story)


async def test_sixteen_triggers_of_one_issue_are_one_task_and_one_agent(storm: Storm) -> None:
    number, id = storm.opens("@agent implement\n\ndemo executor: write one.txt one")
    writer, at = storm.github.server.person(WRITER), f"/repos/{REPO}/issues/{number}"
    for each in range(5):
        writer.comments(REPO, number, "@agent implement")
        writer.does("POST", f"{at}/labels", labels=[f"label-{each}"])
        writer.does("PATCH", at, body=f"@agent implement\n\ndemo executor: write {each}.txt x")
    story = await storm.over(id)
    assert await storm.problems(number) == []
    assert runs_of(story) == 1
    assert storm.comments(number)["refusal"] <= 3


async def test_hundreds_of_identical_comments_are_one_wish(storm: Storm, campaign_size: CampaignSize) -> None:
    number, id = storm.opens("@agent implement\n\ndemo executor: write one.txt one")
    await storm.over(id)
    for _ in range(campaign_size.pick(small=15, full=335)):
        storm.github.server.person(WRITER).comments(REPO, number, "@agent fix\n\ndemo executor: write two.txt two")
    story = await storm.over(id)
    assert await storm.problems(number) == []
    assert runs_of(story) == 2
    assert storm.comments(number)["refusal"] <= 3


@pytest.mark.campaign("full")
async def test_a_program_that_answers_all_that_we_say_is_cut_off_and_a_person_sets_it_back(
    storm: Storm, campaign_size: CampaignSize
) -> None:
    number, id = storm.opens("@agent implement\n\ndemo executor: write one.txt one")
    most = campaign_size.pick(small=200, full=1_800)
    echoing = asyncio.create_task(storm.echoes(number, most))
    story = await storm.over(id)
    assert not echoing.done(), "nobody stopped it"
    echoing.cancel()
    assert await storm.problems(number) == []
    assert runs_of(story) <= 1 + MAX_CHAIN
    assert "chain-too-long" in {each.data.code for each in story if isinstance(each.data, task.FollowUpRefused)}
    assert storm.comments(number)["refusal"] <= 5
    storm.github.server.person(WRITER).comments(REPO, number, "@agent fix\n\ndemo executor: write person.txt x")
    assert runs_of(await storm.over(id)) == runs_of(story) + 1
