"""What all answers have in common: checked parameters, refusals with a code, rows as structs, and answers that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import duckdb
import msgspec

from services.projector.database import in_utc
from shared.contracts.queries import Query

PAGE_BYTES: Final = 900_000
"""Most bytes of one answer's items: NATS carries 1 MiB."""

SHORTEST_CUT: Final = 256

Connection = duckdb.DuckDBPyConnection
T = TypeVar("T", bound=msgspec.Struct)
Q = TypeVar("Q", bound=Query[Any])


class Refused(Exception):
    """A question that gets no answer; ``code`` is stable, the text is a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Place(NamedTuple):
    """Where the read models are: the last event they include, and how many events they are behind the log."""

    seq: int
    behind: int = 0


def read_question(cls: type[Q], body: bytes) -> Q:
    """The parameters, or `Refused`. Numbers may come as text, as they do from a query string."""
    try:
        asked: Q = msgspec.convert(msgspec.json.decode(body.strip() or b"{}"), cls, strict=False)
        return asked
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad-parameter", f"{cls.name} does not take these parameters: {error}.") from error


def read_cursor(cursor: str) -> int:
    """The place where a page ended, or `Refused`."""
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Refused("bad-parameter", f"{cursor[:40]!r} is no cursor: use next_cursor of the page before.")
    return int(cursor)


def rows(connection: Connection, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
    """The rows of a statement as dicts, times in UTC."""
    cursor = connection.execute(sql, params)
    names = [column[0] for column in cursor.description or []]
    return [{name: in_utc(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]


def records(
    connection: Connection, cls: type[T], sql: str, params: Sequence[Any] | dict[str, Any] = ()
) -> tuple[T, ...]:
    """The rows of a statement as structs: its columns have the names of the struct's fields."""
    return tuple(cls(**row) for row in rows(connection, sql, params))


def page(
    items: Sequence[T], limit: int, key: Callable[[T], int], most: int = PAGE_BYTES
) -> tuple[tuple[T, ...], str | None]:
    """As many items as fit into ``most`` bytes, and the cursor of the next page (``key`` of the last item), if any.

    ``items`` holds one more than ``limit`` when there are more. An item that is too long for any answer is shortened.
    """
    taken: list[T] = []
    size = 0
    for item in items[:limit]:
        fitting = fit(item, most)
        size += len(msgspec.json.encode(fitting)) + 1
        if taken and size > most:
            break
        taken.append(fitting)
    more = len(taken) < len(items)
    return tuple(taken), str(key(items[len(taken) - 1])) if more and taken else None


def fit(value: T, most: int) -> T:
    """The value in at most ``most`` bytes of JSON: the longest texts are halved, and marked with ``…``, until it fits.

    Raises `Refused` when no text is left to cut.
    """
    encoded = msgspec.json.encode(value)
    if len(encoded) <= most:
        return value
    shortened = msgspec.json.decode(encoded)
    while len(encoded) > most:
        holder, key = _longest(shortened)
        text = holder[key] if holder is not None else ""
        if len(text) < SHORTEST_CUT:
            raise Refused("too-large", "The answer is larger than a message can be: ask for less at once.")
        holder[key] = text[: len(text) // 2] + "…"
        encoded = msgspec.json.encode(shortened)
    return msgspec.json.decode(encoded, type=type(value))


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
