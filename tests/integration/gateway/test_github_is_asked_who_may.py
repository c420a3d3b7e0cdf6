"""The gateway as its own process between a GitHub of ours and the log: who asks for something is judged there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.contracts.delivery import Accepted, Authorised, Refused, Word
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.timings import PRODUCTION
from testing.github_server import GitHubServer
from testing.nats import Nats
from tests.integration.gateway.gateway_process import SECRET, Gateway

REPO = "octo/app"
CONFIG = f'[repos."{REPO}"]\nurl = "https://github.test/octo/app.git"\n'


@pytest_asyncio.fixture
async def github() -> AsyncIterator[GitHubServer]:
    """With a person who may write, and one who may not."""
    server = GitHubServer()
    repo = server.repo(REPO, people={"ada": "write", "eve": "read", "journeyman": "write"})
    repo.files[".journeyman.yml"] = b"words:\n  plan: [entwerfe]\n"
    async with server:
        yield server


async def judgements(bus: Bus, count: int) -> list[tuple[str, Authorised | Refused]]:
    """The first so many, each with the principal in whose name it stands."""
    found: list[tuple[str, Authorised | Refused]] = []
    async with asyncio.timeout(60):
        async for event in NatsJournal(bus).follow("evt.delivery.>", after=0):
            if isinstance(event.data, Authorised | Refused):
                found.append((event.principal, event.data))
            else:
                assert isinstance(event.data, Accepted) and event.data.asks_permission
            if len(found) == count:
                break
    return found


async def test_what_counts_of_a_delivery_is_what_github_says_of_its_sender(
    github: GitHubServer, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "journeyman.toml").write_text(CONFIG)
    settings = {"JOURNEYMAN_GITHUB_API_URL": github.url, "JOURNEYMAN_GITHUB_TOKEN": github.user("journeyman")}
    async with Gateway(nats_server.url, data, PRODUCTION, **settings) as gateway:
        github.webhook(f"{gateway.url}/webhooks/github", SECRET, repo=REPO)
        number = github.person("eve").opens_issue(REPO, "It drops", "It does.")
        github.person("eve").comments(REPO, number, "I have seen it twice.")
        github.person("eve").comments(REPO, number, "@agent implement it")
        (_, first), (_, second) = await judgements(bus, 2)
        assert {first.code, second.code} == {"stranger", "not-trusted"}  # type: ignore[union-attr]

        github.person("ada").comments(REPO, number, "@agent entwerfe it")
        principal, judged = (await judgements(bus, 3))[-1]
    assert principal == "github:ada"
    assert isinstance(judged, Authorised)
    assert (judged.permission, judged.decided_by) == ("write", "permission")
    assert (judged.signal.trusted, judged.signal.directive, judged.signal.argument) == (True, Word.PLAN, "it")
    assert judged.signal.context.startswith("It does.") and "I have seen it twice." in judged.signal.context
