"""How a webhook is called: a body that it would take, a command for a shell, the headers that sign a body (pure)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from shlex import quote
from typing import Any, Final
from uuid import uuid4

import jmespath
import jmespath.exceptions
import jwt
from standardwebhooks.webhooks import Webhook as StandardWebhook

from shared.contracts.webhook import Definition, Paths, Scheme, Verification

TOKEN_S: Final = 300
_VALUES: Final = {
    "title": "A test",
    "text": "This is a test call.",
    "author": "somebody",
    "thing": "test",
    "url": "https://example.com/test",
}


def example_body(definition: Definition, *, id: str = "test-1") -> dict[str, Any]:
    """A body in which the plain paths find something and the plain filters hold (``status == 'failed'``).

    What an expression with functions or conditions would find is not guessed.
    """
    body: dict[str, Any] = {}
    for filter in definition.filters:
        _satisfy(_parsed(filter), body)
    values = {**_VALUES, "id": id, "repository": definition.repo or "owner/name"}
    for name in Paths.__struct_fields__:
        if keys := _keys(_parsed(getattr(definition.paths, name))):
            _put(body, keys, values[name])
    return body or {"title": _VALUES["title"]}


def _parsed(expression: str) -> Mapping[str, Any]:
    try:
        parsed: Mapping[str, Any] = jmespath.compile(expression).parsed if expression else {}
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError):
        return {}
    return parsed


def _keys(node: Mapping[str, Any]) -> list[str]:
    """The names of a path such as ``build.name``; empty for every other expression."""
    match node.get("type"):
        case "field":
            return [node["value"]]
        case "subexpression":
            parts = [_keys(child) for child in node["children"]]
            return [key for part in parts for key in part] if all(parts) else []
        case _:
            return []


def _satisfy(node: Mapping[str, Any], body: dict[str, Any]) -> None:
    match node.get("type"):
        case "comparator" if node["value"] == "eq":
            left, right = node["children"]
            if right["type"] == "literal" and (keys := _keys(left)):
                _put(body, keys, right["value"])
        case "and_expression":
            for child in node["children"]:
                _satisfy(child, body)
        case "field" | "subexpression" if keys := _keys(node):
            _put(body, keys, True)


def _put(body: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set it where nothing stands yet: a filter goes before."""
    *path, last = keys
    for key in path:
        inner = body.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        body = inner
    body.setdefault(last, value)


def example_call(name: str, definition: Definition, base_url: str, body: str = "") -> str:
    """A command for a shell that makes a call; the secret is the environment's ``SECRET`` and never in our text."""
    how = definition.verification
    text = body or json.dumps(example_body(definition), ensure_ascii=False)
    url = quote(f"{base_url.rstrip('/')}/webhooks/{name}")
    head = f"BODY={quote(text)}\n"
    send = f"curl -i {url} -H 'Content-Type: application/json' --data-binary \"$BODY\""
    match how.scheme:
        case Scheme.HMAC:
            form = "-hex | sed 's/^.* //'" if how.encoding == "hex" else "-binary | openssl base64 -A"
            sign = f'SIG=$(printf %s "$BODY" | openssl dgst -{how.algorithm} -hmac "$SECRET" {form})\n'
            return f"{head}{sign}{send} {_header(how.header, how.prefix, '$SIG')}"
        case Scheme.BEARER:
            return f"{head}{send} {_header(how.header or 'Authorization', how.prefix or 'Bearer ', '$SECRET')}"
        case Scheme.BASIC:
            return f'{head}{send} -u {quote(how.username + ":")}"$SECRET"'
        case Scheme.STANDARD:
            return (
                f"{head}ID=msg_$(date +%s)_$$ AT=$(date +%s)\n"
                'KEY=$(printf %s "${SECRET#whsec_}" | openssl base64 -d -A | od -An -tx1 | tr -d " \\n")\n'
                'SIG=$(printf %s "$ID.$AT.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary'
                " | openssl base64 -A)\n"
                f'{send} -H "webhook-id: $ID" -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIG"'
            )
        case Scheme.JWT if how.jwks_url:
            signed = _header("Authorization", "Bearer ", "$TOKEN")
            return f"{head}# TOKEN is one that the sender has signed.\n{send} {signed}"
        case Scheme.JWT:
            claims = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in _claims(how).items()) + "}"
            return (
                f"{head}b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d =; }}\n"
                f"EXP=$(($(date +%s) + {TOKEN_S})) CLAIMS={quote(claims)}\n"
                'TOKEN=$(printf %s \'{"alg":"HS256","typ":"JWT"}\' | b64).'
                '$(printf %s "{\\"exp\\":$EXP$CLAIMS" | b64)\n'
                'TOKEN=$TOKEN.$(printf %s "$TOKEN" | openssl dgst -sha256 -hmac "$SECRET" -binary | b64)\n'
                f"{send} {_header('Authorization', 'Bearer ', '$TOKEN')}"
            )
        case Scheme.NONE:
            return f"{head}{send}"


def _header(name: str, prefix: str, variable: str) -> str:
    """``-H 'Name: prefix'"$VARIABLE"``: what people have chosen is never read by the shell."""
    return f'-H {quote(f"{name}: {prefix}")}"{variable}"'


def _claims(how: Verification) -> dict[str, str]:
    return {name: value for name, value in (("aud", how.audience), ("iss", how.issuer)) if value}


def signed(how: Verification, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers by which a body of ours counts. Raises `ValueError` where only the sender can sign."""
    headers = {"Content-Type": "application/json"}
    match how.scheme:
        case Scheme.HMAC:
            digest = hmac.digest(secret, body, how.algorithm)
            shown = digest.hex() if how.encoding == "hex" else base64.b64encode(digest).decode()
            return headers | {how.header: how.prefix + shown}
        case Scheme.BEARER:
            return headers | {how.header or "Authorization": (how.prefix or "Bearer ") + secret.decode()}
        case Scheme.BASIC:
            pair = base64.b64encode(how.username.encode() + b":" + secret).decode()
            return headers | {"Authorization": f"Basic {pair}"}
        case Scheme.STANDARD:
            id, now = f"msg_{uuid4().hex}", datetime.now(UTC)
            signature = StandardWebhook(secret.decode()).sign(id, now, body.decode())
            return headers | {
                "webhook-id": id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature,
            }
        case Scheme.JWT if how.jwks_url:
            raise ValueError("Only the sender has the key that signs its tokens: have it send a call itself.")
        case Scheme.JWT:
            claims = _claims(how) | {"exp": int(time.time()) + TOKEN_S}
            return headers | {"Authorization": f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}"}
        case Scheme.NONE:
            return headers
