"""The one comment of a task: how it stands, what is planned, what came of it, and what a person can say now (pure)."""

from __future__ import annotations

from typing import Final

from services.gateway.outbound.defused import code, cut, defused, one_line, units
from services.gateway.outbound.parts import (
    MAX_TEXT,
    claimed,
    evidence,
    files_changed,
    folded,
    footer,
    marker,
    plan_heading,
    who,
    without_its_name,
)
from shared.contracts.evidence import Outcome
from shared.contracts.queries import PlanVersion, TaskDetail
from shared.contracts.reply import COMMENT
from shared.contracts.rules import Action
from shared.contracts.run import Status as RunStatus
from shared.contracts.task import TERMINAL, Stage, Status, Verdict

BETWEEN: Final = 1_000
"""What is kept for what stands between the parts."""
MAX_ANSWER: Final = 30_000
MAX_SUMMARY: Final = 6_000
MAX_QUESTION: Final = 4_000
_ENDED: Final = TERMINAL | {Status.IN_REVIEW}


def task_comment(
    task: TaskDetail, *, mention: str = "@agent", public_url: str = "", edited: bool = False, max_units: int = MAX_TEXT
) -> str:
    """The comment as of now, within ``max_units`` code units, which are GitHub's limit.

    ``mention`` is the word that addresses us; ``edited``: what the work began from reads otherwise now.
    """
    status = Status(task.status)
    changed = "What was asked for has been edited since the work began; it goes on from the words of before."
    head = [marker(task.id, COMMENT), _state(task, status), _progress(task, status), changed if edited else ""]
    tail = [*_next_words(task, status, mention), footer(task, public_url=public_url, duration_ms=_duration(task))]
    room = max_units - BETWEEN - sum(units(each) + 2 for each in (*head, *tail))
    return "\n\n".join(part for part in (*head, *_fitting(_body(task, status), room), *tail) if part)


def state_line(task: TaskDetail) -> str:
    """How a task stands, in a line of Markdown."""
    return _state(task, Status(task.status))


def _state(task: TaskDetail, status: Status) -> str:
    if task.stopping and status not in TERMINAL:
        return "**Being stopped.** The agent ends what it is doing."
    again = f" (round {task.round})" if task.round > 1 else ""
    pull = f"[pull request {task.pull_request}]({task.result_url})" if task.pull_request else ""
    match status:
        case Status.NEW | Status.RECEIVED | Status.TRIAGED:
            return "**Looking at it.**"
        case Status.PLANNING:
            return "**Writing a plan.**"
        case Status.AWAITING_APPROVAL if task.approved_version:
            return "**The plan is approved.** The work on it begins."
        case Status.AWAITING_APPROVAL:
            return "**The plan is ready and waits for approval.**"
        case Status.EXECUTING:
            return f"**Working on it{again}.**"
        case Status.WAITING_INPUT:
            return "**A question, before the work goes on.**"
        case Status.PAUSED:
            until = f" until {task.paused_until:%Y-%m-%d %H:%M} UTC" if task.paused_until else ""
            return f"**Paused{until}.** {one_line(task.error_message)} It goes on by itself."
        case Status.REVIEWING:
            return "**Reviewing the pull request.**"
        case Status.PUBLISHING if task.verdict == Verdict.REVIEW:
            return "**The review is written** and is being shown."
        case Status.PUBLISHING:
            return "**The work is done** and is being published."
        case Status.IN_REVIEW:
            if task.attention:
                return f"**A person is needed:** {pull}\n\n{one_line(task.attention, 600)}"
            return f"**Ready for review:** {pull}"
        case Status.COMPLETED if task.reverted_by:
            return f"**Merged and taken back** by {who(task.reverted_by)}: {pull}"
        case Status.COMPLETED if task.merged_by or task.merge_commit:
            return f"**Merged**{f' by {who(task.merged_by)}' if task.merged_by else ''}: {pull}"
        case Status.COMPLETED if task.outcome == Outcome.REVIEWED:
            return f"**Reviewed:** [the review]({task.result_url})" if task.result_url else "**Reviewed.**"
        case Status.COMPLETED if task.outcome == Outcome.ANSWERED:
            return "**Answered.**"
        case Status.COMPLETED if task.outcome == Outcome.NOTHING_TO_CHANGE:
            return "**Nothing had to change.**"
        case Status.COMPLETED:
            where = f": branch {code(task.branch)} at {code(task.commit[:12])}" if task.branch else "."
            return f"**Done**{where}"
        case Status.FAILED:
            return f"**Not done:** {_what_failed(task)}"
        case Status.DECLINED:
            return f"**Not taken on.** {one_line(task.triage_reason, 600)}"
        case Status.CANCELLED:
            return _how_cancelled(task)


