"""Webhook signatures: HMAC with SHA-256 over the raw bytes, compared in constant time. There is no SHA-1 fallback.

A sender that proves itself in another way brings a ``verify`` of its own.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from services.gateway.inbound.sender import Incoming, NotAuthentic
from shared.ops.senders import secret_setting
from shared.ops.settings import variable_of


def secrets_of(setting: str) -> tuple[bytes, ...]:
    """The secrets that a setting holds: one, or several with commas while they are rotated; empty when none is set.

    A secret that itself has a comma in it works too, because the whole text counts as well.
    """
    parts = [part.strip() for part in setting.split(",")]
    return tuple(dict.fromkeys(text.encode() for text in (setting.strip(), *parts) if text))


def hmac_sha256(header: str, *, prefix: str = "sha256=") -> Callable[[Incoming, Sequence[bytes]], None]:
    """The ``verify`` of a sender that puts the signature of the raw body, ``<prefix><hex>``, into a header."""
    key = header.lower()

    def verify(incoming: Incoming, secrets: Sequence[bytes]) -> None:
        if key not in incoming.headers:
            raise NotAuthentic(
                f"The delivery is not signed: give the webhook a secret at the sender, so that it sends {header}."
            )
        if not is_signed(incoming.headers[key], incoming.body, secrets, prefix=prefix):
            variable = variable_of(secret_setting(incoming.webhook))
            raise NotAuthentic(f"The signature does not fit: give the sender and {variable} the same secret.")

    return verify


def is_signed(header: str, body: bytes, secrets: Sequence[bytes], *, prefix: str = "sha256=") -> bool:
    """Whether ``<prefix><hex>`` is the signature of ``body`` by one of the secrets.

    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    given = header.encode("utf-8", "replace")
    # Every secret is tried, so that the time does not tell which one it was.
    expected = [(prefix + hmac.digest(secret, body, "sha256").hex()).encode() for secret in secrets]
    matches = [hmac.compare_digest(given, each) for each in expected]
    return any(matches)
