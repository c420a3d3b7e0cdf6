"""What all questions have in common: parameters that are checked, refusals with a code, and times as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import duckdb
import msgspec

from shared.journal import MAX_SEQUENCE

PAGE_BYTES: Final = 900_000
"""Most bytes of one answer's items: NATS carries 1 MiB."""

SHORTEST_CUT: Final = 256

Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQUENCE)]
Text = Annotated[str, msgspec.Meta(max_length=512)]

Connection = duckdb.DuckDBPyConnection


class Refused(Exception):
    """A question that gets no answer; ``code`` is stable, the text is a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a question. ``min_seq``: answer only from a state that includes this event."""

    min_seq: Seq = 0


def read_question(name: str, cls: type[Question], body: bytes) -> Question:
    """The parameters, or `Refused`. Numbers may come as text, as they do from a query string."""
    try:
        return msgspec.convert(msgspec.json.decode(body.strip() or b"{}"), cls, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad-parameter", f"{name} does not take these parameters: {error}.") from error


def read_cursor(cursor: str) -> int:
    """The place where a page ended, or `Refused`."""
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Refused("bad-parameter", f"{cursor[:40]!r} is no cursor: use next_cursor of the page before.")
    return int(cursor)


def records(connection: Connection, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
    """The rows of a statement as dicts, times as ISO 8601 UTC text."""
    cursor = connection.execute(sql, params)
    names = [column[0] for column in cursor.description or []]
    return [
        {name: iso(value) if isinstance(value, datetime) else value for name, value in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]


def iso(time: datetime) -> str:
    """``2026-11-22T08:30:00.123456Z``."""
    return time.isoformat() + "Z"


def page(items: Sequence[dict[str, Any]], limit: int, key: str) -> tuple[list[msgspec.Raw], str | None]:
    """As many items as fit into one answer, and the cursor of the next page (``key`` of the last item), if any.

    ``items`` holds one more than ``limit`` when there are more. An item that is too long for any answer is shortened.
    """
    taken: list[msgspec.Raw] = []
    size = 0
    for item in items[:limit]:
        encoded = encode_within(item, PAGE_BYTES)
        size += len(encoded) + 1
        if taken and size > PAGE_BYTES:
            break
        taken.append(msgspec.Raw(encoded))
    more = len(taken) < len(items)
    return taken, str(items[len(taken) - 1][key]) if more and taken else None


def encode_within(value: dict[str, Any], most: int) -> bytes:
    """JSON of at most ``most`` bytes: the longest texts are halved, and marked with ``…``, until it fits.

    Raises `Refused` when no text is left to cut.
    """
    encoded = msgspec.json.encode(value)
    if len(encoded) <= most:
        return encoded
    value = msgspec.json.decode(encoded)
    while len(encoded) > most:
        holder, key = _longest(value)
        text = holder[key] if holder is not None else ""
        if len(text) < SHORTEST_CUT:
            raise Refused("too-large", "The answer is larger than a message can be: ask for less at once.")
        holder[key] = text[: len(text) // 2] + "…"
        encoded = msgspec.json.encode(value)
    return encoded


def _longest(value: Any) -> tuple[Any, Any]:
    """The list or dict that holds the longest text, and its index or key there."""
    best: tuple[Any, Any] = (None, None)
    length = -1
    stack = [value]
    while stack:
        holder = stack.pop()
        for key, each in holder.items() if isinstance(holder, dict) else enumerate(holder):
            match each:
                case str() if len(each) > length:
                    best, length = (holder, key), len(each)
                case dict() | list():
                    stack.append(each)
                case _:
                    pass
    return best
