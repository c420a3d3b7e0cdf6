"""The webhook GitHub would send for a new issue: its body, its signature, and its way to the gateway."""

from __future__ import annotations

import hmac
import time
import uuid
import zlib
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec

from cli.demo.retry import Away, patiently
from cli.failures import Failure
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.ids import derived_task_id

AUTHOR: Final = "octocat"


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One opened issue, and the task it will be: the id follows from the issue alone."""

    repo: str
    number: int
    opened: datetime

    @property
    def repo_id(self) -> int:
        """The repository's number at GitHub, which its issues are known by: another one for each name."""
        return zlib.crc32(self.repo.encode())

    @property
    def task_id(self) -> str:
        """The task's id, as the gateway and the brain derive it."""
        return derived_task_id(int(self.opened.timestamp() * 1000), f"github:{self.repo_id}#{self.number}")

    def payload(self) -> dict[str, Any]:
        """The body of ``issues.opened``, with the fields that GitHub always sends and we read."""
        url = f"https://github.example/{self.repo}"
        person = {"login": AUTHOR, "id": 1, "type": "User"}
        owner, _, name = self.repo.partition("/")
        return {
            "action": "opened",
            "issue": {
                "id": self.number,
                "number": self.number,
                "title": DEMO_ISSUE_TITLE,
                "body": DEMO_ISSUE_BODY,
                "state": "open",
                "html_url": f"{url}/issues/{self.number}",
                "user": person,
                "author_association": "OWNER",
                "labels": [],
                "created_at": self.opened.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "updated_at": self.opened.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "repository": {
                "id": self.repo_id,
                "name": name,
                "full_name": self.repo,
                "private": True,
                "html_url": url,
                "clone_url": f"{url}.git",
                "default_branch": "main",
                "owner": {**person, "login": owner},
            },
            "sender": person,
        }


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway answered: the delivery's id in the log, and how long that took in milliseconds."""

    delivery: str
    ms: float


def new_issue(repo: str, number: int) -> Issue:
    """An issue opened just now."""
    return Issue(repo=repo, number=number, opened=datetime.now(UTC).replace(microsecond=0))


async def send(http: httpx.AsyncClient, issue: Issue, secret: str) -> Sent:
    """Sign and deliver it; raises `Failure` when the gateway does not take it."""
    body = msgspec.json.encode(issue.payload())
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
        "User-Agent": "GitHub-Hookshot/journeyman-demo",
    }
    began = time.monotonic()

    async def deliver() -> httpx.Response:
        answer = await http.post("/webhooks/github", content=body, headers=headers)
        if answer.is_server_error:
            raise Away(f"The gateway answered {answer.status_code}: {answer.text[:300]}")
        return answer

    # GitHub itself tries only once; the same delivery sent twice is the same delivery, so trying again is safe.
    answer = await patiently(deliver)
    if answer.is_error or "delivery" not in answer.json():
        raise Failure(f"The gateway did not take the webhook ({answer.status_code}): {answer.text[:300]}")
    return Sent(delivery=str(answer.json()["delivery"]), ms=(time.monotonic() - began) * 1000)
