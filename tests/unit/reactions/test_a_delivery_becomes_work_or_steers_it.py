from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import text_of
from services.brain.policy import ReactionPolicy
from services.brain.reactions import reactions
from services.gateway.inbound.mention import find_mention
from shared.contracts.delivery import Accepted, Authorised, Refuse, Replayed, Signal, SignalKind
from shared.contracts.ids import derived_task_id
from shared.contracts.messages import Command
from shared.contracts.pull_request import PullFacts, PullState
from shared.contracts.review import ReviewTarget
from shared.contracts.task import (
    Approval,
    Approve,
    Directive,
    FollowUp,
    GoOn,
    RecordClosed,
    RecordEdit,
    RecordReopened,
    Reject,
    Retry,
    Revise,
    SetAutomatic,
    Source,
    Stop,
    Submit,
)
from testing.recorded import A_DAY, NO_BODY, recorded

AUTO = ReactionPolicy(approval=Approval.AUTO)
OPENED = 1_767_000_000_000
ID = derived_task_id(OPENED, "github:octo/app#7")
WORK = Signal(
    kind=SignalKind.WORK,
    thread="github:octo/app#7",
    opened_at_ms=OPENED,
    title="Fix the sum",
    text="1 + 1 gives 3.",
    repo="octo/app",
    url="https://github.test/octo/app/issues/7",
    author="octocat",
    trusted=True,
)
COMMENT = replace(WORK, kind=SignalKind.COMMENT, text="@agent …")
FACTS = PullFacts(number=7, head="a" * 40, base="main", base_commit="b" * 40, state=PullState.OPEN)
SUBMIT = Submit(
    id=ID,
    title="Fix the sum",
    text="1 + 1 gives 3.",
    source=Source(
        kind="github", reference="github:octo/app#7", url="https://github.test/octo/app/issues/7", author="octocat"
    ),
    repo="octo/app",
)


def after(signal: Signal, policy: ReactionPolicy | None = None, *, asks_permission: bool = False) -> list[Command]:
    accepted = Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d-1",
        signal=signal,
        body_sha256="",
        body_size=0,
        body=NO_BODY,
        asks_permission=asks_permission,
    )
    return reactions(policy or ReactionPolicy())(recorded(accepted, id="d-1"))


def test_work_becomes_one_task_named_after_its_thread() -> None:
    assert after(WORK) == [SUBMIT]
    assert after(replace(WORK, title="Edited")) == [replace(SUBMIT, title="Edited")]


@pytest.mark.parametrize(
    ("word", "directive"),
    [
        ("plan", Directive.PLAN),
        ("implement", Directive.IMPLEMENT),
        ("approve", Directive.AUTO),
        ("", Directive.AUTO),
    ],
)
def test_work_says_whether_it_wants_a_plan_or_the_thing_itself(word: str, directive: Directive) -> None:
    assert after(replace(WORK, directive=word)) == [replace(SUBMIT, directive=directive)]


def test_the_policy_of_approval_goes_with_the_work() -> None:
    assert after(WORK, AUTO) == [replace(SUBMIT, approval=Approval.AUTO)]


def test_a_policy_that_a_plan_always_waits_goes_with_all_work_and_wishes() -> None:
    always = ReactionPolicy(approval=Approval.ALWAYS)
    for signal in (WORK, replace(WORK, trusted=False)):
        assert after(signal, always) == [replace(SUBMIT, approval=Approval.ALWAYS)]
    submit, wish = after(replace(COMMENT, directive="implement", argument="it"), always)
    assert isinstance(submit, Submit) and isinstance(wish, FollowUp)
    assert (submit.approval, wish.approval) == (Approval.ALWAYS, Approval.ALWAYS)


def test_work_of_a_stranger_waits_for_an_approval_whatever_it_says_and_whatever_the_policy() -> None:
    assert after(replace(WORK, trusted=False, directive="implement"), AUTO) == [SUBMIT]


