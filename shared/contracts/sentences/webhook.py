"""What happened to a webhook that people have made."""

from __future__ import annotations

from typing import assert_never

from shared.contracts.webhook import Changed, Created, Disabled, Enabled, SecretRotated, WebhookEvent


def sentence(event: WebhookEvent) -> str:
    """One line."""
    match event:
        case Created(definition=definition):
            return f"Made, verified by {definition.verification.scheme}"
        case Changed(definition=definition):
            return f"Changed, verified by {definition.verification.scheme}"
        case SecretRotated(overlap_until=until):
            return f"Its secret was replaced; the one of before counts until {until:%Y-%m-%d %H:%M} UTC"
        case Disabled():
            return "Takes no more deliveries"
        case Enabled():
            return "Takes deliveries again"
        case _:
            assert_never(event)
