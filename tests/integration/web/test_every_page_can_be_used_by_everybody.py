"""Pages of the dashboard in both themes, wide and on a phone: axe finds nothing, nothing is wider than the window."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize

from testing.accessibility import accessibility_faults

WIDE, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
PAGES = ("/", "/hooks", "/system", "/people", "/account", "/login?to=%2Fhooks&ended=1", "/login#made-up")
OPENED = {
    "/": {"New task": "What should be done?"},
    "/hooks": {"Last deliveries": "The signature does not fit."},
    "/people": {"Sessions and tokens": "Safari, iOS", "Disable": "Let bo in no more?"},
    "/account": {"New token": "What it is for"},
    "/login#made-up": {"Log in": "You need another one."},
}
"""What is pressed on a page, and the words that are there then: that is looked at as well."""


async def tasks(page: Page) -> list[str]:
    """The addresses of one task in each state."""
    found = (await (await page.request.get("/api/tasks")).json())["items"]
    return [f"/tasks/{id}" for id in {task["status"]: task["id"] for task in reversed(found)}.values()]


async def faults(page: Page, where: str) -> list[str]:
    """What is wrong with what the page shows now."""
    found = await accessibility_faults(page)
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("it is wider than the window")
    return [f"{where}: {each}" for each in found]


async def faults_at(page: Page, address: str, *, opened: bool = False) -> list[str]:
    """What is wrong with the page at an address, at first and, with ``opened``, with what can be opened on it."""
    await page.goto("about:blank")  # two addresses of the login differ in what makes no other page
    await page.goto(address)
    await page.get_by_role("heading", level=1).wait_for()
    found = await faults(page, address)
    for words, then in OPENED.get(address, {}).items() if opened else ():
        pressed = page.get_by_role("button", name=words, exact=True).or_(page.get_by_text(words, exact=True))
        await pressed.first.click()
        await page.get_by_text(then).first.wait_for()
        found += await faults(page, f"{address} with {words}")
    return found


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=["light", "dark-phone"])
async def test_the_door_has_no_fault(page: Page, scheme: Literal["light", "dark"], size: ViewportSize) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size(size)
    for address in ("/people", "/account", "/login?to=%2Fhooks&ended=1"):
        assert await faults_at(page, address) == []
    await page.evaluate("document.querySelector('h1').append(document.createElement('img'))")
    assert "image-alt" in str(await faults(page, "an image without words")), "axe does find what is there"


@pytest.mark.campaign
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.campaign("full"))])
async def test_no_page_has_a_fault(page: Page, scheme: Literal["light", "dark"], size: ViewportSize) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size(size)
    found = [fault for each in PAGES for fault in await faults_at(page, each, opened=True)]
    found += [fault for each in await tasks(page) for fault in await faults_at(page, each)]
    assert found == []
