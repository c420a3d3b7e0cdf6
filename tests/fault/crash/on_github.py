"""The gateway is killed while it judges, shows and publishes on GitHub: people see everything once."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from shared.contracts import task
from shared.contracts.ids import derived_task_id
from shared.contracts.pull_request import CatchUp
from shared.contracts.subjects import Actor
from shared.event_store.envelope import utc_now
from shared.runtime.client import Client
from testing.crash_points import Point
from testing.eventually import eventually
from testing.github_server import GitHubServer
from testing.service_group import Member, ServiceGroup
from testing.system import REPO
from tests.fault.crash.verdict import Deaths, Verdict

ACK_WAIT_S: Final = 2.0
WITHIN_S: Final = 240.0


async def on_github(points: Sequence[Point], folder: Path) -> Verdict:
    """One issue until its pull request, whose base moves then: whatever dies, there are one comment, one mark of each
    kind, one branch, and one check of each commit."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=()) as group, GitHubServer() as server:
        repo = server.repo(REPO, people={"ada": "write"}, git=group.repository / ".git")
        app = server.app()
        server.webhook(f"{group.http}/webhooks/github", group.secret, app=app)
        key = folder / "app.pem"
        key.write_text(app.private_key)
        gateway = group.add(
            "gateway",
            JOURNEYMAN_GITHUB_API_URL=server.url,
            JOURNEYMAN_GITHUB_APP_ID=str(app.id),
            JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE=str(key),
            **deaths.environment,
        )
        await gateway.start(keep=True)
        await group.start("projector", "brain", "executor")
        number = server.person("ada").opens_issue(REPO, "Take a note", "@agent fix\n\ndemo executor: write note.txt x")
        opened = str(repo.issues[number]["created_at"])
        id = derived_task_id(ms(opened), f"github:{repo.id}#{number}")
        try:
            reviewed = await group.until(id, "task.in-review", within=WITHIN_S)
            base = _moved(group.repository)
            moved = task.RecordBase(head=reviewed.data.commit, base=base, how=CatchUp.MERGE, at=utc_now())
            await Client(group.bus, source="test").send(
                Actor("task", id), moved, principal="service:gateway", timeout=WITHIN_S
            )
            await group.until(id, "task.head-seen", within=WITHIN_S)
            await eventually(lambda: _check(gateway) and _is_told(server, app.login, number), within=WITHIN_S)
            await eventually(lambda: _check(gateway) and deaths.over, within=30.0)
        except AssertionError as error:
            problems.append(f"not in time: {error}")
        await gateway.stop()
        for what, most in (("comment.created", 1), ("pull.opened", 1), ("check.created", 2)):
            made = server.changes(what, by=app.login)
            if len(made) != most:
                problems.append(f"{what} happened {len(made)} times")
        reactions = [each["content"] for each in repo.reactions.get(("issue", number), [])]
        if reactions != ["rocket"]:
            problems.append(f"these marks stand: {reactions}")
    return Verdict(died_at=deaths.happened, problems=problems)


def _moved(repository: Path) -> str:
    """Somebody's commit on the base branch."""
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
    subprocess.run(
        ["git", "-C", str(repository), *who, "commit", "--quiet", "--allow-empty", "-m", "Theirs"], check=True
    )
    found = subprocess.run(["git", "-C", str(repository), "rev-parse", "HEAD"], check=True, capture_output=True)
    return found.stdout.decode().strip()


def ms(text: str) -> int:
    """A moment of GitHub's in milliseconds, as task ids have it."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _is_told(server: GitHubServer, login: str, number: int) -> bool:
    """Whether the last thing that people read is that there is something to review, and its check is there."""
    edits = server.changes("comment.edited", by=login)
    marks = server.changes("reaction.created", by=login, number=number, name="rocket")
    is_read = bool(edits) and "**Ready for review:**" in edits[-1].text
    return is_read and bool(marks) and len(server.changes("check.created")) == 2


def _check(gateway: Member) -> bool:
    gateway.check()
    return True
