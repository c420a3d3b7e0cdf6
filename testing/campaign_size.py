"""How much a campaign of faults does: a little on every push, all of it by `make test-faults`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

T = TypeVar("T")

OPTION: Final = "--campaign-size"


class CampaignSize(StrEnum):
    """The two sizes of every campaign that has sizes; the others always do the same."""

    SMALL = "small"
    FULL = "full"

    def pick(self, *, small: T, full: T) -> T:
        """The value for this size."""
        return full if self is CampaignSize.FULL else small
