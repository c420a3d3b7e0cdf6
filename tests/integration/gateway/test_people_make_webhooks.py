"""A webhook that is made over HTTP: it counts at once, in the log, and after the gateway was killed."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import httpx

from shared.contracts.delivery import Accepted
from shared.contracts.subjects import Actor
from shared.contracts.task import Directive
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.timings import PRODUCTION
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess

CALL: dict[str, Any] = {"build": {"id": 7, "name": "nightly", "log": "1 test failed"}, "status": "failed"}
HOOK: dict[str, Any] = {
    "name": "builds",
    "verification": {"scheme": "hmac", "header": "X-Build-Signature", "prefix": "sha256="},
    "paths": {"id": "build.id", "title": "build.name", "text": "build.log"},
    "filters": ["status == 'failed'"],
    "directive": "plan",
    "agent": "executor",
}
OWN = {"X-Journeyman": "1"}


async def call(http: httpx.AsyncClient, secret: str, body: dict[str, Any], hook: str = "builds") -> httpx.Response:
    raw = json.dumps(body).encode()
    signature = "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
    headers = {"Content-Type": "application/json", "X-Build-Signature": signature}
    return await http.post(f"/webhooks/{hook}", content=raw, headers=headers)


async def test_a_webhook_counts_as_soon_as_it_is_made_and_after_everything_was_killed(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    brain = ServiceProcess("brain", nats_server.url, tmp_path / "brain", PRODUCTION)
    async with brain, Gateway(nats_server.url, tmp_path / "data", PRODUCTION) as gateway:
        async with gateway.http(headers=OWN) as http:
            made = await http.post("/api/webhooks", json=HOOK)
            assert made.status_code == 201, made.text
            secret = made.json()["secret"]
            first = await call(http, secret, CALL)
            assert first.status_code == 202, first.text
            assert (await call(http, secret, CALL)).json()["status"] == "duplicate"
            assert "filter" in (await call(http, secret, {**CALL, "status": "ok"})).json()["reason"]
            assert (await call(http, "another secret", CALL)).status_code == 401
            told = (await http.get("/api/webhooks/builds")).json()
            assert secret not in json.dumps(told) and told["made_by"] == "user:local"
            tested = (await http.post("/api/webhooks/builds/test", json={})).json()
            assert (tested["status"], len(tested["task_id"])) == (202, 26), tested
            sent, *newest = (await http.get("/api/doors/builds/calls")).json()["items"]
            assert (sent["outcome"], sent["delivery"]) == ("accepted", tested["delivery"])
            assert [each["outcome"] for each in newest] == ["refused", "ignored", "duplicate", "accepted"]
            assert newest[0]["code"] == "signature-invalid" and "filter" in newest[1]["reason"]
            assert json.loads(newest[3]["body"]) == CALL
            body = (await http.get(f"/api/deliveries/{first.json()['delivery']}/body")).json()
            assert json.loads(body["body"]) == CALL
            again = await http.post("/api/webhooks", json=HOOK)
            assert (again.status_code, again.json()["code"]) == (409, "webhook-exists")

        for service in (brain, gateway):
            await service.kill()
            await service.again()
        async with gateway.http(headers=OWN) as http:
            assert (await call(http, secret, {**CALL, "build": {"id": 8}})).status_code == 202
            rotated = (await http.post("/api/webhooks/builds/secret", json={})).json()["secret"]
            for each, id in ((rotated, 9), (secret, 10)):
                assert (await call(http, each, {**CALL, "build": {"id": id}})).status_code == 202
            assert (await http.post("/api/webhooks/builds/disable")).status_code == 200
            off = await call(http, rotated, {**CALL, "build": {"id": 11}})
            assert (off.status_code, off.json()["code"]) == (404, "webhook-disabled")
            doors = {each["name"]: each for each in (await http.get("/api/doors")).json()["items"]}
            assert doors["jira"]["health"] == "not-set-up" and "JIRA" in doors["jira"]["problem"]
            builds = doors["builds"]
            # The one before the kill is remembered; no projector counts here what is in the log.
            assert (builds["health"], builds["refused_today"], builds["accepted_today"]) == ("off", 2, 5)
            assert builds["last_refused"]["code"] == "webhook-disabled"
            assert (await http.get("/api/doors/nobody/calls")).status_code == 404

    (event,) = await NatsJournal(bus).load(Actor("delivery", first.json()["delivery"]))
    accepted: Accepted = event.data
    assert (accepted.signal.title, accepted.signal.text, accepted.signal.thread) == (
        "nightly", "1 test failed", "builds:7",
    )  # fmt: skip
    assert (accepted.signal.directive, accepted.signal.agent) == (Directive.PLAN, "executor")
    log = [each async for page in _pages(bus) for each in page]
    assert not any(secret.encode() in each for each in log)


async def _pages(bus: Bus) -> Any:
    yield [event.raw for event in await NatsJournal(bus).load(Actor("webhook", "builds"))]


async def test_what_cannot_be_used_is_refused_and_a_definition_can_be_tried(nats_server: Nats, tmp_path: Path) -> None:
    brain = ServiceProcess("brain", nats_server.url, tmp_path / "brain", PRODUCTION)
    async with (
        brain,
        Gateway(nats_server.url, tmp_path / "data", PRODUCTION) as gateway,
        gateway.http(headers=OWN) as http,
    ):
        for change, code in (
            ({"name": "github"}, "webhook-name"),
            ({"name": "Builds"}, "webhook-name"),
            ({"name": "service"}, "webhook-name"),
            ({"paths": {"title": "a["}}, "expression-invalid"),
            ({"verification": {"scheme": "hmac"}}, "webhook-unusable"),
            ({"secret": "short"}, "secret-length"),
            ({"agent": "../../etc"}, "agent-unknown"),
            ({"verification": {"scheme": "bearer", "secret_file": "…"}}, "webhook-unusable"),
        ):
            refused = await http.post("/api/webhooks", json={**HOOK, **change})
            assert (refused.status_code, refused.json()["code"]) == (400, code), change
        sample = {key: HOOK[key] for key in ("verification", "paths", "filters")} | {"sample": json.dumps(CALL)}
        found = (await http.post("/api/webhooks/try", json=sample)).json()
        assert (found["id"], found["title"], found["text"], found["failed"]) == (
            "7",
            "nightly",
            "1 test failed",
            "",
        )
        assert (await http.get("/api/webhooks")).json() == {"items": []}

        here = {"name": "local", "verification": {"scheme": "none"}}
        assert (await http.post("/api/webhooks", json=here)).status_code == 201
        json_body = {"Content-Type": "application/json"}
        raw = b'{"say": "hello"}'
        one = await http.post("/webhooks/local", content=raw, headers=json_body)
        two = await http.post("/webhooks/local", content=raw, headers=json_body)
        assert (one.status_code, two.json()["status"]) == (202, "duplicate")
