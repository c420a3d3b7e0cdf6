"""What the operator decided beforehand about tasks."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from shared.contracts import task


class ReactionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided beforehand.

    ``approval``: whether work from trusted authors needs a person's; ``ALWAYS`` holds for everybody, and for tasks that
    were opened under another policy. ``approval_timeout_s``: how long a plan waits for one, in seconds; 0 is for ever.
    ``waits_s``: the pauses after passing failures in a row, in seconds. ``review_silence_s``, ``review_settles_s`` and
    ``checks_settle_s``: how long what is said in a review, its end, and the end of a check wait for more of it.
    """

    approval: task.Approval = task.Approval.REQUIRED
    approval_timeout_s: float = 0
    waits_s: tuple[float, ...] = (30, 120, 600)
    review_silence_s: float = 120
    review_settles_s: float = 10
    checks_settle_s: float = 30

    @property
    def strict(self) -> task.Approval | None:
        """The policy where it goes before that of a task."""
        return self.approval if self.approval is task.Approval.ALWAYS else None

    def expires_at(self, ready: datetime) -> datetime | None:
        """Until when a plan that was ready at a moment waits for its approval."""
        return ready + timedelta(seconds=self.approval_timeout_s) if self.approval_timeout_s else None

    def retries_at(self, failed: datetime, lifted: datetime | None) -> tuple[datetime, ...]:
        """When to try again after the first, second … failure in a row; not before a limit is lifted."""
        moments = [failed + timedelta(seconds=wait) for wait in self.waits_s]
        return tuple(moment if lifted is None else max(moment, lifted) for moment in moments)

    def checks_settle_by(self, heard: datetime) -> datetime:
        """Until when the end of a check waits for those of others."""
        return heard + timedelta(seconds=self.checks_settle_s)

    def review_settles_by(self, heard: datetime, *, whole: bool) -> datetime:
        """Until when what is said in a review waits for more; ``whole``: it is written to its end, or speaks to us."""
        return heard + timedelta(seconds=self.review_settles_s if whole else self.review_silence_s)
