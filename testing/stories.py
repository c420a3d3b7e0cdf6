"""Histories to begin a test from: what happened to a task up to some moment, told by its own events."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import ArtifactRef, digest_of
from shared.contracts.task import (
    Approved,
    ApprovedPlan,
    Completed,
    ExecutionRequested,
    Failed,
    PlanningRequested,
    PlanReady,
    QuestionAsked,
    Result,
    RunSucceeded,
    Source,
    Submitted,
    TaskEvent,
    Triaged,
    TriageRequested,
    Verdict,
)

BASE: Final = "c0ffee00" * 5
DIGEST: Final = digest_of("# Plan 1")

SUBMITTED: Final = Submitted(title="Fix the sum", text="1 + 1 gives 3.", source=Source(kind="api"), repo="octo/app")
TRIAGED: Final = Triaged(
    attempt=1,
    verdict=Verdict.PLAN,
    decided_by="rules",
    reason="A bug.",
    title="Fix the sum",
    work_kind="bug",
    risk="low",
    repo="octo/app",
    base_commit=BASE,
)
PLANNING_REQUESTED: Final = PlanningRequested(
    repo="octo/app", base_commit=BASE, title="Fix the sum", text="1 + 1 gives 3."
)
PLAN_READY: Final = PlanReady(version=1, digest=DIGEST, base_commit=BASE, summary="Add right.", cause=3)
APPROVED_PLAN: Final = ApprovedPlan(version=1, digest=DIGEST, base_commit=BASE)
EXECUTION_REQUESTED: Final = ExecutionRequested(
    round=1, repo="octo/app", base_commit=BASE, title="Fix the sum", text="1 + 1 gives 3.", plan=APPROVED_PLAN
)
QUESTION: Final = QuestionAsked(attempt=1, question="Which sum?", cause=4)
BUNDLE: Final = ArtifactRef(name="bundle", sha256="0" * 64, size=1)
RUN_SUCCEEDED: Final = RunSucceeded(
    attempt=1,
    repo="octo/app",
    base_commit=BASE,
    commit="c1",
    branch="journeyman/x",
    summary="Added right.",
    bundle=BUNDLE,
    tree="t1",
    evidence=Evidence.VERIFIED,
    outcome=Outcome.CHANGED,
    cause=5,
)
RESULT: Final = Result(
    commit="c1",
    branch="journeyman/x",
    bundle=BUNDLE,
    tree="t1",
    evidence=Evidence.VERIFIED,
    summary="Added right.",
    attempt=1,
)
KEPT: Final = replace(RESULT, evidence=Evidence.FAILING, summary="Added, but wrong.")
FELL_SHORT: Final = Failed(stage="executing", code="checks-failed", message="pytest fails.", cause=5, result=KEPT)
UNPUBLISHED: Final = Failed(stage="publishing", code="branch-taken", message="The branch is taken.", cause=6)
COMPLETED: Final = Completed(
    summary="Added right.",
    commit="c1",
    branch="journeyman/x",
    evidence=Evidence.VERIFIED,
    outcome=Outcome.CHANGED,
    cause=6,
)

RECEIVED: Final[tuple[TaskEvent, ...]] = (SUBMITTED, TriageRequested(attempt=1))
PLANNING: Final[tuple[TaskEvent, ...]] = (*RECEIVED, TRIAGED, PLANNING_REQUESTED)
AWAITING: Final[tuple[TaskEvent, ...]] = (*PLANNING, PLAN_READY)
EXECUTING: Final[tuple[TaskEvent, ...]] = (*AWAITING, Approved(plan=APPROVED_PLAN), EXECUTION_REQUESTED)
WAITING: Final[tuple[TaskEvent, ...]] = (*EXECUTING, QUESTION)
PUBLISHING: Final[tuple[TaskEvent, ...]] = (*EXECUTING, RUN_SUCCEEDED)
