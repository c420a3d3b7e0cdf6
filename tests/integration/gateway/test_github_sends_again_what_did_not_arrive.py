"""The sweeper against a GitHub of ours and a receiver that is away, comes back, or refuses for good."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppKey, PersonalToken, credentials_of
from services.gateway.github.errors import Denied
from services.gateway.github.transport import Transport
from services.gateway.inbound.github_sweeper import FIRST_WAIT_S, MAX_ATTEMPTS, GitHubSweeper
from shared.ops.config import Config, Repo
from testing.eventually import eventually
from testing.github_server import Answered, GitHubServer, Hook

REPO = "octo/hello"
HOUR = 3600.0


class Receiver:
    """Answers webhooks with ``status``; ``seen`` counts the deliveries by their GUID."""

    def __init__(self) -> None:
        self.status = 202
        self.seen: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        self.seen[headers["x-github-delivery"]] += 1
        writer.write(f"HTTP/1.1 {self.status} -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


class World:
    """A repository whose webhook comes to ``receiver``; ``late_s`` moves the clocks."""

    def __init__(self, server: GitHubServer, receiver: Receiver, port: int) -> None:
        self.server, self.receiver, self.late_s = server, receiver, 0.0
        self.address = f"http://127.0.0.1:{port}/webhooks/github"
        self.clients: list[GitHub] = []
        server.clock = self.now

    def now(self) -> float:
        return time.time() + self.late_s

    def hook_of_the_app(self) -> tuple[Hook, GitHubSweeper]:
        app = self.server.app()
        return self.server.webhook(self.address, "s3cret", app=app), self.sweeper(AppKey(str(app.id), app.private_key))

    def sweeper(self, access: AppKey | PersonalToken) -> GitHubSweeper:
        transport = Transport(self.server.url)
        self.clients.append(github := GitHub(transport, credentials_of(access, transport)))
        config = Config(repos={REPO: Repo(url="https://github.com/octo/hello.git")})
        return GitHubSweeper(github, lambda: config, clock=self.now)

    async def issue(self, status: int) -> None:
        """Open an issue, whose delivery is answered so."""
        self.receiver.status = status
        self.server.person("mona").opens_issue(REPO, "It is broken")
        await self.server.delivered()

    async def sweep(self, sweeper: GitHubSweeper, *, later_s: float = HOUR) -> int:
        self.late_s += later_s
        asked = await sweeper.sweep()
        await self.server.delivered()
        return asked


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    receiver = Receiver()
    listening = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    server = GitHubServer()
    server.repo(REPO, people={"mona": "write", "ada": "admin"})
    async with server, listening:
        there = World(server, receiver, listening.sockets[0].getsockname()[1])
        yield there
        for each in there.clients:
            await each.close()


async def test_what_was_not_accepted_is_sent_again_until_it_is_and_nothing_else(world: World) -> None:
    hook, sweeper = world.hook_of_the_app()
    await world.issue(202)
    await world.issue(503)
    failed = hook.deliveries[-1]["guid"]
    assert await world.sweep(sweeper) == 1
    world.receiver.status = 202
    assert await world.sweep(sweeper) == 1
    assert await world.sweep(sweeper) == 0
    assert world.receiver.seen[failed] == 3
    assert sum(world.receiver.seen.values()) == 4


async def test_each_attempt_is_waited_for_longer_than_the_one_before(world: World) -> None:
    _, sweeper = world.hook_of_the_app()
    await world.issue(503)
    assert [await world.sweep(sweeper, later_s=each) for each in (60, 90, 60, 200)] == [0, 1, 0, 1]


async def test_nothing_is_asked_for_without_end_nor_what_was_refused_for_good(world: World) -> None:
    _, sweeper = world.hook_of_the_app()
    await world.issue(413)
    await world.issue(500)
    for attempt in range(MAX_ATTEMPTS + 1):
        await world.sweep(sweeper, later_s=1 + FIRST_WAIT_S * 2**attempt)
    assert sorted(world.receiver.seen.values()) == [1, MAX_ATTEMPTS]


async def test_what_github_has_no_more_is_not_asked_for(world: World) -> None:
    _, sweeper = world.hook_of_the_app()
    await world.issue(503)
    assert await world.sweep(sweeper, later_s=73 * HOUR) == 0


async def test_without_an_app_the_repository_s_own_webhook_is_looked_at(world: World) -> None:
    world.server.webhook(world.address, "s3cret", repo=REPO)
    world.server.webhook(world.address.replace("/webhooks/github", "/elsewhere"), "other", repo=REPO)
    await world.issue(503)
    assert await world.sweep(world.sweeper(PersonalToken(world.server.user("ada")))) == 1
    assert sorted(world.receiver.seen.values()) == [1, 2]


async def test_credentials_that_see_no_webhooks_are_told_and_stop_nothing(world: World) -> None:
    sweeper = world.sweeper(PersonalToken(world.server.user("mona")))
    with pytest.raises(Denied):
        await sweeper.sweep()
    running = asyncio.create_task(sweeper.run())
    await eventually(lambda: len(world.server.requests) >= 2)
    sweeper.drain()
    await asyncio.wait_for(running, 5)


def test_the_server_knows_no_delivery_that_never_was(world: World) -> None:
    with pytest.raises(Answered):
        world.server.person("ada").does("POST", f"/repos/{REPO}/hooks/1/deliveries/1/attempts")
