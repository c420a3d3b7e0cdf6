"""The brain is killed while its agent reviews a pull request: people see one review, and nothing is left over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.workspace.git import git
from testing.crash_points import Point
from testing.eventually import eventually
from testing.github_server import GitHubServer
from testing.service_group import Member, ServiceGroup
from testing.system import REPO
from tests.fault.crash.on_github import ACK_WAIT_S, WITHIN_S, ms
from tests.fault.crash.verdict import Deaths, Verdict

PERSON: Final = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")


async def reviewing(points: Sequence[Point], folder: Path) -> Verdict:
    """One review of a stranger's pull request, whatever dies on the way."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=()) as group, GitHubServer() as server:
        repo = server.repo(REPO, people={"ada": "write"}, git=group.repository / ".git")
        login = "journeyman-bot"
        server.webhook(f"{group.http}/webhooks/github", group.secret, repo=REPO)
        token = server.user(login)
        await group.add("gateway", JOURNEYMAN_GITHUB_API_URL=server.url, JOURNEYMAN_GITHUB_TOKEN=token).start()
        brain = group.add("brain", **deaths.environment)
        await brain.start(keep=True)
        await group.start("projector")
        await _push(group.repository)
        asked = {"head": "eve:share", "base": "main", "title": "Shares", "body": ""}
        number = int(server.person("eve").does("POST", f"/repos/{REPO}/pulls", **asked)["number"])
        server.person("ada").comments(REPO, number, "@agent review")
        id = derived_task_id(ms(repo.issues[number]["created_at"]), f"github:{repo.id}#{number}")
        try:
            await group.until(id, "task.completed", within=WITHIN_S)
            await eventually(lambda: _check(brain) and deaths.over, within=30.0)
            await eventually(lambda: group.left_over() == [], within=30.0)
        except AssertionError as error:
            problems.append(f"not in time: {error}")
        await brain.stop()
        if len(made := server.changes("review.submitted", by=login)) != 1:
            problems.append(f"{len(made)} reviews were written")
        story = await group.journal.load(Actor("task", id))
        if (told := [each.name for each in story].count("review-written")) != 1:
            problems.append(f"{told} reviews were told")
    return Verdict(died_at=deaths.happened, problems=problems)


async def _push(repository: Path) -> None:
    """Eve's fork has a commit on its branch."""
    (repository / "shares.py").write_text("def shares(cents, people):\n    return [cents // people] * people\n")
    await git("switch", "--quiet", "--detach", cwd=repository)
    await git("add", "shares.py", cwd=repository)
    await git(*PERSON, "commit", "--quiet", "-m", "Shares", cwd=repository)
    await git("update-ref", "refs/forks/eve/share", "HEAD", cwd=repository)
    await git("switch", "--quiet", "main", cwd=repository)


def _check(member: Member) -> bool:
    member.check()
    return True
