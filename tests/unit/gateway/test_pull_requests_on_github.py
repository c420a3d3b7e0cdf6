"""What happens to pull requests, their reviews and their checks on GitHub, in our words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.gateway.inbound.github import read
from services.gateway.inbound.sender import Ignored, Reading
from shared.contracts.delivery import Signal, SignalKind
from shared.contracts.pull_request import PullFacts, PullState
from shared.contracts.task_of import task_of
from shared.ops.config import Config, Policy
from testing.github_payloads import (
    Json,
    check_run,
    check_suite,
    issue,
    pull_request,
    repository,
    review,
    review_comment,
    status,
    user,
    workflow_run,
)

TASK = "01JX7M3ZK8Q4V9T2B6N5R1C0WD"
BRANCH = f"journeyman/{TASK.lower()}-keep-the-last-line"
CONFIG = Config(policy=Policy(login="agent[bot]", app_id=99, label="agent", bots=("linter[bot]",)))
OURS = {"label": "octo:x", "ref": BRANCH, "sha": "c1" * 20, "repo": repository(), "user": user("octo")}
FORK = OURS | {"repo": repository("eve/app") | {"id": 666}}


def reading(event: str, action: str, **parts: Any) -> Reading:
    named = {"action": action} if action else {}
    payload = named | parts | {"repository": repository()}
    return read(event, json.dumps({"sender": user()} | payload).encode(), CONFIG)


def signal(event: str, action: str, **parts: Any) -> Signal:
    meaning = reading(event, action, **parts).meaning
    assert isinstance(meaning, Signal), meaning
    return meaning


def facts(event: str, action: str, **parts: Any) -> PullFacts:
    found = signal(event, action, **parts).pull
    assert found is not None
    return found


def reason(event: str, action: str, **parts: Any) -> str:
    meaning = reading(event, action, **parts).meaning
    assert isinstance(meaning, Ignored), meaning
    return meaning.reason


def ours(**changes: Any) -> Json:
    return pull_request(head=OURS, user=user("agent[bot]", "Bot"), **changes)


# ---- pull requests


@pytest.mark.parametrize(
    ("action", "changes", "state", "commit"),
    [
        ("closed", {"merged": True, "merge_commit_sha": "aa" * 20}, PullState.MERGED, "aa" * 20),
        ("closed", {"merged": False, "merge_commit_sha": "aa" * 20}, PullState.CLOSED, ""),
        ("reopened", {}, PullState.OPEN, ""),
        ("synchronize", {}, None, ""),
    ],
)
def test_what_becomes_of_a_pull_request_of_ours_is_told_to_the_task_of_its_branch(
    action: str, changes: Json, state: PullState | None, commit: str
) -> None:
    found = signal("pull_request", action, pull_request=ours(**changes))
    assert (found.kind, found.author, task_of(found)) == (SignalKind.PULL_REQUEST, "ada", TASK)
    assert found.pull == PullFacts(number=12, branch=BRANCH, head="c1" * 20, state=state, commit=commit)


def test_a_branch_of_a_fork_is_never_taken_for_ours_whatever_it_is_called() -> None:
    for action in ("closed", "synchronize", "reopened"):
        assert "none of ours" in reason("pull_request", action, pull_request=pull_request(head=FORK))
    assert "none of ours" in reason("pull_request", "closed", pull_request=pull_request(head=OURS | {"repo": None}))
    said = {"review": review(), "pull_request": pull_request(head=FORK)}
    assert "none of ours" in reason("pull_request_review", "submitted", **said)


def test_our_own_push_is_no_news() -> None:
    assert "our own" in reason("pull_request", "synchronize", pull_request=ours(), sender=user("agent[bot]", "Bot"))


def test_whatever_happens_to_a_pull_request_of_ours_may_tell_a_conflict() -> None:
    assert facts("pull_request", "edited", pull_request=ours(mergeable_state="dirty")).conflict
    assert facts("pull_request", "synchronize", pull_request=ours(mergeable_state="dirty")).conflict
    assert "changes nothing" in reason("pull_request", "edited", pull_request=ours(mergeable_state="clean"))
    assert "changes nothing" in reason("pull_request", "edited", pull_request=pull_request(mergeable_state="dirty"))


def test_a_merge_that_takes_ours_back_is_told_to_our_task() -> None:
    head = OURS | {"ref": f"revert-12-{BRANCH}"}
    found = signal("pull_request", "closed", pull_request=pull_request(number=13, head=head, merged=True))
    assert found.pull == PullFacts(number=12, state=PullState.MERGED, reverts=BRANCH)
    assert task_of(found) == TASK
    assert "none of ours" in reason("pull_request", "closed", pull_request=pull_request(head=head, merged=False))
    fork = FORK | {"ref": head["ref"]}
    assert "none of ours" in reason("pull_request", "closed", pull_request=pull_request(head=fork, merged=True))


def test_a_pull_request_that_we_open_is_no_work_and_another_one_only_when_it_asks_for_something() -> None:
    bot = user("agent[bot]", "Bot")
    assert "our own" in reason("pull_request", "opened", pull_request=ours(body="@agent review"), sender=bot)
    assert "mention" in reason("pull_request", "opened", pull_request=pull_request())
    asked = signal("pull_request", "opened", pull_request=pull_request(body="@agent review"))
    assert (asked.kind, asked.directive, asked.pull_request) == (SignalKind.COMMENT, "review", True)


@pytest.mark.parametrize(
    ("action", "beside"),
    [
        ("review_requested", {"requested_reviewer": user("agent[bot]", "Bot")}),
        ("assigned", {"assignee": user("agent", "User")}),
        ("labeled", {"label": {"name": "agent"}}),
    ],
)
def test_a_review_may_be_asked_for_by_request_assignment_and_label(action: str, beside: Json) -> None:
    asked = signal("pull_request", action, pull_request=pull_request(), **beside)
    assert (asked.kind, asked.directive, asked.author) == (SignalKind.COMMENT, "review", "ada")
    assert "our own" in reason("pull_request", action, pull_request=ours(), **beside)
    assert "changes nothing" in reason("pull_request", action, pull_request=pull_request())


def test_what_happens_to_a_pull_request_is_told_by_its_own_event_and_not_by_that_of_an_issue() -> None:
    is_one = {"url": "https://api.github.com/repos/octo/app/pulls/12"}
    assert "events of its own" in reason("issues", "closed", issue=issue(pull_request=is_one))


# ---- reviews


def test_a_review_of_ours_brings_its_verdict_and_each_of_its_lines_says_where_it_is() -> None:
    whole = signal("pull_request_review", "submitted", review=review(), pull_request=ours(), sender=user("bob"))
    assert (whole.kind, whole.text, whole.trusted, task_of(whole)) == (SignalKind.REVIEW, "Nearly.", True, TASK)
    assert whole.pull is not None
    assert (whole.pull.review, whole.pull.verdict) == ("31", "changes_requested")
    said = {"comment": review_comment(), "pull_request": ours(), "sender": user("bob")}
    line = signal("pull_request_review_comment", "created", **said)
    assert line.pull == PullFacts(
        number=12,
        branch=BRANCH,
        head="c1" * 20,
        key="review-comment/PRRC_kwDOExample",
        review="31",
        path="app.py",
        line=3,
        author="agent[bot]",
    )
    assert line.origin == "github:review-comment/41"


def test_a_word_that_steers_is_heard_at_once_and_one_that_asks_for_work_goes_with_its_review() -> None:
    def kind(body: str) -> SignalKind:
        said = {"comment": review_comment(body=body), "pull_request": ours(), "sender": user("bob")}
        return signal("pull_request_review_comment", "created", **said).kind

    assert kind("@agent stop") is kind("@agent auto off") is kind("@agent status") is SignalKind.COMMENT
    assert kind("@agent fix this") is kind("Name it better.") is SignalKind.REVIEW


def test_a_review_of_a_foreign_pull_request_is_ours_only_when_it_mentions_us() -> None:
    said = {"review": review(), "pull_request": pull_request(), "sender": user("bob")}
    assert "none of ours" in reason("pull_request_review", "submitted", **said)
    asked = signal("pull_request_review", "submitted", **said | {"review": review(body="@agent review")})
    assert (asked.kind, asked.directive) == (SignalKind.COMMENT, "review")


def test_our_own_words_and_those_of_programs_that_are_not_listed_are_no_review() -> None:
    def said(author: Json, body: str = "Nearly.") -> Json:
        return {"review": review(user=author, body=body), "pull_request": ours(), "sender": author}

    assert "our own" in reason("pull_request_review", "submitted", **said(user("agent[bot]", "Bot")))
    assert "our own" in reason("pull_request_review", "submitted", **said(user("bob"), "<!-- journeyman:x -->"))
    assert "not in bots" in reason("pull_request_review", "submitted", **said(user("other[bot]", "Bot")))
    assert "nobody" in reason("pull_request_review", "submitted", **said(user()) | {"review": review(user=None)})
    listed = signal("pull_request_review", "submitted", **said(user("linter[bot]", "Bot")))
    assert listed.by_program
    steering = said(user("linter[bot]", "Bot"), "@agent stop")
    assert "person's word" in reason("pull_request_review", "submitted", **steering)


def test_an_edit_in_a_review_counts_as_other_words_and_decides_nothing() -> None:
    def said(body: str, before: str, sender: str = "bob") -> Json:
        changes = {"changes": {"body": {"from": before}}}
        return {"comment": review_comment(body=body), "pull_request": ours(), "sender": user(sender)} | changes

    edited = signal("pull_request_review_comment", "edited", **said("Call it total.", "Name it better."))
    assert edited.pull is not None
    assert (edited.kind, edited.text, edited.pull.edited) == (SignalKind.REVIEW, "Call it total.", True)
    assert edited.origin.startswith("github:review-comment/41/")
    decision = signal("pull_request_review_comment", "edited", **said("@agent stop", "No."))
    assert (decision.kind, decision.directive, decision.origin) == (
        SignalKind.EDITED,
        "stop",
        "github:review-comment/41",
    )
    assert "as it was" in reason("pull_request_review_comment", "edited", **said("@agent stop\n\nNow.", "@agent stop"))
    assert "somebody else" in reason("pull_request_review_comment", "edited", **said("a", "b", "eve"))
    assert "not edited" in reason("pull_request_review_comment", "edited", **said("a", "a"))


def test_what_is_dismissed_or_deleted_is_withdrawn() -> None:
    gone = facts("pull_request_review_comment", "deleted", comment=review_comment(), pull_request=ours())
    assert (gone.verdict, gone.key) == ("dismissed", "review-comment/PRRC_kwDOExample")
    dismissed = facts("pull_request_review", "dismissed", review=review(state="dismissed"), pull_request=ours())
    assert (dismissed.verdict, dismissed.review) == ("dismissed", "31")


# ---- checks


def checks(conclusion: str | None = "failure", branch: str = BRANCH) -> list[tuple[str, str, Json]]:
    suite = check_suite(head_branch=branch, conclusion=conclusion)
    state = conclusion or "pending"
    return [
        ("check_run", "completed", {"check_run": check_run(conclusion=conclusion, check_suite=suite)}),
        ("check_suite", "completed", {"check_suite": suite}),
        ("workflow_run", "completed", {"workflow_run": workflow_run(head_branch=branch, conclusion=conclusion)}),
        ("status", "", status(branches=[{"name": "main"}, {"name": branch}], state=state)),
    ]


@pytest.mark.parametrize(("event", "action", "parts"), checks())
def test_the_end_of_a_check_of_our_branch_is_told_with_its_head(event: str, action: str, parts: Json) -> None:
    found = signal(event, action, **parts)
    assert (found.kind, task_of(found)) == (SignalKind.CHECK, TASK)
    assert found.pull is not None
    assert (found.pull.head, found.pull.conclusion) == ("c1" * 20, "failure")
    assert found.pull.key
    assert found.pull.name


@pytest.mark.parametrize(("event", "action", "parts"), checks(None))
def test_a_check_that_has_not_ended_says_nothing(event: str, action: str, parts: Json) -> None:
    assert "not ended" in reason(event, action, **parts)


@pytest.mark.parametrize(("event", "action", "parts"), checks(branch="main"))
def test_a_check_of_another_branch_is_none_of_ours(event: str, action: str, parts: Json) -> None:
    assert "no branch of ours" in reason(event, action, **parts)


def test_our_own_checks_and_those_of_a_fork_do_not_count() -> None:
    ours_by = {"id": 99, "slug": "agent", "name": "Agent"}
    suite = check_suite(head_branch=BRANCH, app=ours_by)
    assert "our own" in reason("check_run", "completed", check_run=check_run(app=ours_by, check_suite=suite))
    assert "our own" in reason("check_suite", "completed", check_suite=suite)
    own = {**status(branches=[{"name": BRANCH}]), "sender": user("agent[bot]", "Bot")}
    assert "our own" in reason("status", "", **own)
    fork = workflow_run(head_branch=BRANCH, head_repository=repository("eve/app") | {"id": 666})
    assert "no branch of ours" in reason("workflow_run", "completed", workflow_run=fork)


def test_a_failed_check_comes_with_what_it_says_of_itself_and_a_passed_one_does_not() -> None:
    output = {"title": "2 tests fail", "summary": "test_sum \x1b[31mfails\x1b[0m <!-- not this -->", "text": None}
    run = check_run(check_suite=check_suite(head_branch=BRANCH), output=output)
    found = facts("check_run", "completed", check_run=run)
    assert (found.check, found.job) == (51, 51)
    assert found.said == "2 tests fail\ntest_sum fails"
    other = facts("check_run", "completed", check_run={**run, "app": {"id": 7, "slug": "ci", "name": "CI"}})
    assert (other.check, other.job) == (51, 0)
    assert facts("check_run", "completed", check_run={**run, "conclusion": "success"}).said == ""


def test_a_checks_name_is_one_line_that_people_can_see() -> None:
    suite = check_suite(head_branch=BRANCH)
    found = facts("check_run", "completed", check_run=check_run(name="a\u202e\nb" + "x" * 999, check_suite=suite))
    assert found.name.startswith("github-actions/a bxxx")
    assert len(found.name) == 200


# ---- doubles


def everything() -> list[tuple[str, str, Json]]:
    review_of_ours = {"review": review(), "pull_request": ours()}
    line_of_ours = {"comment": review_comment(), "pull_request": ours()}
    return [
        ("pull_request", "closed", {"pull_request": ours()}),
        ("pull_request_review", "submitted", review_of_ours),
        ("pull_request_review_comment", "created", line_of_ours),
        *checks(),
    ]


@pytest.mark.parametrize(("event", "action", "parts"), everything())
def test_the_same_happening_by_two_webhooks_is_one_delivery(event: str, action: str, parts: Json) -> None:
    by_app = reading(event, action, **parts, installation={"id": 1})
    by_repository = reading(event, action, **parts)
    assert by_app.content == by_repository.content != ()


def test_a_check_that_ends_again_is_another_delivery() -> None:
    suite = check_suite(head_branch=BRANCH)
    first = reading("check_run", "completed", check_run=check_run(check_suite=suite))
    again = reading(
        "check_run", "completed", check_run=check_run(check_suite=suite, completed_at="2026-01-02T13:00:00Z")
    )
    assert first.content != again.content
