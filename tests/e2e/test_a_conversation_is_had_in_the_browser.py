"""A conversation with the brain in the dashboard, by keyboard: an answer that comes, a proposal, and its task."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from testing.browser import Watched
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


async def test_what_is_asked_is_answered_as_it_comes_and_what_is_proposed_happens_when_it_is_confirmed(
    system: System, watched: Watched
) -> None:
    page = watched.page
    await page.goto("/chat")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.type("What is slow? demo: slow-stream 60")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/chat/*")
    answer = page.get_by_role("article", name="Brain")
    await expect(answer).to_contain_text("I think aloud, slowly")
    await page.reload()
    await expect(answer).to_contain_text("I think aloud, slowly")
    await page.get_by_role("button", name="Stop").press("Enter")
    await expect(page.get_by_text("The answer was broken off.")).to_be_visible()

    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("Propose a note about bills")
    await page.keyboard.press("Enter")
    card = page.get_by_role("region", name="Proposal: Open a task in")
    await expect(card).to_contain_text("a note about bills")
    await card.get_by_role("button", name="Confirm").press("Enter")
    await expect(card.get_by_role("status")).to_contain_text("Confirmed by")
    await card.get_by_role("link").press("Enter")
    await page.wait_for_url("**/tasks/*")
    await expect(page.get_by_role("heading", name="a note about bills")).to_be_visible()
    assert watched.errors == []
    assert await watched.violations() == []
