from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.reactions import ReactionPolicy, reactions
from shared.contracts.delivery import Accepted, Signal, SignalKind
from shared.contracts.ids import derived_task_id
from shared.contracts.messages import Command
from shared.contracts.task import (
    Approval,
    Approve,
    Directive,
    FollowUp,
    Reject,
    Retry,
    Revise,
    Source,
    Stop,
    Submit,
)
from testing.recorded import NO_BODY, recorded

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
SUBMIT = Submit(
    id=ID,
    title="Fix the sum",
    text="1 + 1 gives 3.",
    source=Source(
        kind="github", reference="github:octo/app#7", url="https://github.test/octo/app/issues/7", author="octocat"
    ),
    repo="octo/app",
)


def after(signal: Signal, policy: ReactionPolicy | None = None) -> list[Command]:
    accepted = Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d-1",
        signal=signal,
        body_sha256="",
        body_size=0,
        body=NO_BODY,
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


@pytest.mark.parametrize("word", ["plan", "implement"])
def test_a_comment_opens_the_task_of_its_thread_or_goes_on_with_it(word: str) -> None:
    comment = replace(
        COMMENT, text=f"@agent {word} and mind the spaces", argument="and mind the spaces", directive=word
    )
    submit, wish = after(replace(comment, origin="github:comment/9"))
    assert submit == replace(SUBMIT, text=comment.text, directive=Directive(word), origin="github:comment/9")
    assert wish == FollowUp(
        id=ID,
        text=comment.text,
        author="octocat",
        directive=Directive(word),
        origin="github:comment/9",
        recorded=True,
    )


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


@pytest.mark.parametrize(
    ("word", "argument", "command"),
    [
        ("approve", "v2 3fa94c11", Approve(id=ID, version=2, digest="3fa94c11")),
        ("approve", " 3fa94c11 thanks", Approve(id=ID, version=0, digest="3fa94c11")),
        ("approve", "v2", Approve(id=ID, version=2, digest="")),
        ("approve", "", Approve(id=ID, version=0, digest="")),
        ("reject", "", Reject(id=ID)),
        ("reject", " Smaller steps. ", Revise(id=ID, feedback="Smaller steps.")),
        ("stop", "wrong repo", Stop(id=ID, reason="wrong repo")),
        ("retry", "", Retry(id=ID)),
    ],
)
def test_a_trusted_comment_steers_its_task(word: str, argument: str, command: Command) -> None:
    assert after(replace(COMMENT, directive=word, argument=argument)) == [command]


@pytest.mark.parametrize("word", ["plan", "implement", "approve", "reject", "stop", "retry"])
def test_a_comment_of_a_stranger_steers_nothing(word: str) -> None:
    assert after(replace(COMMENT, directive=word, argument="v1 3fa94c11", trusted=False)) == []


@pytest.mark.parametrize("word", ["", "dance"])
def test_a_comment_that_tells_the_agent_nothing_leads_to_nothing(word: str) -> None:
    assert after(replace(COMMENT, directive=word)) == []
