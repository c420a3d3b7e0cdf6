"""Deliveries as GitHub's documentation describes them, written for these tests: complete objects, no recorded data.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

Json = dict[str, Any]

API: Final = "https://api.github.com"
SITE: Final = "https://github.com"
NOON: Final = "2026-01-02T12:00:00Z"
REPOSITORY_LINKS: Final = (
    *("archive", "assignees", "blobs", "branches", "clone", "collaborators", "comments", "commits", "compare"),
    *("contents", "contributors", "deployments", "downloads", "events", "forks", "git", "git_commits", "git_refs"),
    *("git_tags", "hooks", "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges"),
    *("milestones", "notifications", "pulls", "releases", "ssh", "stargazers", "statuses", "subscribers"),
    *("subscription", "svn", "tags", "teams", "trees"),
)
USER_LINKS: Final = (
    *("avatar", "events", "followers", "following", "gists", "organizations", "received_events", "repos"),
    *("starred", "subscriptions"),
)
ISSUE_ACTIONS: Final = (
    *("opened", "edited", "deleted", "pinned", "unpinned", "closed", "reopened", "assigned", "unassigned", "labeled"),
    *("unlabeled", "locked", "unlocked", "milestoned", "demilestoned"),
)
COMMENT_ACTIONS: Final = ("created", "edited", "deleted")
OTHER_EVENTS: Final = {
    "ping": ("",),
    "push": ("",),
    "create": ("",),
    "check_run": ("created", "completed"),
    "discussion_comment": ("created",),
    "installation": ("created", "deleted"),
    "label": ("created", "edited", "deleted"),
    "pull_request": ("opened", "synchronize", "closed"),
    "pull_request_review": ("submitted",),
    "pull_request_review_comment": ("created",),
    "release": ("published",),
    "star": ("created",),
    "status": ("",),
    "workflow_run": ("completed",),
}
"""Events that nothing here acts on, with their actions; an empty one stands for an event without any."""


class Delivery(NamedTuple):
    """One delivery: the event's name, its action ("" when it has none) and the payload."""

    event: str
    action: str
    payload: Json

    @property
    def body(self) -> bytes:
        """The request's body."""
        return json.dumps(self.payload).encode()


def user(login: str = "ada", kind: str = "User") -> Json:
    """An account: a person, a ``Bot`` or an ``Organization``."""
    home = f"{API}/users/{login}"
    return {
        "login": login,
        "id": 17,
        "node_id": "U_kgDOExample",
        "gravatar_id": "",
        "url": home,
        "html_url": f"{SITE}/{login}",
        "type": kind,
        "site_admin": False,
        **{f"{name}_url": f"{home}/{name}" for name in USER_LINKS},
    }


def repository(full_name: str = "octo/app") -> Json:
    """A repository of an organization."""
    owner, _, name = full_name.partition("/")
    home = f"{API}/repos/{full_name}"
    counts = ("size", "stargazers_count", "watchers_count", "forks_count", "open_issues_count")
    switches = ("has_issues", "has_projects", "has_downloads", "has_wiki", "has_pages", "has_discussions")
    return {
        "id": 4711,
        "node_id": "R_kgDOExample",
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": user(owner, "Organization"),
        "html_url": f"{SITE}/{full_name}",
        "description": "An application",
        "fork": False,
        "url": home,
        **{f"{link}_url": f"{home}/{link}" for link in REPOSITORY_LINKS},
        "created_at": NOON,
        "updated_at": NOON,
        "pushed_at": NOON,
        "homepage": None,
        **dict.fromkeys(counts, 3),
        **dict.fromkeys(switches, True),
        "language": "Python",
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "public",
        "forks": 3,
        "open_issues": 3,
        "watchers": 3,
        "default_branch": "main",
        "custom_properties": {},
    }


def label(name: str = "bug") -> Json:
    """A label of a repository."""
    return {
        "id": 9,
        "node_id": "LA_kwExample",
        "url": f"{API}/repos/octo/app/labels/{name}",
        "name": name,
        "color": "d73a4a",
        "default": True,
        "description": None,
    }


