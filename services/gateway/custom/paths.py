"""What the expressions of a webhook find in a body (pure).

Source: https://jmespath.org/specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import jmespath
import jmespath.exceptions
import msgspec

from services.gateway.inbound.sender import Unreadable
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.webhook import Definition, Paths
from shared.ops.visible import is_blank

MAX_EXPRESSION: Final = 1_000
MAX_BODY_TEXT: Final = 16 * 1024
"""Bytes of the body in a task's text, where no path says what the text is."""


class BadExpression(ValueError):
    """An expression that is none of JMESPath; the text says which, and where."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``failed`` is the first filter that does not hold, or empty."""

    id: str = ""
    title: str = ""
    text: str = ""
    repository: str = ""
    author: str = ""
    thing: str = ""
    url: str = ""
    failed: str = ""


def check(definition: Definition) -> None:
    """Raises `BadExpression` for the first expression that cannot be used."""
    for name in Paths.__struct_fields__:
        _compiled(getattr(definition.paths, name), name)
    for number, each in enumerate(definition.filters, 1):
        _compiled(each, f"filter {number}")


def find(definition: Definition, body: bytes) -> Found:
    """What the paths find. Raises `Unreadable` for a body that is no JSON, `BadExpression`."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"The body is no JSON: {error}.") from error
    paths = definition.paths
    failed = next((each for each in definition.filters if not _holds(each, content)), "")
    text = clean(_text(paths.text, content))
    if is_blank(text):
        told = json.dumps(content, indent=2, ensure_ascii=False)
        text = f"This was sent:\n\n{_fenced(bounded(visible(told), MAX_BODY_TEXT))}"
    return Found(
        id=_text(paths.id, content)[:500],
        title=one_line(visible(_text(paths.title, content))),
        text=text,
        repository=one_line(_text(paths.repository, content)),
        author=one_line(visible(_text(paths.author, content)), 100),
        thing=_text(paths.thing, content)[:500],
        url=_text(paths.url, content)[:2048],
        failed=failed,
    )


def _fenced(text: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}json\n{text}\n{fence}"


def _text(expression: str, content: Any) -> str:
    match _searched(expression, content):
        case None:
            return ""
        case str(text):
            return text
        case bool(value):
            return str(value).lower()
        case int(number) | float(number):
            return str(number)
        case Mapping() | Sequence() as value:
            return json.dumps(value, ensure_ascii=False)
        case value:
            return str(value)


def _holds(expression: str, content: Any) -> bool:
    """JMESPath's own truth: empty lists, objects and texts, false and null are false."""
    found = _searched(expression, content)
    return found is not None and found is not False and found != "" and found != [] and found != {}


def _searched(expression: str, content: Any) -> Any:
    if not expression:
        return None
    try:
        return _compiled(expression, expression).search(content)
    except (jmespath.exceptions.JMESPathError, RecursionError, TypeError, ValueError):
        # An expression that does not fit this body finds nothing in it.
        return None


@lru_cache(maxsize=1_000)
def _compiled(expression: str, name: str) -> Any:
    if not expression:
        return None
    if len(expression) > MAX_EXPRESSION:
        raise BadExpression(f"{name} is longer than {MAX_EXPRESSION} characters.")
    try:
        return jmespath.compile(expression)
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError) as error:
        raise BadExpression(f"{name} is no expression of JMESPath: {str(error).splitlines()[0]}") from error
