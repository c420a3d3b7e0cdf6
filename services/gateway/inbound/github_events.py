"""Every event and action of GitHub that is known here, and what becomes of it: the receiver goes by this table, and
`docs/webhooks.md` is made of it.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.inbound import github_issues as issues
from services.gateway.inbound.github_payloads import Bare, CommentPayload, IssuesPayload, Payload
from services.gateway.inbound.sender import Ignored
from shared.contracts.delivery import Signal
from shared.ops.config import Config

ANY: Final = "*"
"""Every action that an event's table does not name, and an event without actions."""


@dataclass(frozen=True)
class Rule:
    """What becomes of an action. ``effect`` is a sentence for people; ``read`` gets the payload of its event."""

    effect: str
    read: Callable[[Any, Config], Signal | Ignored]


def _ignored(reason: str) -> Rule:
    return Rule(f"Ignored: {reason}.", lambda payload, config: Ignored(reason))


_NOT_FOLLOWED: Final = "pull requests are not followed yet"
_CHECKS: Final = "the checks of pull requests are not followed yet"
_ENDED: Final = "Stops the work on the issue, unless somebody said `@agent go on`."

RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "issues": {
        "opened": Rule(
            "Opens a task; with a label under `[policy]` only when the issue has it or mentions us.", issues.opened
        ),
        "edited": Rule(
            "The new title and text count until planning begins, but a stranger's not where somebody trusted has asked "
            "for the work; after that the edit is shown, and told to the agent at work when its sender is trusted. A "
            "mention that is new opens a task.",
            issues.edited,
        ),
        "assigned": Rule("Opens a task when the assignee is the login under `[policy]`.", issues.assigned),
        "labeled": Rule("Opens a task when it is the label under `[policy]`.", issues.labeled),
        "closed": Rule(_ENDED, issues.ended),
        "deleted": Rule(_ENDED, issues.ended),
        "transferred": Rule(f"{_ENDED} In its new repository it is a new issue.", issues.ended),
        "reopened": Rule(
            "Takes up what closing the issue has stopped, where somebody who may steer reopens it; else nothing.",
            issues.reopened,
        ),
        ANY: _ignored("it changes nothing of what is asked for"),
    },
    "issue_comment": {
        "created": Rule(
            "A mention opens the issue's task, is a further wish for it, or steers it, as its word says; on a pull "
            "request it is refused in words.",
            issues.commented,
        ),
        "edited": Rule(
            "A word that is new counts as a new comment does, but never approves; other words replace those of before "
            "until planning begins, and are shown after that.",
            issues.comment_edited,
        ),
        "deleted": _ignored("what a comment has asked for goes on without it; `@agent stop` stops it"),
    },
    "pull_request": {ANY: _ignored(_NOT_FOLLOWED)},
    "pull_request_review": {ANY: _ignored(_NOT_FOLLOWED)},
    "pull_request_review_comment": {ANY: _ignored(_NOT_FOLLOWED)},
    "pull_request_review_thread": {ANY: _ignored(_NOT_FOLLOWED)},
    "check_run": {ANY: _ignored(_CHECKS)},
    "check_suite": {ANY: _ignored(_CHECKS)},
    "workflow_run": {ANY: _ignored(_CHECKS)},
    "workflow_job": {ANY: _ignored(_CHECKS)},
    "status": {ANY: _ignored(_CHECKS)},
    "discussion": {ANY: _ignored("discussions are not followed: open an issue")},
    "discussion_comment": {ANY: _ignored("discussions are not followed: open an issue")},
    "commit_comment": {ANY: _ignored("comments on commits are not followed: open an issue")},
    "repository": {
        "renamed": _ignored(
            "issues are known by the repository's number; new ones need its new name, or its `id`, in journeyman.toml"
        ),
        "transferred": _ignored(
            "issues are known by the repository's number; new ones need its new name, or its `id`, in journeyman.toml"
        ),
        ANY: _ignored("which repositories are worked on says journeyman.toml"),
    },
    "installation": {ANY: _ignored("which repositories are worked on says journeyman.toml")},
    "installation_repositories": {ANY: _ignored("which repositories are worked on says journeyman.toml")},
    "ping": {ANY: _ignored("ping")},
    "push": {ANY: _ignored("each piece of work begins at the newest commit anyway")},
}
"""By event and action."""


def meaning_of(event: str, payload: Payload, config: Config) -> Signal | Ignored:
    """A signal, or why there is none."""
    match payload:
        case IssuesPayload(issue=issue) if issue.pull_request is not None:
            return Ignored(_NOT_FOLLOWED)
        case IssuesPayload(action=action) | CommentPayload(action=action):
            pass
        case Bare(action=action):
            action = action or ""
    rules = RULES.get(event, {})
    rule = rules.get(action) or rules.get(ANY)
    if rule is None:
        return Ignored(f"{f'{event} {action}'.strip()} is nothing we act on")
    return rule.read(payload, config)
