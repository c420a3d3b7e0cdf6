"""What our App is: its permissions, its events, and where GitHub sends them to.

Source: https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from services.gateway.github.credentials import EFFECTS

EVENTS: Final = (
    *("issues", "issue_comment", "pull_request", "pull_request_review", "pull_request_review_comment"),
    *("check_run", "check_suite", "status", "repository", "member"),
)
"""What is sent to us; that somebody installs the App is sent always."""
WEBHOOK_PATH: Final = "/webhooks/github"


def manifest(name: str, *, homepage: str, public_url: str, redirect_url: str) -> dict[str, Any]:
    """The App as GitHub takes it. Without ``public_url`` it gets a webhook later, on its page."""
    made: dict[str, Any] = {
        "name": name,
        "url": public_url or homepage,
        "description": "Turns issues into reviewed pull requests. It never merges.",
        "redirect_url": redirect_url,
        "public": False,
        "default_permissions": dict(EFFECTS),
        "default_events": list(EVENTS),
    }
    if public_url:
        made["hook_attributes"] = {"url": f"{public_url.rstrip('/')}{WEBHOOK_PATH}", "active": True}
    return made


def registration_url(site: str, organization: str, state: str) -> str:
    """Where the manifest is posted to: the person's own Apps, or those of an organization."""
    where = f"/organizations/{quote(organization, safe='')}" if organization else ""
    return f"{site}{where}/settings/apps/new?state={quote(state, safe='')}"
