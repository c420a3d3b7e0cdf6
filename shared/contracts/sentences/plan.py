"""What happened to a plan."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import plan
from shared.contracts.sentences.words import SPENT, again, one_line


def sentence(event: plan.PlanEvent) -> str:
    """One line."""
    match event:
        case plan.DraftingStarted(draft=draft):
            return f"Draft {draft} of the plan waits for a planner."
        case plan.Claimed(worker=worker, attempt=attempt):
            return f"{worker} writes the plan{again(attempt)}."
        case plan.Proposed(version=version, summary=summary):
            return f"Plan {version} was proposed: {one_line(summary)}"
        case plan.Failed(message=message):
            return f"No plan came out: {one_line(message)}"
        case plan.StopRequested():
            return "The planning agent is to be stopped."
        case plan.Stopped():
            return "The planning agent has stopped."
        case plan.SpendRecorded():
            return SPENT
        case _:
            assert_never(event)
