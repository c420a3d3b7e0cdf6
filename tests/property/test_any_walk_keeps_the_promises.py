"""Whatever people, agents and redelivery do, in whatever order: the promises of docs/architecture.md hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.policy import ReactionPolicy
from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.decider import Rejected
from shared.contracts.kinds import KINDS
from shared.contracts.messages import TimedCommand
from shared.contracts.usage import add_usage
from shared.event_store.envelope import RecordedEvent
from testing.in_memory_system import SERVICES, InMemorySystem
from testing.random_walk import walk, walked
from tests.property.test_actions_say_what_decide_does import CHANGES_NO_STATUS

GOES_ON = task.Retried | task.PublicationRequested | task.FollowedUp | task.InReview
STEPS = st.lists(st.integers(0, 2**32 - 1), min_size=60, max_size=150)
POLICIES = st.sampled_from(
    [ReactionPolicy(approval=approval, approval_timeout_s=wait) for approval in task.Approval for wait in (0, 3600)]
)


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_every_state_of_a_task_accepts_a_stop_or_says_why_not(steps: list[int], policy: ReactionPolicy) -> None:
    for world in walk(steps, policy=policy):
        before = world.task
        try:
            event = DECIDER.decide(before, task.Stop())
        except Rejected as refusal:
            expected = "task-unknown" if before.status is task.Status.NEW else "task-finished"
            assert refusal.code == expected
            assert before.status is task.Status.NEW or before.status in task.TERMINAL
        else:
            assert isinstance(event, task.Cancelled | task.StopRequested) or (event is None and before.stopping)


@settings(deadline=None)
@given(STEPS, POLICIES, st.booleans(), st.integers(0, 149))
def test_a_stopped_task_ends_as_soon_as_its_agent_has_reported(
    steps: list[int], policy: ReactionPolicy, well: bool, moment: int
) -> None:
    for world in _moments(steps, policy, moment):
        if world.task.status is task.Status.NEW or world.task.status in task.TERMINAL:
            return
        world.forget_unread_wishes()
        pull = world.task.pull_request
        merged = world.task.leaving and pull is not None and pull.merge is not None
        world.tell(task.Stop(reason="Enough."))
        world.finish(well=well)
        assert world.task.status is (task.Status.COMPLETED if merged else task.Status.CANCELLED)
        assert not world.task.stopping
        assert world.run.status not in (run.Status.QUEUED, run.Status.RUNNING, run.Status.WAITING_INPUT)
        assert world.plan.status is not plan.Status.DRAFTING
        assert not any(
            effect.status in (reply.EffectStatus.REQUESTED, reply.EffectStatus.CLAIMED)
            for effect in world.reply.effects.values()
        )


@settings(deadline=None)
@given(STEPS, POLICIES, st.booleans(), st.integers(0, 149))
def test_a_task_never_hangs_once_everything_was_delivered_and_every_agent_has_reported(
    steps: list[int], policy: ReactionPolicy, well: bool, moment: int
) -> None:
    for world in _moments(steps, policy, moment):
        world.finish(well=well)
        waits_for_a_person = {task.Status.NEW, task.Status.AWAITING_APPROVAL, task.Status.IN_REVIEW}
        assert world.task.status in task.TERMINAL | waits_for_a_person
        if world.task.status is task.Status.AWAITING_APPROVAL:
            assert world.task.approved is None
            assert world.task.approval is not task.Approval.AUTO


@settings(deadline=None)
@given(STEPS, POLICIES, st.integers(1, 9), st.text("0123456789abcdef", min_size=8, max_size=64))
def test_an_approval_of_another_version_digest_or_base_is_refused_in_every_state(
    steps: list[int], policy: ReactionPolicy, off: int, digest: str
) -> None:
    for world in walk(steps, policy=policy):
        now = world.task
        right = task.Approve(version=now.plan_version, digest=now.plan_digest, base_commit=now.plan_base)
        wrong = [replace(right, version=now.plan_version + off), replace(right, base_commit="another")]
        if not now.plan_digest.startswith(digest):
            wrong += [replace(right, digest=digest), replace(right, digest=digest, version=0)]
        wrong += [replace(right, digest=now.plan_digest[:7]), replace(right, digest="")]
        for command in wrong:
            with pytest.raises(Rejected) as refusal:
                DECIDER.decide(now, command)
            awaiting = now.status is task.Status.AWAITING_APPROVAL
            assert (refusal.value.code in {"approval-stale", "approval-mismatch"}) == awaiting


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_nothing_is_executed_that_nobody_waived_or_approved_exactly(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    proposed = {
        (each.version, each.digest, each.base_commit)
        for each in world.events_of("plan")
        if isinstance(each, plan.Proposed)
    }
    approved = [each.plan for each in world.events_of("task") if isinstance(each, task.Approved)]
    now = DECIDER.initial
    for event in world.events_of("task"):
        if isinstance(event, task.ExecutionRequested) and event.plan is None:
            assert now.directive is task.Directive.IMPLEMENT or now.approval is task.Approval.AUTO
        elif isinstance(event, task.ExecutionRequested):
            assert event.plan in approved
            assert (event.plan.version, event.plan.digest, event.plan.base_commit) in proposed
            assert event.base_commit == event.plan.base_commit
        now = DECIDER.evolve(now, event)


@settings(deadline=None)
@given(STEPS, POLICIES, st.integers(0, 149), st.randoms(use_true_random=False))
def test_events_delivered_again_in_any_order_change_nothing(
    steps: list[int], policy: ReactionPolicy, moment: int, dice: Random
) -> None:
    for world in _moments(steps, policy, moment):
        world.deliver_all()
        length = len(world.log)
        # What people say and do outside is told apart by its command's id, which the actor host remembers, not by the
        # deciders.
        again = [(service, event) for service in SERVICES for event in world.log if not _comes_from_a_person(event)]
        dice.shuffle(again)
        for service, event in again:
            world.react(service, event)
        assert len(world.log) == length


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_after_its_end_a_task_goes_on_only_because_somebody_wants_it(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    ended = False
    for event in world.events_of("task"):
        if isinstance(event, CHANGES_NO_STATUS):
            continue
        assert not ended or isinstance(event, GOES_ON) or getattr(event, "pull_request", False)
        ended = isinstance(event, task.Completed | task.Answered | task.Failed | task.Cancelled | task.Declined)
        ended = ended or isinstance(event, task.Rejected | task.ApprovalExpired)


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_a_round_ends_once_and_only_by_its_newest_attempt(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    newest, open_round = 0, 0
    for event in world.events_of("run"):
        match event:
            case run.Requested():
                assert not open_round
                open_round = event.round
            case run.Claimed():
                assert event.attempt == newest + 1
                newest = event.attempt
            case run.Succeeded() | run.Failed() | run.Stopped():
                assert (event.round, event.attempt) == (open_round, newest)
                open_round = 0
            case run.InputGiven():
                assert open_round
            case run.Started() | run.Checkpointed() | run.QuestionAsked() | run.Resumed() | run.StopRequested():
                assert event.attempt == newest
            case run.Committed() | run.Reopened():
                assert event.attempt == newest


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_an_effect_is_made_once_and_never_after_it_was_withdrawn(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    over: set[str] = set()
    shown: dict[str, int] = {}
    for event in world.events_of("reply"):
        match event:
            case reply.Shown(effect=effect, revision=revision):
                # What people are shown is written again, but only ever anew.
                assert revision > shown.get(effect, 0)
                shown[effect] = revision
            case reply.Failed(effect=effect) | reply.Claimed(effect=effect) if reply.publication_of(effect) is None:
                continue
            case reply.Posted(effect=effect) | reply.Failed(effect=effect):
                assert effect not in over
                over.add(effect)
            case reply.Requested(effect=effect) | reply.Claimed(effect=effect):
                assert effect not in over
            case reply.Withdrawn(effects=effects):
                assert not over & set(effects)
                over |= set(effects)


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_what_is_published_was_made_by_the_attempt_that_it_names(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    made: dict[int, str] = {}
    for event in world.events_of("run"):
        match event:
            case (
                run.Succeeded(attempt=attempt, commit=commit)
                | run.Failed(attempt=attempt, result=run.KeptResult(commit=commit))
            ):
                made[attempt] = commit
            case _:
                pass
    for wanted in world.events_of("reply"):
        if isinstance(wanted, reply.Requested):
            publication = reply.publication_of(wanted.effect)
            if publication is None:
                assert reply.reviewed_in(wanted.effect) or reply.update_of(wanted.effect)
            else:
                assert made[publication.attempt] == wanted.commit


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_a_message_is_heard_as_a_wish_once(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    heard = [origin for event in world.events_of("task") if (origin := getattr(event, "origin", ""))]
    assert len(heard) == len(set(heard))


@settings(deadline=None)
@given(STEPS, POLICIES, st.booleans(), st.integers(0, 149))
def test_a_question_comes_to_one_end_and_a_proposal_is_decided_once(
    steps: list[int], policy: ReactionPolicy, well: bool, moment: int
) -> None:
    for world in _moments(steps, policy, moment):
        world.finish(well=well)
        happened = world.events_of("session")
        asked = [each.message_id for each in happened if isinstance(each, session.Asked)]
        ends = [
            each.message_id
            for each in happened
            if isinstance(each, session.Answered | session.Failed | session.Interrupted)
        ]
        assert sorted(ends) == sorted(asked)
        assert len(asked) == len(set(asked))
        assert world.session.answering is None and not world.session.waiting
        confirmed = [each.proposal.proposal_id for each in happened if isinstance(each, session.Confirmed)]
        dismissed = [each.proposal_id for each in happened if isinstance(each, session.Dismissed)]
        assert len(confirmed + dismissed) == len({*confirmed, *dismissed})


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_the_usage_in_the_events_is_what_the_accepted_reports_said(steps: list[int], policy: ReactionPolicy) -> None:
    world = walked(steps, policy=policy)
    in_events = add_usage(*[getattr(each.data, "usage", ()) for each in world.log])
    assert in_events == world.spent


@settings(deadline=None)
@given(STEPS, POLICIES, st.integers(-(10**6), 10**6))
def test_a_timer_changes_nothing_unless_the_task_waits_for_that_very_moment(
    steps: list[int], policy: ReactionPolicy, off: int
) -> None:
    for world in walk(steps, policy=policy):
        now = world.task
        awaited: dict[type[TimedCommand], datetime | None] = {
            task.Resume: now.paused_until if now.status is task.Status.PAUSED else None,
            task.ExpireApproval: now.expires_at
            if now.status is task.Status.AWAITING_APPROVAL and now.approved is None
            else None,
            task.HeedClosing: now.closing_until if now.status is task.Status.IN_REVIEW else None,
        }
        # What was heard of a pull request may come to nothing when it is due.
        set_for = [timer for timer in world.timers if not isinstance(timer, task.LookAtPullRequest)]
        newest = {type(timer): timer for timer in set_for}
        for look in world.timers:
            if isinstance(look, task.LookAtPullRequest) and look.at != now.watch.due:
                assert DECIDER.decide(now, look) is None
        for timer in set_for:
            for at in {timer.at, timer.at + timedelta(milliseconds=off)} - {awaited[type(timer)]}:
                assert DECIDER.decide(now, replace(timer, at=at)) is None
        for kind, moment in awaited.items():
            if moment is not None:
                assert DECIDER.decide(now, newest[kind]) is not None


@settings(deadline=None)
@given(STEPS, POLICIES)
def test_the_brain_is_shown_busy_exactly_while_it_triages_or_reviews(steps: list[int], policy: ReactionPolicy) -> None:
    for world in walk(steps, policy=policy):
        assert _is_busy(world, "task") is (world.task.triaging or world.task.status is task.Status.REVIEWING)


@settings(deadline=None)
@given(STEPS, POLICIES, st.booleans(), st.integers(0, 149))
def test_no_agent_is_shown_busy_once_every_agent_has_reported(
    steps: list[int], policy: ReactionPolicy, well: bool, moment: int
) -> None:
    for world in _moments(steps, policy, moment):
        world.finish(well=well)
        assert [kind for kind in KINDS if _is_busy(world, kind)] == []


def _is_busy(world: InMemorySystem, kind: str) -> bool:
    """What the events of an actor say last of the agent that works for its kind."""
    agent = KINDS[kind].agent
    if agent is None:
        return False
    told = [event for event in world.events_of(kind) if isinstance(event, (*agent.begins, *agent.ends))]
    return bool(told) and isinstance(told[-1], agent.begins)


def _moments(steps: list[int], policy: ReactionPolicy, moment: int) -> Iterator[InMemorySystem]:
    """One moment of a walk, as a world of its own; none when the walk is shorter."""
    for index, world in enumerate(walk(steps, policy=policy)):
        if index == min(moment, len(steps) - 1):
            yield world.copy()
            return


def _comes_from_a_person(event: RecordedEvent) -> bool:
    match event.data:
        case delivery.Accepted(signal=signal) | delivery.Replayed(signal=signal):
            return signal.kind is not delivery.SignalKind.WORK
        case session.Confirmed():
            return True
        case _:
            return False