def milestone() -> Json:
    """An open milestone."""
    home = f"{API}/repos/octo/app/milestones/1"
    return {
        "url": home,
        "html_url": f"{SITE}/octo/app/milestone/1",
        "labels_url": f"{home}/labels",
        "id": 5,
        "node_id": "MI_kwExample",
        "number": 1,
        "title": "First release",
        "description": None,
        "creator": user(),
        "open_issues": 1,
        "closed_issues": 0,
        "state": "open",
        "created_at": NOON,
        "updated_at": NOON,
        "due_on": None,
        "closed_at": None,
    }


def reactions(home: str) -> Json:
    """Nobody has reacted."""
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{home}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def issue(**changes: Any) -> Json:
    """An open issue of ``ada`` in ``octo/app``."""
    home = f"{API}/repos/octo/app/issues/7"
    links = {f"{name}_url": f"{home}/{name}" for name in ("labels", "comments", "events", "timeline")}
    return {
        "url": home,
        "repository_url": f"{API}/repos/octo/app",
        **links,
        "html_url": f"{SITE}/octo/app/issues/7",
        "id": 1007,
        "node_id": "I_kwDOExample",
        "number": 7,
        "title": "Parser drops the last line",
        "user": user(),
        "labels": [label()],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": NOON,
        "updated_at": NOON,
        "closed_at": None,
        "author_association": "OWNER",
        "active_lock_reason": None,
        "body": "It does. Größe: 4 kB, 日本語 ✓\r\n\r\n- [ ] a test\r\n",
        "reactions": reactions(home),
        "performed_via_github_app": None,
        "state_reason": None,
        **changes,
    }


def comment(**changes: Any) -> Json:
    """A comment of ``ada`` on that issue."""
    home = f"{API}/repos/octo/app/issues/comments/21"
    return {
        "url": home,
        "html_url": f"{SITE}/octo/app/issues/7#issuecomment-21",
        "issue_url": f"{API}/repos/octo/app/issues/7",
        "id": 21,
        "node_id": "IC_kwDOExample",
        "user": user(),
        "created_at": NOON,
        "updated_at": NOON,
        "author_association": "MEMBER",
        "body": "@agent plan",
        "reactions": reactions(home),
        "performed_via_github_app": None,
        **changes,
    }


def deliveries() -> Iterator[Delivery]:
    """One delivery for every event and action above, and what differs by who wrote it and where."""
    for action in ISSUE_ACTIONS:
        yield _delivery("issues", action, issue=_issue_after(action), **_beside(action))
    yield _delivery("issues", "opened", issue=issue(body=None, labels=[]))
    yield _delivery("issues", "opened", issue=issue(user=user("ci[bot]", "Bot"), author_association="NONE"))
    for action in COMMENT_ACTIONS:
        changes = {"changes": {"body": {"from": "before"}}} if action == "edited" else {}
        yield _delivery("issue_comment", action, issue=issue(), comment=comment(), **changes)
    pull_request = {"url": f"{API}/repos/octo/app/pulls/7", "merged_at": None}
    yield _delivery("issue_comment", "created", issue=issue(pull_request=pull_request), comment=comment())
    for event, actions in OTHER_EVENTS.items():
        for action in actions:
            yield _delivery(event, action)


def _delivery(event: str, action: str, **parts: Any) -> Delivery:
    first = {"action": action} if action else {}
    return Delivery(event, action, {**first, **parts, "repository": repository(), "sender": user()})


def _issue_after(action: str) -> Json:
    match action:
        case "closed":
            return issue(state="closed", closed_at=NOON, state_reason="completed")
        case "assigned":
            return issue(assignee=user(), assignees=[user()])
        case "locked":
            return issue(locked=True, active_lock_reason="resolved")
        case "milestoned":
            return issue(milestone=milestone())
        case _:
            return issue()


def _beside(action: str) -> Json:
    """What an action's payload has besides the issue."""
    match action:
        case "assigned" | "unassigned":
            return {"assignee": user()}
        case "labeled" | "unlabeled":
            return {"label": label()}
        case "milestoned" | "demilestoned":
            return {"milestone": milestone()}
        case "edited":
            return {"changes": {"title": {"from": "Before"}}}
        case _:
            return {}
