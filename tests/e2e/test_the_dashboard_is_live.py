"""The dashboard in a real browser: a task is submitted, approved, watched and completed, without a reload."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page, async_playwright, expect

from shared.claude.demo_repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from tests.support.system import System
from tests.support.visitor import WITHIN, Visitor

pytestmark = pytest.mark.xdist_group("system")

STATIC: Final = Path(__file__).resolve().parents[2] / "services" / "gateway" / "static" / "index.html"
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LATER_MS: Final = WITHIN * 1000
SOON_MS: Final = 20_000
"""For what needs no agent."""
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
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    async def violations(self) -> list[str]:
        """What the content security policy has stopped."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found


@pytest.fixture
async def browser_window(system: System) -> AsyncIterator[BrowserContext]:
    """A browser that is at the shared system's dashboard for the first time."""
    if not STATIC.exists():
        pytest.skip("the dashboard is not built: run `make web`")
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        except Error as error:
            pytest.skip(f"no Chromium starts here: {error.message.splitlines()[0]}")
        window = await browser.new_context(
            base_url=system.http, viewport={"width": 1440, "height": 900}, locale="en-GB", color_scheme="light"
        )
        await window.add_init_script(NOTE_VIOLATIONS)
        yield window
        await browser.close()


@pytest.fixture
async def watched(browser_window: BrowserContext) -> Watched:
    """One page in that browser."""
    page = await browser_window.new_page()
    page.set_default_timeout(SOON_MS)
    return Watched(page)


async def test_a_task_is_submitted_approved_and_watched_to_its_end_in_the_browser(
    watched: Watched, visitor: Visitor
) -> None:
    page = watched.page
    await page.goto("/")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=SOON_MS)
    await page.evaluate("window.first = true")

    await page.get_by_role("button", name="New task").first.click()
    await page.get_by_label("What should be done?").fill(f"{DEMO_ISSUE_TITLE}\n\n{DEMO_ISSUE_BODY}")
    await page.get_by_role("button", name="Create task").click()
    await page.wait_for_url(re.compile("/tasks/"))
    id = page.url.rpartition("/tasks/")[2].partition("?")[0]

    review = page.get_by_role("button", name="Review plan")
    await expect(review).to_be_visible(timeout=LATER_MS)
    await review.click()
    approve = page.get_by_role("button", name="Approve plan v1")
    await expect(page.get_by_role("article")).to_contain_text("hand out every cent")
    await approve.click()
    await visitor.until(id, "task.approved", within=20)

    await page.get_by_role("tab", name="Output").click()
    output = page.get_by_label("Agent output").first
    await expect(output).to_contain_text("I want to see it fail", timeout=LATER_MS)

    await expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=LATER_MS)
    await page.get_by_role("tab", name="Changes").click()
    await expect(page.get_by_text("ledger/money.py").first).to_be_visible(timeout=SOON_MS)
    task = await visitor.completed(id)
    assert task["plans"][0]["approved_at"] is not None

    assert await page.evaluate("window.first"), "nothing needed a reload"
    assert watched.errors == []
    assert await watched.violations() == []


async def test_the_page_recovers_by_itself_when_the_gateway_is_killed(
    watched: Watched, visitor: Visitor, system: System
) -> None:
    page = watched.page
    await page.goto("/")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=SOON_MS)
    await page.evaluate("window.first = true")
    id = await visitor.submit("Before the gateway died\n\ndemo: turns 2", directive="implement")
    row = page.get_by_role("link", name=re.compile("Before the gateway died")).first
    await expect(row).to_be_visible(timeout=SOON_MS)

    await system.hit("gateway")
    later = await visitor.submit("After the gateway died\n\nNowhere.", repo="octo/unknown")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=2 * SOON_MS)
    await expect(page.get_by_role("link", name=re.compile("After the gateway died")).first).to_be_visible(
        timeout=SOON_MS
    )
    await visitor.until(later, "task.declined")
    await row.click()
    await expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=LATER_MS)
    await visitor.completed(id)
    assert await page.evaluate("window.first"), "nothing needed a reload"
    assert await watched.violations() == []
    # The browser itself tells of every connection that failed; of anything else there must be nothing.
    assert [error for error in watched.errors if "ERR_" not in error and "WebSocket" not in error] == []
