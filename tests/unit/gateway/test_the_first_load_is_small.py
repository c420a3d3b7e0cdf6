"""What a browser loads before it shows the task list: the script, what that needs at once, and the styles."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Final

import pytest

from services.gateway.web import STATIC
from testing.programs import NO_DASHBOARD

MOST_BYTES: Final = 200_000
"""Of JavaScript and CSS together, as the gateway compresses them."""


def first_load(static: Path) -> dict[str, int]:
    """The compressed size of each file that index.html names, in bytes."""
    names = re.findall(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"', (static / "index.html").read_text())
    return {name: len(gzip.compress((static / name).read_bytes(), 6, mtime=0)) for name in names}


@pytest.mark.skipif(not (STATIC / "index.html").exists(), reason=NO_DASHBOARD)
def test_the_first_load_is_at_most_200_kb() -> None:
    sizes = first_load(STATIC)
    assert len(sizes) >= 2, "the page names its script and its styles"
    assert sum(sizes.values()) <= MOST_BYTES, sizes
