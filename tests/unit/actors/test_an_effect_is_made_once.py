from __future__ import annotations

import pytest
from msgspec.structs import asdict, replace

from services.gateway.actors import delivery
from services.gateway.actors.reply import DECIDER
from shared.contracts.delivery import Accepted, Refuse, Refused, Replay, Replayed, Signal, SignalKind
from shared.contracts.messages import Command
from shared.contracts.reply import (
    Claim,
    Claimed,
    Fail,
    Failed,
    Post,
    Posted,
    Publication,
    ReplyEvent,
    Request,
    Requested,
    Withdraw,
    Withdrawn,
    branch_effect,
    publication_of,
)
from testing.given import given
from testing.recorded import NO_BODY

REQUEST = Request(effect="branch/1", repo="r", base_commit="c0", commit="c1", branch="b", cause=8)
REQUESTED = Requested(effect="branch/1", repo="r", base_commit="c0", commit="c1", branch="b", cause=8)
SECOND = Requested(effect="branch/2", repo="r", base_commit="c0", commit="c2", branch="b", cause=20)
CLAIMED = Claimed(effect="branch/1", attempt=1, worker="g1")
POSTED = Posted(effect="branch/1", attempt=1, commit="c1", branch="b", url="u")
FAILED = Failed(effect="branch/1", attempt=1, code="x", message="X.")
WITHDRAWN = Withdrawn(effects=("branch/1",), cause=9)


def test_an_effect_is_wanted_once() -> None:
    given(DECIDER).when(REQUEST).then(REQUESTED)
    given(DECIDER, REQUESTED).when(REQUEST).nothing()
    given(DECIDER, REQUESTED, WITHDRAWN).when(
        Request(effect="branch/1", repo="r", base_commit="", commit="", branch="")
    ).nothing()


def test_every_claim_is_a_new_attempt_and_only_the_newest_reports() -> None:
    again = Claimed(effect="branch/1", attempt=2, worker="g2")
    given(DECIDER, REQUESTED).when(Claim(effect="branch/1", worker="g1")).then(CLAIMED)
    given(DECIDER, REQUESTED, CLAIMED).when(Claim(effect="branch/1", worker="g2")).then(again)
    given(DECIDER, REQUESTED, CLAIMED, again).when(Post(effect="branch/1", attempt=1)).is_rejected("attempt-stale")


def test_a_posted_effect_says_what_became_visible() -> None:
    given(DECIDER, REQUESTED, CLAIMED).when(Post(effect="branch/1", attempt=1, url="u")).then(POSTED)
    given(DECIDER, REQUESTED, CLAIMED, POSTED).when(Post(effect="branch/1", attempt=1, url="u")).nothing()


def test_an_effect_that_cannot_be_made_says_what_to_do() -> None:
    report = Fail(effect="branch/1", attempt=1, code="x", message="X.")
    given(DECIDER, REQUESTED, CLAIMED).when(report).then(FAILED)
    given(DECIDER, REQUESTED, CLAIMED, FAILED).when(report).nothing()
    given(DECIDER, REQUESTED, CLAIMED, POSTED).when(report).is_rejected("effect-wrong-state")


@pytest.mark.parametrize("story", [(REQUESTED, CLAIMED, POSTED), (REQUESTED, CLAIMED, FAILED), (REQUESTED, WITHDRAWN)])
def test_an_effect_that_is_over_cannot_be_claimed(story: tuple[ReplyEvent, ...]) -> None:
    given(DECIDER, *story).when(Claim(effect="branch/1", worker="g")).is_rejected("attempt-stale")


@pytest.mark.parametrize(
    "command",
    [
        Claim(effect="branch/7", worker="g"),
        Post(effect="branch/7", attempt=1),
        Fail(effect="branch/7", attempt=1, code="x", message="X."),
    ],
)
def test_an_effect_that_nobody_wants_is_not_made(command: Command) -> None:
    given(DECIDER, REQUESTED).when(command).is_rejected("effect-unknown")


def test_only_effects_that_nobody_began_are_withdrawn() -> None:
    given(DECIDER, REQUESTED).when(Withdraw(cause=9)).then(WITHDRAWN)
    given(DECIDER, REQUESTED, WITHDRAWN).when(Withdraw()).nothing()
    given(DECIDER, REQUESTED, CLAIMED).when(Withdraw(cause=9)).nothing()
    given(DECIDER).when(Withdraw(cause=9)).nothing()


def test_the_withdrawal_of_the_attempt_before_leaves_the_next_one_alone() -> None:
    given(DECIDER, REQUESTED, CLAIMED, FAILED, SECOND).when(Withdraw(cause=9)).nothing()


def test_another_try_at_publishing_is_another_effect() -> None:
    again = replace(REQUEST, effect="branch/1/2", cause=11)
    given(DECIDER, REQUESTED, CLAIMED, FAILED).when(again).then(replace(REQUESTED, effect="branch/1/2", cause=11))
    given(DECIDER, REQUESTED, CLAIMED, FAILED).when(replace(REQUEST, cause=11)).nothing()


def test_what_is_to_become_visible_has_the_tree_that_was_checked() -> None:
    given(DECIDER).when(replace(REQUEST, tree="t1")).then(replace(REQUESTED, tree="t1"))


def test_a_commit_that_a_target_made_anew_is_the_one_that_is_visible() -> None:
    signed = replace(POSTED, commit="signed")
    given(DECIDER, REQUESTED, CLAIMED).when(Post(effect="branch/1", attempt=1, url="u", commit="signed")).then(signed)
    state = given(DECIDER, REQUESTED, CLAIMED, signed).state.effects["branch/1"]
    assert (state.request.commit, state.commit) == ("c1", "signed")


def test_an_effect_names_the_attempt_it_publishes_and_the_try_it_is() -> None:
    assert publication_of(branch_effect(3)) == Publication(3, 1)
    assert publication_of(branch_effect(3, 2)) == Publication(3, 2)
    for other in ("comment/3", "branch/main", "branch/3/x", "branch/3/2/1", "branch"):
        assert publication_of(other) is None


def test_a_delivery_is_what_was_accepted_and_hears_each_refusal_once() -> None:
    signal = Signal(kind=SignalKind.WORK, thread="t", opened_at_ms=0, title="", text="")
    accepted = Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d",
        signal=signal,
        body_sha256="",
        body_size=0,
        body=NO_BODY,
    )
    now = given(delivery.DECIDER, accepted).state
    assert now is not None and asdict(accepted).items() <= asdict(now).items()
    refuse, refused = Refuse(code="c", reason="r"), Refused(code="c", reason="r", signal=signal)
    given(delivery.DECIDER).when(refuse).is_rejected("delivery-unknown")
    given(delivery.DECIDER, accepted).when(refuse).then(refused)
    given(delivery.DECIDER, accepted, refused).when(refuse).nothing()
    again = Replayed(signal=signal)
    given(delivery.DECIDER, accepted, refused).when(Replay(signal=signal)).then(again)
    given(delivery.DECIDER, accepted, refused, again).when(refuse).then(refused)
    given(delivery.DECIDER, accepted, *[again] * delivery.MAX_REPLAYS).when(Replay(signal=signal)).is_rejected(
        "replayed-too-often"
    )
