"""Which task a delivery is about."""

from __future__ import annotations

from shared.contracts.delivery import Signal
from shared.contracts.ids import derived_task_id, task_id_in


def task_of(signal: Signal) -> str:
    """The id of the task: that of the branch which a pull request comes from, or that of the thing itself."""
    branch = (signal.pull.reverts or signal.pull.branch) if signal.pull else ""
    return task_id_in(branch) or derived_task_id(signal.opened_at_ms, signal.thread)
