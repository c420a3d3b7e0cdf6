"""The rows of a task's plans: one for each proposed version."""

from __future__ import annotations

from msgspec.structs import replace

from services.projector.projection.facts import Fact
from services.projector.projection.rows import PlanRow
from shared.contracts import plan, task

Plans = dict[int, PlanRow]
"""A task's plans by version."""


def fold(plans: Plans, fact: Fact) -> Plans:
    """The plans after one event."""
    match fact.data:
        case plan.Proposed() as data:
            return {**plans, data.version: _proposed(fact, data)}
        case task.Approved(plan=approved) if approved.version in plans:
            row = replace(plans[approved.version], approved_at=fact.at, approved_by=fact.principal)
            return {**plans, approved.version: row}
        case _:
            return plans


def _proposed(fact: Fact, data: plan.Proposed) -> PlanRow:
    return PlanRow(
        task_id=fact.actor_id,
        version=data.version,
        digest=data.digest,
        base_commit=data.base_commit,
        markdown=data.markdown,
        summary=data.summary,
        attempt=data.attempt,
        duration_ms=data.duration_ms,
        proposed_at=fact.at,
    )
