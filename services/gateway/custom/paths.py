"""What the expressions of a webhook find in a body (pure).

Source: https://jmespath.org/specification.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import jmespath
import jmespath.exceptions
import msgspec

from services.gateway.custom.expression_cost import TooCostly, weigh
from services.gateway.inbound.sender import Unreadable
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.webhook import Definition, Paths
from shared.ops.visible import is_blank

MAX_EXPRESSION: Final = 1_000
MAX_BODY_TEXT: Final = 16 * 1024
"""Bytes of the body in a task's text, where no path says what the text is."""
USUAL_BYTES: Final = 64 * 1024
"""An expression has to be quick on a body of so many bytes, or it is none that can be used."""


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
    for name, expression in _named(definition):
        try:
            _compiled(expression, USUAL_BYTES)
        except TooCostly as error:
            raise BadExpression(f"{name} cannot be used: {error}. Write a simpler expression.") from error
        except ValueError as error:
            raise BadExpression(f"{name} {error}") from error


def _named(definition: Definition) -> list[tuple[str, str]]:
    paths = [(name, getattr(definition.paths, name)) for name in Paths.__struct_fields__]
    return paths + [(f"filter {number}", each) for number, each in enumerate(definition.filters, 1)]


def find(definition: Definition, body: bytes) -> Found:
    """What the paths find. Raises `Unreadable` for a body that is no JSON, or too large for the expressions."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"The body is no JSON: {error}.") from error
    for name, expression in _named(definition):
        try:
            _compiled(expression, len(body))
        except TooCostly as error:
            raise Unreadable(f"{name} cannot be looked for in it: {error} ({len(body):,} bytes).") from error
    paths = definition.paths
    failed = next((each for each in definition.filters if not _holds(each, content)), "")
    text = clean(_text(paths.text, content))
    if is_blank(text):
        told = msgspec.json.format(body, indent=2).decode()
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
            return msgspec.json.encode(value).decode()
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
        return _parsed(expression).search(content)
    except (jmespath.exceptions.JMESPathError, RecursionError, TypeError, ValueError, ArithmeticError):
        # An expression that does not fit this body finds nothing in it.
        return None


def _compiled(expression: str, size: int) -> None:
    """Raises `ValueError` for what is no expression, and `TooCostly` for one that is too much on so many bytes."""
    if expression:
        # By powers of two, so that deliveries of one webhook are weighed once.
        _weighed(expression, 1 << size.bit_length())


@lru_cache(maxsize=1_000)
def _parsed(expression: str) -> Any:
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"is longer than {MAX_EXPRESSION} characters.")
    try:
        return jmespath.compile(expression)
    except RecursionError as error:
        raise TooCostly("it is nested too deeply") from error
    except (jmespath.exceptions.JMESPathError, ValueError, ArithmeticError) as error:
        raise ValueError(f"is no expression of JMESPath: {str(error).splitlines()[0]}") from error


@lru_cache(maxsize=4_000)
def _weighed(expression: str, size: int) -> None:
    weigh(_parsed(expression).parsed, size)
