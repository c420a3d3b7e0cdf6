"""The senders of webhooks, one line for each: settings, the doctor, compose.yaml and the gateway take them from here.

The adapter of a sender is the module ``services/gateway/inbound/<name>.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENDERS: Final[Mapping[str, str]] = {
    "github": "GitHub",
    "jira": "Jira",
    "sentry": "Sentry",
}
"""The name in ``POST /webhooks/{name}``, which is a Python identifier in lower case → the name that people read."""


DEMO_SECRET_FILE: Final = "webhook-secret"
"""In the data directory: where `up --demo` keeps the webhook secret that it has made because none was set."""


def secret_setting(sender: str) -> str:
    """The setting that holds a sender's secret, as a field of `Settings`: ``github_webhook_secret``."""
    return f"{sender}_webhook_secret"
