"""The door in a browser: a link lets a person in once, and a session that ends leads back to where they were."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from testing.browser import Watched, browser_at
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


async def follow(page: Page, link: str) -> None:
    """Open a link and press its button. Where a login is shown already, another hash alone would load nothing."""
    await page.goto("about:blank")
    await page.goto(link)
    await page.get_by_role("button", name="Log in").click()


async def shown_link(page: Page) -> str:
    """The link that the page of people shows this once."""
    shown = page.get_by_role("status", name="The link for bo")
    link = await shown.locator("pre").inner_text()
    await shown.get_by_role("button", name="I have it").click()
    return link


async def confirm(page: Page, item: Locator, name: str) -> None:
    """Press the button of a person's item, and say once more that it is meant."""
    await item.get_by_role("button", name=name).click()
    await page.get_by_role("alertdialog").get_by_role("button", name=name).click()


async def test_an_admin_lets_a_person_in_who_comes_back_to_where_they_were_until_they_are_let_in_no_more(
    chromium: str | None, system: System, watched: Watched
) -> None:
    ada = watched.page
    await ada.goto("/people")
    invite = ada.get_by_role("form", name="Invite")
    await invite.get_by_label("Name").fill("bo")
    await invite.get_by_role("button", name="Invite").click()
    link = await shown_link(ada)
    bo = ada.get_by_role("listitem").filter(has=ada.get_by_role("heading", name="bo"))
    async with browser_at(chromium, system.http, who={}) as window:
        page = await window.new_page()
        await page.goto("/account")
        await expect(page.get_by_role("heading", name="Log in to Journeyman")).to_be_visible()
        await follow(page, link)
        await expect(page.get_by_role("heading", name="Tasks", level=1)).to_be_visible()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.get_by_role("link", name="People")).to_have_count(0)
        await follow(page, link)
        await expect(page.get_by_role("alert")).to_contain_text("This link does not log in")

        await page.goto("/account")
        await expect(page.get_by_text("this browser")).to_be_visible()
        await bo.get_by_text("Sessions and tokens").click()
        await confirm(ada, bo, "Log out")
        await expect(page.get_by_role("status")).to_contain_text("the session has ended")
        await bo.get_by_role("button", name="New link").click()
        await page.get_by_label("A link that you were given").fill(await shown_link(ada))
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(re.compile("/account$"))
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in to Journeyman")).to_be_visible()

        await bo.get_by_role("button", name="New link").click()
        left = await shown_link(ada)
        await confirm(ada, bo, "Disable")
        await expect(bo.get_by_text("may not come in")).to_be_visible()
        await follow(page, left)
        await expect(page.get_by_role("alert")).to_contain_text("You may not log in here any more")
        assert await page.evaluate("window.violations") == []
    assert watched.errors == []
    assert await watched.violations() == []
