"""Payloads that others recorded or published; they are not in the repository but where JOURNEYMAN_FIXTURES says.

Their tests are deselected, not skipped, while the variable is missing: nobody has promised that the folder is there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

VARIABLE: Final = "JOURNEYMAN_FIXTURES"


def folder_of_fixtures() -> Path | None:
    """The folder, or None when nobody names one. Raises pytest.UsageError when what is named is no folder."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise pytest.UsageError(f"{VARIABLE} is {named!r}, which is no folder: correct it or unset it.")
    return folder


def leave_out_what_needs_fixtures(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects the tests marked with ``fixtures`` unless the folder is named; pytest's summary counts them."""
    if folder_of_fixtures() is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("fixtures")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("fixtures")]
