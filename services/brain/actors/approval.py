"""An approval is bound to one plan: its version, its digest and its base commit (docs/architecture.md)."""

from __future__ import annotations

from typing import Final

from shared.contracts.decider import Rejected
from shared.contracts.task import Approve, Approved, ApprovedPlan, Task

SHORTEST_DIGEST: Final = 8
"""Hex digits of a digest that a person may shorten it to."""


def approve(task: Task, command: Approve) -> Approved | None:
    """The approval of the plan that waits, or None when it has it. Version 0 leaves the matching to the digest.

    Raises `Rejected` ``approval-stale`` (another version), ``approval-mismatch`` (another digest or base commit) or
    ``budget-negative``.
    """
    if command.version not in (0, task.plan_version):
        raise Rejected(
            "approval-stale",
            f"This approves version {command.version} of the plan, but version {task.plan_version} is the one that "
            "waits: read it and approve that.",
        )
    if not _names(command.digest, task.plan_digest):
        raise Rejected(
            "approval-mismatch",
            f"The digest is not that of version {task.plan_version} of the plan, which begins with "
            f"{task.plan_digest[:SHORTEST_DIGEST]}: read that plan, and give at least these {SHORTEST_DIGEST} digits.",
        )
    if command.base_commit not in ("", task.plan_base):
        raise Rejected(
            "approval-mismatch",
            f"This approves the plan for the base commit {command.base_commit[:12]}, but it was written for "
            f"{task.plan_base[:12]}: approve that, or ask for a revised plan.",
        )
    if command.budget_microusd < 0:
        raise Rejected("budget-negative", "A budget cannot be negative: give micro-dollars, or 0 for no own limit.")
    if task.approved is not None:
        return None
    return Approved(
        plan=ApprovedPlan(
            version=task.plan_version,
            digest=task.plan_digest,
            base_commit=task.plan_base,
            budget_microusd=command.budget_microusd,
        ),
        origin=command.origin,
    )


def _names(given: str, digest: str) -> bool:
    return len(given) >= SHORTEST_DIGEST and digest.startswith(given.lower())
