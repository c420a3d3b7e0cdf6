"""The story of one task: the rows that are folds, kept together so that folding them is one pure function."""

from __future__ import annotations

import msgspec

from services.projector.projection import plans, runs, tasks
from services.projector.projection.facts import Fact
from services.projector.projection.plans import Plans
from services.projector.projection.rows import TaskRow
from services.projector.projection.runs import Runs
from shared.contracts.kinds import AGENTS, TASK_SCOPED

KINDS = frozenset(TASK_SCOPED) & AGENTS.keys()
"""The actor kinds whose events change a story: the task, and what agents do and spend for it under the task's id."""


class Story(msgspec.Struct, frozen=True):
    """A task's row, its plans by version and its attempts by number."""

    task: TaskRow | None = None
    plans: Plans = {}
    runs: Runs = {}


def fold(story: Story, fact: Fact) -> Story:
    """The story after one event of a task, a plan or a run."""
    is_run = fact.kind == "run"
    return Story(
        task=tasks.fold(story.task, fact),
        plans=story.plans if is_run else plans.fold(story.plans, fact),
        runs=runs.fold(story.runs, fact) if is_run else story.runs,
    )
