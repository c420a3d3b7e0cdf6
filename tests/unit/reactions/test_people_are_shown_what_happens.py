from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.gateway.reactions import as_github, reactions, reply_of
from shared.contracts import delivery, reply, run, task
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.contracts.messages import Command, Event
from shared.contracts.pull_request import Merge
from shared.contracts.reply import Conclude, EffectKind, Mark, Want
from testing.recorded import NO_BODY, TASK_ID, recorded
from testing.stories import (
    APPROVED_PLAN,
    COMPLETED,
    EXECUTION_REQUESTED,
    FELL_SHORT,
    PLAN_READY,
    PLANNING_REQUESTED,
    QUESTION,
    RUN_SUCCEEDED,
    SUBMITTED,
)

SHOWING = reactions({"github"})
SAID = Signal(
    kind=SignalKind.COMMENT,
    thread="github:1#7",
    opened_at_ms=1_767_000_000_000,
    title="Fix the sum",
    text="@agent fix",
    repo="octo/app",
    url="https://github.com/octo/app/issues/7#issuecomment-55",
    author="ada",
    directive=Word.FIX,
    origin="github:comment/55",
)
IN_REVIEW = task.InReview(attempt=1, commit="c1", branch="b", url="u", pull_request=12, cause=6)
OPENED = replace(SAID, kind=SignalKind.WORK, origin="", url="https://github.com/octo/app/issues/7")


def wants(event: Event, sequence: int = 5) -> list[tuple[str, str]]:
    """Effect and text of everything that is wanted."""
    made = SHOWING(recorded(event, sequence=sequence))
    return [(each.effect, each.text) for each in made if isinstance(each, Want)]


def authorised(signal: Signal) -> delivery.Authorised:
    return delivery.Authorised(signal=signal, permission="write", decided_by="permission")


def accepted(signal: Signal, *, asks: bool) -> delivery.Accepted:
    return delivery.Accepted(
        webhook="github",
        event="issue_comment",
        action="created",
        delivery="d",
        signal=signal,
        body_sha256="",
        body_size=0,
        body=NO_BODY,
        asks_permission=asks,
    )


def test_who_may_ask_sees_at_once_that_we_are_at_work() -> None:
    (mark,) = SHOWING(recorded(authorised(SAID), id="d1"))
    assert mark == Want(
        id=reply_of(SAID),
        effect="reaction/github:comment/55",
        thread="github:1#7",
        repo="octo/app",
        target="github:comment/55",
        text="eyes",
        author="ada",
        url=SAID.url,
        at=recorded(authorised(SAID)).time,
    )
    assert wants(authorised(OPENED)) == [("reaction/thing", "eyes")]


def test_nobody_sees_anything_before_it_is_known_who_may_ask() -> None:
    assert wants(accepted(SAID, asks=True)) == []
    assert wants(accepted(SAID, asks=False)) == [("reaction/github:comment/55", "eyes")]


def test_without_credentials_nobody_is_shown_anything() -> None:
    plain = reactions()
    for event in (accepted(SAID, asks=False), SUBMITTED, PLAN_READY, COMPLETED, authorised(SAID)):
        assert [each for each in plain(recorded(event)) if not isinstance(each, reply.Withdraw)] == []


def test_other_senders_things_are_not_shown_on_github() -> None:
    assert wants(authorised(replace(SAID, thread="acme:7"))) == []
    assert wants(SUBMITTED) == []


@pytest.mark.parametrize("word", [Word.STATUS, Word.HELP])
def test_a_question_about_us_is_answered_and_needs_no_mark(word: Word) -> None:
    asked = replace(SAID, directive=word, argument="one at a time" if word is Word.HELP else "")
    text = "help one at a time" if word is Word.HELP else "status"
    assert wants(authorised(asked)) == [("answer/github:comment/55", text)]


