"""Every event and action of GitHub that is known here, and what becomes of it: the receiver goes by this table, and
`docs/webhooks.md` is made of it.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.inbound import github_checks as checks
from services.gateway.inbound import github_issues as issues
from services.gateway.inbound import github_pulls as pulls
from services.gateway.inbound.github_payloads import IssuesPayload, Payload
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


_ASKED: Final = (
    "Asks for a review of a pull request that is none of ours, when it is us by the login or the label under "
    "`[policy]`. On ours, that it cannot be merged is told to its task."
)
_OTHERWISE: Final = "On a pull request of ours, that it cannot be merged is told to its task; else it changes nothing."
_SAID: Final = (
    "On a pull request of ours it goes to its task: what is said in a review, and within two minutes without one, "
    "makes one further round. A word that steers is heard at once. On others only a mention counts, which may ask for "
    "a review."
)
_EDITED: Final = (
    "Other words of its author replace those of before until a round takes them up; no edit decides, which is said."
)
_CHECK: Final = (
    "On the head of a pull request of ours, failures make one further round for each head, after a moment without "
    "news; our own checks do not count."
)
_ENDED: Final = "Stops the work on the issue, unless somebody said `@agent go on`."

RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "issues": {
        "opened": Rule(
            "Opens a task; with a label under `[policy]` only when the issue has it or mentions us. Sent again, it is "
            "read as it is by now, and opens none where it is closed.",
            issues.opened,
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
            "A mention opens the issue's task, is a further wish for it, or steers it, as its word says. On a pull "
            "request of ours it speaks to its task.",
            issues.commented,
        ),
        "edited": Rule(
            "A word that is new counts as a new comment does, but never approves, which is said; other words replace "
            "those of before until planning begins, and are shown after that.",
            issues.comment_edited,
        ),
        "deleted": _ignored("what a comment has asked for goes on without it; `@agent stop` stops it"),
    },
    "pull_request": {
        "opened": Rule("No work of ours, unless it mentions us to ask for a review.", pulls.opened),
        "review_requested": Rule(_ASKED, pulls.requested),
        "assigned": Rule(_ASKED, pulls.requested),
        "labeled": Rule(_ASKED, pulls.requested),
        "synchronize": Rule(
            "On a pull request of ours, a head that others have pushed is the one that is followed from then on.",
            pulls.moved,
        ),
        "closed": Rule(
            "A merge completes the task of a pull request of ours, and stops an agent that works on it further; "
            "closing it cancels the task. A merge that takes another one back is told to the task of that.",
            pulls.ended,
        ),
        "reopened": Rule("The task of a pull request of ours is in review again.", pulls.reopened),
        ANY: Rule(_OTHERWISE, pulls.changed),
    },
    "pull_request_review": {
        "submitted": Rule(_SAID, pulls.reviewed),
        "edited": Rule(_EDITED, pulls.edited),
        "dismissed": Rule("What it says does not count, where no round has taken it up yet.", pulls.dismissed),
        ANY: _ignored("it changes nothing of what is asked for"),
    },
    "pull_request_review_comment": {
        "created": Rule(_SAID, pulls.commented),
        "edited": Rule(_EDITED, pulls.edited),
        "deleted": Rule("It does not count, where no round has taken it up yet.", pulls.deleted),
        ANY: _ignored("it changes nothing of what is asked for"),
    },
    "pull_request_review_thread": {ANY: _ignored("a thread that is resolved or not changes nothing of what is said")},
    "check_run": {ANY: Rule(_CHECK, checks.check_run)},
    "check_suite": {ANY: Rule(_CHECK, checks.check_suite)},
    "workflow_run": {ANY: Rule(_CHECK, checks.workflow_run)},
    "workflow_job": {ANY: _ignored("its check and its workflow are followed")},
    "status": {ANY: Rule(_CHECK, checks.status)},
    "discussion": {ANY: _ignored("discussions are not followed: open an issue")},
    "discussion_comment": {ANY: _ignored("discussions are not followed: open an issue")},
    "commit_comment": {ANY: _ignored("comments on commits are not followed: open an issue")},
    "repository": {
        "renamed": _ignored("repositories are known by their number, which is asked of GitHub"),
        "transferred": _ignored("repositories are known by their number, which is asked of GitHub"),
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
    if isinstance(payload, IssuesPayload) and payload.issue.pull_request is not None:
        return Ignored("what happens to a pull request is told by events of its own")
    action = payload.action or ""
    rules = RULES.get(event, {})
    rule = rules.get(action) or rules.get(ANY)
    if rule is None:
        return Ignored(f"{f'{event} {action}'.strip()} is nothing we act on")
    return rule.read(payload, config)
