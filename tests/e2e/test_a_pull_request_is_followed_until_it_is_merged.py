"""After the pull request: a check that fails and a review bring the work back to its task, until people merge it.

GitHub is a server of ours; everything else is real: the services, the CLI with the scripted model, git.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest_asyncio

from shared.contracts.ids import derived_task_id
from testing.eventually import eventually
from testing.github_server import GitHubServer
from testing.service_group import ServiceGroup
from testing.system import REPO

OURS = "journeyman-bot"
WITHIN_S = 90.0


@pytest_asyncio.fixture
async def group(tmp_path: Path) -> AsyncIterator[ServiceGroup]:
    """A repository, NATS and the model; what is heard of a pull request is waited with for a short time only."""
    async with ServiceGroup(tmp_path / "group", checks=(), ack_wait_s=3.0) as group:
        yield group


@pytest_asyncio.fixture
async def github(group: ServiceGroup) -> AsyncIterator[GitHubServer]:
    """GitHub with the group's repository, two people who may write, and our webhook."""
    server = GitHubServer()
    repo = server.repo(REPO, people={"ada": "write", "bob": "write", OURS: "write"})
    repo.git = group.repository / ".git"
    async with server:
        server.webhook(f"{group.http}/webhooks/github", group.webhook_secret, repo=REPO)
        yield server


async def test_a_failed_check_and_a_review_come_back_as_rounds_and_the_merge_is_the_end(
    group: ServiceGroup, github: GitHubServer
) -> None:
    await group.start("projector", "brain", "executor")
    await group.add("gateway", JOURNEYMAN_GITHUB_API_URL=github.url, JOURNEYMAN_GITHUB_TOKEN=github.user(OURS)).start()
    ada, bob, repo = github.person("ada"), github.person("bob"), github.repos[REPO]
    number = ada.opens_issue(REPO, "Take a note", "@agent implement\n\ndemo executor: write note.txt x")
    opened_ms = int(datetime.fromisoformat(repo.issues[number]["created_at"]).timestamp() * 1000)
    id = derived_task_id(opened_ms, f"github:{repo.id}#{number}")
    first = await group.until(id, "task.in-review", within=WITHIN_S)
    (pull,) = repo.pulls.values()

    github.checked(REPO, pull["head"]["ref"], "tests", "failure")
    round_ = await group.until(id, "task.followed-up", within=WITHIN_S)
    assert "ci/tests" in round_.data.text and round_.data.base_commit == first.data.commit
    # The scripted agent finds nothing to mend, so a person is needed; that is said where people look.
    needed = await group.until(id, "task.person-needed", within=WITHIN_S)
    await eventually(lambda: "A person is needed" in _comment(github, number), within=WITHIN_S)

    line = {"path": "note.txt", "line": 1, "body": "Say y.\n\ndemo executor: write note.txt y"}
    bob.reviews(REPO, pull["number"], "Nearly.", event="REQUEST_CHANGES", comments=[line])
    again = await group.until(id, "task.followed-up", after=needed.position, within=WITHIN_S)
    assert "Say y." in again.data.text and "Nearly." in again.data.text and again.data.author == "bob"
    second = await group.until(id, "task.in-review", after=again.position, within=WITHIN_S)
    assert (second.data.pull_request, second.data.unchanged) == (pull["number"], False)
    assert len(repo.pulls) == 1

    ada.comments(REPO, pull["number"], "@agent auto off")
    await group.until(id, "task.automatic-set", within=WITHIN_S)
    ada.merges(REPO, pull["number"])
    done = await group.until(id, "task.completed", within=WITHIN_S)
    assert (done.data.merge.by, done.data.pull_request) == ("ada", pull["number"])
    await eventually(lambda: "erged" in _comment(github, number), within=WITHIN_S)
    ours = [each for each in github.changes("comment.created", number=number) if each.by == OURS]
    assert len(ours) == 1


def _comment(github: GitHubServer, number: int) -> str:
    told = [each for each in github.repos[REPO].comments.values() if each["user"]["login"] == OURS]
    return str(told[0]["body"]) if told else ""
