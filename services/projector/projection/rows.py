"""The rows of the read models: one frozen struct for each table, its fields in the order of ``schema.sql``."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of one table. Times are in UTC."""


class TaskRow(Row, frozen=True, kw_only=True, gc=False):
    """A task with what its plan and its run say about it.

    ``working_since`` is set while an agent is at work, ``paused_until`` while the task is paused;
    ``approved_version`` is that of the approved plan, or 0. ``has_result``: a commit was made that is not published;
    ``ended_in`` is the stage in which the task failed or was stopped; ``cancelled_how`` is ``stopped``, ``rejected``,
    ``expired`` or empty. ``pull_request`` is the number of the newest that had a result, ``merged_by`` who has merged
    it and ``reverted_by`` who has taken that back; ``attention`` says why it does not get on without a person;
    ``caught_up_with`` is the commit of its base that it was brought up to date with after its evidence was observed.
    """

    id: str
    created_seq: int
    created_at: datetime
    updated_seq: int
    updated_at: datetime
    version: int
    status: str
    stopping: bool = False
    title: str
    text: str
    source_kind: str
    source_reference: str
    source_url: str
    source_author: str
    requester: str
    repo: str
    base_commit: str = ""
    directive: str
    approval: str
    session_id: str
    parent: str
    agent: str
    worker: str = ""
    working_since: datetime | None = None
    verdict: str = ""
    risk: str = ""
    work_kind: str = ""
    triage_reason: str = ""
    decided_by: str = ""
    answer: str = ""
    summary: str = ""
    plan_status: str = ""
    plan_version: int = 0
    approved_version: int = 0
    run_status: str = ""
    round: int = 0
    attempt: int = 0
    question: str = ""
    commit: str = ""
    branch: str = ""
    result_url: str = ""
    pull_request: int = 0
    merge_commit: str = ""
    merged_by: str = ""
    reverted_by: str = ""
    attention: str = ""
    caught_up_with: str = ""
    error_code: str = ""
    error_message: str = ""
    paused_until: datetime | None = None
    evidence: str = ""
    outcome: str = ""
    has_result: bool = False
    ended_in: str = ""
    cancelled_how: str = ""
    cancelled_by: str = ""
    cancelled_reason: str = ""
    cost_microusd: int = 0
    tokens: int = 0


class PlanRow(Row, frozen=True, kw_only=True, gc=False):
    """One proposed version of a plan."""

    task_id: str
    version: int
    digest: str
    base_commit: str
    markdown: str
    summary: str
    attempt: int
    duration_ms: int
    proposed_at: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None


class RunRow(Row, frozen=True, kw_only=True, gc=False):
    """One attempt of a run, with what it made, also where that falls short.

    ``checks``, ``setup``, ``files``, ``notes`` and ``options`` are JSON lists, ``diff`` is a JSON object or null.
    """

    task_id: str
    attempt: int
    round: int
    status: str
    worker: str
    session: str
    cli_version: str = ""
    model: str = ""
    turn: int = 0
    claimed_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int = 0
    summary: str = ""
    commit: str = ""
    branch: str = ""
    checks: str = "[]"
    files: str = "[]"
    diff: str = "null"
    evidence: str = ""
    outcome: str = ""
    tree: str = ""
    checked_commit: str = ""
    setup: str = "[]"
    notes: str = "[]"
    question: str = ""
    options: str = "[]"
    error_code: str = ""
    error_message: str = ""


class UsageRow(Row, frozen=True, kw_only=True, gc=False):
    """One usage item of one event; ``item`` is its index there. ``agent`` is brain, planner or executor."""

    seq: int
    item: int
    task_id: str
    day: date
    agent: str
    model: str
    requester: str
    session_id: str
    repo: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_microusd: int
    priced: bool


class TimelineRow(Row, frozen=True, kw_only=True, gc=False):
    """One event. ``data`` is its JSON as it stands in the log; ``task_id`` is empty where no task is concerned.

    ``time`` is in UTC and does not say so.
    """

    seq: int
    task_id: str
    kind: str
    actor_id: str
    event: str
    version: int
    time: datetime | None
    principal: str
    data: str


class UnreadRow(Row, frozen=True, kw_only=True, gc=False):
    """An event that could not be read or folded."""

    seq: int
    subject: str
    reason: str


class DeliveryRow(Row, frozen=True, kw_only=True, gc=False):
    """An accepted webhook; ``task_id`` is the id that its thread's task has, if there is one."""

    seq: int
    id: str
    webhook: str
    event: str
    action: str
    delivery: str
    thread: str
    author: str
    task_id: str
    received_at: datetime


class LineRow(Row, frozen=True, kw_only=True, gc=False):
    """One event of a conversation; ``author`` is empty for the brain's own. ``data`` is the event's JSON."""

    seq: int
    session_id: str
    event: str
    author: str
    principal: str
    text: str
    task_id: str
    message_id: str
    data: str
    said_at: datetime


TABLES: dict[str, type[Row]] = {
    "tasks": TaskRow,
    "plans": PlanRow,
    "runs": RunRow,
    "usage": UsageRow,
    "timeline": TimelineRow,
    "unread": UnreadRow,
    "deliveries": DeliveryRow,
    "session_lines": LineRow,
}
"""Every table but the checkpoint."""
