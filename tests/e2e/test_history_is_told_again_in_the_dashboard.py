"""`journeyman replay` in a real browser: the pages of a past moment, which nothing can be done to."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.async_api import Page, expect

from shared.claude.demo.repo import DEMO_ISSUE_BODY
from testing.api_client import ApiClient
from testing.browser import LATER_MS, SOON_MS, Watched
from testing.replay_process import ReplayProcess
from testing.system import System

pytestmark = [pytest.mark.xdist_group("system"), pytest.mark.timeout(420)]

TITLE: Final = "Told once, then told again"
NOTE_STATES: Final = """
  window.states = [];
  new MutationObserver(() => {
    const row = [...document.querySelectorAll("li")].find((each) => each.textContent.includes("Told once"));
    const state = row?.querySelector("p:nth-of-type(2) span")?.textContent;
    if (state && state !== window.states.at(-1)) window.states.push(state);
  }).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Keeps every state that the task's row in the list has had on the screen."""


async def told(page: Page) -> None:
    """Wait for the end of the replay."""
    await expect(page.get_by_text("Replay, at its end")).to_be_visible(timeout=2 * LATER_MS)


async def test_a_replay_stays_at_its_moment_while_the_task_goes_on_and_nothing_can_be_done_in_it(
    watched: Watched, api_client: ApiClient, system: System
) -> None:
    page = watched.page
    id = await api_client.submit(f"{TITLE}\n\n{DEMO_ISSUE_BODY}")
    first = (await api_client.until(id, "task.submitted")).position
    await api_client.until(id, "task.plan-ready")

    async with ReplayProcess(system.nats, "--from", str(first), "--speed", "1000") as replaying:
        await page.goto(replaying.page)
        await told(page)
        banner = page.get_by_role("region", name="Replay")
        await expect(banner).to_contain_text("nothing here is live")
        await expect(page.get_by_role("button", name="New task").first).to_be_disabled()
        await page.get_by_role("link", name=TITLE).first.click()
        await expect(page).to_have_url(re.compile(rf"/tasks/{id}\?.*replay={replaying.session}"))
        await page.get_by_role("tab", name="Plan").click()
        for name in ("Approve plan v1", "Request changes", "Reject", "Stop"):
            await expect(page.get_by_role("button", name=name)).to_be_disabled()

        await api_client.approve(id)
        await api_client.completed(id)
        await page.reload()
        await expect(page.get_by_role("button", name="Approve plan v1")).to_be_disabled()
        await expect(banner).to_be_visible()

        await page.get_by_role("link", name="Back to the live view").click()
        await expect(page.get_by_text(re.compile("^Completed · ")).first).to_be_visible(timeout=SOON_MS)
        await expect(banner).to_have_count(0)

    await page.add_init_script(NOTE_STATES)
    async with ReplayProcess(system.nats, "--from", str(first), "--speed", "2") as replaying:
        await page.goto(replaying.page)
        await told(page)
        await expect(page.get_by_role("listitem").filter(has_text=TITLE)).to_contain_text("Completed")
        states = await page.evaluate("window.states")
        assert states[-1] == "Completed · verified", states
        assert len(states) >= 3, f"it moved: {states}"
        # A question that is on its way when the replay ends is answered by 410, and a browser notes that as an error.
        assert watched.errors == []
        assert await replaying.interrupt() == 0
        await expect(page.get_by_text("The replay is over")).to_be_visible(timeout=SOON_MS)
        await expect(page.get_by_role("link", name=TITLE).first).to_be_visible()
    assert [each for each in watched.errors if "status of 410" not in each] == []
    assert await watched.violations() == []
