"""One sentence for each event: what the timeline says. Made when asked for, so that wording needs no rebuild."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.contracts import EVENTS, delivery, plan, reply, run, session, task

UNREAD = "An event that this version cannot read."
SPENT = "What an agent had spent before its work was broken off or taken over was accounted for."
LONGEST = 200


def sentence(kind: str, name: str, data: bytes) -> str:
    """What happened, for a person; ``data`` is the JSON of the event's data in the shape of today."""
    cls = EVENTS.get(kind, {}).get(name)
    if cls is None:
        return UNREAD
    try:
        event = msgspec.json.decode(data, type=cls)
    except msgspec.MsgspecError:
        return UNREAD
    match kind:
        case "task":
            return _of_task(event)
        case "plan":
            return _of_plan(event)
        case "run":
            return _of_run(event)
        case "reply":
            return _of_reply(event)
        case _:
            return _of_others(event)


def _of_task(event: Any) -> str:
    match event:
        case task.Submitted(title=title, source=source):
            return f"Submitted from {source.reference or source.kind}: {_short(title)}"
        case task.TriageRequested(attempt=attempt):
            return f"Triage was asked to look at it{_again(attempt)}."
        case task.Triaged(verdict=verdict, decided_by=by, reason=reason):
            return f"Triage ({by}) decided to {verdict}: {_short(reason)}"
        case task.Answered(answer=answer):
            return f"Answered: {_short(answer)}"
        case task.Declined(reason=reason):
            return f"Declined: {_short(reason)}"
        case task.PlanningRequested(repo=repo, base_commit=commit):
            return f"A plan was asked for, against {repo} at {commit[:8]}."
        case task.PlanReady(version=version):
            return f"Plan {version} waits for approval."
        case task.Approved(plan=approved):
            return f"Plan {approved.version} was approved."
        case task.Rejected(version=version, reason=reason):
            return f"Plan {version} was rejected{_because(reason)}"
        case task.RevisionRequested(version=version, feedback=feedback):
            return f"Another plan than {version} was asked for: {_short(feedback)}"
        case task.ExecutionRequested(round=number):
            return f"The work was asked for{_again(number)}."
        case task.QuestionAsked(question=question):
            return f"The agent asks: {_short(question)}"
        case task.InputGiven(message=message):
            return f"Told the agent: {_short(message)}"
        case task.WorkResumed():
            return "The agent goes on."
        case task.RunSucceeded(summary=summary):
            return f"The work is done: {_short(summary)}"
        case task.StopRequested(reason=reason):
            return f"The agent is to be stopped{_because(reason)}"
        case task.Completed(summary=summary):
            return f"Completed: {_short(summary)}"
        case task.Failed(stage=stage, message=message):
            return f"Failed in {stage}: {_short(message)}"
        case task.Cancelled(reason=reason):
            return f"Cancelled{_because(reason)}"
        case task.Retried(stage=stage):
            return f"Retried, from {stage}."
        case task.Paused(stage=stage, message=message, until=until, tries=tries):
            return f"Paused in {stage}{_again(tries)} until {until:%Y-%m-%d %H:%M:%S} UTC: {_short(message)}"
        case task.Resumed(stage=stage):
            return f"The pause is over; going on with {stage}."
        case task.ApprovalExpired(version=version):
            return f"Nobody approved plan {version} in time."
        case task.SpendRecorded():
            return SPENT
        case _:
            return UNREAD


def _of_plan(event: Any) -> str:
    match event:
        case plan.DraftingStarted(draft=draft):
            return f"Draft {draft} of the plan waits for a planner."
        case plan.Claimed(worker=worker):
            return f"{worker} writes the plan."
        case plan.Proposed(version=version, summary=summary):
            return f"Plan {version} was proposed: {_short(summary)}"
        case plan.Failed(message=message):
            return f"No plan came out: {_short(message)}"
        case plan.StopRequested():
            return "The planning agent is to be stopped."
        case plan.Stopped():
            return "The planning agent has stopped."
        case plan.SpendRecorded():
            return SPENT
        case _:
            return UNREAD


def _of_run(event: Any) -> str:
    match event:
        case run.Requested(round=number):
            return f"Round {number} of the work waits for an executor."
        case run.Claimed(worker=worker, attempt=attempt):
            return f"{worker} took the work (attempt {attempt})."
        case run.Started(model=model, resumed=resumed):
            return f"The agent {'goes on' if resumed else 'has started'} with {model}."
        case run.Checkpointed(turn=turn):
            return f"Checkpoint after turn {turn}."
        case run.QuestionAsked(question=question):
            return f"The agent asks: {_short(question)}"
        case run.InputGiven(message=message):
            return f"The agent is told: {_short(message)}"
        case run.Resumed():
            return "The agent was handed its answer."
        case run.Succeeded(summary=summary):
            return f"The agent is done: {_short(summary)}"
        case run.Failed(message=message):
            return f"The agent failed: {_short(message)}"
        case run.StopRequested(reason=reason):
            return f"The agent is to be stopped{_because(reason)}"
        case run.Stopped(killed=killed):
            return f"The agent has stopped{f' ({killed} processes were killed)' if killed else ''}."
        case run.SpendRecorded():
            return SPENT
        case _:
            return UNREAD


def _of_reply(event: Any) -> str:
    match event:
        case reply.Requested(effect=effect):
            return f"To be made visible: {effect}."
        case reply.Claimed(effect=effect, worker=worker):
            return f"{worker} makes {effect} visible."
        case reply.Posted(effect=effect, url=url):
            return f"{effect} is visible{f' at {url}' if url else ''}."
        case reply.Failed(effect=effect, message=message):
            return f"{effect} could not be made visible: {_short(message)}"
        case reply.Withdrawn(effects=effects):
            return f"No longer wanted: {', '.join(effects)}."
        case _:
            return UNREAD


def _of_others(event: Any) -> str:
    match event:
        case delivery.Accepted(webhook=webhook, event=name, action=action, signal=signal):
            return f"{webhook} sent {name}{f' ({action})' if action else ''} about {signal.thread}."
        case session.Said(author=author, message=message):
            return f"{author or 'Somebody'} said: {_short(message)}"
        case session.AnswerRecorded(text=text):
            return f"Answered: {_short(text)}"
        case _:
            return UNREAD


def _short(text: str) -> str:
    line = " ".join(text[: LONGEST * 4].split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _because(reason: str) -> str:
    return f": {_short(reason)}" if reason else "."


def _again(number: int) -> str:
    return f" (number {number})" if number > 1 else ""