@pytest.mark.parametrize(
    ("word", "directive"),
    [
        ("plan", Directive.PLAN),
        ("implement", Directive.IMPLEMENT),
        ("fix", Directive.IMPLEMENT),
        ("ask", Directive.AUTO),
        ("", Directive.AUTO),
    ],
)
def test_a_comment_opens_the_task_of_its_thread_with_the_things_own_text_or_goes_on_with_it(
    word: str, directive: Directive
) -> None:
    comment = replace(
        COMMENT, text=f"@agent {word} and mind the spaces", argument="and mind the spaces", directive=word
    )
    submit, wish = after(replace(comment, origin="github:comment/9", context="1 + 1 gives 3."))
    assert submit == replace(SUBMIT, request=comment.text, directive=directive, origin="github:comment/9")
    assert wish == FollowUp(
        id=ID,
        text=comment.text,
        author="octocat",
        directive=directive,
        origin="github:comment/9",
        recorded=True,
        at=A_DAY,
    )


def test_the_agent_reads_the_things_text_and_what_was_asked_for() -> None:
    submit, _ = after(replace(COMMENT, directive="implement", argument="it", text="@agent fix it", context="1 + 1 = 3"))
    state = DECIDER.evolve(DECIDER.initial, DECIDER.decide(DECIDER.initial, submit))
    assert text_of(state) == "1 + 1 = 3\n\n---\n\noctocat asks for this:\n\n@agent fix it"


def test_a_comment_that_opens_a_task_is_no_second_wish_and_the_same_comment_by_two_hooks_is_one() -> None:
    comment = replace(COMMENT, directive="implement", argument="it", text="@agent implement it", origin="comment/9")
    commands = after(comment)
    state = DECIDER.initial
    for command in [*commands, *commands]:
        event = DECIDER.decide(state, command)
        state = state if event is None else DECIDER.evolve(state, event)
    assert state.origins == ("comment/9",)
    assert state.wishes == ()


def test_a_comment_of_a_sender_that_does_not_name_its_messages_is_told_by_its_delivery() -> None:
    (_, wish) = after(replace(COMMENT, directive="implement", argument="it"))
    assert isinstance(wish, FollowUp)
    assert wish.origin == "d-1"


def test_a_comment_that_is_nothing_but_its_directive_says_nothing_further() -> None:
    (_, wish) = after(replace(COMMENT, text="@agent, implement!", directive="implement"))
    assert isinstance(wish, FollowUp)
    assert wish.text == ""


def test_an_issue_that_is_opened_and_labelled_again_is_no_further_wish() -> None:
    assert [type(command) for command in after(replace(WORK, directive="implement"))] == [Submit]


SAID: dict[str, Any] = {"id": ID, "origin": "d-1", "recorded": True}


@pytest.mark.parametrize(
    ("word", "argument", "command"),
    [
        ("approve", "v2 3fa94c11", Approve(version=2, digest="3fa94c11", **SAID)),
        ("approve", " 3fa94c11 thanks", Approve(version=0, digest="3fa94c11", **SAID)),
        ("approve", "v2", Approve(version=2, digest="", **SAID)),
        ("approve", "", Approve(version=0, digest="", **SAID)),
        ("reject", "", Reject(**SAID)),
        ("reject", " Smaller steps. ", Revise(feedback="Smaller steps.", **SAID)),
        ("revise", "smaller steps", Revise(feedback="smaller steps", **SAID)),
        ("stop", "wrong repo", Stop(reason="wrong repo", **SAID)),
        ("retry", "", Retry(**SAID)),
        ("continue", "", GoOn(at=A_DAY, **SAID)),
        ("auto", "off", SetAutomatic(on=False, at=A_DAY, **SAID)),
    ],
)
def test_a_trusted_comment_steers_its_task(word: str, argument: str, command: Command) -> None:
    assert after(replace(COMMENT, directive=word, argument=argument)) == [command]


