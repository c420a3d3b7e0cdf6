"""Deliveries as GitHub sends them: an ``issues`` event of about 10 KB, each one different, signed, ready to be sent.

The shape is that of https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues; all names are made up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
import zlib
from datetime import UTC, datetime
from typing import Any, Final

from shared.contracts.ids import derived_task_id

API: Final = "https://api.github.com"
OPENED: Final = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_REPO_LINKS: Final = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks",
    "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones", "notifications",
    "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees",
)  # fmt: skip
_USER_LINKS: Final = (
    "events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred",
    "subscriptions",
)  # fmt: skip
_TEXT: Final = (
    "When an order has a discount on a single line, the total at the bottom of the invoice is computed from the list "
    "prices and not from the discounted ones. The lines themselves are right.\n\n"
    "Steps:\n1. open any order with two lines\n2. give the second one a discount of 12.5 %\n3. look at the invoice\n\n"
    "Expected: the sum of the lines as shown.\nActual: the sum of the list prices.\n\n"
    "```\nTraceback (most recent call last):\n"
    '  File "shop/invoice.py", line 48, in total\n    assert total == sum(line.amount for line in self.lines)\n'
    "AssertionError\n```\n\n"
)


def issue_opened(
    number: int,
    *,
    title: str = "The total of an invoice ignores the discount of a single line",
    text: str = _TEXT * 3,
    repo: str = "octo-shop/storefront",
) -> bytes:
    """The body of one ``issues`` delivery, action ``opened``, by a member of the organisation."""
    owner, _, name = repo.partition("/")
    url = f"{API}/repos/{repo}/issues/{number}"
    issue = {
        "url": url,
        "repository_url": f"{API}/repos/{repo}",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"https://github.com/{repo}/issues/{number}",
        "id": _number_of(f"{repo}#{number}"),
        "node_id": f"I_kwDOBench{number:08}",
        "number": number,
        "title": title,
        "user": _user("ada", 9001),
        "labels": [_label(repo, "bug", "d73a4a", 1), _label(repo, "billing", "0e8a16", 2)],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": OPENED.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": OPENED.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "closed_at": None,
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "body": text,
        "reactions": {"url": f"{url}/reactions", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0},
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": None,
    }
    payload = {
        "action": "opened",
        "issue": issue,
        "repository": _repository(owner, name),
        "organization": {"login": owner, "id": 42, "node_id": "O_kgDOBench", "url": f"{API}/orgs/{owner}"},
        "sender": _user("ada", 9001),
    }
    return json.dumps(payload, separators=(",", ":")).encode()


def signature(body: bytes, secret: str) -> str:
    """The header ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def request(body: bytes, *, host: str, path: str, secret: str, delivery: str = "") -> bytes:
    """The whole HTTP/1.1 request of one delivery, with GitHub's own headers."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: GitHub-Hookshot/044aadd\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-GitHub-Delivery: {delivery or uuid.uuid4()}\r\nX-GitHub-Event: issues\r\nX-GitHub-Hook-ID: 42\r\n"
        f"X-Hub-Signature-256: {signature(body, secret)}\r\n\r\n"
    )
    return head.encode() + body


def task_of(number: int, repo: str) -> str:
    """The id of the task that such a delivery opens."""
    return derived_task_id(int(OPENED.timestamp() * 1000), f"github:{_number_of(repo)}#{number}")


def _number_of(name: str) -> int:
    """GitHub's number for a thing: another one for each name."""
    return zlib.crc32(name.encode())


def _user(login: str, id: int) -> dict[str, Any]:
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": id,
        "node_id": f"U_kgDOBench{id}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"https://github.com/{login}",
        **{f"{link}_url": f"{url}/{link}" for link in _USER_LINKS},
        "type": "User",
        "site_admin": False,
    }


def _label(repo: str, name: str, color: str, id: int) -> dict[str, Any]:
    url = f"{API}/repos/{repo}/labels/{name}"
    return {"id": id, "node_id": f"LA_kwDO{id}", "url": url, "name": name, "color": color, "default": False}


def _repository(owner: str, name: str) -> dict[str, Any]:
    url = f"{API}/repos/{owner}/{name}"
    return {
        "id": _number_of(f"{owner}/{name}"),
        "node_id": "R_kgDOBench",
        "name": name,
        "full_name": f"{owner}/{name}",
        "private": True,
        "owner": {**_user(owner, 42), "type": "Organization"},
        "html_url": f"https://github.com/{owner}/{name}",
        "description": "The shop's front",
        "fork": False,
        "url": url,
        **{f"{link}_url": f"{url}/{link}{{/id}}" for link in _REPO_LINKS},
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2026-02-28T18:00:00Z",
        "pushed_at": "2026-02-28T18:00:00Z",
        "size": 20480,
        "stargazers_count": 7,
        "language": "Python",
        "has_issues": True,
        "forks_count": 1,
        "archived": False,
        "open_issues_count": 12,
        "license": None,
        "topics": ["shop", "billing"],
        "visibility": "private",
        "default_branch": "main",
    }
