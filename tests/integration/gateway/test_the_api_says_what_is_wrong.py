"""Wrong requests, errors and documents of the API; and what answers beside it."""

from __future__ import annotations

import itertools
import json
from typing import Any, get_type_hints

import httpx
import pytest

from shared.contracts import task
from shared.contracts.decider import Rejected
from shared.contracts.queries import ListTasks
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.streams import COMMANDS
from shared.runtime.client import Client
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.api_support import BASE, STEERING
from tests.integration.gateway.gateway_process import Gateway, Heard, ServiceProcess


async def test_a_wrong_request_names_the_field(http: httpx.AsyncClient) -> None:
    for path, body, field in (
        ("/api/tasks", {}, "text"),
        ("/api/tasks", {"text": ""}, "text"),
        ("/api/tasks", {"text": 5}, "text"),
        ("/api/tasks", {"text": "x", "txet": "y"}, "txet"),
        ("/api/tasks", {"text": "x", "directive": "now"}, "directive"),
        ("/api/tasks/T1/approve", {"version": 0}, "version"),
        ("/api/tasks/T1/approve", {"digest": "nothing"}, "digest"),
        ("/api/tasks/T1/approve", {"digest": "0" * 64 + "\n"}, "digest"),
        ("/api/tasks/T1/approve", {"digest": "\n"}, "digest"),
        ("/api/tasks/T1/approve", {"base_commit": BASE + "\n"}, "base_commit"),
        ("/api/tasks/T1/input", {}, "message"),
    ):
        answer = await http.post(path, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, body)
        assert problem["errors"][0]["field"] == field
        assert field in problem["detail"]
    for path, parameters, field in (
        ("/api/tasks", {"limit": "many"}, "limit"),
        ("/api/tasks", {"limit": 201}, "limit"),
        ("/api/tasks/T1/timeline", {"limit": 501}, "limit"),
        ("/api/tasks", {"status": "odd"}, "status"),
        ("/api/costs", {"group_by": "odd"}, "group_by"),
        ("/api/costs", {"from": "odd"}, "from"),
    ):
        problem = (await http.get(path, params=parameters)).json()
        assert problem["errors"][0]["field"] == field, problem


@pytest.mark.parametrize(
    "body",
    [b'{"text":"\xff"}', b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"text":"x","\xc3(":1}', b"[" * 9000],
    ids=["no UTF-8", "deeply nested", "no UTF-8 in a name", "deep and unended"],
)
async def test_a_body_that_nobody_can_read_is_the_senders_mistake(http: httpx.AsyncClient, body: bytes) -> None:
    paths = ["/api/tasks", "/api/chat", *(f"/api/tasks/T1/{verb}" for verb in STEERING)]
    for path in paths:
        answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (400, "body-unreadable"), path


async def test_a_message_that_nobody_can_read_does_not_end_its_socket(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        deep = '{"type":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}"
        for text in (deep, '{"type":"subscribe","topics":' + "[" * 30_000, '{"type":"ping","x":"\\ud800"}'):
            await socket.send(text)
            assert (await heard.next())["code"] == "message-unreadable"
        await heard.say(type="ping")
        await heard.until("pong")


async def test_a_sequence_that_no_stream_has_is_refused_by_its_name(gateway: Gateway, http: httpx.AsyncClient) -> None:
    sequences = {
        "min_seq": ["/api/tasks", "/api/tasks/T1", "/api/tasks/T1/timeline", "/api/costs", "/api/sessions/S1"],
        "after": ["/api/tasks/T1/timeline", "/api/tasks/T1/transcript"],
    }
    for name, paths in sequences.items():
        for path, value in itertools.product(paths, (2**63, 2**64 - 1, 10**30, -1)):
            answer = await http.get(path, params={name: value})
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, value, problem)
            assert problem["errors"][0]["field"] == name
    last = await http.get("/api/tasks/T1/transcript", params={"after": 2**63 - 1})
    assert (last.status_code, last.json()["items"]) == (200, [])

    async with gateway.socket() as socket:
        heard = Heard(socket)
        for value in (2**63, 2**64, -1):
            await heard.say(type="subscribe", topics=["tasks"], after=value)
            trouble = await heard.until("error")
            assert trouble["code"] == "message-unreadable"
            assert "after" in trouble["message"]
        await heard.say(type="subscribe", topics=["tasks", "output:T1"], after=2**63 - 1)
        await heard.until("subscribed")
        await heard.say(type="subscribe", topics=["output:T2"], after=2**63 - 1)
        await heard.until("subscribed")


async def test_a_parameter_that_an_address_does_not_know_is_refused_by_name(http: httpx.AsyncClient) -> None:
    for path, unknown in (("/api/tasks", "state"), ("/api/tasks/T1", "status"), ("/api/status", "min_sec")):
        answer = await http.get(path, params={unknown: "x"})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, problem)
        assert [each["field"] for each in problem["errors"]] == [unknown]
    assert (await http.get("/api/agents", params={"replay": "r1"})).status_code == 200
    assert "status" in (await http.get("/api/tasks", params={"state": "x"})).json()["detail"]
    assert (await http.post("/api/tasks/T1/stop", params={"reason": "x"})).status_code == 400


