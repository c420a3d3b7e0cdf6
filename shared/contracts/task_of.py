"""Which task a delivery is about."""

from __future__ import annotations

from shared.contracts.delivery import Signal, SignalKind, Word
from shared.contracts.ids import derived_task_id, task_id_in


def task_of(signal: Signal) -> str:
    """The id of the task: that of the branch which a pull request comes from, or that of the thing itself.

    The review of a pull request that a task has made is a task of its own.
    """
    branch = (signal.pull.reverts or signal.pull.branch) if signal.pull else ""
    made_by = task_id_in(branch)
    if made_by and signal.kind is SignalKind.COMMENT and signal.directive == Word.REVIEW:
        return derived_task_id(signal.opened_at_ms, f"{signal.thread}/review")
    return made_by or derived_task_id(signal.opened_at_ms, signal.thread)
