"""The dashboard in a real browser: a task is submitted, approved, watched and completed, without a reload."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.runtime import dead_letters as parked
from testing.api_client import ApiClient
from testing.browser import LATER_MS, SOON_MS, Watched
from testing.eventually import eventually
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


async def test_a_task_is_submitted_approved_and_watched_to_its_end_in_the_browser(
    watched: Watched, api_client: ApiClient
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
    await api_client.until(id, "task.approved")

    await page.get_by_role("tab", name="Output").click()
    output = page.get_by_label("Agent output").first
    await expect(output).to_contain_text("I want to see it fail", timeout=LATER_MS)

    await expect(page.get_by_text(re.compile("^Completed · ")).first).to_be_visible(timeout=LATER_MS)
    await page.get_by_role("tab", name="Changes").click()
    await expect(page.get_by_text("ledger/money.py").first).to_be_visible(timeout=SOON_MS)
    task = await api_client.completed(id)
    assert task["plans"][0]["approved_at"] is not None

    assert await page.evaluate("window.first"), "nothing needed a reload"
    assert watched.errors == []
    assert await watched.violations() == []


async def test_the_page_recovers_by_itself_when_the_gateway_is_killed(
    watched: Watched, api_client: ApiClient, system: System
) -> None:
    page = watched.page
    await page.goto("/")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=SOON_MS)
    await page.evaluate("window.first = true")
    id = await api_client.submit("Before the gateway died\n\ndemo: turns 2", directive="implement")
    row = page.get_by_role("link", name=re.compile("Before the gateway died")).first
    await expect(row).to_be_visible(timeout=SOON_MS)

    await system.hit("gateway")
    later = await api_client.submit("After the gateway died\n\ndemo: turns 2", directive="plan")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=2 * SOON_MS)
    await expect(page.get_by_role("link", name=re.compile("After the gateway died")).first).to_be_visible(
        timeout=SOON_MS
    )
    await api_client.until(later, "task.plan-ready")
    await row.click()
    await expect(page.get_by_text(re.compile("^Completed · ")).first).to_be_visible(timeout=LATER_MS)
    await api_client.completed(id)
    assert await page.evaluate("window.first"), "nothing needed a reload"
    assert await watched.violations() == []
    # The browser itself tells of every connection that failed; of anything else there must be nothing.
    assert [error for error in watched.errors if "ERR_" not in error and "WebSocket" not in error] == []


async def test_what_no_service_could_handle_is_counted_on_every_page(watched: Watched, api_client: ApiClient) -> None:
    async def counted() -> int:
        return int((await api_client.http.get("/api/status")).json()["parked"])

    async def becomes(wanted: int) -> bool:
        return await counted() == wanted

    page = watched.page
    before = await counted()
    await api_client.bus.publish("cmd.task.T1.stop", b"no envelope", {})
    await eventually(lambda: becomes(before + 1))
    await page.goto("/tasks/T1")
    told = page.get_by_text(re.compile(rf"^{before + 1} messages? (is|are) parked"))
    await expect(told).to_be_visible(timeout=SOON_MS)
    number = [number async for number, _ in parked.listing(api_client.bus)][-1]
    await parked.drop(api_client.bus, number)
    await eventually(lambda: becomes(before))
    await expect(told).to_have_count(0, timeout=2 * SOON_MS)
    assert await watched.violations() == []
