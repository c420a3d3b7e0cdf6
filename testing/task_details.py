"""Tasks as the read models tell them, for tests of what people are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.contracts.evidence import Check, CheckVerdict, Evidence, Note, NoteKind, Outcome
from shared.contracts.messages import digest_of
from shared.contracts.queries import PlanVersion, RunAttempt, TaskDetail, TaskSource
from shared.contracts.rules import Standing, actions
from shared.contracts.run import FileChange
from shared.contracts.sentences.evidence import observed
from shared.contracts.task import Status
from testing.recorded import TASK_ID

OPENED: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLAN: Final = """# Fix the sum

`app.add` subtracts. I will:

1. Add a test that fails: `test_add.py`
2. Mend `add` in `app.py`
3. Run `pytest -q`

No other file changes."""
ISSUE_URL: Final = "https://github.com/octo/app/issues/7"
PULL_URL: Final = "https://github.com/octo/app/pull/12"

CHECKS: Final = (
    Check(
        command="pytest -q",
        exit_code=0,
        duration_ms=12_345,
        output_sha256="ab12cd34" * 8,
        verdict=CheckVerdict.PASSED,
        output_size=100,
    ),
    Check(
        command="ruff check . | tee log",
        exit_code=1,
        duration_ms=400,
        output_sha256="0f" * 32,
        verdict=CheckVerdict.FAILED_BEFORE,
        reason="fails at the base in the same way.",
    ),
)
RED: Final = (
    Check(
        command="pytest -q",
        exit_code=1,
        duration_ms=72_000,
        output_sha256="ab12cd34" * 8,
        verdict=CheckVerdict.FAILED,
        reason="1 test fails anew",
        new_failures=("test_add.py::test_adds_negative_numbers",),
        failing_lines=("test_add.py:7: AssertionError",),
    ),
)


def a_plan(markdown: str = PLAN, *, version: int = 1, by: str | None = None) -> PlanVersion:
    return PlanVersion(
        version=version,
        digest=digest_of(markdown),
        base_commit="c0ffee00" * 5,
        markdown=markdown,
        summary="Mend add.",
        at=OPENED,
        approved_at=OPENED if by else None,
        approved_by=by,
    )


def a_run(status: str = "succeeded", *, checks: tuple[Check, ...] = CHECKS, **fields: Any) -> RunAttempt:
    evidence = fields.pop("evidence", Evidence.NO_NEW_FAILURES)
    return RunAttempt(
        **{
            "status": status,
            "round": 1,
            "attempt": 1,
            "duration_ms": 200_000,
            "summary": "`add` adds now; a test shows it.",
            "commit": "c1" * 20,
            "branch": "journeyman/fix",
            "checks": checks,
            "files": (
                FileChange(path="app.py", added=1, removed=1),
                FileChange(path="test_add.py", added=7, removed=0),
            ),
            "evidence": evidence,
            "outcome": Outcome.CHANGED,
            "tree": "d2" * 20,
            "checked_commit": "c1" * 20,
            "notes": (Note(kind=NoteKind.JUDGE_CHANGED, sentence="test_add.py, which judges this work, is new."),),
            "observed": observed(evidence or None, checks),
            **fields,
        }
    )


def a_task(status: Status = Status.RECEIVED, **fields: Any) -> TaskDetail:
    """A task of GitHub that stands so."""
    at = fields.pop("updated_at", OPENED + timedelta(minutes=12))
    standing = Standing(status=status, result=fields.get("has_result", False), ended_in=fields.get("ended_in", ""))
    return TaskDetail(
        **{
            "id": TASK_ID,
            "title": "Fix the sum",
            "status": status,
            "stopping": False,
            "source": TaskSource(kind="github", reference="github:1#7", url=ISSUE_URL, author="ada"),
            "repo": "octo/app",
            "created_seq": 1,
            "created_at": OPENED,
            "updated_at": at,
            "plan_version": 0,
            "round": 0,
            "attempt": 0,
            "agent": "",
            "worker": "",
            "cost_microusd": 123_400,
            "tokens": 4_000,
            "branch": "",
            "commit": "",
            "error_code": "",
            "error_message": "",
            "question": "",
            "version": 5,
            "text": "1 + 1 gives 0.",
            "requester": "github:ada",
            "base_commit": "c0ffee00" * 5,
            "directive": "plan",
            "approval": "required",
            "session_id": "",
            "parent": "",
            "working_since": None,
            "verdict": "plan",
            "risk": "low",
            "work_kind": "bug",
            "triage_reason": "",
            "decided_by": "rules",
            "answer": "",
            "summary": "",
            "plan_status": "",
            "result_url": "",
            "plans": (),
            "run": None,
            "usage": (),
            "actions": actions(standing),
            **fields,
        }
    )


APPROVED: Final = (a_plan(by="github:grace"),)
STORIES: Final[dict[str, TaskDetail]] = {
    "received": a_task(),
    "planning": a_task(Status.PLANNING),
    "awaiting approval": a_task(Status.AWAITING_APPROVAL, plans=(a_plan(),)),
    "executing": a_task(
        Status.EXECUTING,
        plans=APPROVED,
        approved_version=1,
        round=2,
        run=a_run("running", round=2, observed="", checks=(), evidence=""),
    ),
    "waiting": a_task(
        Status.WAITING_INPUT,
        plans=APPROVED,
        approved_version=1,
        round=1,
        run=a_run(
            "waiting-input",
            question="Shall `add` take strings, too? @ada may know.",
            options=("Yes", "No"),
            evidence="",
            observed="",
        ),
    ),
    "paused": a_task(
        Status.PAUSED, paused_until=OPENED + timedelta(hours=1), error_message="The usage limit is reached.", round=1
    ),
    "publishing": a_task(
        Status.PUBLISHING,
        plans=APPROVED,
        approved_version=1,
        round=1,
        run=a_run(),
        evidence="no-new-failures",
        summary="`add` adds now.",
    ),
    "in review": a_task(
        Status.IN_REVIEW,
        plans=APPROVED,
        approved_version=1,
        round=1,
        run=a_run(),
        evidence="no-new-failures",
        summary="`add` adds now; a test shows it. cc @ada, fixes #7",
        pull_request=12,
        result_url=PULL_URL,
        branch="journeyman/fix",
        commit="c1" * 20,
    ),
    "person needed": a_task(
        Status.IN_REVIEW,
        plans=APPROVED,
        approved_version=1,
        round=4,
        run=a_run(round=4),
        evidence="no-new-failures",
        pull_request=12,
        result_url=PULL_URL,
        commit="c1" * 20,
        attention="The check ci/tests fails after 3 rounds: look at it, or say what to do.",
    ),
    "merged": a_task(
        Status.COMPLETED,
        plans=APPROVED,
        approved_version=1,
        round=1,
        run=a_run(),
        evidence="no-new-failures",
        summary="`add` adds now.",
        pull_request=12,
        result_url=PULL_URL,
        merged_by="grace",
        commit="c1" * 20,
    ),
    "fell short": a_task(
        Status.FAILED,
        ended_in="executing",
        has_result=True,
        plans=APPROVED,
        approved_version=1,
        round=1,
        evidence="failing",
        run=a_run("failed", checks=RED, evidence=Evidence.FAILING),
        error_code="checks-failed",
        error_message="The work breaks `pytest -q`: see what fails anew, then say what to do differently.",
    ),
    "not published": a_task(
        Status.FAILED,
        ended_in="publishing",
        has_result=True,
        round=1,
        verdict="implement",
        run=a_run(),
        error_code="paths-protected",
        error_message="The result changes `.github/workflows/ci.yml`, which is protected. Take it over by hand.",
    ),
    "rejected": a_task(
        Status.CANCELLED,
        plans=(a_plan(),),
        cancelled_how="rejected",
        cancelled_by="github:grace",
        cancelled_reason="Too large.",
    ),
    "declined": a_task(Status.DECLINED, triage_reason="This is about another repository."),
    "answered": a_task(
        Status.COMPLETED,
        outcome="answered",
        answer="Because `add` subtracts.\n\n```py\ndef add(a, b): return a - b\n```",
    ),
}
"""A task in every state that people read about, by its name."""
