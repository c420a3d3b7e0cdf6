from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from shared.contracts.task import (
    Answered,
    Approval,
    Cancelled,
    Declined,
    Directive,
    ExecutionRequested,
    FollowedUp,
    FollowUp,
    PlanReady,
    RecordPlanReady,
    RecordTriage,
    RequestExecution,
    RequestPlanning,
    RequestTriage,
    Retried,
    Source,
    Status,
    Submit,
    Submitted,
    Triaged,
    TriageRequested,
    Verdict,
)
from shared.contracts.usage import ModelUsage
from testing.given import given
from testing.recorded import A_DAY
from testing.stories import (
    BASE,
    COMPLETED,
    DIGEST,
    PLANNING,
    PLANNING_REQUESTED,
    PUBLISHING,
    RECEIVED,
    SUBMITTED,
    TRIAGED,
)

SUBMIT = Submit(title="Fix the sum", text="1 + 1 gives 3.", source=Source(kind="api"), repo="octo/app")


def verdict(verdict: Verdict, attempt: int = 1, repo: str = "octo/app") -> RecordTriage:
    return RecordTriage(
        attempt=attempt,
        verdict=verdict,
        decided_by="rules",
        reason="A bug.",
        work_kind="bug",
        risk="low",
        repo=repo,
        base_commit=BASE,
        answer="42",
        usage=(ModelUsage(model="small", input_tokens=7),) if verdict is Verdict.ANSWER else (),
    )


def asked_for(directive: Directive, approval: Approval = Approval.REQUIRED) -> tuple[Submitted, TriageRequested]:
    submitted = Submitted(
        title="Fix the sum",
        text="",
        source=Source(kind="api"),
        repo="octo/app",
        directive=directive,
        approval=approval,
        session_id="session-1",
    )
    return submitted, TriageRequested(attempt=1)


def verdict_on(directive: Directive, approval: Approval, given_verdict: Verdict) -> object:
    state = given(DECIDER, *asked_for(directive, approval)).state
    event = DECIDER.decide(state, verdict(given_verdict))
    return getattr(event, "verdict", None)


def test_a_submitted_task_is_received() -> None:
    given(DECIDER).when(SUBMIT).then(SUBMITTED)
    assert given(DECIDER, SUBMITTED).state.status is Status.RECEIVED


@pytest.mark.parametrize("blank", ["", " \n\t", "\u200b\u200b", "\x00"])
def test_a_task_that_says_nothing_is_not_opened(blank: str) -> None:
    given(DECIDER).when(replace(SUBMIT, title="", text=blank)).is_rejected("text-empty")
    given(DECIDER).when(replace(SUBMIT, title=blank, text="")).is_rejected("text-empty")
    given(DECIDER).when(replace(SUBMIT, text=blank)).then(replace(SUBMITTED, text=blank))


def test_the_same_task_submitted_again_is_still_one_task() -> None:
    given(DECIDER, SUBMITTED).when(SUBMIT).nothing()
    given(DECIDER, *PLANNING).when(SUBMIT).nothing()


def test_a_received_task_is_triaged_once_however_often_that_is_asked_for() -> None:
    given(DECIDER, SUBMITTED).when(RequestTriage()).then(TriageRequested(attempt=1))
    given(DECIDER, *RECEIVED).when(RequestTriage()).nothing()
    given(DECIDER, *PLANNING).when(RequestTriage()).nothing()


def test_a_verdict_to_plan_leads_to_planning() -> None:
    given(DECIDER, *RECEIVED).when(verdict(Verdict.PLAN)).then(TRIAGED)
    given(DECIDER, *RECEIVED, TRIAGED).when(RequestPlanning()).then(PLANNING_REQUESTED)
    given(DECIDER, *RECEIVED, TRIAGED).when(RequestExecution()).nothing()


def test_planning_is_asked_for_once() -> None:
    given(DECIDER, *PLANNING).when(RequestPlanning()).nothing()


def test_a_question_is_answered_and_that_is_its_end() -> None:
    answered = Answered(
        attempt=1,
        answer="42",
        decided_by="rules",
        usage=(ModelUsage(model="small", input_tokens=7),),
        session_id="session-1",
    )
    story = asked_for(Directive.AUTO)
    given(DECIDER, *story).when(verdict(Verdict.ANSWER)).then(answered)
    assert given(DECIDER, *story, answered).state.status is Status.COMPLETED


