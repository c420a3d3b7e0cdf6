"""The rules of webhooks that people make: names, and what a definition must say."""

from __future__ import annotations

import re
from typing import Final

from shared.contracts.decider import Decider, Rejected
from shared.contracts.webhook import (
    Change,
    Changed,
    Create,
    Created,
    Definition,
    Disable,
    Disabled,
    Enable,
    Enabled,
    RotateSecret,
    Scheme,
    SecretRotated,
    Webhook,
    WebhookCommand,
    WebhookEvent,
    evolve,
)

ALGORITHMS: Final = frozenset({"sha256", "sha512"})
ENCODINGS: Final = frozenset({"hex", "base64"})
MAX_FILTERS: Final = 20
HEADER: Final = re.compile(r"[A-Za-z0-9_.-]{0,100}")
PREFIX: Final = re.compile(r"[\x20-\x7e]{0,100}")
USERNAME: Final = re.compile(r"[^:\x00-\x1f\x7f]{0,200}")
"""RFC 7617: the first colon ends the name."""


def decide(webhook: Webhook | None, command: WebhookCommand) -> WebhookEvent | None:
    """What comes of a command; what changes nothing gives None. Raises `Rejected`."""
    match command:
        case Create(definition=definition, fingerprint=fingerprint):
            return _created(webhook, definition, fingerprint)
        case _ if webhook is None:
            raise Rejected("webhook-unknown", "There is no such webhook: look its name up in the list of them.")
        case Change(definition=definition):
            _refuse_unusable(definition, webhook.fingerprint)
            return None if definition == webhook.definition else Changed(definition=definition)
        case RotateSecret() if webhook.definition.verification.secret_file:
            raise Rejected("secret-elsewhere", "Its secret stands in a file: replace what is in the file.")
        case RotateSecret(fingerprint=fingerprint, overlap_until=until):
            return (
                None
                if fingerprint == webhook.fingerprint
                else SecretRotated(fingerprint=fingerprint, overlap_until=until)
            )
        case Disable():
            return Disabled() if webhook.enabled else None
        case Enable():
            return None if webhook.enabled else Enabled()


def _created(webhook: Webhook | None, definition: Definition, fingerprint: str) -> Created | None:
    if webhook is not None:
        if (webhook.definition, webhook.fingerprint) == (definition, fingerprint):
            return None
        raise Rejected("webhook-exists", "There is a webhook of this name: change it, or take another name.")
    _refuse_unusable(definition, fingerprint)
    return Created(definition=definition, fingerprint=fingerprint)


def _refuse_unusable(definition: Definition, fingerprint: str) -> None:
    how = definition.verification
    needs_secret = how.scheme is not Scheme.NONE and not (how.scheme is Scheme.JWT and how.jwks_url)
    problems = {
        "the header that has the signature is missing": how.scheme is Scheme.HMAC and not how.header,
        "a header's name has letters, digits, hyphens, dots and underscores": not HEADER.fullmatch(how.header),
        "what stands before it in the header is at most 100 visible characters of ASCII": not PREFIX.fullmatch(
            how.prefix
        ),
        "a username has at most 200 characters and no colon": not USERNAME.fullmatch(how.username),
        f"the algorithm is one of {', '.join(sorted(ALGORITHMS))}": how.algorithm not in ALGORITHMS,
        f"the encoding is one of {', '.join(sorted(ENCODINGS))}": how.encoding not in ENCODINGS,
        "basic authentication needs a username": how.scheme is Scheme.BASIC and not how.username,
        "the address of the keys has to begin with https://": bool(how.jwks_url)
        and not how.jwks_url.startswith("https://"),
        "keys at an address need an audience, or a token for anybody would do": bool(how.jwks_url) and not how.audience,
        "it needs a secret, or a file that has it": needs_secret and not fingerprint and not how.secret_file,
        f"there are at most {MAX_FILTERS} filters": len(definition.filters) > MAX_FILTERS,
    }
    if found := next((problem for problem, is_so in problems.items() if is_so), None):
        raise Rejected("webhook-unusable", f"The webhook cannot be verified as it is described: {found}.")


DECIDER: Decider[Webhook | None] = Decider("webhook", None, decide, evolve)
