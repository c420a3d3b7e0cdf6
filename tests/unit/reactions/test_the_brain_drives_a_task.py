from __future__ import annotations

from datetime import timedelta

import pytest

from services.brain.policy import ReactionPolicy
from services.brain.reactions import reactions
from shared.contracts import plan, reply, run, session, task
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Command, Event
from testing.recorded import A_DAY, TASK_ID, recorded
from testing.stories import BASE, BUNDLE, DIGEST, PLAN_READY, SUBMITTED, TRIAGED

react = reactions(ReactionPolicy())
SETTLED = ReactionPolicy().checks_settle_by(A_DAY)


def after(event: Event, sequence: int = 7) -> list[Command]:
    return react(recorded(event, sequence=sequence))


def followed_up(stage: str) -> task.FollowedUp:
    return task.FollowedUp(text="And mind the spaces.", author="ada", stage=stage, base_commit=BASE)


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (SUBMITTED, task.RequestTriage(id=TASK_ID)),
        (TRIAGED, task.RequestPlanning(id=TASK_ID)),
        (
            task.Approved(plan=task.ApprovedPlan(version=1, digest="", base_commit="")),
            task.RequestExecution(id=TASK_ID),
        ),
        (task.Retried(stage="triage"), task.RequestTriage(id=TASK_ID)),
        (task.Retried(stage="planning"), task.RequestPlanning(id=TASK_ID)),
        (task.Retried(stage="executing"), task.RequestExecution(id=TASK_ID)),
        (task.Resumed(stage="triage"), task.RequestTriage(id=TASK_ID)),
        (task.Resumed(stage="planning"), task.RequestPlanning(id=TASK_ID)),
        (task.Resumed(stage="executing"), task.RequestExecution(id=TASK_ID)),
        (followed_up("triage"), task.RequestTriage(id=TASK_ID)),
        (followed_up("planning"), task.RequestPlanning(id=TASK_ID)),
        (followed_up("executing"), task.RequestExecution(id=TASK_ID)),
        (
            plan.Proposed(version=1, digest=DIGEST, base_commit=BASE, markdown="", summary="s", attempt=1),
            task.RecordPlanReady(id=TASK_ID, version=1, digest=DIGEST, base_commit=BASE, summary="s", cause=7),
        ),
        (
            plan.Failed(attempt=1, code="x", message="X."),
            task.RecordFailure(id=TASK_ID, stage="planning", code="x", message="X.", cause=7),
        ),
        (plan.Stopped(attempt=1), task.RecordStopped(id=TASK_ID, stage="planning", cause=7)),
        (
            run.QuestionAsked(attempt=1, request_id="q", question="?", options=("a",)),
            task.RecordQuestion(id=TASK_ID, attempt=1, question="?", options=("a",), cause=7),
        ),
        (run.Resumed(attempt=1), task.RecordWorkResumed(id=TASK_ID, attempt=1, cause=7)),
        (
            run.Claimed(round=1, attempt=2, worker="w", session="s"),
            task.RecordWorkResumed(id=TASK_ID, attempt=2, cause=7),
        ),
        (
            run.Succeeded(
                round=1,
                attempt=2,
                summary="s",
                commit="c",
                branch="b",
                tree="t",
                evidence=Evidence.VERIFIED,
                outcome=Outcome.CHANGED,
            ),
            task.RecordRunSucceeded(
                id=TASK_ID,
                attempt=2,
                commit="c",
                branch="b",
                summary="s",
                tree="t",
                evidence=Evidence.VERIFIED,
                outcome=Outcome.CHANGED,
                due=SETTLED,
                cause=7,
            ),
        ),
        (
            run.Failed(
                round=1,
                attempt=2,
                code="x",
                message="X.",
                evidence=Evidence.FAILING,
                result=run.KeptResult(
                    commit="c", branch="b", bundle=BUNDLE, tree="t", checked_commit="c0", summary="s"
                ),
            ),
            task.RecordFailure(
                id=TASK_ID,
                stage="executing",
                code="x",
                message="X.",
                cause=7,
                result=task.Result(
                    commit="c",
                    branch="b",
                    bundle=BUNDLE,
                    tree="t",
                    evidence=Evidence.FAILING,
                    summary="s",
                    attempt=2,
                ),
            ),
        ),
        (
            run.Failed(round=1, attempt=2, code="x", message="X."),
            task.RecordFailure(id=TASK_ID, stage="executing", code="x", message="X.", cause=7),
        ),
        (run.Stopped(round=1, attempt=2), task.RecordStopped(id=TASK_ID, stage="executing", cause=7)),
        (
            reply.Posted(effect="branch/2", attempt=1, commit="c", branch="b", url="u"),
            task.RecordPublished(
                id=TASK_ID, commit="c", branch="b", url="u", attempt=2, publication=1, due=SETTLED, cause=7
            ),
        ),
        (
            reply.Posted(effect="branch/2/3", attempt=1, commit="signed", branch="b"),
            task.RecordPublished(
                id=TASK_ID, commit="signed", branch="b", attempt=2, publication=3, due=SETTLED, cause=7
            ),
        ),
        (
            reply.Failed(effect="branch/2", attempt=1, code="x", message="X."),
            task.RecordFailure(
                id=TASK_ID, stage="publishing", code="x", message="X.", attempt=2, publication=1, cause=7
            ),
        ),
    ],
)
def test_each_fact_has_its_next_step(event: Event, command: Command) -> None:
    assert after(event) == [command]


