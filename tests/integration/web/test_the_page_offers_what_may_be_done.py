"""The dashboard in a real browser over made-up answers: it offers what an answer allows, and has no rule of its own."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, Route, expect


async def open_task(page: Page, status: str, **actions: Any) -> None:
    """Open the first task with a status; ``actions`` change what its answer says may be done."""
    tasks = await (await page.request.get("/api/tasks")).json()
    id = next(task["id"] for task in tasks["items"] if task["status"] == status)

    async def answer(route: Route) -> None:
        response = await route.fetch()
        body = await response.json()
        body["task"]["actions"].update(actions)
        await route.fulfill(response=response, json=body)

    await page.route(f"**/api/tasks/{id}", answer)
    await page.route(f"**/api/tasks/{id}?*", answer)
    await page.goto(f"/tasks/{id}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_a_paused_task_says_when_it_goes_on_and_offers_retry_and_stop(page: Page) -> None:
    await open_task(page, "paused")
    await expect(page.get_by_text(re.compile(r"Goes on at (.*, )?\d\d:\d\d, or retry now"))).to_be_visible()
    await expect(page.get_by_role("button", name="Retry")).to_be_enabled()
    await expect(page.get_by_role("button", name="Stop")).to_be_enabled()


async def test_the_page_offers_no_retry_that_the_answer_does_not_allow(page: Page) -> None:
    await open_task(page, "failed", retry={"allowed": False, "code": "budget-spent", "reason": "The budget is spent."})
    await expect(page.get_by_text(re.compile("^Failed")).first).to_be_visible()
    await expect(page.get_by_role("button", name="Retry")).to_have_count(0)


async def test_the_page_offers_a_stop_that_the_answer_allows_whatever_the_status(page: Page) -> None:
    await open_task(page, "completed", stop={"allowed": True})
    await expect(page.get_by_role("button", name="Stop")).to_be_enabled()


async def test_a_decision_that_is_not_allowed_is_disabled_and_says_why(page: Page) -> None:
    why = "The plan is approved already."
    refused = {"allowed": False, "code": "task-wrong-state", "reason": why}
    await open_task(page, "awaiting-approval", reject=refused, revise=refused)
    await page.get_by_role("button", name="Review plan").or_(page.get_by_role("tab", name="Plan")).first.click()
    reject = page.get_by_role("button", name="Reject")
    await expect(reject).to_be_disabled()
    await expect(reject).to_have_attribute("title", why)
    await expect(page.get_by_role("button", name="Request changes")).to_be_disabled()
    await expect(page.get_by_role("button", name=re.compile("Approve plan"))).to_be_enabled()


async def test_an_event_whose_time_cannot_be_read_stands_in_the_timeline_without_one(page: Page) -> None:
    async def answer(route: Route) -> None:
        response = await route.fetch()
        body = await response.json()
        for item in body["items"][:1]:
            item.update(time=None, summary="An event of another age")
        await route.fulfill(response=response, json=body)

    await page.route("**/timeline*", answer)
    await open_task(page, "completed")
    await page.get_by_role("tab", name="Timeline").click()
    await expect(page.get_by_text("An event of another age")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_the_list_offers_the_kinds_of_source_that_the_answer_names_and_no_others(page: Page) -> None:
    async def answer(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json=await response.json() | {"sources": ["acme", "api"]})

    await page.route("**/api/tasks?*", answer)
    await page.goto("/")
    await page.get_by_role("button", name=re.compile("Source")).click()
    await expect(page.get_by_role("menuitemradio")).to_have_text(["Any", "acme", "api"])
