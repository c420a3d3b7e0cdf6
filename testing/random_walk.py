"""Random walks through the composed system: people, activities and reactors that come in any order, twice, and late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from msgspec.structs import replace

from services.brain.policy import ReactionPolicy
from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.evidence import Check, Evidence, Outcome
from shared.contracts.messages import ArtifactRef, Command
from shared.contracts.pull_request import CatchUp, CheckSeen, PullFacts, PullState, ReviewNote
from shared.contracts.review import ReviewTarget
from shared.contracts.usage import ModelUsage
from testing.conversation_walk import converse
from testing.in_memory_system import BUNDLE, SERVICES, InMemorySystem
from testing.recorded import NO_BODY, TASK_ID

OPENED: Final = 1_767_000_000_000
OPENED_AT: Final = datetime.fromtimestamp(OPENED / 1000, UTC)
DIFF: Final = ArtifactRef(name="diff", sha256="1" * 64, size=1)
SAID: Final = (delivery.SignalKind.COMMENT,)
RED: Final = (Check(command="pytest", exit_code=1, duration_ms=1),)


def walk(
    steps: Sequence[int], *, policy: ReactionPolicy | None = None, reviewed: bool = False
) -> Iterator[InMemorySystem]:
    """The world after each step; a step is any integer, so that a failing walk can be shortened and repeated.

    ``reviewed``: it begins with a task whose result is in review already.
    """
    world = InMemorySystem(policy or ReactionPolicy())
    if reviewed:
        _come_into_review(world)
    for step in steps:
        dice = Random(step)
        _move(world, dice)
        yield world


def walked(steps: Sequence[int], *, policy: ReactionPolicy | None = None, reviewed: bool = False) -> InMemorySystem:
    """The world at the end of a walk."""
    *_, world = walk(steps, policy=policy, reviewed=reviewed)
    return world


def _come_into_review(world: InMemorySystem) -> None:
    world.tell(replace(_submit(world, Random(0)), review=None))
    while world.task.status is not task.Status.IN_REVIEW:
        world.deliver_all()
        for command in [*_consent(world), *world.open_work(well=True)]:
            world.tell(replace(command, pull_request=12) if isinstance(command, reply.Post) else command)


def _move(world: InMemorySystem, dice: Random) -> None:
    match dice.randrange(25):
        case 0 | 1 | 2 | 3 | 4:
            world.deliver(dice.choice(SERVICES))
        case 5 | 6 | 7 | 8:
            world.deliver_all()
        case 9 if world.log:
            # Read again, or read ahead: an event that is delivered twice, or before its elders.
            world.react(dice.choice(SERVICES), dice.choice(world.log))
        case 10 if dice.random() < 0.3:
            world.keep(_delivery(dice))
        case 11:
            command = _person(world, dice)
            world.tell_or_refuse(command)
            world.tell_or_refuse(command)
        case 21 if world.timers:
            # Mostly the newest, as time would have it; an older one is late, or comes a second time.
            world.tell_or_refuse(dice.choice([world.timers[-1], world.timers[-1], *world.timers]))
        case 12:
            world.tell_or_refuse(_person(world, dice))
        case 22 | 23 if world.task.pull_request is not None:
            over = world.task.pull_request.state is not PullState.OPEN
            world.tell_or_refuse((_pull_request if over else dice.choice(REVIEW))(world, dice))
            if dice.random() < 0.5 and world.timers:
                world.tell_or_refuse(world.timers[-1])
        case 13 | 14 | 15 | 16 | 17:
            world.tell_or_refuse(_activity(world, dice))
        case 24:
            converse(world, dice)
        case _:
            world.deliver_all()
            for command in [*_consent(world), *world.open_work(well=dice.random() < 0.6)]:
                world.tell_or_refuse(_now_and_then(world, command, dice))


def _now_and_then(world: InMemorySystem, command: Command, dice: Random) -> Command:
    """What people and agents come to less often than to consent and to an end."""
    often, seldom = dice.random() < 0.6, dice.random() < 0.2
    match command:
        case task.Approve() if seldom:
            return dice.choice((_revise, _revise, _reject))(world, dice)
        case task.RecordTriage() if seldom:
            return replace(command, verdict=dice.choice((task.Verdict.ANSWER, task.Verdict.DECLINE)), answer="a")
        case run.Succeed() if often and world.run.committed:
            return _reopen(world, dice)
        case run.Succeed() if often and world.run.status is run.Status.WAITING_INPUT:
            return dice.choice((_resumed, _input))(world, dice)
        case run.Succeed() if seldom:
            return dice.choice((_started, _checkpoint, _ask, _ask, _commit, _commit))(world, dice)
        case _:
            return command


def _consent(world: InMemorySystem) -> list[Command]:
    """The person who reads the plan, and approves exactly that."""
    now = world.task
    if now.status is not task.Status.AWAITING_APPROVAL:
        return []
    return [task.Approve(version=now.plan_version, digest=now.plan_digest, base_commit=now.plan_base)]


def _person(world: InMemorySystem, dice: Random) -> Command:
    """Mostly what people do at this moment, else anything they can do at all."""
    if dice.random() < 0.2:
        return dice.choice(PEOPLE)(world, dice)
    match world.task.status:
        case task.Status.NEW:
            return dice.choice((_submit, _say))(world, dice)
        case task.Status.AWAITING_APPROVAL:
            return dice.choice((_approve, _approve, _approve, _approve, _revise, _reject, _stop))(world, dice)
        case task.Status.PAUSED:
            return dice.choice((_retry, _stop, _input, _follow_up))(world, dice)
        case task.Status.COMPLETED:
            return dice.choice((_follow_up, _retry, _pull_request, _pull_request))(world, dice)
        case task.Status.IN_REVIEW:
            return dice.choice((_follow_up, _stop, _close_the_thing, _go_on, _pull_request))(world, dice)
        case status if status in task.TERMINAL:
            return dice.choice((_retry, _retry, _publish, _follow_up, _pull_request))(world, dice)
        case _:
            return dice.choice((_input, _input, _follow_up, _stop))(world, dice)


def _activity(world: InMemorySystem, dice: Random) -> Command:
    """Mostly a report of the work that is open, else any report at all."""
    likely: list[Callable[[InMemorySystem, Random], Command]] = []
    if world.task.triaging:
        likely += TRIAGE
    if world.task.status is task.Status.REVIEWING:
        likely += REVIEWING
    if world.plan.status is plan.Status.DRAFTING:
        likely += PLANNING
    if world.run.status in (run.Status.QUEUED, run.Status.RUNNING, run.Status.WAITING_INPUT):
        likely += EXECUTING
    if world.task.status is task.Status.PUBLISHING:
        likely += PUBLISHING
    if world.reply.displays and dice.random() < 0.1:
        likely = [*SHOWING]
    if not likely or dice.random() < 0.2:
        likely = [*TRIAGE, *REVIEWING, *PLANNING, *EXECUTING, *PUBLISHING, *SHOWING]
    return dice.choice(likely)(world, dice)


def _near(number: int, dice: Random) -> int:
    return max(0, number + dice.choice((0, 0, 0, 0, 0, 0, -1, 1)))


def _usage(dice: Random) -> tuple[ModelUsage, ...]:
    return tuple(
        ModelUsage(model=model, input_tokens=dice.randrange(100), cost_microusd=dice.randrange(1000))
        for model in dice.choice(((), ("large",), ("large", "small")))
    )


# ---- people -------------------------------------------------------------------------------------------------


def _submit(world: InMemorySystem, dice: Random) -> Command:
    review = _target(dice) if dice.random() < 0.1 else None
    return task.Submit(
        title="Fix the sum",
        text="1 + 1 gives 3.",
        # A review is written where it was asked for.
        source=task.Source(kind="github", reference="github:octo/app#7") if review else task.Source(kind="api"),
        repo="octo/app",
        directive=dice.choice(tuple(task.Directive)),
        approval=world.policy.approval,
        review=review,
    )


def _target(dice: Random) -> ReviewTarget:
    return ReviewTarget(number=7, head=dice.choice(("h1", "h2")), base="main")


def _approve(world: InMemorySystem, dice: Random) -> Command:
    seen = world.task
    return task.Approve(
        version=dice.choice((seen.plan_version, seen.plan_version, seen.plan_version, 0, seen.plan_version - 1)),
        digest=dice.choice((seen.plan_digest, seen.plan_digest, seen.plan_digest[:8], "0" * 64)),
        base_commit=dice.choice((seen.plan_base, seen.plan_base, "", "other")),
        origin=dice.choice(("", "", f"message-{dice.randrange(50)}")),
        budget_microusd=dice.choice((0, 1_000_000)),
    )


def _reject(world: InMemorySystem, dice: Random) -> Command:
    return task.Reject(reason="No.")


def _revise(world: InMemorySystem, dice: Random) -> Command:
    return task.Revise(feedback=dice.choice(("Smaller.", "")))


def _input(world: InMemorySystem, dice: Random) -> Command:
    return task.GiveInput(message=dice.choice(("Go on.", " ")))


def _stop(world: InMemorySystem, dice: Random) -> Command:
    return task.Stop(reason=dice.choice(("", "Enough.")))


def _retry(world: InMemorySystem, dice: Random) -> Command:
    return dice.choice((task.Retry(), task.Retry(), task.Retry(from_result=True), task.Retry(afresh=True)))


def _publish(world: InMemorySystem, dice: Random) -> Command:
    return task.Publish()


def _follow_up(world: InMemorySystem, dice: Random) -> Command:
    return task.FollowUp(
        text=dice.choice(("And mind the spaces.", "And mind the spaces.", "")),
        author="ada",
        directive=dice.choice(tuple(task.Directive)),
        origin=dice.choice(("", f"message-{dice.randrange(50)}")),
        recorded=dice.random() < 0.5,
        review=_target(dice) if dice.random() < 0.5 and world.task.review else None,
    )


def _say(world: InMemorySystem, dice: Random) -> Command:
    return session.Say(message="What is this?", author="user:ada", task_id=TASK_ID)


def _delivery(dice: Random) -> delivery.Accepted:
    return delivery.Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d",
        signal=_signal(dice),
        body_sha256="",
        body_size=0,
        body=NO_BODY,
        asks_permission=dice.random() < 0.3,
    )


def _signal(dice: Random) -> delivery.Signal:
    kind = dice.choice((*delivery.SignalKind, *SAID, *SAID))
    return delivery.Signal(
        kind=kind,
        thread="github:octo/app#7",
        opened_at_ms=OPENED,
        title="t",
        text=dice.choice(("t", "another text", "the third of them")),
        context=dice.choice(("", "c")),
        trusted=dice.random() < 0.7,
        by_program=dice.random() < 0.2,
        pull_request=dice.random() < 0.1,
        pull=dice.choice((None, PullFacts(number=7, head="h1", base="main"))) if kind in SAID else None,
        mentioned=dice.random() < 0.2,
        directive=dice.choice(("", "dance", *delivery.Word)),
        argument=dice.choice(("", "v1 deadbeef", "deadbeef", "because")),
        origin=dice.choice(("", f"comment-{dice.randrange(50)}")),
    )


def _replay(world: InMemorySystem, dice: Random) -> Command:
    return delivery.Replay(signal=_signal(dice))


def _authorise(world: InMemorySystem, dice: Random) -> Command:
    return delivery.Authorise(signal=_signal(dice), permission="write", decided_by="permission")


def _go_on(world: InMemorySystem, dice: Random) -> Command:
    return task.GoOn(at=OPENED_AT, origin=dice.choice(("", f"message-{dice.randrange(50)}")))


def _close_the_thing(world: InMemorySystem, dice: Random) -> Command:
    return task.RecordClosed(reason="ada has closed the issue.", at=OPENED_AT)


def _pull_request(world: InMemorySystem, dice: Random) -> Command:
    pull = world.task.pull_request
    number = dice.choice((pull.number, pull.number, pull.number, pull.number, 13)) if pull else 13
    if pull and pull.state is PullState.MERGED and dice.random() < 0.7:
        return task.RecordPullRequest(number=number, state=PullState.MERGED, by="ada", reverted=True)
    return task.RecordPullRequest(number=number, state=dice.choice(tuple(PullState)), by="ada")


def _moment(world: InMemorySystem, dice: Random) -> tuple[datetime, datetime]:
    at = OPENED_AT + timedelta(seconds=len(world.log) + dice.randrange(100))
    return at, at + timedelta(seconds=dice.choice((10, 30, 120)))


def _head(world: InMemorySystem, dice: Random) -> Command:
    at, due = _moment(world, dice)
    head = (
        dice.choice((world.task.watch.head, world.task.watch.head, world.task.commit, "pushed-1", "pushed-2")) or "c1"
    )
    return task.RecordHead(number=12, head=head, by="bob", conflict=dice.random() < 0.6, at=at, due=due)


def _base(world: InMemorySystem, dice: Random) -> Command:
    at, _ = _moment(world, dice)
    head = dice.choice((world.task.watch.head, world.task.watch.head, "c1"))
    problem = {"code": "base-conflict", "problem": "Both have changed it."} if dice.random() < 0.2 else {}
    # When nothing else is waited for.
    at = max(at, world.task.watch.due or at) + timedelta(seconds=1)
    return task.RecordBase(
        head=head, base=f"base-{dice.randrange(20)}", how=dice.choice(list(CatchUp)), at=at, **problem
    )


def _check(world: InMemorySystem, dice: Random) -> Command:
    at, due = _moment(world, dice)
    conclusion = dice.choice(("failure", "success", "success", "cancelled"))
    key = f"{dice.choice(('check', 'suite', 'suite'))}/{dice.randrange(20)}"
    check = CheckSeen(key=key, name=dice.choice(("tests", "lint")), conclusion=conclusion)
    head = dice.choice((world.task.watch.head, world.task.watch.head, world.task.commit, "c1"))
    return task.RecordCheck(head=head, check=check, at=at, due=due)


def _review(world: InMemorySystem, dice: Random) -> Command:
    at, due = _moment(world, dice)
    note = ReviewNote(
        key=f"review/{dice.randrange(12)}",
        review=str(dice.randrange(4)),
        author=dice.choice(("ada", "bob")),
        text=dice.choice(("Name it better.", "And test it.", "")),
        by_program=dice.random() < 0.3,
        mentioned=dice.random() < 0.2,
    )
    verdict = dice.choice(("", "", "commented", "changes_requested", "approved", "dismissed"))
    edited = dice.random() < 0.1
    origin = f"{note.key}{f'/{dice.randrange(1000)}' if edited else ''}"
    return task.RecordReview(number=12, note=note, verdict=verdict, origin=origin, edited=edited, at=at, due=due)


def _automatic(world: InMemorySystem, dice: Random) -> Command:
    at, _ = _moment(world, dice)
    return task.SetAutomatic(on=not world.task.watch.automatic, at=at, recorded=dice.random() < 0.5)


REVIEW: Final = (_head, _base, _check, _check, _review, _review, _automatic)

PEOPLE: Final = (
    _submit, _approve, _revise, _reject, _input, _stop, _retry, _publish, _follow_up, _say, _replay, _authorise, _go_on,
    _close_the_thing, _pull_request, _head, _base, _check, _review, _automatic,
)  # fmt: skip

# ---- activities ---------------------------------------------------------------------------------------------


def _triage(world: InMemorySystem, dice: Random) -> Command:
    return task.RecordTriage(
        attempt=_near(world.task.triage_attempt, dice),
        verdict=dice.choice((*task.Verdict, *[task.Verdict.PLAN] * 4)),
        decided_by="model",
        reason="r",
        answer="a",
        repo="octo/app",
        base_commit="c0",
        usage=_usage(dice),
    )


def _triage_failure(world: InMemorySystem, dice: Random) -> Command:
    return task.RecordFailure(
        stage="triage",
        attempt=_near(world.task.triage_attempt, dice),
        code="no-model",
        message="No model.",
        usage=_usage(dice),
        retries_at=dice.choice(((), (OPENED_AT,))),
    )


def _claim_draft(world: InMemorySystem, dice: Random) -> Command:
    return plan.Claim(draft=_near(world.plan.draft, dice), worker="w", session="s")


def _propose(world: InMemorySystem, dice: Random) -> Command:
    return plan.Propose(
        attempt=_near(world.plan.attempt, dice), markdown=f"# {dice.random()}", summary="s", usage=_usage(dice)
    )


def _fail_plan(world: InMemorySystem, dice: Random) -> Command:
    return plan.Fail(
        attempt=_near(world.plan.attempt, dice),
        code="no-plan",
        message="None.",
        usage=_usage(dice),
        retryable=dice.random() < 0.6,
        retry_at=dice.choice((None, OPENED_AT)),
    )


def _plan_stopped(world: InMemorySystem, dice: Random) -> Command:
    return plan.RecordStopped(attempt=_near(world.plan.attempt, dice), usage=_usage(dice))


def _claim_round(world: InMemorySystem, dice: Random) -> Command:
    return run.Claim(round=_near(world.run.round, dice), worker="w", session="s")


def _started(world: InMemorySystem, dice: Random) -> Command:
    return run.RecordStarted(attempt=_near(world.run.attempt, dice), cli_version="2", model="large")


def _checkpoint(world: InMemorySystem, dice: Random) -> Command:
    return run.RecordCheckpoint(
        attempt=_near(world.run.attempt, dice), turn=_near(world.run.turn + 1, dice), commit="c", usage=_usage(dice)
    )


def _ask(world: InMemorySystem, dice: Random) -> Command:
    return run.Ask(attempt=_near(world.run.attempt, dice), request_id=str(dice.randrange(3)), question="Which?")


def _resumed(world: InMemorySystem, dice: Random) -> Command:
    return run.RecordResumed(attempt=_near(world.run.attempt, dice))


def _commit(world: InMemorySystem, dice: Random) -> Command:
    return run.RecordCommit(
        attempt=_near(world.run.attempt, dice),
        commit=dice.choice(("c1", "c2")),
        tree="t",
        parent="c0",
        bundle=BUNDLE,
        diff=DIFF,
        usage=_usage(dice),
    )


def _reopen(world: InMemorySystem, dice: Random) -> Command:
    return run.Reopen(attempt=_near(world.run.attempt, dice), checks=dice.choice(((), RED)))


def _succeed(world: InMemorySystem, dice: Random) -> Command:
    commit = dice.choice(("c1", "c2", ""))
    return run.Succeed(
        attempt=_near(world.run.attempt, dice),
        summary="Done.",
        commit=commit,
        branch="b",
        bundle=BUNDLE if commit else None,
        tree="t",
        evidence=dice.choice((None, *Evidence)),
        outcome=Outcome.CHANGED if commit else Outcome.NOTHING_TO_CHANGE,
        usage=_usage(dice),
        duration_ms=90_000,
    )


def _fail_run(world: InMemorySystem, dice: Random) -> Command:
    kept = run.KeptResult(commit="c3", branch="b", bundle=BUNDLE, tree="t", checked_commit="c4", summary="Half done.")
    return run.Fail(
        attempt=_near(world.run.attempt, dice),
        code="red",
        message="Red.",
        checks=RED,
        usage=_usage(dice),
        retryable=dice.random() < 0.6,
        result=dice.choice((None, kept)),
        evidence=Evidence.FAILING,
        duration_ms=90_000,
    )


def _run_stopped(world: InMemorySystem, dice: Random) -> Command:
    return run.RecordStopped(attempt=_near(world.run.attempt, dice), usage=_usage(dice), duration_ms=90_000)


def _an_effect(world: InMemorySystem, dice: Random) -> tuple[str, int]:
    known = [(name, effect.attempt) for name, effect in world.reply.effects.items()]
    return dice.choice([*known, *known, *known, ("branch/0", 0)])


def _a_display(world: InMemorySystem, dice: Random) -> tuple[str, reply.Display | None]:
    return dice.choice([*world.reply.displays.items(), ("comment", None)])


def _claim_display(world: InMemorySystem, dice: Random) -> Command:
    return reply.Claim(effect=_a_display(world, dice)[0], worker="w")


def _show(world: InMemorySystem, dice: Random) -> Command:
    name, display = _a_display(world, dice)
    revision = display.wanted.revision if display else 1
    return reply.Show(effect=name, attempt=_near(display.attempt if display else 0, dice), revision=revision)


def _fail_display(world: InMemorySystem, dice: Random) -> Command:
    name, display = _a_display(world, dice)
    attempt = _near(display.attempt if display else 0, dice)
    return reply.Fail(effect=name, attempt=attempt, code="gone", message="Gone.")


def _claim_effect(world: InMemorySystem, dice: Random) -> Command:
    return reply.Claim(effect=_an_effect(world, dice)[0], worker="w")


def _post(world: InMemorySystem, dice: Random) -> Command:
    effect, attempt = _an_effect(world, dice)
    number = dice.choice((0, 12, 12))
    return reply.Post(
        effect=effect, attempt=_near(attempt, dice), commit=dice.choice(("", "signed")), pull_request=number
    )


def _fail_effect(world: InMemorySystem, dice: Random) -> Command:
    effect, attempt = _an_effect(world, dice)
    return reply.Fail(effect=effect, attempt=_near(attempt, dice), code="gone", message="Gone.")


def _spend(world: InMemorySystem, dice: Random) -> Command:
    place, usage = dice.choice(("here", "there")), _usage(dice)
    return dice.choice(
        (
            task.RecordSpend(attempt=_near(world.task.triage_attempt, dice), place=place, usage=usage),
            plan.RecordSpend(draft=_near(world.plan.draft, dice), place=place, usage=usage),
            run.RecordSpend(round=_near(world.run.round, dice), place=place, usage=usage),
        )
    )


Moves = tuple[Callable[[InMemorySystem, Random], Command], ...]


def _review_written(world: InMemorySystem, dice: Random) -> Command:
    return task.RecordReviewWritten(
        attempt=_near(world.task.triage_attempt, dice), summary="s", usage=_usage(dice), place=dice.choice(("", "here"))
    )


def _review_failure(world: InMemorySystem, dice: Random) -> Command:
    failure = _triage_failure(world, dice)
    assert isinstance(failure, task.RecordFailure)
    return replace(failure, stage="reviewing")


TRIAGE: Final[Moves] = (_triage, _triage, _triage, _triage_failure, _spend)
REVIEWING: Final[Moves] = (_review_written, _review_written, _review_failure, _spend)
PLANNING: Final[Moves] = (_claim_draft, _claim_draft, _propose, _propose, _propose, _fail_plan, _plan_stopped)
EXECUTING: Final[Moves] = (
    _claim_round,
    _claim_round,
    _started,
    _checkpoint,
    _checkpoint,
    _ask,
    _ask,
    _resumed,
    _resumed,
    _commit,
    _commit,
    _reopen,
    _reopen,
    _succeed,
    _succeed,
    _fail_run,
    _fail_run,
    _run_stopped,
    _spend,
)
PUBLISHING: Final[Moves] = (_claim_effect, _claim_effect, _post, _post, _fail_effect)
SHOWING: Final[Moves] = (_claim_display, _show, _fail_display)