def test_a_task_to_implement_at_once_is_executed() -> None:
    implement = task.Triaged(
        attempt=1,
        verdict=task.Verdict.IMPLEMENT,
        decided_by="rules",
        reason="",
        title="",
        work_kind="",
        risk="",
        repo="r",
        base_commit=BASE,
    )
    assert after(implement) == [task.RequestExecution(id=TASK_ID)]


def test_a_plan_waits_for_a_person_unless_the_policy_approves_it() -> None:
    auto = task.PlanReady(version=1, digest=DIGEST, base_commit=BASE, approval=task.Approval.AUTO)
    assert after(PLAN_READY) == []
    assert after(auto) == [task.Approve(id=TASK_ID, version=1, digest=DIGEST, base_commit=BASE)]


def test_an_effect_that_is_no_publication_says_nothing_about_the_task() -> None:
    assert after(reply.Posted(effect="comment/1", attempt=1, commit="", branch="")) == []
    assert after(reply.Failed(effect="comment/1", attempt=1, code="x", message="X.")) == []


def test_what_is_said_in_a_session_becomes_a_task_of_that_session() -> None:
    said = session.Said(
        message="\nWhat is this?\nI mean that.",
        author="user:ada",
        task_id="T9",
        repo="octo/app",
        approval=task.Approval.AUTO,
    )
    assert react(recorded(said, id="session-1")) == [
        task.Submit(
            id="T9",
            title="What is this?",
            text="\nWhat is this?\nI mean that.",
            source=task.Source(kind="chat", reference="session-1", author="user:ada"),
            repo="octo/app",
            approval=task.Approval.AUTO,
            session_id="session-1",
        )
    ]


def test_the_title_of_a_long_message_is_cut() -> None:
    (submit,) = react(recorded(session.Said(message="x" * 500, author="user:ada", task_id="T9"), id="session-1"))
    assert isinstance(submit, task.Submit)
    assert submit.title == "x" * 119 + "…"


def test_the_title_of_a_message_is_its_first_line_that_a_reader_sees() -> None:
    said = session.Said(message="\u200b\n What is this? \nMore.", author="user:ada", task_id="T9")
    (submit,) = react(recorded(said, id="session-1"))
    assert isinstance(submit, task.Submit)
    assert submit.title == "What is this?"


def test_an_answer_goes_back_to_the_session_that_asked() -> None:
    answered = task.Answered(attempt=1, answer="42", decided_by="model", session_id="session-1")
    assert after(answered) == [session.RecordAnswer(id="session-1", task_id=TASK_ID, text="42")]
    assert after(task.Answered(attempt=1, answer="42", decided_by="model")) == []


@pytest.mark.parametrize(
    "failed",
    [
        plan.Failed(attempt=1, code="x", message="X.", retryable=True),
        run.Failed(round=1, attempt=1, code="x", message="X.", retryable=True),
    ],
)
def test_a_failure_that_may_pass_is_reported_with_the_moments_to_try_again(failed: Event) -> None:
    event = recorded(failed)
    (command,) = reactions(ReactionPolicy(waits_s=(1, 2)))(event)
    assert isinstance(command, task.RecordFailure)
    assert command.retries_at == (event.time + timedelta(seconds=1), event.time + timedelta(seconds=2))


def test_a_plan_is_reported_with_the_moment_its_wait_for_approval_ends() -> None:
    event = recorded(plan.Proposed(version=1, digest=DIGEST, base_commit=BASE, markdown="", summary="s", attempt=1))
    (command,) = reactions(ReactionPolicy(approval_timeout_s=60))(event)
    assert isinstance(command, task.RecordPlanReady)
    assert command.expires_at == event.time + timedelta(minutes=1)


def test_a_review_that_is_there_is_asked_of_nobody() -> None:
    assert reactions(ReactionPolicy())(recorded(task.Retried(stage="reviewing", review=2))) == []
