"""The webhook: a door that people have made themselves. Its id is its name, as in ``POST /webhooks/<name>``."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from shared.contracts.messages import Command, Event
from shared.contracts.task import Directive

NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")
"""What a webhook may be called."""
RESERVED: Final = frozenset(
    {"user", "service", "agent", "nats", "cli", "api", "chat", "webhook-draft", "drafts", "try"}
)
"""Names that stand in principals, sources and addresses for something else."""


class Scheme(StrEnum):
    """How deliveries prove where they come from. ``NONE`` counts on loopback only."""

    HMAC = "hmac"
    BEARER = "bearer"
    BASIC = "basic"
    STANDARD = "standard-webhooks"
    JWT = "jwt"
    NONE = "none"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery is verified.

    HMAC: ``header`` has ``prefix`` and the digest of the raw body by ``algorithm`` (``sha256`` or ``sha512``), in
    ``encoding`` (``hex`` or ``base64``). BASIC: ``username``. JWT: a bearer token that is signed by a key of
    ``jwks_url``, or by the secret where that is empty; ``issuer`` and ``audience`` have to fit where they are given.
    ``secret_file``: the secret stands in this file of the gateway's machine instead of with us.
    """

    scheme: Scheme
    header: str = ""
    algorithm: str = "sha256"
    prefix: str = ""
    encoding: str = "hex"
    username: str = ""
    jwks_url: str = ""
    issuer: str = ""
    audience: str = ""
    secret_file: str = ""


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the body things are: expressions of JMESPath, empty for what the body does not have.

    ``id`` names what happened: the same in every delivery of it. ``thing`` names what it is about: one thing is one
    task. Without an ``id``, the same body within ten minutes is one delivery.
    """

    id: str = ""
    title: str = ""
    text: str = ""
    repository: str = ""
    author: str = ""
    thing: str = ""
    url: str = ""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook does.

    ``filters`` are expressions of JMESPath that must all hold. ``repo`` is the repository where the body names none,
    ``agent`` the one that does the work instead of the repository's.
    """

    verification: Verification
    paths: Paths = Paths()
    filters: tuple[str, ...] = ()
    repo: str = ""
    agent: str = ""
    directive: Directive = Directive.AUTO
    description: str = ""


class Create(Command, frozen=True, kw_only=True):
    """Make the webhook. ``fingerprint`` names its secret, which lies elsewhere; empty where it has none of ours."""

    definition: Definition
    fingerprint: str = ""


class Change(Command, frozen=True, kw_only=True):
    """Replace what the webhook does; its secret stays."""

    definition: Definition


class RotateSecret(Command, frozen=True, kw_only=True):
    """Use another secret; the one of before counts until ``overlap_until``."""

    fingerprint: str
    overlap_until: datetime


class Disable(Command, frozen=True, kw_only=True):
    """Take no more deliveries."""


class Enable(Command, frozen=True, kw_only=True):
    """Take deliveries again."""


WebhookCommand = Create | Change | RotateSecret | Disable | Enable


class Created(Event, frozen=True, kw_only=True):
    """The webhook takes deliveries from now on."""

    definition: Definition
    fingerprint: str = ""


class Changed(Event, frozen=True, kw_only=True):
    """The webhook does something else from now on."""

    definition: Definition


class SecretRotated(Event, frozen=True, kw_only=True):
    """Another secret counts; the one of before does until ``overlap_until``."""

    fingerprint: str
    overlap_until: datetime


class Disabled(Event, frozen=True, kw_only=True):
    """The webhook takes no more deliveries."""


class Enabled(Event, frozen=True, kw_only=True):
    """The webhook takes deliveries again."""


WebhookEvent = Created | Changed | SecretRotated | Disabled | Enabled


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a webhook's events. ``previous`` is the secret before the newest, and counts until
    ``overlap_until``."""

    definition: Definition
    enabled: bool = True
    fingerprint: str = ""
    previous: str = ""
    overlap_until: datetime | None = None

    def fingerprints(self, now: datetime) -> tuple[str, ...]:
        """The secrets that count at a moment, the newest first."""
        overlaps = bool(self.previous) and self.overlap_until is not None and now < self.overlap_until
        return tuple(name for name in (self.fingerprint, self.previous if overlaps else "") if name)


def evolve(webhook: Webhook | None, event: WebhookEvent) -> Webhook:
    """The webhook after a fact. It stands here because two services need it: who decides, and who takes deliveries."""
    if isinstance(event, Created):
        return Webhook(definition=event.definition, fingerprint=event.fingerprint)
    assert webhook is not None, "a webhook begins by being made"
    match event:
        case Changed(definition=definition):
            return replace(webhook, definition=definition)
        case SecretRotated(fingerprint=fingerprint, overlap_until=until):
            return replace(webhook, fingerprint=fingerprint, previous=webhook.fingerprint, overlap_until=until)
        case Disabled():
            return replace(webhook, enabled=False)
        case Enabled():
            return replace(webhook, enabled=True)
        case _:
            assert_never(event)
