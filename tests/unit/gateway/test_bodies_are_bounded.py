from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest

from services.gateway.inbound.body import FORM, JSON, BadForm, Bodies, Gone, TooLarge, TooSlow, json_of, media_type


def arriving(*parts: bytes, then: str = "end") -> Callable[[], Any]:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if then == "end":
        messages[-1]["more_body"] = False
    if then == "gone":
        messages.append({"type": "http.disconnect"})
    left = iter(messages)

    async def receive() -> Any:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
        return message

    return receive


async def test_a_body_in_parts_is_put_together() -> None:
    assert await Bodies().read(arriving(b"ab", b"", b"c"), "") == b"abc"


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    with pytest.raises(TooLarge):
        await Bodies(max_bytes=10).read(arriving(b"", then="silence"), "11")


async def test_a_body_that_does_not_say_so_is_refused_at_the_first_byte_too_many() -> None:
    with pytest.raises(TooLarge):
        await Bodies(max_bytes=3).read(arriving(b"ab", b"cd", then="silence"), "")
    with pytest.raises(TooLarge):
        await Bodies(max_bytes=3).read(arriving(b"abcd"), "2")


async def test_a_body_that_stops_coming_is_given_up() -> None:
    with pytest.raises(TooSlow):
        await Bodies(patience_s=0.05).read(arriving(b"a", then="silence"), "2")


async def test_a_sender_that_hangs_up_leaves_nothing_behind() -> None:
    bodies = Bodies(max_bytes=100)
    for _ in range(3):
        with pytest.raises(Gone):
            await bodies.read(arriving(b"a" * 60, then="gone"), "")
    assert bodies.held == 0


async def test_what_is_done_with_is_not_held_any_more() -> None:
    bodies = Bodies()
    body = await bodies.read(arriving(b"a" * 60), "")
    assert bodies.held == 60
    bodies.done(body)
    assert bodies.held == 0


def test_json_is_itself_and_a_form_holds_it_in_payload() -> None:
    text = '{"a": "é+ &"}'
    assert json_of(text.encode(), JSON) == text.encode()
    assert json_of(f"payload={quote_plus(text)}".encode(), FORM) == text.encode()


@pytest.mark.parametrize(
    "body", [b"", b"x", b"other=1", b"payload=1&payload=2", b"payload=\xff", b"&" * 99, b"payload=%ff"]
)
def test_any_other_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        json_of(body, FORM)


def test_the_media_type_is_what_comes_before_its_parameters() -> None:
    assert media_type("Application/JSON; charset=utf-8") == JSON
    assert media_type("") == ""
