"""How deliveries of people's own webhooks prove where they come from. All compare in constant time, on raw bytes."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import jwt
from standardwebhooks.webhooks import Webhook as StandardWebhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.gateway.inbound.sender import Incoming, NotAuthentic
from shared.contracts.webhook import Scheme, Verification

SIGNED_BY_KEYS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
SIGNED_BY_SECRET: Final = ("HS256", "HS384", "HS512")
LEEWAY_S: Final = 60
MAX_HEADER: Final = 8 * 1024
"""Longer than any signature or token: what is longer is not even compared."""
MAX_SIGNATURES: Final = 10
"""In one header, while the sender rotates."""

_SIGNATURE: Final = re.compile(r"v1,[A-Za-z0-9+/]{43}=")

Keys = Callable[[], Sequence[Mapping[str, Any]]]
"""The public keys of a JWT webhook as they were read last (JWKs)."""


def no_keys() -> Sequence[Mapping[str, Any]]:
    """None."""
    return ()


def verify(how: Verification, incoming: Incoming, secrets: Sequence[bytes], keys: Keys = no_keys) -> None:
    """Raises `NotAuthentic`; its text tells nothing about the secret."""
    match how.scheme:
        case Scheme.HMAC:
            _by_hmac(how, incoming, secrets)
        case Scheme.BEARER:
            _any_of(_given(incoming, how.header or "Authorization", how.prefix or "Bearer "), secrets)
        case Scheme.BASIC:
            _by_basic(how, incoming, secrets)
        case Scheme.STANDARD:
            _by_standard(incoming, secrets)
        case Scheme.JWT:
            _by_jwt(how, incoming, secrets, keys)
        case Scheme.NONE:
            _on_loopback(incoming)


def _by_hmac(how: Verification, incoming: Incoming, secrets: Sequence[bytes]) -> None:
    given = _given(incoming, how.header, how.prefix)
    candidates = [each.strip().removeprefix(how.prefix) for each in given.split(",", MAX_SIGNATURES)[:MAX_SIGNATURES]]
    if how.encoding == "hex":
        candidates = [each.lower() for each in candidates]
    digests = [hmac.digest(secret, incoming.body, how.algorithm) for secret in secrets]
    expected = [digest.hex() if how.encoding == "hex" else base64.b64encode(digest).decode() for digest in digests]
    fits = [
        hmac.compare_digest(each.encode("utf-8", "replace"), wanted.encode())
        for each in candidates
        for wanted in expected
    ]
    if not any(fits):
        raise NotAuthentic("The signature does not fit: give the sender and the webhook the same secret.")


def _given(incoming: Incoming, header: str, prefix: str) -> str:
    value = incoming.headers.get(header.lower(), "")
    if not value:
        raise NotAuthentic(f"The header {header} is missing.")
    if len(value) > MAX_HEADER:
        raise NotAuthentic(f"The header {header} has more than {MAX_HEADER:,} characters.")
    if value[: len(prefix)].lower() != prefix.lower():
        raise NotAuthentic(f"The header {header} does not begin with {prefix!r}.")
    return value[len(prefix) :]


def _any_of(given: str, secrets: Sequence[bytes]) -> None:
    fits = [hmac.compare_digest(given.strip().encode("utf-8", "replace"), secret) for secret in secrets]
    if not any(fits):
        raise NotAuthentic("The secret does not fit: give the sender and the webhook the same one.")


def _by_basic(how: Verification, incoming: Incoming, secrets: Sequence[bytes]) -> None:
    try:
        pair = base64.b64decode(_given(incoming, "Authorization", "Basic "), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("The header Authorization is no basic authentication.") from error
    expected = [how.username.encode() + b":" + secret for secret in secrets]
    fits = [hmac.compare_digest(pair, each) for each in expected]
    if not any(fits):
        raise NotAuthentic("Name and secret do not fit: give the sender and the webhook the same ones.")


def _by_standard(incoming: Incoming, secrets: Sequence[bytes]) -> None:
    """Source: https://www.standardwebhooks.com"""
    problem = "the webhook has no secret"
    headers = {name: _given(incoming, name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    # Those of another version are for others, and the library stumbles over them.
    signatures = [
        each for each in headers["webhook-signature"].split(" ")[:MAX_SIGNATURES] if _SIGNATURE.fullmatch(each)
    ]
    headers["webhook-signature"] = " ".join(signatures)
    for secret in secrets:
        try:
            StandardWebhook(secret.decode()).verify(incoming.body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError, binascii.Error) as error:
            problem = str(error) or "it is no signature"
        except Exception as error:
            # The library lets malformed parts end in errors of its own.
            problem = type(error).__name__
        else:
            return
    raise NotAuthentic(f"The signature after Standard Webhooks does not fit: {problem}.")


def _by_jwt(how: Verification, incoming: Incoming, secrets: Sequence[bytes], keys: Keys) -> None:
    token = _given(incoming, "Authorization", "Bearer ").strip()
    expected: dict[str, Any] = {
        "audience": how.audience or None,
        "issuer": how.issuer or None,
        "leeway": LEEWAY_S,
        "options": {"require": ["exp"], "verify_aud": bool(how.audience)},
    }
    candidates: list[Any] = []
    algorithms: Sequence[str] = SIGNED_BY_SECRET
    if how.jwks_url:
        algorithms = SIGNED_BY_KEYS
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError as error:
            raise NotAuthentic("The header Authorization has no JWT.") from error
        found = [key for key in keys() if wanted is None or key.get("kid") == wanted]
        candidates = [_key(key) for key in found]
    else:
        candidates = list(secrets)
    problem = "no key of the sender fits"
    for key in candidates:
        try:
            jwt.decode(token, key, algorithms=list(algorithms), **expected)
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            problem = str(error) or type(error).__name__
        else:
            return
    raise NotAuthentic(f"The JWT does not count: {problem}.")


def _key(key: Mapping[str, Any]) -> Any:
    try:
        return jwt.PyJWK(dict(key)).key
    except (jwt.PyJWTError, TypeError, ValueError):
        return b""


def _on_loopback(incoming: Incoming) -> None:
    try:
        is_here = ipaddress.ip_address(incoming.client).is_loopback
    except ValueError:
        is_here = False
    if not is_here or any(name in incoming.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        raise NotAuthentic("Without any verification a webhook takes only what comes from this very machine.")
    # A page of anybody's, open in a browser on this machine, can send a form here without asking.
    if any(name in incoming.headers for name in ("origin", "referer", "sec-fetch-site", "sec-fetch-mode")):
        raise NotAuthentic("Without any verification a webhook takes nothing from a browser.")
