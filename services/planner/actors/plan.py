"""The plan's rules: one draft at a time, reported by the newest attempt only."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from shared.contracts.decider import Decider, Rejected
from shared.contracts.messages import digest_of
from shared.contracts.plan import (
    Claim,
    Claimed,
    Draft,
    DraftingStarted,
    Fail,
    Failed,
    Plan,
    PlanCommand,
    PlanEvent,
    Propose,
    Proposed,
    RecordSpend,
    RecordStopped,
    Revise,
    SpendRecorded,
    Status,
    Stop,
    Stopped,
    StopRequested,
)
from shared.contracts.usage import account_of, booked, unbooked


def decide(plan: Plan, command: PlanCommand) -> PlanEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case Draft() | Revise() | Stop() if 0 < command.cause <= plan.cause:
            return None
        case Draft() | Revise():
            return _drafting(plan, command)
        case Claim():
            return _claimed(plan, command)
        case Stop():
            return _stopping(plan, command)
        case RecordSpend():
            return _spent(plan, command)
        case Propose() | Fail() | RecordStopped():
            return _reported(plan, command)


def _drafting(plan: Plan, command: Draft | Revise) -> DraftingStarted | None:
    if plan.status is Status.DRAFTING:
        if _asks_for_the_same(plan, command):
            return None
        raise Rejected("plan-wrong-state", "Another plan is being drafted: stop it, or wait until it is proposed.")
    match command:
        case Draft():
            return DraftingStarted(
                draft=plan.draft + 1,
                repo=command.repo,
                base_commit=command.base_commit,
                title=command.title,
                text=command.text,
                feedback=command.feedback,
                previous=plan.markdown if command.feedback else "",
                cause=command.cause,
            )
        case Revise() if plan.status is Status.NEW:
            raise Rejected("plan-wrong-state", "There is no plan to revise yet: ask for a draft.")
        case Revise():
            return DraftingStarted(
                draft=plan.draft + 1,
                repo=plan.repo,
                base_commit=plan.base_commit,
                title=plan.title,
                text=plan.text,
                feedback=command.feedback,
                previous=plan.markdown,
                cause=command.cause,
            )


def _asks_for_the_same(plan: Plan, command: Draft | Revise) -> bool:
    match command:
        case Draft():
            return (command.base_commit, command.text, command.feedback) == (
                plan.base_commit,
                plan.text,
                plan.feedback,
            )
        case Revise():
            return command.feedback == plan.feedback


def _claimed(plan: Plan, command: Claim) -> Claimed:
    """A draft may be claimed again, also while it is being stopped: its worker may be gone."""
    if plan.status is not Status.DRAFTING or command.draft != plan.draft:
        raise Rejected(
            "attempt-stale",
            f"Draft {command.draft} needs no worker: draft {plan.draft} is the newest and the plan is {plan.status}.",
        )
    return Claimed(draft=plan.draft, attempt=plan.attempt + 1, worker=command.worker, session=command.session)


def _stopping(plan: Plan, command: Stop) -> StopRequested | Stopped | None:
    match plan.status:
        case Status.DRAFTING if not _is_claimed(plan):
            return Stopped(attempt=plan.attempt, cause=command.cause)
        case Status.DRAFTING if not plan.stopping:
            return StopRequested(attempt=plan.attempt, cause=command.cause)
        case _:
            return None


def _reported(plan: Plan, command: Propose | Fail | RecordStopped) -> PlanEvent | None:
    if command.attempt != plan.attempt or not _is_claimed(plan):
        raise Rejected(
            "attempt-stale",
            f"Attempt {command.attempt} at the plan is over, {plan.attempt} is the newest: end this one.",
        )
    match command, plan.status:
        case Propose(), Status.DRAFTING if plan.stopping:
            raise Rejected("plan-stopping", "The plan is being stopped: end the agent and report it stopped.")
        case Propose(), Status.DRAFTING:
            return Proposed(
                version=plan.version + 1,
                digest=digest_of(command.markdown),
                base_commit=plan.base_commit,
                markdown=command.markdown,
                summary=command.summary,
                attempt=command.attempt,
                usage=command.usage,
                duration_ms=command.duration_ms,
            )
        case Fail(), Status.DRAFTING:
            return Failed(
                attempt=command.attempt,
                code=command.code,
                message=command.message,
                usage=command.usage,
                retryable=command.retryable,
                retry_at=command.retry_at,
            )
        case RecordStopped(), Status.DRAFTING:
            return Stopped(attempt=command.attempt, usage=command.usage)
        case (Propose(), Status.PROPOSED) | (Fail(), Status.FAILED) | (RecordStopped(), Status.STOPPED):
            return None
        case _:
            raise Rejected(
                "plan-wrong-state",
                f"Attempt {command.attempt} has ended, the plan is {plan.status}: nothing is left to report.",
            )


def _spent(plan: Plan, command: RecordSpend) -> SpendRecorded | None:
    late = unbooked(plan.accounts, account_of(command.draft, command.place), command.usage)
    if not late or plan.status is Status.NEW:
        return None
    return SpendRecorded(draft=command.draft, place=command.place, usage=late)


def _is_claimed(plan: Plan) -> bool:
    return plan.claimed_draft == plan.draft > 0


def evolve(plan: Plan, event: PlanEvent) -> Plan:
    """The plan after a fact."""
    after = _after(plan, event)
    match event:
        case Proposed() | Failed() | Stopped():
            account = account_of(plan.draft, plan.worker)
        case SpendRecorded():
            account = account_of(event.draft, event.place)
        case _:
            return after
    return replace(after, accounts=booked(plan.accounts, account, event.usage))


def _after(plan: Plan, event: PlanEvent) -> Plan:
    match event:
        case DraftingStarted():
            return replace(
                plan,
                status=Status.DRAFTING,
                draft=event.draft,
                worker="",
                session="",
                stopping=False,
                repo=event.repo,
                base_commit=event.base_commit,
                title=event.title,
                text=event.text,
                feedback=event.feedback,
                cause=max(plan.cause, event.cause),
            )
        case Claimed():
            return replace(
                plan,
                attempt=event.attempt,
                claimed_draft=event.draft,
                worker=event.worker,
                session=event.session,
            )
        case Proposed():
            return replace(
                plan,
                status=Status.PROPOSED,
                version=event.version,
                digest=event.digest,
                markdown=event.markdown,
            )
        case Failed():
            return replace(plan, status=Status.FAILED, stopping=False)
        case StopRequested():
            return replace(plan, stopping=True, cause=max(plan.cause, event.cause))
        case Stopped():
            return replace(plan, status=Status.STOPPED, stopping=False, cause=max(plan.cause, event.cause))
        case SpendRecorded():
            return plan
        case _:
            assert_never(event)


DECIDER = Decider("plan", Plan(), decide, evolve)
