from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import msgspec

from shared.contracts.delivery import Accepted, Signal, SignalKind
from shared.contracts.ids import derived_id, derived_task_id
from shared.contracts.subjects import Actor
from shared.contracts.task import Source, Submitted
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.command_line import Run
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess, sent_until_stored, signed

OPENED_AT_MS = 1_767_323_045_000


def commented(body: str = "@agent plan", id: int = 21, **more: Any) -> bytes:
    person = {"login": "ada", "type": "User"}
    comment = {
        "id": id,
        "body": body,
        "user": person,
        "author_association": "MEMBER",
        "updated_at": "2026-01-02T04:00:00Z",
        "html_url": "https://github.test/octo/app/issues/7",
    }
    issue = {
        "id": 700,
        "number": 7,
        "title": "Parser drops the last line",
        "body": "It does.",
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "user": person,
        "author_association": "OWNER",
    }
    repository = {"full_name": "octo/app", "id": 99}
    payload = {"action": "created", "issue": issue, "comment": comment, "repository": repository, "sender": person}
    return json.dumps({**payload, **more}).encode()


async def sent(http: httpx.AsyncClient, body: bytes, guid: str) -> dict[str, str]:
    *_, answer = await sent_until_stored(http, body, signed(body, delivery=guid, event="issue_comment"))
    assert answer.status_code in (200, 202), answer.text
    told: dict[str, str] = answer.json()
    return told


async def stored(bus: Bus, delivery: str) -> Accepted:
    (event,) = await NatsJournal(bus).load(Actor("delivery", delivery))
    accepted: Accepted = event.data
    return accepted


async def append(bus: Bus, actor: Actor, event: Accepted | Submitted) -> None:
    metadata = MessageMetadata(id=f"{actor.id}-1", source="test", time=utc_now(), principal="service:test")
    await NatsJournal(bus).append(actor, event, expected=Head(), metadata=metadata)


async def test_one_comment_by_two_webhooks_is_one_delivery_and_two_comments_under_one_id_are_two(
    gateway: Gateway, bus: Bus
) -> None:
    async with gateway.http() as http:
        by_hook = await sent(http, commented(), "guid-1")
        by_app = await sent(http, commented(installation={"id": 5}), "guid-2")
        other = await sent(http, commented(id=22), "guid-1")
    assert by_app == {"status": "duplicate", "delivery": by_hook["delivery"]}
    assert other["delivery"] != by_hook["delivery"]
    assert (await stored(bus, by_hook["delivery"])).delivery == "guid-1", "the sender's id is an attribute"


async def test_what_an_older_version_has_stored_stays_known(gateway: Gateway, bus: Bus) -> None:
    body, id = commented(), derived_id("delivery", "github", "guid-1")
    signal = Signal(kind=SignalKind.COMMENT, thread="github:octo/app#7", opened_at_ms=0, title="t", text="t")
    before = Accepted(
        webhook="github",
        event="issue_comment",
        action="created",
        delivery="guid-1",
        signal=signal,
        body_sha256=hashlib.sha256(body).hexdigest(),
        body_size=len(body),
        body=msgspec.Raw(body),
    )
    await append(bus, Actor("delivery", id), before)
    async with gateway.http() as http:
        assert await sent(http, body, "guid-1") == {"status": "duplicate", "delivery": id}
        assert (await sent(http, commented(id=22), "guid-1"))["delivery"] != id


async def test_a_task_that_goes_by_its_repositorys_name_is_found_and_a_new_one_goes_by_its_number(
    gateway: Gateway, bus: Bus
) -> None:
    async with gateway.http() as http:
        fresh = await sent(http, commented(id=1), "guid-1")
        task = Submitted(title="t", text="t", source=Source(kind="github"))
        await append(bus, Actor("task", derived_task_id(OPENED_AT_MS, "github:octo/app#7")), task)
        known = await sent(http, commented(id=2), "guid-2")
    assert (await stored(bus, fresh["delivery"])).signal.thread == "github:99#7"
    assert (await stored(bus, known["delivery"])).signal.thread == "github:octo/app#7"


async def test_a_delivery_is_listed_shown_and_replayed_and_takes_effect_once(
    gateway: Gateway, brain: ServiceProcess, bus: Bus, nats_server: Nats, journeyman: Run
) -> None:
    address = {"JOURNEYMAN_NATS_URL": nats_server.url}
    async with ServiceProcess("projector", nats_server.url, gateway.data.with_name("projector")):
        async with gateway.http(headers={"X-Journeyman": "1"}) as http:
            id = (await sent(http, commented("@agent stop"), "guid-1"))["delivery"]
            journal, task = NatsJournal(bus), Actor("task", derived_task_id(OPENED_AT_MS, "github:99#7"))

            async def refused() -> bool:
                return [each.name for each in await journal.load(task)] == ["action-refused"]

            await eventually(refused, within=60)
            answer = await http.post(f"/api/deliveries/{id}/replay")
            assert answer.status_code == 200, answer.text
            shown = await http.get(f"/api/deliveries/{id}", params={"min_seq": answer.json()["seq"]})
            assert shown.status_code == 200, shown.text
            found = shown.json()["delivery"]
            assert (found["directive"], found["trusted"]) == ("stop", True)
            assert [step["event"] for step in found["steps"]] == ["accepted", "replayed"]
            assert (await http.post("/api/deliveries/none/replay")).status_code == 404
            listed = (await http.get("/api/deliveries")).json()["items"]
            assert [each["id"] for each in listed] == [id]
        page = (await journeyman("deliveries", "show", id, **address)).out
        assert "github:99#7" in page and "Parser drops" in page and "replayed" in page
        assert id in (await journeyman("deliveries", "list", **address)).out
        assert (await journeyman("deliveries", "replay", id, **address)).code == 0
        unknown = await journeyman("deliveries", "replay", "nothing", **address)
        assert unknown.code == 1 and len(unknown.err.strip().splitlines()) == 1