def test_a_declined_task_says_why() -> None:
    declined = Declined(attempt=1, reason="A bug.", decided_by="rules")
    given(DECIDER, *RECEIVED).when(verdict(Verdict.DECLINE)).then(declined)
    assert given(DECIDER, *RECEIVED, declined).state.status is Status.DECLINED


def test_a_verdict_told_twice_counts_once() -> None:
    given(DECIDER, *RECEIVED, TRIAGED).when(verdict(Verdict.PLAN)).nothing()


def test_a_verdict_for_a_task_that_was_stopped_meanwhile_changes_nothing() -> None:
    given(DECIDER, *RECEIVED, Cancelled()).when(verdict(Verdict.PLAN)).nothing()


def test_a_verdict_of_an_older_triage_is_refused() -> None:
    again = (*RECEIVED, Cancelled(), Retried(stage="triage"), TriageRequested(attempt=2))
    given(DECIDER, *again).when(verdict(Verdict.PLAN, attempt=1)).is_rejected("attempt-stale")


@pytest.mark.parametrize("approval", [Approval.REQUIRED, Approval.AUTO])
@pytest.mark.parametrize("triage", [Verdict.PLAN, Verdict.IMPLEMENT])
def test_what_a_person_asked_for_in_so_many_words_goes_before_the_verdict(approval: Approval, triage: Verdict) -> None:
    assert verdict_on(Directive.IMPLEMENT, approval, triage) is Verdict.IMPLEMENT
    assert verdict_on(Directive.PLAN, approval, triage) is Verdict.PLAN


@pytest.mark.parametrize("directive", Directive)
@pytest.mark.parametrize("triage", [Verdict.PLAN, Verdict.IMPLEMENT])
def test_where_a_plan_always_waits_nobody_is_spared_it(directive: Directive, triage: Verdict) -> None:
    assert verdict_on(directive, Approval.ALWAYS, triage) is Verdict.PLAN
    # Also where the task was opened under another policy, or by a client that knows none.
    state = given(DECIDER, *asked_for(directive, Approval.AUTO)).state
    triaged = DECIDER.decide(state, replace(verdict(triage), approval=Approval.ALWAYS))
    assert isinstance(triaged, Triaged)
    assert triaged.verdict is Verdict.PLAN


def test_where_a_plan_always_waits_it_is_not_approved_by_the_policy_and_may_expire() -> None:
    opened = replace(SUBMITTED, approval=Approval.AUTO)
    report = RecordPlanReady(
        version=1, digest=DIGEST, base_commit=BASE, cause=3, expires_at=A_DAY, approval=Approval.ALWAYS
    )
    ready = DECIDER.decide(given(DECIDER, opened, *PLANNING[1:]).state, report)
    assert isinstance(ready, PlanReady)
    assert (ready.approval, ready.expires_at) == (Approval.ALWAYS, A_DAY)


def test_where_a_plan_always_waits_a_further_wish_to_implement_is_planned_too() -> None:
    wish = FollowUp(text="More.", directive=Directive.IMPLEMENT, approval=Approval.ALWAYS)
    again = DECIDER.decide(given(DECIDER, *PUBLISHING, COMPLETED).state, wish)
    assert isinstance(again, FollowedUp)
    assert (again.verdict, again.stage) == (Verdict.PLAN, "planning")


def test_a_verdict_alone_skips_the_plan_only_where_the_policy_waived_the_approval() -> None:
    assert verdict_on(Directive.AUTO, Approval.AUTO, Verdict.IMPLEMENT) is Verdict.IMPLEMENT
    assert verdict_on(Directive.AUTO, Approval.REQUIRED, Verdict.IMPLEMENT) is Verdict.PLAN


def test_a_task_to_implement_at_once_is_executed_without_a_plan() -> None:
    story = asked_for(Directive.IMPLEMENT)
    triaged = DECIDER.decide(given(DECIDER, *story).state, verdict(Verdict.IMPLEMENT))
    assert triaged is not None
    (
        given(DECIDER, *story, triaged)
        .when(RequestExecution())
        .then(ExecutionRequested(round=1, repo="octo/app", base_commit=BASE, title="Fix the sum", text=""))
    )


def test_triage_finds_the_repository_but_never_moves_a_task_to_another() -> None:
    assert TRIAGED.repo == "octo/app"
    given(DECIDER, *RECEIVED).when(verdict(Verdict.PLAN, repo="evil/app")).then(TRIAGED)
