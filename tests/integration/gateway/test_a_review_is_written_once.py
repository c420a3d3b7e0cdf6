"""A review of ours on a GitHub of ours: one for each attempt whatever dies, at lines of the diff, and no decision."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shared.contracts.messages import Event
from shared.contracts.reply import EffectStatus, Want, review_effect
from shared.contracts.review import Finding, ReviewTarget, Severity
from shared.contracts.subjects import Actor
from shared.contracts.task import Cancelled, Retried, ReviewWritten, Stage
from shared.event_store.envelope import MessageMetadata, RecordedEvent
from shared.event_store.journal import Head, head_of
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.github_server import Answered, GitHubServer
from testing.recorded import TASK_ID
from testing.shown_on_github import REPO, OnGitHub

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
HEAD = "c1" * 20
PATCH = "@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3\n"
FINDING = Finding(severity=Severity.HIGH, text="Is 2 two?", path="a.txt", line=2, in_diff=True)
FAULTS = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[GitHubServer]:
    seeded = GitHubServer(rate_limit=10**6, changes_a_minute=10**6, changes_an_hour=10**6)
    seeded.repo(REPO, people={"ada": "write"}).branches |= {"main": "b" * 40, "fix": HEAD}
    seeded.app()
    async with seeded:
        yield seeded


@pytest_asyncio.fixture
async def here(server: GitHubServer) -> AsyncIterator[OnGitHub]:
    made = OnGitHub(server, server.url)
    yield made
    await made.github.close()


@pytest.fixture
def number(server: GitHubServer) -> int:
    """Somebody's pull request."""
    asked = {"head": "fix", "base": "main", "title": "Two", "body": ""}
    number = int(server.person("ada").does("POST", f"/repos/{REPO}/pulls", **asked)["number"])
    server.repos[REPO].pulls[number]["_files"] = [{"filename": "a.txt", "patch": PATCH}]
    return number


async def wanted(here: OnGitHub, number: int, *more: Event, attempt: int = 2, **changes: Any) -> RecordedEvent:
    """The review that an attempt has written is to be shown; ``more`` happens to its task before that."""
    written = ReviewWritten(
        attempt=attempt,
        repo=REPO,
        thread=f"github:1#{number}",
        review=ReviewTarget(number=number, head=HEAD, base="main"),
        summary="It counts.",
        findings=(FINDING,),
    )
    written = replace(written, **changes)
    task = Actor("task", TASK_ID)
    for event in (written, *more):
        story = await here.journal.load(task)
        id = f"{attempt}-{len(story)}"
        metadata = MessageMetadata(id=id, source="test", time=AT, principal="service:brain", causation_id=id)
        expected = head_of(story[-1]) if story else Head()
        await here.journal.append(task, event, expected=expected, metadata=metadata)
    want = Want(effect=review_effect(attempt), thread=written.thread, repo=REPO, target=written.review.head, at=AT)
    recorded = await here.want(want)
    assert recorded is not None
    return recorded


async def test_a_review_stands_at_its_lines_and_decides_nothing(
    here: OnGitHub, server: GitHubServer, number: int
) -> None:
    await here.show(await wanted(here, number))
    (review,) = server.repos[REPO].reviews[number]
    (comment,) = server.repos[REPO].review_comments.values()
    assert (review["state"], review["commit_id"]) == ("COMMENTED", HEAD)
    assert (comment["path"], comment["line"], comment["side"], comment["body"]) == (
        "a.txt",
        2,
        "RIGHT",
        "**High:** Is 2 two?",
    )
    (display,) = (await here.state()).displays.values()
    assert (display.status, display.url) == (EffectStatus.POSTED, review["html_url"])


async def test_what_github_places_nowhere_is_said_in_the_body(
    here: OnGitHub, server: GitHubServer, number: int
) -> None:
    # Our diff shows the line, GitHub's does not.
    await here.show(await wanted(here, number, findings=(FINDING, replace(FINDING, line=40, text="And 40?"))))
    (review,) = server.repos[REPO].reviews[number]
    assert server.repos[REPO].review_comments == {}
    assert "`a.txt:2`: Is 2 two?" in review["body"] and "`a.txt:40`: And 40?" in review["body"]


async def test_a_commit_that_was_pushed_away_is_named_in_the_body_alone(
    here: OnGitHub, server: GitHubServer, number: int
) -> None:
    event = await wanted(here, number, review=ReviewTarget(number=number, head="d2" * 20, base="main"))
    await here.show(event)
    (review,) = server.repos[REPO].reviews[number]
    assert review["commit_id"] == HEAD and "d2" * 20 in review["body"]
    assert f"moved on to `{HEAD[:12]}` since, which is not reviewed" in review["body"]


