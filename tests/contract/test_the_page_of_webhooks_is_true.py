"""docs/webhooks.md is made of the table that deliveries are read by."""

from __future__ import annotations

from services.gateway import webhooks_page


def test_the_page_of_webhooks_is_not_stale() -> None:
    assert webhooks_page.PAGE.read_text() == webhooks_page.markdown(), "run `make docs`"
