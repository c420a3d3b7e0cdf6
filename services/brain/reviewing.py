"""Reviews: Claude with read-only tools in a worktree at the head of a pull request, and what it finds there.

Everything in that worktree may be a stranger's. So nothing of it configures the agent, submodules stay empty (they
could show what only we may read), and the agent has no tool that does anything but read.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from services.brain.policy import ReactionPolicy
from shared.claude.agent_activity import AgentActivity, AgentWork
from shared.claude.conversation.outcome import Outcome
from shared.claude.orphans import fate_of
from shared.claude.role import RoleInvalid
from shared.claude.runner import quoted
from shared.contracts import task
from shared.contracts.review import (
    MAX_FINDING,
    MAX_FINDINGS,
    MAX_PATH,
    MAX_SUGGESTION,
    MAX_SUMMARY,
    Finding,
    Severity,
    Side,
)
from shared.contracts.task import RecordFailure, RecordReviewWritten, Stage, Status, Task
from shared.event_store.envelope import RecordedEvent, utc_now
from shared.ops.config import BadConfig
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.git import GitFailed
from shared.workspace.review_diff import ReviewDiff, review_diff
from shared.workspace.target import Target
from shared.workspace.worktree import Worktree

AGENT: Final = "reviewer"
MAX_DIFF_CHARS: Final = 200_000
"""Most of a diff that the agent is told; it can read the files."""
_LINE: Final = {"type": "integer", "minimum": 0, "maximum": 10_000_000}

SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary", "findings"],
    "properties": {
        "summary": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_SUMMARY,
            "description": "What the change does, and what you think of it, in a few sentences",
        },
        "findings": {
            "type": "array",
            "description": "The worst first; empty when there is nothing to say",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "line", "side", "severity", "text"],
                "properties": {
                    "path": {"type": "string", "description": "As in the diff, without a/ or b/; empty for all of it"},
                    "line": {**_LINE, "description": "Of the diff, on that side; 0 for the file as a whole"},
                    "side": {"enum": ["RIGHT", "LEFT"], "description": "LEFT only for a line that was removed"},
                    "severity": {"enum": ["high", "medium", "low"]},
                    "text": {"type": "string", "minLength": 1, "description": "What goes wrong, when, and why"},
                    "suggestion": {
                        "type": "string",
                        "description": "What exactly this one line should be instead, where that mends it",
                    },
                },
            },
        },
    },
}
"""What the reviewer answers with, as JSON Schema. Lengths are cut by us: a long finding is better than none."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of the answer."""

    path: str
    line: int
    side: Side
    severity: Severity
    text: str
    suggestion: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, in the form of `SCHEMA`."""

    summary: str
    findings: tuple[Found, ...] = ()


class Reviewing:
    """The activity behind `task.review-requested`."""

    def __init__(self, settings: Settings, agents: AgentActivity, policy: ReactionPolicy, gateway: GatewayGit) -> None:
        self._settings = settings
        self._agents = agents
        self._policy = policy
        self._gateway = gateway

    async def review(self, event: RecordedEvent, context: ActivityContext) -> None:
        """Write one review; a worker that takes it over attaches to its agent or starts a new one."""
        await self._agents.perform(event, context, self._review(event, context))

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report a review that failed again and again for a reason of ours."""
        failure = RecordFailure(
            stage=Stage.REVIEWING,
            code="internal-error",
            message=f"The brain could not have it reviewed ({reason}): see its log, then retry the task.",
            attempt=event.data.attempt,
        )
        await self._agents.host.report(event.actor, failure)

    async def _review(self, event: RecordedEvent, context: ActivityContext) -> None:
        asked: task.ReviewRequested = event.data
        work = self._agents.work(event.actor, asked.attempt)
        state: Task = await self._agents.host.state(event.actor)
        if state.triage_attempt != asked.attempt or state.status is not Status.REVIEWING:
            await self._clear(work, asked, context)
            return
        await self._agents.until_agents_run(context)
        if context.delivered == 1 and (lost := await self._gateway.lost_standing(asked.repo, event.actor.id)):
            failure = RecordFailure(stage=Stage.REVIEWING, code="standing-lost", message=lost, attempt=asked.attempt)
            await self._agents.report(event.actor, failure)
            return
        try:
            report = await self._write(event, work, state)
        except (BadConfig, GitFailed, RoleInvalid) as error:
            report = RecordFailure(
                stage=Stage.REVIEWING, code="review-failed", message=str(error), attempt=asked.attempt
            )
        crash_point("review.written")
        await self._agents.report(event.actor, report)  # refused when the task has ended meanwhile
        crash_point("review.reported")
        await self._clear(work, asked, context)

    async def _write(self, event: RecordedEvent, work: AgentWork, state: Task) -> RecordReviewWritten | RecordFailure:
        asked: task.ReviewRequested = event.data
        mirror = self._target(asked).mirror()
        await mirror.fetch()  # where the base branch stands now
        # No branch of ours reaches the head of a fork: it is asked for by its id.
        await mirror.resolve(asked.review.head)
        diff = await review_diff(
            mirror, asked.review.base, asked.review.base_commit, asked.review.head, limit=MAX_DIFF_CHARS
        )
        worktree = await Worktree.create(mirror, work.local.worktree(self._settings.data_dir), asked.review.head)
        crash_point("review.worktree")
        outcome = await self._agents.run_read_only(
            work,
            self._agents.runner.agent(AGENT),
            cwd=worktree.path,
            git=worktree.git_folders,
            prompt=prompt(state, asked, diff),
            schema=SCHEMA,
            hears=f"evt.task.{event.actor.id}.cancelled",
            after=event.position,
            ends=lambda _: True,
        )
        report = report_of(asked.attempt, outcome, diff, self._policy)
        return msgspec.structs.replace(report, place=self._agents.runner.node_id)

    def _target(self, asked: task.ReviewRequested) -> Target:
        return Target(self._settings, self._gateway, asked.repo, asked.review.head)

    async def _clear(self, work: AgentWork, asked: task.ReviewRequested, context: ActivityContext) -> None:
        """Leave nothing on this machine of a review that is over, and nothing unpaid here or where it was begun."""
        await asyncio.to_thread(work.end_processes)
        events = await self._agents.journal.load(work.actor)
        if fate_of(events, work.number, self._agents.runner.node_id).accountable:
            # What the review told already adds nothing.
            await work.reconcile_here()
            if context.delivered > 1:
                await work.reconcile_elsewhere()
        crash_point("review.reconciled")
        work.remove_run_dirs()
        await self._target(asked).remove_worktrees(work.local.worktree(self._settings.data_dir))
        crash_point("review.cleaned")