def _what_failed(task: TaskDetail) -> str:
    where = {
        Stage.TRIAGE: "triage failed",
        Stage.PLANNING: "no plan came out",
        Stage.EXECUTING: "the work fell short" if task.has_result else "the work failed",
        Stage.REVIEWING: "no review came out",
        Stage.PUBLISHING: "the review could not be shown"
        if task.verdict == Verdict.REVIEW
        else "the result could not be published",
    }
    return f"{where.get(Stage(task.ended_in), 'it failed') if task.ended_in else 'it failed'}.\n\n" + (
        cut(defused(task.error_message), 3_000) or "Nobody said why."
    )


def _how_cancelled(task: TaskDetail) -> str:
    by = f" by {who(task.cancelled_by)}" if task.cancelled_by else ""
    reason = f" {one_line(task.cancelled_reason, 600)}" if task.cancelled_reason else ""
    match task.cancelled_how:
        case "rejected":
            return f"**The plan was rejected**{by}.{reason}"
        case "expired":
            return "**Nobody approved the plan in time.**"
        case _:
            return f"**Stopped**{by}.{reason}"


def _body(task: TaskDetail, status: Status) -> list[str]:
    """The long parts, the most important first: what does not fit is cut from the end."""
    plan = task.plans[-1] if task.plans else None
    match status:
        case Status.AWAITING_APPROVAL if plan is not None and not task.approved_version:
            return [f"### {plan_heading(plan)}", defused(without_its_name(plan.markdown))]
        case Status.WAITING_INPUT:
            return [_question(task), *_folded_plan(plan)]
        case Status.COMPLETED if task.answer:
            return [cut(defused(task.answer), MAX_ANSWER)]
        case _ if status in _ENDED or status is Status.PUBLISHING:
            return [*_result(task), *_folded_plan(plan)]
        case _:
            return _folded_plan(plan)


def _question(task: TaskDetail) -> str:
    asked = task.run.question if task.run and task.run.question else task.question
    options = task.run.options if task.run else ()
    listed = "\n".join(f"{number}. {one_line(option)}" for number, option in enumerate(options, 1))
    return "\n\n".join(part for part in (cut(defused(asked), MAX_QUESTION), listed) if part)


def _result(task: TaskDetail) -> list[str]:
    run = task.run
    if run is None:
        return []
    summary = cut(defused(task.summary or run.summary), MAX_SUMMARY)
    changed = files_changed(run)
    proof = evidence(run)
    return [
        part
        for part in (
            claimed(summary),
            f"### Evidence{f' ({changed})' if changed else ''}" if proof else changed,
            _caught_up(task) if proof else "",
            proof,
        )
        if part
    ]


def _caught_up(task: TaskDetail) -> str:
    if not task.caught_up_with:
        return ""
    return (
        f"**Observed of {code(task.commit[:12])}.** Its branch was brought up to date with "
        f"{code(task.caught_up_with[:12])} of its base since, and not checked anew by us."
    )


def _folded_plan(plan: PlanVersion | None) -> list[str]:
    return [folded(plan_heading(plan), defused(without_its_name(plan.markdown)))] if plan is not None else []


