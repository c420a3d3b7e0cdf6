"""Approving: what is approved is what was shown, to the byte."""

from __future__ import annotations

import asyncio
from typing import Any

import rich_click as click
from rich.panel import Panel

from cli.connection import linked
from cli.console import screen
from cli.failures import Failure
from cli.markdown import markdown
from cli.tasks.steering import full_id, send
from shared.contracts.queries import GetTask, PlanVersion
from shared.contracts.rules import Action
from shared.contracts.subjects import actor
from shared.contracts.task import Approve


def approve(id: str, *, named: tuple[int, str] | None, budget_usd: float, ask: bool, quiet: bool) -> dict[str, Any]:
    """Approve the plan that is shown, or the ``named`` (version, digest); raises `Failure`, `Rejected`.

    While somebody reads, no connection is open that could lapse, and nothing runs that Ctrl-C would have to end first.
    """
    budget = round(budget_usd * 1_000_000)
    if named is not None:
        version, digest = named
        return asyncio.run(send(id, Approve(version=version, digest=digest.lower(), budget_microusd=budget)))
    task_id, plan = asyncio.run(_waiting_plan(id))
    if not quiet:
        _show(plan)
    if ask and not click.confirm("Approve exactly this plan?", err=True):
        raise Failure("Not approved. To turn it down: `journeyman task reject`.")
    command = Approve(version=plan.version, digest=plan.digest, base_commit=plan.base_commit, budget_microusd=budget)
    return asyncio.run(send(task_id, command))


async def _waiting_plan(id: str) -> tuple[str, PlanVersion]:
    """The task's whole id, and the plan of it that may be approved now."""
    async with linked() as link:
        task_id = await full_id(link, id)
        task = (await link.client.query_actor(GetTask(id=task_id), actor("task", task_id))).task
        state = task.actions.get(Action.APPROVE)
        if state is not None and not state.allowed:
            raise Failure(state.reason)
        if not task.plans:
            raise Failure(f"Task {task_id} has no plan to approve; it is {task.status}.")
        return task_id, task.plans[-1]


def _show(plan: PlanVersion) -> None:
    console = screen(to_stderr=True)
    console.print(
        Panel(
            markdown(plan.markdown),
            title=f"plan v{plan.version} · {plan.digest[:8]} · against {plan.base_commit[:8]}",
            border_style="yellow",
            width=min(console.width, 110),
        ),
        soft_wrap=False,
    )
