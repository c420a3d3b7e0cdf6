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
PULL_ACTIONS: Final = (
    *("opened", "edited", "closed", "reopened", "synchronize", "assigned", "unassigned", "labeled", "unlabeled"),
    *("review_requested", "review_request_removed", "ready_for_review", "converted_to_draft", "locked"),
    *("auto_merge_enabled", "enqueued", "dequeued"),
)
COMMENT_ACTIONS: Final = ("created", "edited", "deleted")
OTHER_EVENTS: Final = {
    "ping": ("",),
    "push": ("",),
    "create": ("",),
    "discussion_comment": ("created",),
    "installation": ("created", "deleted"),
    "label": ("created", "edited", "deleted"),
    "release": ("published",),
    "star": ("created",),
    "workflow_job": ("completed",),
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


def pull_request(**changes: Any) -> Json:
    """An open draft of ``ada`` in ``octo/app``, from a branch of that repository."""
    home = f"{API}/repos/octo/app/pulls/12"
    here = {"repo": repository(), "user": user("octo", "Organization")}
    return {
        "url": home,
        "html_url": f"{SITE}/octo/app/pull/12",
        "id": 2012,
        "node_id": "PR_kwDOExample",
        "number": 12,
        "title": "Keep the last line",
        "body": "Fixes #7",
        "user": user(),
        "state": "open",
        "locked": False,
        "draft": True,
        "created_at": NOON,
        "updated_at": NOON,
        "closed_at": None,
        "merged_at": None,
        "merged": False,
        "merged_by": None,
        "merge_commit_sha": None,
        "mergeable": None,
        "mergeable_state": "unknown",
        "author_association": "MEMBER",
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": {"label": "octo:fix", "ref": "fix", "sha": "c1" * 20, **here},
        "base": {"label": "octo:main", "ref": "main", "sha": "b0" * 20, **here},
        **changes,
    }


def review(**changes: Any) -> Json:
    """A review of ``bob``, written to its end."""
    return {
        "id": 31,
        "node_id": "PRR_kwDOExample",
        "user": user("bob"),
        "body": "Nearly.",
        "commit_id": "c1" * 20,
        "submitted_at": NOON,
        "state": "changes_requested",
        "html_url": f"{SITE}/octo/app/pull/12#pullrequestreview-31",
        "author_association": "MEMBER",
        **changes,
    }


def review_comment(**changes: Any) -> Json:
    """What ``bob`` says about one line in that review."""
    return {
        "id": 41,
        "node_id": "PRRC_kwDOExample",
        "pull_request_review_id": 31,
        "diff_hunk": "@@ -1 +1 @@",
        "path": "app.py",
        "line": 3,
        "original_line": 3,
        "side": "RIGHT",
        "commit_id": "c1" * 20,
        "user": user("bob"),
        "body": "Name it better.",
        "created_at": NOON,
        "updated_at": NOON,
        "html_url": f"{SITE}/octo/app/pull/12#discussion_r41",
        "author_association": "MEMBER",
        **changes,
    }


def check_run(**changes: Any) -> Json:
    """A check of the pull request's head that has failed."""
    return {
        "id": 51,
        "node_id": "CR_kwDOExample",
        "name": "tests",
        "head_sha": "c1" * 20,
        "status": "completed",
        "conclusion": "failure",
        "started_at": NOON,
        "completed_at": NOON,
        "html_url": f"{SITE}/octo/app/runs/51",
        "details_url": f"{SITE}/octo/app/runs/51",
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
        "check_suite": check_suite(),
        "app": {"id": 15368, "slug": "github-actions", "name": "GitHub Actions"},
        "pull_requests": [],
        **changes,
    }


def check_suite(**changes: Any) -> Json:
    """All checks of one App on that head."""
    return {
        "id": 61,
        "node_id": "CS_kwDOExample",
        "head_branch": "fix",
        "head_sha": "c1" * 20,
        "status": "completed",
        "conclusion": "failure",
        "updated_at": NOON,
        "app": {"id": 15368, "slug": "github-actions", "name": "GitHub Actions"},
        "pull_requests": [],
        **changes,
    }


def workflow_run(**changes: Any) -> Json:
    """A run of a workflow on that head."""
    return {
        "id": 71,
        "node_id": "WFR_kwDOExample",
        "name": "CI",
        "head_branch": "fix",
        "head_sha": "c1" * 20,
        "head_repository": repository(),
        "status": "completed",
        "conclusion": "failure",
        "run_attempt": 1,
        "html_url": f"{SITE}/octo/app/actions/runs/71",
        "updated_at": NOON,
        "pull_requests": [],
        **changes,
    }


def status(**changes: Any) -> Json:
    """The parts of a commit status."""
    return {
        "id": 81,
        "sha": "c1" * 20,
        "name": "octo/app",
        "context": "ci/other",
        "state": "failure",
        "description": None,
        "target_url": None,
        "branches": [{"name": "fix", "commit": {"sha": "c1" * 20}, "protected": False}],
        "created_at": NOON,
        "updated_at": NOON,
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
    is_pull_request = {"url": f"{API}/repos/octo/app/pulls/7", "merged_at": None}
    yield _delivery("issue_comment", "created", issue=issue(pull_request=is_pull_request), comment=comment())
    for action in PULL_ACTIONS:
        yield _delivery("pull_request", action, number=12, pull_request=pull_request(), **_beside(action))
    for action in ("submitted", "edited", "dismissed"):
        yield _delivery("pull_request_review", action, review=review(), pull_request=pull_request(), **_beside(action))
    for action in COMMENT_ACTIONS:
        said = {"comment": review_comment(), "pull_request": pull_request()}
        yield _delivery("pull_request_review_comment", action, **said, **_beside(action))
    yield _delivery("check_run", "created", check_run=check_run(conclusion=None, completed_at=None))
    yield _delivery("check_run", "completed", check_run=check_run())
    yield _delivery("check_suite", "completed", check_suite=check_suite())
    yield _delivery("workflow_run", "completed", workflow_run=workflow_run())
    yield _delivery("status", "", **status())
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
