"""Between us and GitHub: the error of a call that failed says whether to look before trying again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.gateway.github.client import GitHub
from services.gateway.github.credentials import PersonalToken, credentials_of
from services.gateway.github.errors import GitHubError, RateLimited, Unavailable, Unclear
from services.gateway.github.transport import Transport
from testing.fault_proxy import Fault, FaultProxy
from testing.github_server import GitHubServer

REPO = "octo/hello"


class Between:
    """A server with one issue, a proxy in front of it, and a client; ``now`` is the client's clock."""

    def __init__(self, server: GitHubServer, proxy: FaultProxy) -> None:
        self.server, self.proxy, self.now = server, proxy, 1000.0
        self.number = server.person("mona").opens_issue(REPO, "It is broken")
        transport = Transport(proxy.url, clock=lambda: self.now)
        self.github = GitHub(transport, credentials_of(PersonalToken(server.user("mona")), transport))

    async def comment_fails(self, fault: Fault) -> tuple[GitHubError, int]:
        """The error of a comment, and how often it was written nevertheless."""
        self.proxy.then(fault)
        with pytest.raises(GitHubError) as failure:
            await self.github.create_comment(REPO, self.number, "hello")
        return failure.value, len(self.server.changes("comment.created"))


@pytest_asyncio.fixture
async def between() -> AsyncIterator[Between]:
    server = GitHubServer()
    server.repo(REPO, people={"mona": "write"})
    async with server, FaultProxy(server.url, delay_s=0.05, retry_after_s=30) as proxy:
        given = Between(server, proxy)
        yield given
        await given.github.close()


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.LOST_AFTER])
async def test_a_change_that_was_made_but_not_answered_is_unclear(between: Between, fault: Fault) -> None:
    error, written = await between.comment_fails(fault)
    assert isinstance(error, Unclear) and written == 1


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.DROPPED])
async def test_a_change_that_may_have_been_made_is_unclear_too(between: Between, fault: Fault) -> None:
    error, written = await between.comment_fails(fault)
    assert isinstance(error, Unclear) and written == 0


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [(Fault.LIMITED, 30.0), (Fault.LIMITED_WITHOUT_TIME, 60.0), (Fault.SECONDARY, 30.0)],
)
async def test_after_a_limit_is_waited_as_long_as_it_says(between: Between, fault: Fault, wait_s: float) -> None:
    error, written = await between.comment_fails(fault)
    assert isinstance(error, RateLimited) and error.until == between.now + wait_s and written == 0
    between.now += wait_s - 1
    with pytest.raises(RateLimited):
        await between.github.issue(REPO, between.number)
    between.now += 1
    await between.github.create_comment(REPO, between.number, "hello")


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED])
async def test_a_read_that_failed_may_be_tried_again(between: Between, fault: Fault) -> None:
    between.proxy.then(fault)
    with pytest.raises(Unavailable):
        await between.github.issue(REPO, between.number)
    assert (await between.github.issue(REPO, between.number)).title == "It is broken"


async def test_a_late_answer_is_an_answer(between: Between) -> None:
    between.proxy.then(Fault.DELAYED)
    written = await between.github.create_comment(REPO, between.number, "hello")
    assert [each.id for each in between.server.changes("comment.created")] == [written.id]


async def test_pages_lead_through_the_proxy_to_their_end(between: Between) -> None:
    between.server.changes_a_minute = between.server.changes_an_hour = 1000
    for each in range(101):
        between.server.person("mona").comments(REPO, between.number, str(each))
    assert len(await between.github.comments(REPO, between.number)) == 101
