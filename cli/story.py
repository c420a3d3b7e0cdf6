"""An event as a sentence for people (pure)."""

from __future__ import annotations

from typing import Any

from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.usage import ModelUsage, cost_of, tokens_of
from shared.envelope import Recorded


def sentence(event: Recorded) -> str:
    """What happened, in one line."""
    match event.kind:
        case "task":
            return _task(event.data)
        case "plan":
            return _plan(event.data)
        case "run":
            return _run(event.data)
        case _:
            return _edge(event.data)


def _task(data: Any) -> str:
    match data:
        case task.Submitted(title=title, source=source):
            return f"“{title}” from {source.author or source.kind} becomes a task"
        case task.TriageRequested(attempt=attempt):
            return "triage looks at it" + _again(attempt)
        case task.Triaged(verdict=verdict, decided_by=by, work_kind=kind, risk=risk):
            return f"the {by} {'decide' if by == 'rules' else 'decides'}: {verdict}" + _in_brackets(
                kind, f"{risk} risk" if risk else ""
            )
        case task.Answered(answer=answer):
            return f"answered: {one_line(answer)}"
        case task.Declined(reason=reason):
            return f"declined: {one_line(reason)}"
        case task.PlanningRequested(base_commit=commit):
            return f"a plan is wanted against {commit[:8]}"
        case task.PlanReady(version=version, digest=digest):
            return f"plan v{version} ({digest[:8]}) waits for approval"
        case task.Approved(plan=approved):
            return f"plan v{approved.version} ({approved.digest[:8]}) is approved against {approved.base_commit[:8]}"
        case task.Rejected(reason=reason):
            return f"the plan is rejected{_because(reason)}"
        case task.RevisionRequested(feedback=feedback):
            return f"another plan is wanted: {one_line(feedback)}"
        case task.ExecutionRequested(round=round, base_commit=commit):
            return f"the work is wanted on {commit[:8]}" + _again(round)
        case task.QuestionAsked(question=question):
            return f"the agent asks: {one_line(question)}"
        case task.InputGiven(message=message):
            return f"told the agent: {one_line(message)}"
        case task.WorkResumed():
            return "the agent goes on"
        case task.RunSucceeded(commit=commit, branch=branch):
            return f"the result {commit[:8]} is to be published as {branch}"
        case task.StopRequested(reason=reason):
            return f"to be stopped{_because(reason)}"
        case task.Completed(commit=commit, branch=branch, summary=summary):
            return f"done: {branch} at {commit[:8]}" if commit else f"done: {one_line(summary)}"
        case task.Failed(stage=stage, message=message):
            return f"{stage} failed: {one_line(message)}"
        case task.Cancelled(reason=reason):
            return f"cancelled{_because(reason)}"
        case task.Retried(stage=stage):
            return f"tried again from {stage}"
        case task.Paused(stage=stage, message=message, until=until):
            return f"{stage} is paused until {until:%H:%M:%S} UTC: {one_line(message)}"
        case task.Resumed(stage=stage):
            return f"the pause is over: on with {stage}"
        case task.ApprovalExpired(version=version):
            return f"nobody approved plan v{version} in time"
        case task.SpendRecorded(usage=usage):
            return "an agent that was overtaken or broken off had spent more" + _spent(usage)
        case _:
            return ""


def _plan(data: Any) -> str:
    match data:
        case plan.DraftingStarted(draft=draft):
            return "a plan is to be written" + _again(draft)
        case plan.Claimed(worker=worker, attempt=attempt):
            return f"{worker} takes the planning" + _again(attempt)
        case plan.Proposed(version=version, summary=summary, usage=usage):
            return f"plan v{version}: {one_line(summary)}" + _spent(usage)
        case plan.Failed(message=message):
            return f"no plan: {one_line(message)}"
        case plan.StopRequested():
            return "the planning agent is to stop"
        case plan.Stopped():
            return "the planning agent is gone"
        case plan.SpendRecorded(usage=usage):
            return "an agent that was overtaken or broken off had spent more" + _spent(usage)
        case _:
            return ""


def _run(data: Any) -> str:
    match data:
        case run.Requested(round=round):
            return "waits for an executor" + _again(round)
        case run.Claimed(worker=worker, attempt=attempt):
            return f"{worker} takes the work" + _again(attempt)
        case run.Started(cli_version=version, model=model):
            return f"Claude Code {version} works with {model}"
        case run.Checkpointed(turn=turn, commit=commit, usage=usage):
            return f"checkpoint of turn {turn}" + (f" at {commit[:8]}" if commit else "") + _spent(usage)
        case run.QuestionAsked(question=question):
            return f"asks: {one_line(question)}"
        case run.InputGiven(message=message):
            return f"is told: {one_line(message)}"
        case run.Resumed():
            return "has its answer and goes on"
        case run.Succeeded(commit=commit, files=files, checks=checks, usage=usage):
            passed = f", {len(checks)} {_plural('check', len(checks))} passed" if checks else ""
            return f"commit {commit[:8]}: {len(files)} {_plural('file', len(files))}{passed}" + _spent(usage)
        case run.Failed(message=message):
            return f"failed: {one_line(message)}"
        case run.StopRequested():
            return "the agent is to stop"
        case run.Stopped(killed=killed):
            return "the agent is gone" + (f", {killed} processes ended" if killed else "")
        case run.SpendRecorded(usage=usage):
            return "an agent that was overtaken or broken off had spent more" + _spent(usage)
        case _:
            return ""


def _edge(data: Any) -> str:
    match data:
        case delivery.Accepted(webhook=webhook, event=event, action=action, signal=signal):
            return f"signed {webhook} webhook {event}.{action} accepted: “{one_line(signal.title)}”"
        case reply.Requested(branch=branch):
            return f"{branch} is to appear in the repository"
        case reply.Claimed(worker=worker):
            return f"{worker} publishes it"
        case reply.Posted(branch=branch, commit=commit):
            return f"{branch} is at {commit[:8]}"
        case reply.Failed(message=message):
            return f"not published: {one_line(message)}"
        case reply.Withdrawn(effects=effects):
            return f"withdrawn: {', '.join(effects)}"
        case session.Said(message=message, author=author):
            return f"{author}: {one_line(message)}"
        case session.AnswerRecorded(text=text):
            return f"the brain: {one_line(text)}"
        case _:
            return ""


def one_line(text: str, limit: int = 100) -> str:
    """The text's words on one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def money(microusd: int) -> str:
    """Micro-dollars as dollars: at least four digits, because agents are cheap by the turn."""
    return f"${microusd / 1_000_000:.4f}"


def _again(number: int) -> str:
    return f" (the {number}. time)" if number > 1 else ""


def _because(reason: str) -> str:
    return f": {one_line(reason)}" if reason else ""


def _in_brackets(*parts: str) -> str:
    given = [part for part in parts if part]
    return f" ({', '.join(given)})" if given else ""


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _spent(usage: tuple[ModelUsage, ...]) -> str:
    return f" · {tokens_of(usage):,} tokens, {money(cost_of(usage))}" if usage else ""
