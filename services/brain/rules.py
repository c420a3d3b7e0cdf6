"""Triage by rules: what needs no model (pure). Where the rules do not decide, a model is asked."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from services.brain.repositories import MOST_NAMED
from shared.contracts.task import Directive, RecordTriage, Task, Verdict
from shared.ops.config import Config
from shared.ops.senders import SENDERS

SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["act", "work_kind", "title", "risk", "reason"],
    "properties": {
        "act": {"type": "boolean", "description": "Whether a software engineer should work on this now"},
        "work_kind": {"enum": ["bug", "feature", "refactoring", "documentation", "tests", "chore", "question"]},
        "title": {
            "type": "string",
            "minLength": 3,
            "maxLength": 120,
            "description": "Names the change, not the report",
        },
        "risk": {"enum": ["low", "medium", "high"], "description": "What breaks if the change is wrong"},
        "reason": {"type": "string", "maxLength": 500, "description": "One sentence naming the words you went by"},
        "answer": {"type": "string", "maxLength": 8000, "description": "Only for a question: the answer itself"},
    },
}
"""What the model answers with, as JSON Schema."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The model's answer, in the form of `SCHEMA`."""

    act: bool
    work_kind: str
    title: str
    risk: str
    reason: str
    answer: str = ""


def by_rules(task: Task, config: Config) -> RecordTriage | None:
    """The verdict that needs no model; None where a model must judge. Directives are a person's own words."""
    name = repo_of(task, config)
    if config.repo_for(name) is None:
        return RecordTriage(
            attempt=task.triage_attempt, verdict=Verdict.DECLINE, decided_by="rules", reason=_no_repo(task, config)
        )
    if task.review is not None:
        return RecordTriage(
            attempt=task.triage_attempt,
            verdict=Verdict.REVIEW,
            decided_by="rules",
            reason="A review of a pull request was asked for.",
            repo=name,
        )
    verdict = {Directive.PLAN: Verdict.PLAN, Directive.IMPLEMENT: Verdict.IMPLEMENT}.get(task.directive)
    if verdict is None:
        return None
    return RecordTriage(
        attempt=task.triage_attempt,
        verdict=verdict,
        decided_by="rules",
        reason=f"The author asked for it: {task.directive}.",
        repo=name,
    )


def by_model(task: Task, judgement: Judgement, config: Config) -> RecordTriage:
    """The verdict that a model's judgement leads to."""
    match judgement:
        case Judgement(work_kind="question", answer=answer) if answer.strip():
            verdict = Verdict.ANSWER
        case Judgement(act=True):
            verdict = Verdict.PLAN
        case _:
            verdict = Verdict.DECLINE
    return RecordTriage(
        attempt=task.triage_attempt,
        verdict=verdict,
        decided_by="model",
        reason=judgement.reason,
        title=judgement.title,
        work_kind=judgement.work_kind,
        risk=judgement.risk,
        answer=judgement.answer,
        repo=repo_of(task, config),
    )


def repo_of(task: Task, config: Config) -> str:
    """The repository that the task is about, by the name it has in the configuration; else what the task says.

    Where nothing says which of several it is, people are asked, and the newest of their answers that names one counts:
    only those who may steer are heard as wishes. The thing's own text may be a stranger's, and leads nowhere.
    """
    if config.repo_for(task.repo) is not None or task.repo:
        return config.name_for(task.repo)
    said = [task.request, *(wish.text for wish in task.wishes if not wish.by_program)]
    named = ([name for name in config.repos if _names(text, name)] for text in reversed(said))
    return next((names[0] for names in named if len(names) == 1), "")


def _names(text: str, repo: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(repo)}(?![\w/-])", text, re.IGNORECASE) is not None


def _no_repo(task: Task, config: Config) -> str:
    if task.repo:
        return f'The repository {task.repo} is not configured: add [repos."{task.repo}"] to journeyman.toml and retry.'
    if not config.repos:
        return 'No repository is configured: add [repos."owner/name"] to journeyman.toml and retry.'
    names = sorted(config.repos)
    there = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    known = f" To have it known at once, name what it comes from under sources.{task.source.kind} in journeyman.toml."
    return f"Which repository is it about: {there}?{known if task.source.kind in SENDERS else ''}"
