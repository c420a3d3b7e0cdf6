"""Which task a delivery is about."""

from __future__ import annotations

import re
from typing import Final

from shared.contracts.delivery import Signal, SignalKind, Word
from shared.contracts.ids import derived_task_id, task_id_in

_REVIEW: Final = re.compile(r"(?:the\s+|this\s+)?review\b", re.IGNORECASE)


def task_of(signal: Signal) -> str:
    """The id of the task: that of the branch which a pull request comes from, or that of the thing itself.

    The review of a pull request that a task has made is a task of its own.
    """
    branch = (signal.pull.reverts or signal.pull.branch) if signal.pull else ""
    made_by = task_id_in(branch)
    if made_by and _is_about_its_review(signal):
        return derived_task_id(signal.opened_at_ms, f"{signal.thread}/review")
    return made_by or derived_task_id(signal.opened_at_ms, signal.thread)


def _is_about_its_review(signal: Signal) -> bool:
    """Whether somebody asks for a review of ours, or ends it: `stop review`."""
    if signal.kind is not SignalKind.COMMENT:
        return False
    ends_one = signal.directive == Word.STOP and _REVIEW.match(signal.argument) is not None
    return ends_one or signal.directive == Word.REVIEW
