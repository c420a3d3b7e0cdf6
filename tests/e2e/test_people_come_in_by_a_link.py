"""The door in a browser: a link lets a person in once, and a session that ends leads back to where they were."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from testing.api_client import ApiClient
from testing.browser import browser_at
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")

WAS_OVER = "This link does not log in"


async def link_for(ada: ApiClient, name: str) -> str:
    answer = await ada.http.post(f"/api/users/{name}/link")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def follow(page: Page, link: str) -> None:
    """Open a link and press its button. Where a login is shown already, another hash alone would load nothing."""
    await page.goto("about:blank")
    await page.goto(link)
    await page.get_by_role("button", name="Log in").click()


async def test_a_link_lets_a_person_in_once_and_an_ended_session_comes_back_to_where_they_were(
    chromium: str | None, system: System, api_client: ApiClient
) -> None:
    answer = await api_client.http.post("/api/users", json={"name": "bo", "role": "operator"})
    link = str(answer.json()["url"])
    async with browser_at(chromium, system.http, who={}) as window:
        page = await window.new_page()
        await page.goto("/system")
        await expect(page.get_by_role("heading", name="Log in to Journeyman")).to_be_visible()
        await follow(page, link)
        await expect(page.get_by_role("heading", name="Tasks", level=1)).to_be_visible()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await follow(page, link)
        await expect(page.get_by_role("alert")).to_contain_text(WAS_OVER)

        await page.goto("/system")
        await expect(page.get_by_role("heading", name="System", level=1)).to_be_visible()
        (session,) = (await api_client.http.get("/api/users/bo/sessions")).json()["items"]
        await api_client.http.post(f"/api/users/bo/sessions/{session['id']}/end")
        await expect(page.get_by_role("status")).to_contain_text("the session has ended")
        await page.get_by_label("A link that you were given").fill(await link_for(api_client, "bo"))
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(re.compile("/system$"))
        await expect(page.get_by_role("heading", name="System", level=1)).to_be_visible()

        left = await link_for(api_client, "bo")
        await api_client.http.post("/api/users/bo/disable")
        await expect(page.get_by_role("status")).to_contain_text("the session has ended")
        await follow(page, left)
        await expect(page.get_by_role("alert")).to_contain_text("You may not log in here any more")
        assert await page.evaluate("window.violations") == []