@pytest.mark.parametrize("word", ["", "plan", "implement", "approve", "reject", "stop", "retry", "continue"])
def test_a_comment_of_a_stranger_steers_nothing_and_is_told_why(word: str) -> None:
    refused = after(replace(COMMENT, directive=word, argument="v1 3fa94c11", trusted=False))
    who = "Only people with write access to the repository tell the agent what to do: ask one of them to say it."
    assert refused == [Refuse(id="d-1", code="decides-nothing", reason=who)]


def test_on_a_board_it_is_told_where_those_stand_who_may() -> None:
    (refused,) = after(replace(COMMENT, thread="jira:x#1", directive="stop", trusted=False))
    assert isinstance(refused, Refuse) and "listed under [senders.jira]" in refused.reason


def test_what_waits_for_somebody_who_may_begins_nothing_and_is_told_so() -> None:
    (refused,) = after(replace(WORK, thread="jira:x#1", waits=True))
    assert isinstance(refused, Refuse) and refused.code == "waits"
    edited = after(replace(WORK, kind=SignalKind.EDITED, thread="jira:x#1", mentioned=True, waits=True))
    assert not any(isinstance(each, Submit) for each in edited)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pull_request": True, "directive": "fix"}, "pull-request-not-followed"),
        ({"directive": "review"}, "review-nothing"),
        ({"pull_request": True, "directive": "review"}, "review-unknown"),
        (
            {"pull_request": True, "directive": "review", "pull": replace(FACTS, state=PullState.CLOSED)},
            "review-closed",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(changes: dict[str, Any], code: str) -> None:
    (refused,) = after(replace(COMMENT, **changes))
    assert isinstance(refused, Refuse)
    assert (refused.code, refused.reason[-1]) == (code, ".")


def test_a_review_is_a_task_of_the_pull_request_and_said_again_another_one() -> None:
    asked = replace(
        COMMENT, pull_request=True, directive="review", pull=FACTS, context="It adds.", origin="github:comment/5"
    )
    target = ReviewTarget(number=7, head="a" * 40, base="main", base_commit="b" * 40)
    opening, wish = after(replace(asked, text="@agent review"))
    assert isinstance(opening, Submit) and isinstance(wish, FollowUp)
    assert (opening.id, opening.review, opening.text, opening.request) == (ID, target, "It adds.", "")
    assert (wish.id, wish.review, wish.text, wish.origin, wish.recorded) == (ID, target, "", "github:comment/5", True)
    words = "@agent review\n\nAre the tests enough?"
    opening, wish = after(replace(asked, text=words))
    assert isinstance(opening, Submit) and isinstance(wish, FollowUp)
    assert opening.request == wish.text == words


def test_the_review_of_a_pull_request_of_ours_is_a_task_beside_the_one_that_has_made_it() -> None:
    made_by = derived_task_id(OPENED, "github:octo/app#1")
    ours = replace(FACTS, branch=f"journeyman/{made_by.lower()}-fix")
    said = replace(COMMENT, pull_request=True, pull=ours)
    opening, wish = after(replace(said, directive="review"))
    assert isinstance(opening, Submit) and opening.id == wish.id == derived_task_id(OPENED, "github:octo/app#7/review")
    (stop,) = after(replace(said, directive="stop"))
    assert stop.id == made_by
    (stop,) = after(replace(said, directive="stop", argument="review, please"))
    assert isinstance(stop, Stop) and stop.id == opening.id


@pytest.mark.parametrize("word", ["status", "help"])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_question_about_the_task_itself_is_left_to_who_answers_it(word: str, trusted: bool) -> None:
    assert after(replace(COMMENT, directive=word, trusted=trusted)) == []


@pytest.mark.parametrize("kind", [SignalKind.WORK, SignalKind.EDITED])
@pytest.mark.parametrize("trusted", [True, False])
def test_an_issue_that_says_what_not_to_do_opens_no_task_and_is_told_so(kind: SignalKind, trusted: bool) -> None:
    mention = find_mention("Fix the sum\n\n@agent please do not implement this", "@agent")
    assert mention is not None
    words = {"directive": mention.directive, "argument": mention.argument, "mentioned": True}
    refusal, *others = after(replace(WORK, kind=kind, trusted=trusted, **words))
    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.reason) == (
        "unclear",
        "That was not clear (it says what not to do, so nothing was done; what is under way ends by `stop`). "
        "Say in a comment what to do: plan, implement or ask.",
    )
    assert [type(each) for each in others] == ([RecordEdit] if kind is SignalKind.EDITED else [])


