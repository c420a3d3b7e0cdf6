"""An issue on Jira, a plan in a comment, its approval there, and a pull request on GitHub whose merge ends it.

Jira and GitHub are servers of ours; everything else is real: the services, the CLI with the scripted model, git.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx

from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.ids import derived_task_id
from shared.nats.positions import Positions
from testing import jira_server
from testing.eventually import eventually
from testing.github_server import GitHubServer
from testing.jira_server import Issue, JiraServer
from testing.service_group import ServiceGroup
from testing.system import REPO

OURS = "journeyman-bot"
SECRET = "a-secret-of-jira"
ADA = {"accountId": "ada", "displayName": "Ada"}
US = {"accountId": jira_server.BOT}
CONFIG = f"""
sources = {{ jira = ["APP"] }}
github = "{REPO}"

[senders.jira]
people = ["ada"]
transitions = {{ working = "In Progress", review = "In Review", done = "Done" }}
"""
WITHIN_S = 90.0


async def test_the_whole_story_is_told_on_jira(tmp_path: Path) -> None:
    async with (
        JiraServer() as jira,
        GitHubServer() as github,
        ServiceGroup(tmp_path / "group", checks=("python -m unittest",)) as group,
    ):
        repo = github.repo(REPO, people={"ada": "write", OURS: "write"})
        repo.git = group.repository if (group.repository / "HEAD").exists() else group.repository / ".git"
        github.webhook(f"{group.http}/webhooks/github", group.webhook_secret, repo=REPO)
        with (group.folder / "journeyman.toml").open("a") as file:
            file.write(CONFIG)
        await group.start("projector", "brain", "planner", "executor")
        gateway = group.add(
            "gateway",
            JOURNEYMAN_GITHUB_API_URL=github.url,
            JOURNEYMAN_GITHUB_TOKEN=github.user(OURS),
            JOURNEYMAN_JIRA_WEBHOOK_SECRET=SECRET,
            JOURNEYMAN_JIRA_URL=jira.url,
            JOURNEYMAN_JIRA_EMAIL=jira_server.EMAIL,
            JOURNEYMAN_JIRA_TOKEN=jira_server.TOKEN,
        )
        await gateway.start()
        await eventually(lambda: Positions(group.bus).get("jira"), within=WITHIN_S)
        issue = jira.opens("APP-1")
        id = derived_task_id(0, jira.thread(issue))

        await _tells(group, jira, issue, "jira:issue_created")
        await group.until(id, "task.plan-ready", within=WITHIN_S)
        await eventually(lambda: "approve" in _comment(issue), within=WITHIN_S)
        approve = re.search(r"@agent approve v\d+ [0-9a-f]{8,}", _comment(issue))
        assert approve is not None

        # No webhook brings it, and the gateway dies: it is found because Jira is asked from where it was asked before.
        jira.says(issue, approve[0], [], "ada")
        await gateway.kill()
        jira.clock = lambda: time.time() + 600
        await gateway.start()
        review = await group.until(id, "task.in-review", within=WITHIN_S)
        await eventually(lambda: "Ready for review" in _comment(issue), within=WITHIN_S)
        await eventually(lambda: len(issue.links) == 1, within=WITHIN_S)
        assert [each["object"]["url"] for each in issue.links.values()] == [review.data.url]

        github.person("ada").merges(REPO, review.data.pull_request)
        await group.until(id, "task.completed", within=WITHIN_S)
        await eventually(lambda: "Merged" in _comment(issue) and issue.status == "Done", within=WITHIN_S)
        assert jira.moves[issue.id] == ["In Progress", "In Review", "Done"]
        assert jira.changes[issue.id, "comment"] == 1

        # What we have done there ourselves comes back as deliveries, too.
        assert "ourselves" in await _tells(group, jira, issue, "jira:issue_updated", user=US)


def _comment(issue: Issue) -> str:
    return json.dumps(issue.comments[0]["body"], ensure_ascii=False) if issue.comments else ""


async def _tells(group: ServiceGroup, jira: JiraServer, issue: Issue, event: str, **more: Any) -> str:
    """A signed delivery; its answer."""
    fields = {
        "summary": DEMO_ISSUE_TITLE,
        "description": f"@agent plan\n\n{DEMO_ISSUE_BODY}",
        "project": {"key": "APP"},
        "reporter": ADA,
        "status": {"name": issue.status, "statusCategory": {"key": "new"}},
    }
    told = {"id": issue.id, "key": issue.key, "self": f"{jira.url}/rest/api/2/issue/{issue.id}", "fields": fields}
    body = json.dumps({"webhookEvent": event, "timestamp": 1, "user": ADA, "issue": told, **more}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature": signature, "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{group.http}/webhooks/jira", content=body, headers=headers, timeout=10.0)
    assert answer.status_code in (200, 202), answer.text
    return answer.text
