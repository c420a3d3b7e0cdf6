"""Who sets up a sender reads our refusal in its list of deliveries: it says what is wrong, and what to do there."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from services.gateway.security.authentication import Authentication
from services.gateway.security.door import Door
from shared.ops.config import Config
from testing.received import Received


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP, identity"])
async def test_a_compressed_body_is_refused_by_the_name_of_its_compression(encoding: str) -> None:
    door = Received("jira", Config())
    answer = await door.send(b"\x1f\x8b", {"content-encoding": encoding})
    assert answer.status == 415
    assert f"Content-Encoding: {encoding.lower()}" in answer.body["reason"]
    assert "send it uncompressed" in answer.body["reason"]


async def test_an_unknown_name_leads_to_the_list_of_those_that_people_have_made() -> None:
    answer = await Received("nothere", Config()).send(b"{}", {})
    assert answer.status == 404
    assert "`journeyman webhook list`" in answer.body["reason"]


@pytest.mark.parametrize("path", ["/webhooks/jira/nope", "/webhooks/jira/with.a.dot.and.long.enough"])
async def test_a_secret_in_an_address_that_can_be_none_is_no_question_of_a_login(path: str) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    class _Closed:
        is_open = False

    scope: Any = {"type": "http", "method": "POST", "path": path, "headers": []}
    await Authentication(cast(Any, None), cast(Door, _Closed()))(scope, cast(Any, None), send)
    told = json.loads(sent[1]["body"])
    assert (sent[0]["status"], told["code"]) == (401, "webhook-address-malformed")
    assert "16 to 200" in told["detail"]