async def test_asked_again_there_is_another_review(here: OnGitHub, server: GitHubServer, number: int) -> None:
    for attempt in (2, 4):
        await here.show(await wanted(here, number, attempt=attempt))
    assert len(server.repos[REPO].reviews[number]) == 2


async def test_what_was_stopped_is_not_shown(here: OnGitHub, server: GitHubServer, number: int) -> None:
    await here.show(await wanted(here, number, Cancelled(reason="Enough.")))
    (display,) = (await here.state()).displays.values()
    assert display.status is EffectStatus.FAILED and REPO in server.repos
    assert server.repos[REPO].reviews == {}


async def test_what_was_not_shown_and_is_tried_again_is_that_same_review(
    here: OnGitHub, server: GitHubServer, number: int
) -> None:
    again = Retried(stage=Stage.REVIEWING, review=2)
    await here.show(await wanted(here, number, Cancelled(reason="Wait."), again))
    (review,) = server.repos[REPO].reviews[number]
    assert "It counts." in review["body"]


@pytest.mark.parametrize("point", ["display.claimed", "display.visible", "display.reported"])
async def test_a_gateway_that_dies_on_the_way_leaves_one_review(
    here: OnGitHub, server: GitHubServer, number: int, point: str
) -> None:
    deaths = []

    def dies_at(name: str) -> bool:
        deaths.append(name)
        return name == point and deaths.count(name) == 1

    assert await here.show_in_the_end(await wanted(here, number), dies_at=dies_at) == 2
    assert len(server.repos[REPO].reviews[number]) == len(server.repos[REPO].review_comments) == 1


async def _one_run(seed: int, server: GitHubServer, number: int) -> None:
    dice = Random(seed)
    async with FaultProxy(server.url, random=Random(seed), share=0.3, faults=FAULTS) as proxy:
        here = OnGitHub(server, proxy.url)
        before = len(server.repos[REPO].reviews.get(number, []))
        attempts = (2, 3)
        for attempt in attempts:
            line = dice.choice((2, 3, 40))
            event = await wanted(here, number, attempt=attempt, findings=(replace(FINDING, line=line),))
            await here.show_in_the_end(event, dies_at=_at_random(dice))
        await here.github.close()
        shown = server.repos[REPO].reviews[number][before:]
        assert [f"review/{n} -->" in each["body"] for n, each in zip(attempts, shown, strict=True)] == [True, True]
        # The next run is another task's.
        server.repos[REPO].reviews[number].clear()


def _at_random(dice: Random) -> Callable[[str], bool]:
    return lambda _: dice.random() < 0.15


async def test_kills_and_lost_answers_double_no_review(server: GitHubServer, number: int) -> None:
    for seed in range(4):
        await _one_run(seed, server, number)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_in_a_thousand_runs_kills_and_lost_answers_double_no_review(
    campaign_size: CampaignSize, server: GitHubServer, number: int
) -> None:
    for seed in range(1_000, 1_000 + campaign_size.pick(small=40, full=1_000)):
        print("seed", seed)
        await _one_run(seed, server, number)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ({"path": "a.txt", "line": 1, "side": "LEFT"}, ""),
        ({"path": "a.txt", "line": 3, "side": "RIGHT"}, ""),
        ({"path": "a.txt", "line": 4, "side": "RIGHT"}, "Line could not be resolved"),
        ({"path": "a.txt", "line": 3, "side": "LEFT"}, "Line could not be resolved"),
        ({"path": "b.txt", "line": 1, "side": "RIGHT"}, "Path could not be resolved"),
    ],
)
def test_our_github_takes_comments_at_lines_of_the_diff_only(
    server: GitHubServer, number: int, place: dict[str, Any], why: str
) -> None:
    said = {"event": "COMMENT", "body": "x", "comments": [{**place, "body": "y"}]}
    if not why:
        server.person("ada").does("POST", f"/repos/{REPO}/pulls/{number}/reviews", **said)
        return
    with pytest.raises(Answered) as refused:
        server.person("ada").does("POST", f"/repos/{REPO}/pulls/{number}/reviews", **said)
    assert refused.value.status == 422 and why in str(refused.value.body["errors"])


def test_our_github_lets_nobody_approve_what_is_their_own(server: GitHubServer, number: int) -> None:
    with pytest.raises(Answered, match="own pull request"):
        server.person("ada").does("POST", f"/repos/{REPO}/pulls/{number}/reviews", event="APPROVE", body="x")