def _fitting(parts: list[str], room: int) -> list[str]:
    """The parts, the last of which is cut where they do not fit; a folded one is cut inside."""
    kept: list[str] = []
    for part in parts:
        if units(part) + 2 > room:
            if part.startswith("<details>"):
                opening, _, rest = part.partition("\n\n")
                inner = cut(rest.removesuffix("\n\n</details>"), room - units(opening) - 20)
                part = f"{opening}\n\n{inner}\n\n</details>" if inner else ""
            else:
                part = cut(part, max(0, room - 2))
        kept.append(part)
        room -= units(part) + 2
        if room < 400:
            break
    return kept


def _progress(task: TaskDetail, status: Status) -> str:
    """The way from the wish to the result as a checklist, once there is one and until it ends."""
    plan = task.plans[-1] if task.plans else None
    if status in TERMINAL or (plan is None and not task.round):
        return ""
    run = task.run
    steps: list[tuple[bool, str]] = []
    if plan is not None:
        approved = f", approved by {who(plan.approved_by)}" if plan.approved_by else ", not approved yet"
        steps.append((bool(plan.approved_by), f"Plan v{plan.version} {code(plan.digest[:8])}{approved}"))
    elif status is Status.PLANNING or task.verdict == "plan":
        steps.append((False, "Plan"))
    worked = run is not None and run.status in (RunStatus.SUCCEEDED, RunStatus.FAILED) and run.round == task.round
    rounds = f", round {task.round}" if task.round > 1 else ""
    steps.append((worked and bool(run and run.commit), f"Work{rounds}"))
    steps.append((worked and bool(run and run.evidence), f"Checks{_proven(task)}"))
    if status is Status.IN_REVIEW:
        # The line above has its link.
        steps.append((False, "Review"))
    elif task.pull_request:
        steps.append((status in _ENDED, f"[Pull request {task.pull_request}]({task.result_url})"))
    else:
        steps.append((False, "Publication"))
    return "\n".join(f"- [{'x' if done else ' '}] {what}" for done, what in steps)


def _proven(task: TaskDetail) -> str:
    words = {
        "verified": "all passed",
        "no-new-failures": "no new failures",
        "unverified": "not verified",
        "failing": "failing",
    }
    return f": {words[task.evidence]}" if task.evidence in words else ""


def _next_words(task: TaskDetail, status: Status, mention: str) -> list[str]:
    """What a person with write access can write now."""
    plan = task.plans[-1] if task.plans else None

    def say(words: str) -> str:
        return code(f"{mention} {words}")

    def allowed(action: Action) -> bool:
        state = task.actions.get(action)
        return state is not None and state.allowed

    match status:
        case Status.AWAITING_APPROVAL if plan is not None and not task.approved_version:
            return [
                f"To have exactly this done, comment {say(f'approve v{plan.version} {plan.digest[:8]}')}. "
                f"For another plan {say('revise …')} with what it should do differently; to drop it {say('reject')}."
            ]
        case Status.WAITING_INPUT:
            return [f"To answer, comment {code(mention)} followed by your answer; {say('stop')} ends the work."]
        case Status.FAILED | Status.CANCELLED if task.verdict == Verdict.REVIEW:
            return [f"{say('review')} has it reviewed as it is then."]
        case Status.FAILED if allowed(Action.RETRY):
            return [f"{say('retry')} tries again."]
        case Status.DECLINED if task.decided_by == "rules" and not task.repo:
            return [f"{say('plan owner/name')} takes it up with the repository that it names."]
        case Status.CANCELLED | Status.DECLINED if allowed(Action.RETRY):
            return [f"{say('retry')} takes it up again."]
        case Status.IN_REVIEW:
            return [f"Merge or close the pull request, or comment {code(mention)} with what is to be done differently."]
        case _:
            return []


def _duration(task: TaskDetail) -> int:
    """Milliseconds from the wish to the end; 0 while it goes on."""
    if Status(task.status) not in _ENDED:
        return 0
    return max(0, round((task.updated_at - task.created_at).total_seconds() * 1000))