def test_a_refusal_is_seen_at_the_message_and_said_in_a_line() -> None:
    refused = delivery.Refused(code="not-trusted", reason="Ask a writer.", signal=SAID)
    assert wants(refused) == [
        ("reaction/github:comment/55", "confused"),
        ("refusal/github:comment/55", "Ask a writer."),
    ]
    assert wants(replace(refused, signal=None)) == []


def test_an_issue_that_does_not_address_us_is_not_answered() -> None:
    waits = delivery.Refused(code="stranger", reason="Somebody who may has to say it.", signal=OPENED)
    assert wants(waits) == []
    addressed = replace(waits, signal=replace(OPENED, mentioned=True))
    assert [effect for effect, _ in wants(addressed)] == ["reaction/thing", "refusal/thing"]


def test_what_the_task_refuses_is_told_where_it_was_said() -> None:
    expected = [("reaction/o", "confused"), ("refusal/o", "The plan is older.")]
    told = task.ActionRefused(action="approve", code="approval-stale", reason="The plan is older.", origin="o")
    assert wants(told) == expected
    wish = task.FollowUpRefused(text="More", author="ada", code="c", reason="The plan is older.", origin="o")
    assert wants(wish) == expected
    assert wants(replace(told, origin="")) == [("refusal/thing", "The plan is older.")]


def test_a_task_of_github_has_one_comment_there() -> None:
    submitted = replace(SUBMITTED, source=task.Source(kind="github", reference="github:1#7", url="u", author="ada"))
    (comment,) = SHOWING(recorded(submitted, sequence=1))
    assert comment == Want(
        id=TASK_ID,
        effect="comment",
        thread="github:1#7",
        repo="octo/app",
        url="u",
        revision=1,
        at=recorded(submitted).time,
    )


@pytest.mark.parametrize(
    "event",
    [
        PLANNING_REQUESTED,
        PLAN_READY,
        task.RevisionRequested(version=1, feedback="Smaller."),
        EXECUTION_REQUESTED,
        QUESTION,
        task.WorkResumed(attempt=1),
        task.StopRequested(stage="executing"),
        task.Edited(text="t", counts=False),
    ],
)
def test_the_comment_follows_what_people_wait_for(event: Event) -> None:
    assert wants(event) == [("comment", "")]


def test_an_edit_that_counts_shows_nothing_new() -> None:
    assert wants(task.Edited(text="t")) == []


def test_a_result_is_published_and_shown() -> None:
    made = SHOWING(recorded(RUN_SUCCEEDED, sequence=5))
    assert [type(each) for each in made] == [reply.Request, Want]


def test_work_that_is_taken_up_again_takes_back_the_marks_that_say_it_was_not_done() -> None:
    event = recorded(task.Retried(stage="executing"), sequence=5)
    assert SHOWING(event) == [Conclude(id=TASK_ID, text=Mark.AT_WORK, revision=7, at=event.time)]


def test_a_review_that_could_not_be_shown_is_wanted_once_more_where_it_was() -> None:
    event = recorded(task.Retried(stage="reviewing", review=2), sequence=8)
    (marks, review, comment) = SHOWING(event)
    assert isinstance(marks, Conclude)
    assert isinstance(review, Want) and isinstance(comment, Want)
    assert (review.effect, review.revision, review.thread) == ("review/2", 8, "")
    assert comment.anew


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (COMPLETED, Mark.DONE),
        (IN_REVIEW, Mark.DONE),
        (task.Answered(attempt=1, answer="42", decided_by="model"), Mark.DONE),
        (FELL_SHORT, Mark.NOT_DONE),
        (task.Declined(attempt=1, reason="No.", decided_by="rules"), Mark.NOT_DONE),
        (task.ApprovalExpired(version=1), Mark.NOT_DONE),
    ],
)
def test_the_end_is_shown_in_the_comment_and_at_every_message(event: Event, mark: Mark) -> None:
    made = SHOWING(recorded(event, sequence=5))
    assert [each.effect for each in made if isinstance(each, Want)] == ["comment"]
    at = recorded(event).time
    assert [each for each in made if isinstance(each, Conclude)] == [Conclude(id=TASK_ID, text=mark, revision=7, at=at)]


