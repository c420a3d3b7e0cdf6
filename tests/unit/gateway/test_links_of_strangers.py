from __future__ import annotations

import pytest

from services.gateway.inbound.link import MAX_CHARS, web_link


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/octo/app/issues/7#issuecomment-1",
        "http://jira.internal:8080/browse/APP-1?focus=2",
        "HTTPS://EXAMPLE.COM/",
        "https://[::1]/x",
        "https://example.com/" + "x" * (MAX_CHARS - 20),
    ],
)
def test_a_page_of_the_web_is_kept_as_it_is(url: str) -> None:
    assert web_link(url) == url


NO_LINKS = ["", "javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", " https://example.com", "x"]
NO_LINKS += ["data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:https://example.com/1", "ftp://a.b"]
NO_LINKS += ["//example.com", "/relative", "https:", "https://", "https:///path", "https:example.com", "http://:80/"]
NO_LINKS += [
    "https://exa mple.com",
    "https:\\\\example.com",
    "https://example.com/\x00",
    "https://[::1",
    "https://[x]/",
]
NO_LINKS += ["https://example.com/" + "x" * (MAX_CHARS - 19)]


@pytest.mark.parametrize("url", NO_LINKS)
def test_everything_else_is_no_link(url: str) -> None:
    assert web_link(url) == ""
