"""Bodies of calls without secrets: without the door's own as they are kept, without any as people see them (pure)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from shared.ops.known_secrets import REMOVED, without_secrets
from shared.ops.visible import visible

SHOWN_CHARS: Final = 4 * 1024
LEAST_SECRET: Final = 4
"""What is shorter would be found in half of all words."""
LEAST_KEPT: Final = 8
"""The shortest secret that a webhook can have; a shorter one of the settings may be a word of the body."""
_NAMES: Final = (
    *("password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "secretkey"),
    *("authorization", "credential", "credentials", "cookie", "signature", "sessionid"),
)
"""How names end whose values are secrets, in small letters and without separators."""
_FIELD: Final = re.compile(
    r"""((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|(?:access|private)[_-]?key|"""
    r"""authorization|credential|cookie|signature|session[_-]?id)s?["']?\s{0,4}[:=]\s{0,4})"""
    r"""("(?:[^"\\]|\\.)*"?|'[^']*'?|[\[{][^\]}]*[\]}]?|[^\s&,;}\]]+)""",
    re.IGNORECASE,
)
_TOLD: Final = re.compile(
    r"""(\b(?:secret|password|passphrase|token|api[ -]?key)s?(?:\s+(?:is|are|was|will be|of))?[\s:=]{1,4}["'`“‘]?)"""
    r"""([^\s"'`”’]{6,500})""",
    re.IGNORECASE,
)
"""A secret in a sentence: `the secret is hunter2`."""
_PART: Final = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)?\d{0,3}|\d{1,12}|[0-9a-f]{4,12}|v\d+|[a-z]+(?:[A-Z][a-z]+){1,4}")
_RANDOM: Final = re.compile(r"[A-Za-z0-9+/_=.-]{20,500}")


def without_own(document: bytes, secrets: Sequence[bytes]) -> bytes:
    """A JSON document without the secrets of its door: some senders send them along, and the log keeps what it gets."""
    texts = [plain for plain in map(_text_of, secrets) if len(plain) >= LEAST_KEPT]
    if not any(form.encode() in document for plain in texts for form in _written(plain)):
        return document
    try:
        return msgspec.json.encode(_replaced(msgspec.json.decode(document), texts))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return document  # no JSON: it is refused and not kept


def shown_body(body: bytes, secrets: Sequence[bytes]) -> str:
    """The beginning of a body. ``secrets`` are the door's own; others are known by their shape, or by their names."""
    try:
        texts = [plain for plain in map(_text_of, secrets) if len(plain) >= LEAST_SECRET]
        told = _replaced(msgspec.json.decode(body), texts, named=True)
        text = json.dumps(told, indent=2, ensure_ascii=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        # No JSON, or one that was cut.
        text = _FIELD.sub(rf"\1{REMOVED}", body.decode("utf-8", "replace"))
    # Once more over the whole: a secret may stand in several values, or in another form of writing.
    shown = visible(without_secrets(_without(text, secrets)))
    return shown if len(shown) <= SHOWN_CHARS else f"{shown[:SHOWN_CHARS]}…"


def words_without_secrets(text: str) -> str:
    """What a person tells, without what looks like a secret in it: by its shape, by its name, or by its letters."""
    text = _FIELD.sub(rf"\1{REMOVED}", without_secrets(text))
    text = _TOLD.sub(lambda found: found[0] if _is_word(found[2]) else f"{found[1]}{REMOVED}", text)
    return _RANDOM.sub(lambda found: REMOVED if _is_random(found[0]) else found[0], text)


def told_secrets(text: str) -> list[bytes]:
    """What a person's words say to be a secret: it must not stand in what goes along with them either."""
    named = [found[2].strip("\"'") for found in _FIELD.finditer(text)]
    told = [found[2] for found in _TOLD.finditer(text) if not _is_word(found[2])]
    return [each.rstrip(".,;:!?)").encode() for each in (*named, *told)]


def _is_word(text: str) -> bool:
    """Whether it is a word, or a name of a header or field, more than a secret."""
    return len(text) < 16 and re.fullmatch(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*[.,;:!?)]*", text) is not None


def _is_random(text: str) -> bool:
    if text.startswith("whsec_"):
        return True
    if all(map(_PART.fullmatch, re.split(r"[-_./+=]", text))):
        return False  # a name of parts: X-Amz-Content-Sha256
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds == 3 or (len(text) >= 32 and re.search("[0-9]", text) is not None)


def _text_of(secret: bytes) -> str:
    return secret.decode("utf-8", "replace")


def _written(plain: str) -> set[str]:
    """How writers of JSON write a text; some write a slash with a backslash."""
    forms = {json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}
    return forms | {form.replace("/", r"\/") for form in forms}


def _replaced(value: Any, texts: Sequence[str], *, named: bool = False) -> Any:
    """A value without the texts, and without what is ``named`` as a secret."""
    match value:
        case str():
            for text in texts:
                value = value.replace(text, REMOVED)
            return value
        case Mapping():
            return {
                _replaced(key, texts): REMOVED
                if named and _is_secret(key, inner)
                else _replaced(inner, texts, named=named)
                for key, inner in value.items()
            }
        case list():
            return [_replaced(inner, texts, named=named) for inner in value]
        case _:
            return value


def _is_secret(name: str, value: Any) -> bool:
    plain = re.sub(r"[^a-z]", "", name.lower())
    if isinstance(value, list | Mapping):
        plain = plain.removesuffix("s")
    return isinstance(value, str | int | list | Mapping) and not isinstance(value, bool) and plain.endswith(_NAMES)


def _without(text: str, secrets: Sequence[bytes]) -> str:
    for secret in secrets:
        if len(secret) < LEAST_SECRET:
            continue
        plain = secret.decode("utf-8", "replace")
        forms = {plain, json.dumps(plain)[1:-1], quote(plain, safe=""), quote_plus(plain), secret.hex()}
        forms.add(base64.b64encode(secret).decode().rstrip("="))
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, REMOVED)
    return text
