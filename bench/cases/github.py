"""GitHub, there and back: how long until people see that they were heard, and what a storm of comments costs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from bench.load import burst
from bench.measure import percentile, timed
from bench.payload import request, signature
from bench.result import Found, Goal, Line, alone
from bench.sizes import Sizes
from bench.world import WEBHOOK_SECRET, CannotMeasure, connected, nats_server, service
from shared.claude.demo.repo import create_demo_repository
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.github_server import GitHubServer

REPO: Final = "octo/shop"
OURS: Final = "journeyman-bot"
PATH: Final = "/webhooks/github"
LARGEST_BYTES: Final = 32_523
"""Of the largest delivery about issues and pull requests that others have recorded."""
MINUTE_S: Final = 60.0
"""After so many seconds a further batch of marks is below the 20 a minute again."""
PATIENCE_S: Final = 900.0

ABOUT: Final = (
    "The gateway and the brain as processes, NATS with every message synced, and a GitHub of ours beside them. A mark "
    "is the time from the 202 to a new issue until 👀 stands on it: the delivery is stored, GitHub is asked what its "
    "author may do, the reply is wanted, claimed and made. The storm is one writer's comments on one issue, each with "
    "a mention and other words; it is over when each of them has been judged, and taken or refused by the task."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """Marks, large deliveries, and the storm."""
    data = directory / "data"
    data.mkdir()
    # One that is there: a task that fails at once would be marked twice more, and marks are counted.
    repository = directory / "shop"
    create_demo_repository(repository)
    (data / "journeyman.toml").write_text(f'[repos."{REPO}"]\npath = {json.dumps(str(repository))}\n')
    github = GitHubServer(changes_a_minute=100_000, changes_an_hour=1_000_000)
    github.repo(REPO, people={"ada": "write", OURS: "write"})
    async with github, nats_server(directory / "nats") as server:
        access = {"github_api_url": github.url, "github_token": github.user(OURS)}
        async with (
            service("brain", server, data),
            service("gateway", server, data, **access) as gateway,
            connected(server, "bench-watch") as bus,
            _client(str(gateway["http"])) as client,
        ):
            marks = await _marks(github, client, batches=sizes.mark_batches, each=sizes.marks)
            large = await _large(github, str(gateway["http"]), sizes)
            storm = await _storm(github, client, str(gateway["http"]), bus, sizes.storm)
    return Found(title="GitHub", lines=[*_lines(marks), *large, *storm], about=ABOUT)


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        yield client


async def _marks(github: GitHubServer, client: httpx.AsyncClient, *, batches: int, each: int) -> list[float]:
    """Seconds from each 202 to its mark."""
    seconds: list[float] = []
    for batch in range(batches):
        began = time.monotonic()
        for _ in range(each):
            number = github.person("ada").opens_issue(REPO, "The total is wrong", "@agent plan")
            answer = await _deliver(client, "issues", _opened(github, number))
            if answer.status_code != 202:
                raise CannotMeasure(f"The gateway answered {answer.status_code}: {answer.text}")
            at = time.perf_counter()
            while not github.repos[REPO].reactions.get(("issue", number)):
                if time.perf_counter() - at > MINUTE_S:
                    raise CannotMeasure("An issue was not marked within a minute: see the gateway's log.")
                await asyncio.sleep(0.001)
            seconds.append(time.perf_counter() - at)
        if batch + 1 < batches:
            await asyncio.sleep(max(0.0, MINUTE_S + 1 - (time.monotonic() - began)))
    return seconds


async def _large(github: GitHubServer, url: str, sizes: Sizes) -> list[Line]:
    """Deliveries as large as the largest that was recorded; what they say is ignored, but read and verified."""
    port = urlsplit(url).port or 80
    number = github.person("ada").opens_issue(REPO, "Large")
    payload = _opened(github, number)
    payload["action"] = "unlabeled"
    payload["padding"] = "x" * (LARGEST_BYTES - len(msgspec.json.encode(payload)) - 13)
    body = msgspec.json.encode(payload)
    runs = []
    for _ in range(sizes.rounds):
        requests = [
            request(body, host=f"127.0.0.1:{port}", path=PATH, secret=WEBHOOK_SECRET) for _ in range(sizes.deliveries)
        ]
        runs.append((await burst(port, requests, sizes.connections, expected=200)).timed)
    name = f"deliveries of {len(body):,} bytes, {sizes.connections} connections"
    return [
        alone(f"{name}: p50", "ms", [run.p50_ms for run in runs]),
        alone(f"{name}: p99", "ms", [run.p99_ms for run in runs], Goal(value_most=100)),
    ]


async def _storm(github: GitHubServer, client: httpx.AsyncClient, url: str, bus: Bus, count: int) -> list[Line]:
    """So many comments on one issue, as fast as they are taken."""
    ada = github.person("ada")
    number = ada.opens_issue(REPO, "A storm", "@agent plan")
    await _deliver(client, "issues", _opened(github, number))
    issue, port = github.repos[REPO].issues[number], urlsplit(url).port or 80
    before = len(github.journal)
    requests = []
    for each in range(count):
        comment = github.repos[REPO].comments[ada.comments(REPO, number, f"@agent and this, please: {each}")]
        payload = {**_around(github, number), "action": "created", "issue": issue, "comment": comment}
        body = msgspec.json.encode(payload)
        raw = request(body, host=f"127.0.0.1:{port}", path=PATH, secret=WEBHOOK_SECRET)
        requests.append(raw.replace(b"X-GitHub-Event: issues", b"X-GitHub-Event: issue_comment"))
    written = len(github.journal) - before
    began = time.perf_counter()
    taken = await burst(port, requests, 16, expected=202)
    journal, judged = NatsJournal(bus), 0
    async with asyncio.timeout(PATIENCE_S):
        async for event in journal.follow("evt.delivery.*.*", after=0):
            judged += event.name in ("authorised", "refused")
            if judged >= count:
                break
    elapsed = time.perf_counter() - began
    await asyncio.sleep(2.0)
    changes = len(github.journal) - before - written
    return [
        alone(f"storm of {count:,} comments on one issue: answered", "requests/s", [taken.timed.rate]),
        alone(f"storm of {count:,} comments on one issue: until each is judged", "s", [elapsed]),
        alone(f"storm of {count:,} comments on one issue: what we changed on GitHub", "changes", [float(changes)]),
    ]


def _lines(marks: list[float]) -> list[Line]:
    run = timed(marks, sum(marks))
    return [
        alone("from the 202 to 👀: p50", "ms", [run.p50_ms], runs=len(marks)),
        alone("from the 202 to 👀: p99", "ms", [percentile(marks, 99) * 1000], Goal(value_most=1000), runs=len(marks)),
    ]


def _around(github: GitHubServer, number: int) -> dict[str, Any]:
    repo = github.repos[REPO]
    return {"repository": github.shown_repo(repo), "sender": repo.issues[number]["user"]}


def _opened(github: GitHubServer, number: int) -> dict[str, Any]:
    return {**_around(github, number), "action": "opened", "issue": github.repos[REPO].issues[number]}


async def _deliver(client: httpx.AsyncClient, event: str, payload: dict[str, Any]) -> httpx.Response:
    body = msgspec.json.encode(payload)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": f"{event}-{time.time_ns()}",
        "X-Hub-Signature-256": signature(body, WEBHOOK_SECRET),
    }
    return await client.post(PATH, content=body, headers=headers)