@pytest.mark.parametrize(
    ("event", "then"),
    [
        (task.Approved(plan=APPROVED_PLAN, origin="o"), []),
        (task.GoingOn(origin="o"), []),
        (task.StopRequested(stage="planning", origin="o"), ["comment"]),
        (task.Rejected(version=1, origin="o"), ["comment"]),
    ],
)
def test_a_decision_is_seen_to_be_heard(event: Event, then: list[str]) -> None:
    (decided, *others) = wants(event)
    assert decided == ("reaction/o", "+1")
    assert [effect for effect, _ in others] == then


def test_a_conclusion_changes_each_mark_it_names() -> None:
    event = recorded(reply.Concluded(effects=("reaction/a", "reaction/b"), text=Mark.DONE, revision=9))
    commands: list[Command] = [
        Want(id=TASK_ID, effect=effect, text="rocket", revision=9, at=event.time)
        for effect in ("reaction/a", "reaction/b")
    ]
    assert SHOWING(event) == commands


def test_a_published_commit_gets_its_check() -> None:
    posted = reply.Posted(effect="branch/1", attempt=1, commit="c1", branch="b", url="u", pull_request=12)
    assert wants(posted) == [("check/c1", "branch/1")]
    assert wants(replace(posted, pull_request=0)) == []


def on_both(sender: str, kind: EffectKind | None, text: str) -> bool:
    """GitHub as it is, and a Jira whose issues have statuses and no reactions."""
    return kind is not EffectKind.REACTION if sender == "jira" else as_github(sender, kind, text)


@pytest.mark.parametrize(
    ("event", "states"),
    [
        (PLANNING_REQUESTED, ["working"]),
        (EXECUTION_REQUESTED, ["working"]),
        (PLAN_READY, []),
        (IN_REVIEW, ["review"]),
        (COMPLETED, ["review"]),
        (replace(COMPLETED, pull_request=12, merge=Merge(by="grace")), ["done"]),
        (FELL_SHORT, []),
    ],
)
def test_a_thing_with_a_status_says_how_far_the_work_is(event: Event, states: list[str]) -> None:
    made = reactions({"github", "jira"}, on_both)(recorded(event))
    wanted = [each for each in made if isinstance(each, Want)]
    assert [each.text for each in wanted if each.effect == "state"] == states
    assert {each.only for each in wanted if each.effect == "state"} <= {("jira",)}
    assert {each.only for each in wanted if each.effect == "comment"} <= {()}
    assert [each.text for each in wanted if each.effect == "link/12"] == (["u"] if event is IN_REVIEW else [])
    assert not [each for each in SHOWING(recorded(event)) if isinstance(each, Want) and each.effect == "state"]


@pytest.mark.parametrize(("ms", "seconds"), [(999, []), (61_500, ["61"])])
def test_what_an_agent_has_worked_is_for_work_logs(ms: int, seconds: list[str]) -> None:
    for event in (
        run.Succeeded(round=1, attempt=3, summary="", duration_ms=ms),
        run.Failed(round=1, attempt=3, code="c", message="m", duration_ms=ms),
        run.Stopped(round=1, attempt=3, duration_ms=ms),
    ):
        made = reactions({"github", "jira"}, on_both)(recorded(event))
        wanted = [each for each in made if isinstance(each, Want)]
        assert [(each.effect, each.text, each.only) for each in wanted] == [
            ("work-log/3", text, ("jira",)) for text in seconds
        ]
        assert reactions({"github"})(recorded(event)) == []


def test_marks_are_for_senders_that_have_them() -> None:
    (mark,) = reactions({"github", "jira"}, on_both)(recorded(authorised(SAID), id="d1"))
    assert isinstance(mark, Want) and mark.only == ("github",)
    assert reactions({"jira"}, on_both)(recorded(authorised(replace(SAID, thread="jira:s#7")), id="d1")) == []
