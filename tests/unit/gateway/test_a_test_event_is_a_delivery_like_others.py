"""What the gateway sends to itself: an issue as GitHub sends it, with the mend where it cannot be sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.gateway.inbound import self_delivery
from services.gateway.inbound.github import SENDER, read
from services.gateway.inbound.self_delivery import MOST, PER_S, SelfDelivery, issue, signed
from services.gateway.inbound.sender import Incoming
from services.gateway.problems import Problem
from shared.contracts.delivery import Signal
from shared.ops.config import Config, Policy, Repo

OPENED = datetime(2026, 3, 4, 12, tzinfo=UTC)
ONE = Config(repos={"octo/app": Repo(url="https://example.org/app.git")})
TWO = Config(repos={**ONE.repos, "octo/lib": Repo(url="https://example.org/lib.git")})


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def accepting(scope: Any, receive: Any, send: Any) -> None:
    """An application that takes everything."""
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": b'{"delivery": "d1"}'})


async def refused(sender: SelfDelivery, repo: str = "") -> Problem:
    with pytest.raises(Problem) as problem:
        await sender.send(accepting, repo)
    return problem.value


@pytest.mark.parametrize("policy", [Policy(), Policy(mention="@jm"), Policy(label="agent")])
def test_it_is_signed_and_read_as_work_for_the_repository_whatever_the_policy(policy: Policy) -> None:
    body = msgspec.json.encode(issue("octo/app", 7, OPENED, mention=policy.mention))
    headers = {name.lower(): value for name, value in signed(body, b"s3cret").items()}
    SENDER.verify(Incoming(webhook="github", headers=headers, body=body), [b"s3cret"])
    signal = read("issues", body, Config(policy=policy)).meaning
    assert isinstance(signal, Signal)
    assert (signal.thread, signal.repo, signal.directive) == ("github:octo/app#7", "octo/app", "")


def test_nobody_trusts_its_author_so_that_no_plan_of_it_approves_itself() -> None:
    signal = read("issues", msgspec.json.encode(issue("octo/app", 7, OPENED, mention="@agent")), Config()).meaning
    assert isinstance(signal, Signal)
    assert not signal.trusted


async def test_the_task_that_it_becomes_is_named() -> None:
    told = await SelfDelivery([b"s"], lambda: ONE).send(accepting, "")
    assert (told.status, told.delivery, told.reason) == (202, "d1", "")
    assert len(told.task_id) == 26


async def test_without_a_secret_the_setting_that_is_missing_is_named() -> None:
    problem = await refused(SelfDelivery([], lambda: ONE))
    assert problem.status == 409
    assert "JOURNEYMAN_GITHUB_WEBHOOK_SECRET" in problem.detail


@pytest.mark.parametrize(
    ("config", "repo", "said"),
    [(Config(), "", "journeyman.toml"), (TWO, "", "octo/app, octo/lib"), (TWO, "octo/typo", "octo/app, octo/lib")],
)
async def test_a_repository_that_is_not_configured_is_refused_with_the_mend(
    config: Config, repo: str, said: str
) -> None:
    problem = await refused(SelfDelivery([b"s"], lambda: config), repo)
    assert (problem.status, problem.code) == (409, "repo-unknown")
    assert said in problem.detail


async def test_only_so_many_are_sent_in_a_minute() -> None:
    clock = Clock()
    sender = SelfDelivery([b"s"], lambda: ONE, clock=clock)
    for _ in range(MOST):
        await sender.send(accepting, "")
    clock.now += PER_S / 2
    problem = await refused(sender)
    assert (problem.status, problem.code) == (429, "too-many-test-events")
    assert 0 < int(problem.headers["Retry-After"]) <= PER_S / 2 + 1
    clock.now += PER_S / 2
    assert (await sender.send(accepting, "")).delivery == "d1"


async def test_a_test_event_that_was_refused_does_not_count() -> None:
    sender = SelfDelivery([b"s"], lambda: TWO, clock=Clock())
    for _ in range(MOST + 1):
        assert (await refused(sender)).code == "repo-unknown"


def test_its_words_ask_for_nothing_that_changes_anything() -> None:
    assert "nothing has to change" in self_delivery.TEXT
