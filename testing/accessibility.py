"""What axe finds wrong with a page: WCAG 2.2 A and AA, and its own best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page

AXE: Final = Path(__file__).resolve().parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
"""It comes with the packages that build the dashboard."""


RUN: Final = """
  axe.run(document.querySelector("[role=dialog], [role=alertdialog]") ?? document, {resultTypes: ["violations"]})
    .then((result) => result.violations)
"""
"""What lies behind an open dialog is dimmed, and nobody reads it."""


async def accessibility_faults(page: Page) -> list[str]:
    """One sentence for each rule that the page breaks, with the first element that does. Skips without axe."""
    if not AXE.exists():
        pytest.skip("axe is not here: `make web` installs it with what builds the dashboard")
    if not await page.evaluate("'axe' in window"):
        # Through the browser itself: a script element would be stopped by the page's own policy.
        await page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await page.evaluate(RUN)
    return [f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:200]}" for each in found]
