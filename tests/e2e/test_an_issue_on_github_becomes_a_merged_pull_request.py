"""The main use, whole: an issue on GitHub, a plan in a comment, its approval there, and a pull request that is merged.

GitHub is a server of ours; everything else is real: the services, the CLI with the scripted model, git.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest_asyncio

from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.ops.timings import Timings
from shared.workspace.git import git
from testing.eventually import eventually
from testing.github_server import GitHubServer
from testing.service_group import ServiceGroup
from testing.system import REPO

SERVICES = ("projector", "brain", "planner", "executor")
OURS = "journeyman-bot"
WITHIN_S = 90.0


@pytest_asyncio.fixture
async def group(tmp_path: Path) -> AsyncIterator[ServiceGroup]:
    """A repository, NATS and the model; no service yet."""
    soon = Timings(checks_settle_s=0.5, review_settles_s=0.5)
    async with ServiceGroup(tmp_path / "group", checks=("python -m unittest",), timings=soon) as group:
        yield group


@pytest_asyncio.fixture
async def github(group: ServiceGroup) -> AsyncIterator[GitHubServer]:
    """GitHub with the group's repository, a person who may write, one who may not, and our webhook."""
    server = GitHubServer()
    repo = server.repo(REPO, people={"ada": "write", "eve": "read", OURS: "write"})
    repo.git = group.repository if (group.repository / "HEAD").exists() else group.repository / ".git"
    async with server:
        server.webhook(f"{group.http}/webhooks/github", group.webhook_secret, repo=REPO)
        yield server


async def test_the_whole_story_is_told_where_the_issue_is(group: ServiceGroup, github: GitHubServer) -> None:
    await group.start(*SERVICES)
    await group.add("gateway", JOURNEYMAN_GITHUB_API_URL=github.url, JOURNEYMAN_GITHUB_TOKEN=github.user(OURS)).start()
    ada = github.person("ada")
    number = ada.opens_issue(REPO, DEMO_ISSUE_TITLE, f"@agent plan\n\n{DEMO_ISSUE_BODY}")
    id = _task(github, number)

    ready = (await group.until(id, "task.plan-ready", within=WITHIN_S)).data
    await eventually(lambda: "approve" in _comment(github, number), within=WITHIN_S)
    approve = re.search(r"@agent approve v\d+ [0-9a-f]{8,}", _comment(github, number))
    assert approve is not None and ready.digest.startswith(approve[0].split()[-1])
    assert _marks(github, number) == ["eyes"]

    github.person("eve").comments(REPO, number, approve[0])
    ada.comments(REPO, number, approve[0])
    review = await group.until(id, "task.in-review", within=WITHIN_S)
    (pull,) = github.repos[REPO].pulls.values()
    assert pull["draft"] and review.data.pull_request == pull["number"]
    assert f"Fixes #{number}" in pull["body"]
    await eventually(lambda: f"/pull/{pull['number']}" in _comment(github, number), within=WITHIN_S)

    branch = pull["head"]["ref"]
    github.checked(REPO, branch, "build", "failure", log=b"make: *** [test] Error 2\n##[error]exit code 2\n")
    asked = await group.until(id, "task.followed-up", after=review.position, within=WITHIN_S)
    assert "build" in asked.data.text
    assert "make: *** [test] Error 2" in asked.data.text
    review = await group.until(id, "task.in-review", after=asked.position, within=WITHIN_S)

    ada.reviews(REPO, pull["number"], "Say it in the changes, too.\n\ndemo executor: write CHANGES.md Every cent.")
    asked = await group.until(id, "task.followed-up", after=review.position, within=WITHIN_S)
    assert "Say it in the changes" in asked.data.text
    await group.until(id, "task.in-review", after=asked.position, within=WITHIN_S)
    assert await git("show", f"{branch}:CHANGES.md", cwd=group.repository) == "Every cent.\n"
    assert len(github.repos[REPO].pulls) == 1

    ada.merges(REPO, pull["number"])
    await group.until(id, "task.completed", within=WITHIN_S)
    await eventually(lambda: "erged" in _comment(github, number), within=WITHIN_S)
    ours = [each for each in github.changes("comment.created", number=number) if each.by == OURS]
    # One comment about the task, and one line to somebody who may not approve.
    assert len(ours) == 2


async def test_work_that_was_wanted_by_somebody_who_lost_the_right_is_not_done_and_not_paid_for(
    group: ServiceGroup, github: GitHubServer
) -> None:
    await group.start("brain", "planner")
    gateway = group.add("gateway", JOURNEYMAN_GITHUB_API_URL=github.url, JOURNEYMAN_GITHUB_TOKEN=github.user(OURS))
    await gateway.start()
    ada = github.person("ada")
    number = ada.opens_issue(REPO, DEMO_ISSUE_TITLE, f"@agent plan\n\n{DEMO_ISSUE_BODY}")
    id = _task(github, number)
    ready = (await group.until(id, "task.plan-ready", within=WITHIN_S)).data
    ada.comments(REPO, number, f"@agent approve v{ready.version} {ready.digest[:8]}")
    await group.until(id, "task.execution-requested", within=WITHIN_S)
    github.collaborator(REPO, "ada", "read")
    await gateway.kill()
    await gateway.start()
    await group.start("executor")
    failed = await group.until(id, "task.failed", within=WITHIN_S)
    assert failed.data.code == "standing-lost" and "ada" in failed.data.message
    run = await group.journal.load(Actor("run", id))
    assert [event.name for event in run] == ["requested", "claimed", "failed"]


def _comment(github: GitHubServer, number: int) -> str:
    """What our first comment of the issue says now, or nothing."""
    told = [each for each in github.repos[REPO].comments.values() if each["user"]["login"] == OURS]
    return str(told[0]["body"]) if told else ""


def _marks(github: GitHubServer, number: int) -> list[str]:
    return [each["content"] for each in github.repos[REPO].reactions.get(("issue", number), [])]


def _task(github: GitHubServer, number: int) -> str:
    repo = github.repos[REPO]
    opened = datetime.fromisoformat(repo.issues[number]["created_at"])
    return derived_task_id(int(opened.timestamp() * 1000), f"github:{repo.id}#{number}")
