"""Webhook signatures: HMAC with SHA-256 over the raw bytes, compared in constant time. There is no SHA-1 fallback."""

from __future__ import annotations

import hmac
from collections.abc import Sequence


def secrets_of(setting: str) -> tuple[bytes, ...]:
    """The secrets that a setting holds: one, or several with commas while they are rotated; empty when none is set.

    A secret that itself has a comma in it works too, because the whole text counts as well.
    """
    parts = [part.strip() for part in setting.split(",")]
    return tuple(dict.fromkeys(text.encode() for text in (setting.strip(), *parts) if text))


def is_signed(header: str, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether ``sha256=<hex>`` is the signature of ``body`` by one of the secrets.

    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    given = header.encode("utf-8", "replace")
    # Every secret is tried, so that the time does not tell which one it was.
    expected = [b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode() for secret in secrets]
    matches = [hmac.compare_digest(given, each) for each in expected]
    return any(matches)
