"""Conversations."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from services.projector.queries.params import PAGE_BYTES, Connection, Place, Refused, page, read_cursor, records, rows
from shared.contracts.queries import (
    GetSession,
    ListSessions,
    Session,
    SessionAnswer,
    SessionEntry,
    SessionLine,
    SessionPage,
    SessionSummary,
)

MOST_LINES: Final = 200
MOST_ENTRIES: Final = 400
FIRST_WORDS: Final = 80

LINES: Final = "event IN ('said', 'asked', 'answer-recorded', 'answered', 'interrupted') AND text <> ''"
ANSWERS: Final = "event IN ('answered', 'failed', 'interrupted')"

SUMMARIES: Final = f"""
    SELECT session_id AS id,
        coalesce(
            nullif(arg_max(text, seq) FILTER (event = 'renamed'), ''),
            left(arg_min(text, seq) FILTER (event IN ('said', 'asked')), {FIRST_WORDS}),
            ''
        ) AS title,
        coalesce(arg_max(event, seq) FILTER (event IN ('archived', 'unarchived')) = 'archived', false) AS archived,
        coalesce(arg_min(author, seq) FILTER (event IN ('said', 'asked')), '') AS started_by,
        min(said_at) AS started_at,
        max(seq) AS updated_seq,
        max(said_at) AS updated_at,
        min(seq) AS first_seq,
        count(*) FILTER ({LINES}) AS messages,
        (count(*) FILTER (event = 'asked') - count(*) FILTER ({ANSWERS})) AS waiting,
        (count(*) FILTER (event = 'proposed') - count(*) FILTER (event IN ('confirmed', 'dismissed'))) AS undecided,
        count(DISTINCT task_id) FILTER (event IN ('said', 'confirmed') AND task_id <> '') AS tasks
    FROM session_lines {{where}} GROUP BY session_id
"""
COST: Final = "(SELECT coalesce(sum(cost_microusd), 0)::BIGINT FROM usage WHERE usage.session_id = summary.id)"


def answer(connection: Connection, asked: GetSession, place: Place) -> SessionAnswer:
    """The newest 200 lines and events (fewer when they are long), oldest first; refused as ``not-found``."""
    found = rows(
        connection,
        f"SELECT id, title, archived, first_seq, {COST} AS cost_microusd"
        f" FROM ({SUMMARIES.format(where='WHERE session_id = ?')}) AS summary",
        [asked.id],
    )
    if not found:
        raise Refused("not-found", f"There is no session {asked.id}.")
    lines = records(
        connection,
        SessionLine,
        f"SELECT author, text, task_id, said_at AS at, seq FROM session_lines WHERE session_id = ? AND {LINES}"
        " ORDER BY seq DESC LIMIT ?",
        [asked.id, MOST_LINES],
    )
    entries = rows(
        connection,
        "SELECT seq, event, said_at AS at, author, principal, message_id, task_id, data FROM session_lines"
        " WHERE session_id = ? AND (? = 0 OR seq < ?) ORDER BY seq DESC LIMIT ?",
        [asked.id, asked.before, asked.before, MOST_ENTRIES],
    )
    kept, _ = page([_entry(each) for each in entries], MOST_ENTRIES, lambda entry: entry.seq, PAGE_BYTES * 2 // 3)
    # Both are in one answer: the lines are for clients that know no entries.
    short, _ = page(lines, MOST_LINES, lambda line: line.seq, PAGE_BYTES // 3) if not asked.before else ((), None)
    return SessionAnswer(seq=place.seq, session=Session(lines=short[::-1], entries=kept[::-1], **found[0]))


def _entry(row: dict[str, Any]) -> SessionEntry:
    return SessionEntry(**{**row, "data": msgspec.Raw(row["data"].encode())})


def answer_list(connection: Connection, asked: ListSessions, place: Place) -> SessionPage:
    """A page of conversations, the one that changed last first."""
    before = read_cursor(asked.cursor) if asked.cursor else 0
    found = records(
        connection,
        SessionSummary,
        "SELECT id, title, archived, started_by, started_at, updated_seq, updated_at, messages, waiting, undecided,"
        f" tasks, {COST} AS cost_microusd FROM ({SUMMARIES.format(where='')}) AS summary"
        " WHERE archived = ? AND (? = 0 OR updated_seq < ?) AND (? = '' OR started_by = ?)"
        " AND (? = '' OR contains(lower(title), lower(?)) OR id IN"
        "   (SELECT session_id FROM session_lines WHERE contains(lower(text), lower(?))))"
        " ORDER BY updated_seq DESC LIMIT ?",
        [
            asked.archived,
            *(before, before),
            *(asked.author, asked.author),
            *(asked.q, asked.q, asked.q),
            asked.limit + 1,
        ],
    )
    items, cursor = page(found, asked.limit, lambda each: each.updated_seq)
    return SessionPage(seq=place.seq, items=items, next_cursor=cursor)
