"""What the brain makes of what is heard of a task's pull request: its fate, its head, its checks and reviews (pure)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.brain.policy import ReactionPolicy
from shared.contracts import delivery, task
from shared.contracts.ids import task_id_in
from shared.contracts.messages import Command
from shared.contracts.pull_request import CheckSeen, PullFacts, ReviewNote
from shared.contracts.task_of import task_of

MAX_NOTE: Final = 4_000
"""Most characters of what is said in a review that a task keeps."""


def about_a_pull_request(
    id: str, at: datetime, signal: delivery.Signal, facts: PullFacts, policy: ReactionPolicy
) -> list[Command]:
    """The commands that a signal of these kinds leads to; ``id`` is the delivery's."""
    if not task_id_in(facts.reverts or facts.branch):
        return []
    task_id = task_of(signal)
    match signal.kind:
        case delivery.SignalKind.CHECK:
            check = CheckSeen(
                key=facts.key, name=facts.name, conclusion=facts.conclusion, url=signal.url, said=facts.said
            )
            due = policy.checks_settle_by(at)
            return [task.RecordCheck(id=task_id, head=facts.head, check=check, at=at, due=due)]
        case delivery.SignalKind.REVIEW:
            return [_review(task_id, at, signal, facts, policy)]
        case _ if facts.state is not None:
            return [
                task.RecordPullRequest(
                    id=task_id,
                    number=facts.number,
                    state=facts.state,
                    by=signal.author,
                    commit=facts.commit,
                    reverted=bool(facts.reverts),
                )
            ]
        case _:
            return [
                task.RecordHead(
                    id=task_id,
                    number=facts.number,
                    head=facts.head,
                    by=signal.author,
                    conflict=facts.conflict,
                    at=at,
                    due=policy.checks_settle_by(at),
                )
            ]


def _review(
    task_id: str, at: datetime, signal: delivery.Signal, facts: PullFacts, policy: ReactionPolicy
) -> task.RecordReview:
    note = ReviewNote(
        key=facts.key,
        review=facts.review,
        author=signal.author,
        text=signal.text[:MAX_NOTE] if facts.verdict != "dismissed" else "",
        path=facts.path,
        line=facts.line,
        url=signal.url,
        by_program=signal.by_program,
        mentioned=signal.mentioned,
        as_of_ms=signal.as_of_ms,
    )
    whole = bool(facts.verdict) or signal.mentioned
    return task.RecordReview(
        id=task_id,
        number=facts.number,
        note=note,
        verdict=facts.verdict,
        origin=signal.origin,
        edited=facts.edited,
        at=at,
        due=policy.review_settles_by(at, whole=whole),
    )
