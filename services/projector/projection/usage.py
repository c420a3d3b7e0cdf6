"""The rows of usage: what each model consumed, with everything costs are grouped by."""

from __future__ import annotations

from services.projector.projection.facts import Fact
from services.projector.projection.rows import TaskRow, UsageRow
from shared.contracts.kinds import AGENTS, TASK_SCOPED


def rows(task: TaskRow | None, fact: Fact) -> list[UsageRow]:
    """One row for each usage item of an event; ``task`` is the task's row after it."""
    agent = AGENTS.get(fact.kind)
    usage = getattr(fact.data, "usage", ())
    if agent is None or not usage:
        return []
    of_task = fact.kind in TASK_SCOPED
    return [
        UsageRow(
            seq=fact.seq,
            item=item,
            task_id=fact.actor_id if of_task else "",
            day=fact.at.date(),
            agent=agent,
            model=each.model,
            requester=(task.requester if task else "") if of_task else getattr(fact.data, "asked_by", ""),
            session_id=(task.session_id if task else "") if of_task else fact.actor_id,
            repo=task.repo if task else "",
            input_tokens=each.input_tokens,
            output_tokens=each.output_tokens,
            cache_read_tokens=each.cache_read_tokens,
            cache_write_tokens=each.cache_write_tokens,
            cost_microusd=each.cost_microusd,
            priced=each.priced,
        )
        for item, each in enumerate(usage)
    ]
