"""Deliveries of Jira and Sentry as they come in, to be changed by tests that break them."""

from __future__ import annotations

from typing import Any, Final

from testing import jira_payloads as jira
from testing import sentry_payloads as sentry

JIRA: Final[list[dict[str, Any]]] = [
    jira.event(
        "jira:issue_created", issue=jira.issue(description="[~accountid:us] plan", attachment=[{"filename": "a"}])
    ),
    jira.updated(jira.item("labels", "", "agent"), labels=["agent"]),
    jira.updated(jira.item("status", "To Do", "In Progress")),
    jira.updated(jira.item("assignee", None, "Journeyman", to="712:us")),
    jira.updated(jira.item("summary", "a", "b"), jira.item("description", None, "@agent plan")),
    jira.event("jira:issue_deleted", issue=jira.issue()),
    jira.said("@agent plan"),
    jira.said(jira.EVERY_NODE),
    jira.said("@agent fix it", name="comment_updated", updated=jira.LATER),
]
SENTRY: Final[list[tuple[str, Any]]] = [
    ("event_alert", sentry.alert()),
    ("metric_alert", sentry.metric("critical")),
    ("metric_alert", sentry.metric("resolved")),
    *(("issue", sentry.payload(action, {"issue": sentry.issue()})) for action in ("created", "resolved", "unresolved")),
    ("comment", sentry.comment("created", "@agent plan")),
]
