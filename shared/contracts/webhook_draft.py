"""A draft of a webhook: what a model has made of a description in words. It is none before a person saves it.

It is asked for as a task of its own source, which is never worked on: its answer is the draft. So it waits, costs, ends
and is stopped as every other task.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from shared.contracts.webhook import Definition, Scheme

SOURCE: Final = "webhook-draft"
"""The kind of the source of such tasks."""
MAX_LINE: Final = 300
MAX_EXPRESSION: Final = 1_000
MAX_FILTERS: Final = 20
_FIELDS: Final = {
    "header": "hmac: the header with the signature; bearer: the header with the token, where it is not Authorization",
    "prefix": "What stands before the signature or token in the header, such as sha256=",
    "username": "basic: the user name",
    "jwks_url": "jwt: the https address of the sender's public keys",
    "issuer": "jwt: the issuer that must fit",
    "audience": "jwt: the audience that must fit",
}
_PATHS: Final = {
    "id": "what happened: the same in every delivery of it",
    "thing": "what it is about: one thing is one task",
    "title": "a title in one line",
    "text": "what is to be done",
    "repository": "the repository's name",
    "author": "who has caused it",
    "url": "a link to it",
}

SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "description", "scheme", "unsure"],
    "properties": {
        "name": {
            "type": "string",
            "maxLength": 40,
            "description": "The last part of its address: small letters, digits, hyphens, a letter first",
        },
        "description": {"type": "string", "maxLength": MAX_LINE, "description": "What it is for, in one line"},
        "scheme": {"enum": [scheme.value for scheme in Scheme if scheme is not Scheme.NONE]},
        "algorithm": {"enum": ["sha256", "sha512"]},
        "encoding": {"enum": ["hex", "base64"]},
        **{name: {"type": "string", "maxLength": MAX_LINE, "description": told} for name, told in _FIELDS.items()},
        "paths": {
            "type": "object",
            "additionalProperties": False,
            "description": "Expressions of JMESPath; leave out what the body does not have",
            "properties": {
                name: {"type": "string", "maxLength": MAX_EXPRESSION, "description": told}
                for name, told in _PATHS.items()
            },
        },
        "filters": {
            "type": "array",
            "maxItems": MAX_FILTERS,
            "items": {"type": "string", "maxLength": MAX_EXPRESSION},
            "description": "Expressions of JMESPath that must all hold, such as status == 'failed'",
        },
        "repo": {"type": "string", "maxLength": MAX_LINE, "description": "The repository where the body names none"},
        "directive": {"enum": ["auto", "plan", "implement"]},
        "unsure": {
            "type": "string",
            "maxLength": 1_000,
            "description": "What a person must look at, because the words do not say it; empty where nothing",
        },
    },
}
"""What the model answers with, as JSON Schema. It names no secret, no file, and no webhook that is not verified."""

_BLOCK: Final = re.compile(r"^```json\n(.*)\n```$", re.MULTILINE | re.DOTALL)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """``unsure`` says what a person must look at."""

    name: str
    definition: Definition
    unsure: str = ""


def drafted(answer: object) -> Draft:
    """The draft in a model's answer. Raises `msgspec.ValidationError`."""
    given = msgspec.convert(answer, dict[str, Any])
    how = {key: given[key] for key in ("scheme", "algorithm", "encoding", *_FIELDS) if given.get(key)}
    if how.get("scheme") == Scheme.NONE:
        raise msgspec.ValidationError("a webhook that is not verified is for people to make")
    rest = {key: given[key] for key in ("paths", "filters", "repo", "directive", "description") if given.get(key)}
    definition = msgspec.convert({"verification": how, **rest}, Definition)
    name, unsure = (msgspec.convert(given.get(key, ""), str) for key in ("name", "unsure"))
    return Draft(name=name[:40], definition=definition, unsure=unsure[:1_000])


def answer_of(draft: Draft) -> str:
    """The draft as the answer of its task: a sentence for people, and what `draft_in` reads."""
    shown = msgspec.json.format(msgspec.json.encode(draft), indent=2).decode()
    return f"A draft of a webhook. Nothing was made: a person looks at it and saves it.\n\n```json\n{shown}\n```"


def draft_in(answer: str) -> Draft | None:
    """The draft in a task's answer, or None where there is none."""
    found = _BLOCK.search(answer)
    try:
        return None if found is None else msgspec.json.decode(found[1], type=Draft)
    except (msgspec.MsgspecError, RecursionError):
        return None
