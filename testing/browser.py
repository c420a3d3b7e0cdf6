"""A real browser at a running system's dashboard; a folder's conftest imports the fixtures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page, async_playwright, expect

from testing.api_client import WITHIN
from testing.door import BEARER
from testing.programs import NO_DASHBOARD, find_chromium
from testing.system import System

STATIC: Final = Path(__file__).resolve().parents[1] / "services" / "gateway" / "static" / "index.html"
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LATER_MS: Final = WITHIN * 1000
SOON_MS: Final = 40_000
"""For what needs no agent, and for whatever says no time of its own."""
LAUNCH_MS: Final = 120_000
COME_AGAIN: Final = re.compile(r"responded with a status of 50[34]\b")
"""What a browser says of a gateway's answer while the machine stands still; the page then asks again."""

expect.set_options(timeout=SOON_MS)
NOTE_VIOLATIONS: Final = """
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


class Watched:
    """A page, and everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not COME_AGAIN.search(message.text):
            self.errors.append(f"{message.type}: {message.text}")

    async def violations(self) -> list[str]:
        """What the content security policy has stopped."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """The browser's path, None for Playwright's own. A test without a browser is skipped before a system starts."""
    if not STATIC.exists():
        pytest.skip(NO_DASHBOARD)
    return find_chromium()


@contextlib.asynccontextmanager
async def browser_at(
    chromium: str | None, url: str, *, who: Mapping[str, str] = BEARER
) -> AsyncIterator[BrowserContext]:
    """A browser that is at this dashboard for the first time; ``who`` are the headers that let somebody in."""
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=list(ARGUMENTS), timeout=LAUNCH_MS
            )
        except Error as error:
            pytest.skip(f"Chromium is here but does not start: {error.message.splitlines()[0]}")
        window = await browser.new_context(
            base_url=url,
            viewport={"width": 1440, "height": 900},
            locale="en-GB",
            color_scheme="light",
            extra_http_headers=dict(who),
        )
        await window.add_init_script(NOTE_VIOLATIONS)
        yield window
        await browser.close()


@pytest.fixture
async def browser_window(chromium: str | None, system: System) -> AsyncIterator[BrowserContext]:
    """A browser that is at the shared system's dashboard for the first time."""
    async with browser_at(chromium, system.http) as window:
        yield window


@pytest.fixture
async def watched(browser_window: BrowserContext) -> Watched:
    """One page in that browser."""
    page = await browser_window.new_page()
    page.set_default_timeout(SOON_MS)
    return Watched(page)