def report_of(
    attempt: int, outcome: Outcome, diff: ReviewDiff, policy: ReactionPolicy
) -> RecordReviewWritten | RecordFailure:
    """The review that an agent's answer makes, or why there is none."""
    if not outcome.ok or outcome.structured is None:
        return RecordFailure(
            stage=Stage.REVIEWING,
            attempt=attempt,
            code=outcome.code,
            message=outcome.message,
            usage=outcome.usage,
            retries_at=policy.retries_at(utc_now(), outcome.retry_at) if outcome.retryable else (),
        )
    try:
        written = msgspec.convert(outcome.structured, Written)
    except msgspec.ValidationError as error:
        return RecordFailure(
            stage=Stage.REVIEWING,
            attempt=attempt,
            code="agent-no-structured-output",
            message=f"The model's review does not fit its schema ({error}): retry the task.",
            usage=outcome.usage,
        )
    ranks = list(Severity)
    findings = sorted(written.findings, key=lambda found: ranks.index(found.severity))
    return RecordReviewWritten(
        attempt=attempt,
        summary=_cut(written.summary.strip(), MAX_SUMMARY),
        findings=tuple(_finding(found, diff) for found in findings[:MAX_FINDINGS]),
        left_out=max(0, len(findings) - MAX_FINDINGS),
        usage=outcome.usage,
    )


def _finding(found: Found, diff: ReviewDiff) -> Finding:
    path = found.path.removeprefix("./")
    lines = diff.lines.get(path)
    shown = (lines.left if found.side is Side.LEFT else lines.right) if lines else frozenset()
    whole = len(found.suggestion) <= MAX_SUGGESTION
    return Finding(
        severity=found.severity,
        text=_cut(found.text.strip(), MAX_FINDING),
        path=path[:MAX_PATH],
        line=max(0, found.line),
        side=found.side,
        suggestion=found.suggestion.strip("\n") if whole else "",
        in_diff=found.line in shown,
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def prompt(state: Task, asked: task.ReviewRequested, diff: ReviewDiff) -> str:
    """What the reviewer is told: all of it is others' words, and data."""
    review = asked.review
    parts = [
        f"Review pull request {review.number}. Your working directory has its files at commit {review.head}; the diff "
        f"below is what it changes since it left its base branch, at commit {diff.base}.",
        quoted("pull request", state.text, title=state.title),
    ]
    if state.request.strip():
        parts += ["What was said when the review was asked for:", quoted("comment", state.request)]
    for said in (wish.text for wish in state.wishes if wish.text.strip()):
        parts += ["What was said further:", quoted("comment", said)]
    if diff.is_cut:
        parts.append("The diff is too long to be shown whole: it is cut, and the files have the rest.")
    parts.append(quoted("diff", diff.text))
    return "\n\n".join(parts)
