"""How much a campaign of faults does: a little on every push, all of it by `make test-faults`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

OPTION: Final = "--campaign-size"


class CampaignSize(StrEnum):
    """The two sizes of every campaign that has sizes; the others always do the same."""

    SMALL = "small"
    FULL = "full"

    def pick(self, *, small: T, full: T) -> T:
        """The value for this size."""
        return full if self is CampaignSize.FULL else small


def leave_out_what_is_only_in_full(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects the campaigns marked ``campaign("full")`` in the small size: a push cannot wait for everything."""
    if config.getoption(OPTION) == CampaignSize.FULL:
        return
    left_out = [item for item in items if _is_only_in_full(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_only_in_full(item)]


def _is_only_in_full(item: pytest.Item) -> bool:
    return any(CampaignSize.FULL in marker.args for marker in item.iter_markers("campaign"))
