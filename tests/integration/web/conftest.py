"""The built dashboard in a browser over a made-up gateway."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from testing.browser import browser_at, chromium

__all__ = ["chromium"]

WEB = Path(__file__).resolve().parents[3] / "web"


@pytest.fixture
async def page(chromium: str | None) -> AsyncIterator[Page]:
    """A page of the built dashboard over `web/dev/fixture-server.mjs`, which has a task in every state."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed: the made-up gateway needs it")
    server = await asyncio.create_subprocess_exec(
        "node", "dev/fixture-server.mjs", "--port", "0", cwd=WEB, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        async with browser_at(chromium, (await server.stdout.readline()).decode().strip()) as window:
            yield await window.new_page()
    finally:
        server.kill()
        await server.wait()
