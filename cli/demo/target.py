"""What `journeyman demo` needs to know of the system that runs here: addresses, secret, repository."""

from __future__ import annotations

from pathlib import Path

from cli.endpoint import Endpoint, find_endpoint
from cli.failures import Failure
from cli.supervisor.preflight import DEMO_SENDER, demo_repository
from shared.ops.senders import DEMO_SECRET_FILE


def found_here() -> tuple[Endpoint, str, Path | None]:
    """The endpoint, the webhook's secret, and the repository where it is here; raises `Failure` without a secret."""
    endpoint, settings = find_endpoint()
    secret = settings.webhook_secret(DEMO_SENDER).get_secret_value()
    own = endpoint.data / DEMO_SECRET_FILE
    if not secret and own.exists():
        secret = own.read_text().strip()
    if not secret:
        raise Failure("There is no webhook secret: set JOURNEYMAN_GITHUB_WEBHOOK_SECRET to the one the gateway has.")
    repository = demo_repository(endpoint.data)
    return endpoint, secret, repository if repository.is_dir() else None
