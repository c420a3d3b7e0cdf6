"""Deliveries of Jira, of Sentry and of a webhook that people have made: from the first byte to the 2xx."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bench.load import Burst, burst
from bench.measure import in_turns
from bench.result import Found, Goal, Line, alone
from bench.sizes import Sizes
from bench.world import CannotMeasure, nats_server, service
from testing import jira_payloads, sentry_payloads
from testing.door import ADA, BEARER, lay_token

SECRET: Final = "benchmark-secret-of-senders"
WARM_UP: Final = 200
FRAMES: Final = 40
"""Of an alert: more than its text shows."""
OWN: Final = {
    "name": "bench",
    "secret": SECRET,
    "repo": "octo/app",
    "verification": {"scheme": "hmac", "header": "X-Signature", "prefix": "sha256="},
    "paths": {"id": "build.id", "title": "build.name", "text": "join('\n', failures[].message)", "thing": "build.id"},
    "filters": ["build.status == 'failed'"],
}
TOML: Final = """
[repos."octo/app"]
url = "https://git.test/app.git"
sources = { jira = ["APP"], sentry = ["backend"] }

[senders.jira]
people = ["*"]
label = "agent"
"""
ABOUT: Final = (
    "The whole gateway service under keep-alive connections: each delivery is another one, is read within bounds, "
    "verified on its raw bytes, understood, and stands in the event log, synced to disk, before the 202. No worker "
    "runs, and nobody is asked for details."
)

Request = Callable[[int], tuple[str, dict[str, str], Any]]
"""Path, headers and body of one delivery, and what signs it: the name of the header, and the prefix in it."""


async def run(sizes: Sizes, directory: Path) -> Found:
    """The three of them, in turns."""
    data = directory / "data"
    data.mkdir()
    (data / "journeyman.toml").write_text(TOML)
    lay_token(data)
    numbers = itertools.count(1)
    secrets = {"jira_webhook_secret": SECRET, "sentry_webhook_secret": SECRET, "user": ADA}
    async with nats_server(directory / "nats") as server, service("gateway", server, data, **secrets) as gateway:
        async with service("brain", server, data, user=ADA):
            await _make_webhook(str(gateway["http"]))
        port = urlsplit(str(gateway["http"])).port or 80

        def load_of(make: Request) -> Callable[[], Any]:
            async def run_once() -> Burst:
                return await burst(
                    port, _deliveries(make, port, sizes.deliveries, numbers), sizes.connections, expected=202
                )

            return run_once

        kinds = {"Jira": _jira, "Sentry": _sentry, "a webhook of one's own": _own}
        for make in kinds.values():
            await burst(port, _deliveries(make, port, WARM_UP, numbers), sizes.connections, expected=202)
        runs = await in_turns(sizes.rounds, *(load_of(make) for make in kinds.values()))
    of = f"{sizes.connections} connections"
    lines: list[Line] = []
    for (name, make), bursts in zip(kinds.items(), runs, strict=True):
        size = len(_body(make(1)[2])) / 1024
        lines += [
            alone(f"{name}, {size:.1f} KiB, {of}: p50", "ms", [each.timed.p50_ms for each in bursts]),
            alone(f"{name}, {of}: p99", "ms", [each.timed.p99_ms for each in bursts], Goal(value_most=100)),
        ]
    return Found(title="Senders", lines=lines, about=ABOUT)


async def _make_webhook(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers=BEARER) as client:
        answer = await client.post("/api/webhooks", json=OWN)
    if answer.status_code != 201:
        raise CannotMeasure(f"The gateway answered {answer.status_code}: {answer.text}")


def _deliveries(make: Request, port: int, count: int, numbers: Iterator[int]) -> list[bytes]:
    return [_request(*make(next(numbers)), port=port) for _ in range(count)]


def _request(path: str, headers: dict[str, str], payload: Any, *, port: int) -> bytes:
    body = _body(payload)
    digest = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    head = "".join(f"{name}: {value.replace('SIGNATURE', digest)}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{head}\r\n"
    ).encode() + body


def _body(payload: Any) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()


def _jira(number: int) -> tuple[str, dict[str, str], Any]:
    about = jira_payloads.issue(labels=["agent"], description="It drops the *last* item. " * 60)
    about |= {"id": str(10_000 + number), "key": f"APP-{number}"}
    payload = jira_payloads.event("jira:issue_created", issue=about)
    headers = {"X-Hub-Signature": "sha256=SIGNATURE", "X-Atlassian-Webhook-Identifier": f"bench-{number}"}
    return "/webhooks/jira", headers, payload


def _sentry(number: int) -> tuple[str, dict[str, str], Any]:
    frames = [sentry_payloads.frame(f"shop/f{at}.py", "total", at) for at in range(FRAMES)]
    thrown = [{"type": "CartError", "value": "no price", "stacktrace": {"frames": frames}}]
    payload = sentry_payloads.alert(
        event_id=f"{number:032x}", issue_id=str(10_000 + number), exception={"values": thrown}
    )
    headers = {"Sentry-Hook-Resource": "event_alert", "Sentry-Hook-Signature": "SIGNATURE", "Request-ID": f"{number}"}
    return "/webhooks/sentry", headers, payload


def _own(number: int) -> tuple[str, dict[str, str], Any]:
    failures = [{"test": f"test_{at}", "message": "AssertionError: 1 != 2"} for at in range(40)]
    build = {"id": f"b-{number}", "name": "nightly", "status": "failed"}
    return "/webhooks/bench", {"X-Signature": "sha256=SIGNATURE"}, {"build": build, "failures": failures}