@pytest.mark.parametrize("kind", [SignalKind.WORK, SignalKind.EDITED])
@pytest.mark.parametrize("word", ["stop", "reject"])
def test_an_issue_that_says_to_end_work_opens_no_task_and_is_told_so(kind: SignalKind, word: str) -> None:
    refusal, *others = after(replace(WORK, kind=kind, directive=word, argument="planning", mentioned=True))
    assert isinstance(refusal, Refuse)
    assert refusal.code == "unclear"
    assert refusal.reason.startswith("That was not clear (stop and reject begin no work")
    assert [type(each) for each in others] == ([RecordEdit] if kind is SignalKind.EDITED else [])


def test_a_closed_thing_ends_the_work_on_it() -> None:
    closed = replace(WORK, kind=SignalKind.CLOSED, text="ada has closed the issue.", trusted=False)
    assert after(closed) == [RecordClosed(id=ID, reason="ada has closed the issue.", at=A_DAY)]


@pytest.mark.parametrize(("trusted", "told"), [(True, [RecordReopened(id=ID, origin="d-1")]), (False, [])])
def test_a_reopened_thing_is_told_by_who_may_steer(trusted: bool, told: list[Command]) -> None:
    assert after(replace(WORK, kind=SignalKind.REOPENED, trusted=trusted)) == told


def test_what_asks_for_permission_is_acted_on_when_it_is_authorised() -> None:
    assert after(COMMENT, asks_permission=True) == []
    assert reactions(ReactionPolicy())(recorded(Replayed(signal=COMMENT, asks_permission=True), id="d-1")) == []
    authorised = Authorised(signal=COMMENT, permission="write", decided_by="permission")
    assert reactions(ReactionPolicy())(recorded(authorised, id="d-1")) == after(COMMENT)


def test_an_edit_is_told_to_the_task_and_opens_one_when_it_mentions_us_for_the_first_time() -> None:
    edited = replace(WORK, kind=SignalKind.EDITED, text="1 + 1 gives 4.")
    told = RecordEdit(id=ID, title="Fix the sum", text="1 + 1 gives 4.", origin="d-1", author="octocat", trusted=True)
    assert after(edited) == [told]
    assert after(replace(edited, mentioned=True)) == [replace(SUBMIT, text="1 + 1 gives 4."), told]
    assert after(replace(edited, as_of_ms=7)) == [replace(told, as_of_ms=7)]
    of_a_comment = replace(edited, origin="github:comment/9")
    assert after(of_a_comment) == [replace(told, title="", part="github:comment/9")]


def test_an_edit_that_would_decide_is_refused_in_words_and_decides_nothing() -> None:
    edited = replace(COMMENT, kind=SignalKind.EDITED, directive="approve", argument="v1 3fa94c11", origin="comment/9")
    (refused,) = after(edited)
    assert isinstance(refused, Refuse) and refused.code == "edit-decides-nothing"
    (refused,) = after(replace(edited, directive="stop", pull_request=True, pull=PullFacts(edited=True)))
    assert isinstance(refused, Refuse)
    # A stranger's words have been taken out by the judgement: then it is an edit like others.
    assert isinstance(after(replace(edited, directive="", trusted=False))[0], RecordEdit)


def test_a_delivery_that_is_replayed_says_what_it_said_the_first_time() -> None:
    said = Replayed(signal=replace(COMMENT, directive="stop", origin="comment/9"))
    assert reactions(ReactionPolicy())(recorded(said, id="d-1")) == [Stop(id=ID, origin="comment/9", recorded=True)]