async def test_every_error_is_a_problem_of_rfc_9457(http: httpx.AsyncClient) -> None:
    async def ask(method: str, path: str, **options: Any) -> tuple[int, str]:
        answer = await http.request(method, path, **options)
        assert answer.headers["content-type"] == "application/problem+json", path
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["instance"] == path
        assert problem["type"] == f"urn:journeyman:problem:{problem['code']}"
        assert problem["title"] == httpx.codes.get_reason_phrase(answer.status_code) or answer.status_code == 413
        assert problem["detail"].endswith(".")
        return answer.status_code, problem["code"]

    assert await ask("GET", "/api/nothing") == (404, "not-found")
    assert await ask("GET", "/assets/nothing.js") == (404, "not-found")
    assert await ask("DELETE", "/api/tasks") == (405, "method-not-allowed")
    assert await ask("POST", "/api/tasks", content=b"{") == (400, "bad-request")
    assert await ask("POST", "/api/tasks/a.b/stop") == (404, "not-found")
    assert await ask("GET", "/api/tasks/T1", headers={"Host": "evil.example"}) == (421, "host-unknown")
    large = json.dumps({"text": "x" * 1_100_000}).encode()
    assert await ask("POST", "/api/tasks", content=large) == (413, "too-large")


async def test_the_documents_describe_the_api_and_the_events(http: httpx.AsyncClient) -> None:
    openapi = (await http.get("/schema/openapi.json")).json()
    assert "post" in openapi["paths"]["/webhooks/{name}"]
    for path in ("/api/tasks", "/api/tasks/{id}/approve", "/api/costs", "/api/chat", "/api/status", "/health/ready"):
        assert path in openapi["paths"]
    assert "409" in openapi["paths"]["/api/tasks/{id}/approve"]["post"]["responses"]
    asyncapi = (await http.get("/asyncapi.json")).json()
    assert asyncapi["asyncapi"].startswith("3.")


async def test_the_document_says_which_limits_and_refusals_there_are(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/schema/openapi.json")).json()["paths"]

    def bound(path: str, name: str) -> int:
        (schema,) = [each["schema"] for each in paths[path]["get"]["parameters"] if each["name"] == name]
        return int(schema["maximum"])

    assert (
        bound("/api/tasks", "limit")
        == get_type_hints(ListTasks, include_extras=True)["limit"].__metadata__[0].le
        == 200
    )
    assert bound("/api/tasks/{id}/timeline", "limit") == 500
    in_replays = [
        path for path, item in paths.items() if "replay" in {each["name"] for each in _parameters(item.get("get", {}))}
    ]
    assert len(in_replays) >= 7
    for path in in_replays:
        answer = await http.get(path.replace("{id}", "T1").replace("{number}", "1"), params={"replay": "a.b"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
        assert {"404", "410", "503"} <= paths[path]["get"]["responses"].keys(), path
    answer = await http.post("/api/chat", json={"message": "x", "session_id": "a.b"})
    assert answer.status_code == 404
    assert "404" in paths["/api/chat"]["post"]["responses"]


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    return parameters


@pytest.mark.parametrize("text", [" ", "\n\t \u00a0", "\u200b\u200b", "\x00"])
async def test_a_task_that_says_nothing_is_refused_with_the_mend(
    http: httpx.AsyncClient, gateway: Gateway, bus: Bus, text: str
) -> None:
    answer = await http.post("/api/tasks", json={"text": text, "title": "has one"})
    assert (answer.status_code, answer.json()["code"]) == (400, "text-empty")
    assert "say what is to be done" in answer.json()["detail"]
    said = await http.post("/api/chat", json={"message": text})
    assert (said.status_code, said.json()["code"]) == (409, "message-empty")
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="chat.message", message=text)
        assert (await heard.until("error"))["code"] == "message-empty"
    assert (await bus.js.stream_info(COMMANDS)).state.last_seq == 0


async def test_a_task_without_words_is_refused_over_nats_too(brain: ServiceProcess, bus: Bus) -> None:
    blank = task.Submit(title=" ", text="\n", source=task.Source(kind="test"))
    with pytest.raises(Rejected) as refusal:
        await Client(bus, source="test").send(Actor("task", "T1"), blank, principal="user:test", timeout=60)
    assert refusal.value.code == "text-empty"


async def test_health_and_metrics_answer(http: httpx.AsyncClient, nats_server: Nats) -> None:
    async def is_live() -> bool:
        return bool((await http.get("/health/live")).json()["status"] == "live")

    await eventually(is_live)
    assert (await http.get("/health/ready")).status_code == 200
    assert "journeyman_webhooks_total" in (await http.get("/metrics")).text
    await nats_server.stop()

    async def is_unready() -> bool:
        answer = await http.get("/health/ready")
        return answer.status_code == 503 and "nats" in answer.json()["problems"]

    await eventually(is_unready)
    await eventually(is_live)


async def test_pages_come_with_a_strict_policy_and_the_api_is_no_page(http: httpx.AsyncClient) -> None:
    page = await http.get("/tasks/T1")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert (await http.get("/webhooks")).status_code == 404
    assert (await http.head("/")).status_code == 200
    if "etag" in page.headers:
        again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 304
    else:
        assert "make web" in page.text
