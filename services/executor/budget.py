"""What a round of work may cost (pure)."""

from __future__ import annotations

from shared.contracts.run import Run


def budget_of(run: Run, default_usd: float) -> int:
    """In micro-dollars: what a retry has allowed, else what was approved with the plan, else the setting's."""
    approved = run.plan.budget_microusd if run.plan is not None else 0
    return run.budget_microusd or approved or round(default_usd * 1_000_000)
