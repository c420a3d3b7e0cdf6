from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from unittest.mock import patch

import pytest
import pytest_asyncio
from msgspec.structs import replace

from services.gateway.outbound import displays
from services.gateway.outbound.commit_checks import NAME
from services.gateway.outbound.displays import patiently
from shared.contracts import reply, run
from shared.contracts.evidence import Evidence
from shared.contracts.messages import ArtifactRef
from shared.contracts.pull_request import CatchUp
from shared.contracts.reply import EffectStatus, Mark, Want
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata
from shared.event_store.journal import Head
from shared.runtime.activity import ActivityContext, HandOver
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.github_server import GitHubServer
from testing.recorded import TASK_ID
from testing.shown_on_github import REPO, OnGitHub
from testing.task_details import CHECKS, RED, STORIES

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
COMMIT = "c1" * 20


@pytest_asyncio.fixture
async def server() -> AsyncIterator[GitHubServer]:
    seeded = GitHubServer(changes_a_minute=100_000, changes_an_hour=100_000)
    repo = seeded.repo(REPO, people={"ada": "write", "journeyman-bot": "write"})
    repo.branches |= {"main": "b" * 40, "journeyman/fix": COMMIT}
    seeded.app()
    async with seeded:
        yield seeded


@pytest_asyncio.fixture
async def here(server: GitHubServer) -> AsyncIterator[OnGitHub]:
    made = OnGitHub(server, server.url)
    yield made
    await made.github.close()


def opened(server: GitHubServer) -> str:
    """The thread of a new issue."""
    return f"github:1#{server.person('ada').opens_issue(REPO, 'Fix the sum')}"


def comment_wanted(thread: str, revision: int = 1) -> Want:
    return Want(effect="comment", thread=thread, repo=REPO, revision=revision, at=AT)


def mark_wanted(thread: str, comment: int, mark: Mark, revision: int = 1) -> Want:
    origin = f"github:comment/{comment}"
    return Want(
        effect=f"reaction/{origin}", thread=thread, repo=REPO, target=origin, text=mark, revision=revision, at=AT
    )


def marks(server: GitHubServer, kind: str, id: int) -> list[str]:
    """The reactions that stand at something."""
    return [each["content"] for each in server.repos[REPO].reactions.get((kind, id), [])]


async def test_a_task_has_one_comment_that_is_edited_in_place(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    for revision, story in enumerate(("received", "awaiting approval", "executing", "in review"), 1):
        here.stands_at(STORIES[story], revision)
        await here.show(await here.want(comment_wanted(thread, revision)))
    (created,) = server.changes("comment.created")
    assert created.number == int(thread.rpartition("#")[2])
    edits = server.changes("comment.edited")
    assert len(edits) == 3 and {each.id for each in edits} == {created.id}
    assert "**Ready for review:**" in edits[-1].text
    display = (await here.state()).displays["comment"]
    assert (display.status, display.shown, display.external) == (EffectStatus.POSTED, 4, str(created.id))
    assert display.url.startswith("https://github.com/octo/app/issues/")


async def test_a_comment_shows_the_task_as_it_stands_when_it_is_written(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    first = await here.want(comment_wanted(thread, 1))
    later = await here.want(comment_wanted(thread, 2))
    here.stands_at(STORIES["in review"], 7)
    await here.show(first)
    assert server.changes("comment.created") == []
    await here.show(later)
    assert await here.want(comment_wanted(thread, 5)) is None
    assert len(server.changes("comment.created")) == 1


async def test_what_follows_at_once_is_one_comment_and_no_edit(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    here.stands_at(STORIES["planning"], 2)
    first = await here.want(comment_wanted(thread, 1))
    assert first is not None
    with patch.object(displays, "SETTLE_S", 0.1):
        showing = asyncio.create_task(here.displays.show(first, ActivityContext(1, asyncio.Event())))
        await asyncio.sleep(0.02)
        second = await here.want(comment_wanted(thread, 2))
        await showing
    assert server.changes("comment.created") == []
    await here.show(second)
    assert len(server.changes("comment.created")) == 1 and server.changes("comment.edited") == []


async def test_the_same_text_is_not_written_twice(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    here.stands_at(STORIES["planning"], 1)
    await here.show(await here.want(comment_wanted(thread, 1)))
    here.stands_at(STORIES["planning"], 2)
    await here.show(await here.want(comment_wanted(thread, 2)))
    assert server.changes("comment.edited") == []


async def test_a_comment_that_somebody_deleted_is_written_again(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    here.stands_at(STORIES["planning"], 1)
    await here.show(await here.want(comment_wanted(thread, 1)))
    (comment,) = server.changes("comment.created")
    await here.github.delete_comment(REPO, comment.id)
    here.stands_at(STORIES["awaiting approval"], 2)
    await here.show(await here.want(comment_wanted(thread, 2)))
    assert len(server.changes("comment.created")) == 2


async def test_the_words_of_a_comment_that_only_looks_like_ours_are_left_alone(
    here: OnGitHub, server: GitHubServer
) -> None:
    thread = opened(server)
    number = int(thread.rpartition("#")[2])
    server.person("ada").comments(REPO, number, f"<!-- journeyman:{TASK_ID}:comment -->\nhaha")
    here.stands_at(STORIES["planning"], 1)
    await here.show(await here.want(comment_wanted(thread, 1)))
    app = next(iter(server.apps.values()))
    assert len(server.changes("comment.created", by=app.login)) == 1
    assert server.changes("comment.edited") == []


async def test_a_mark_at_a_message_gives_way_to_how_it_ended(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    comment = server.person("ada").comments(REPO, int(thread.rpartition("#")[2]), "@agent fix")
    await here.show(await here.want(mark_wanted(thread, comment, Mark.AT_WORK)))
    assert marks(server, "comment", comment) == ["eyes"]
    await here.show(await here.want(mark_wanted(thread, comment, Mark.DONE, 9)))
    assert marks(server, "comment", comment) == ["rocket"]
    await here.show(await here.want(Want(effect="reaction/thing", thread=thread, repo=REPO, text=Mark.AT_WORK, at=AT)))
    assert marks(server, "issue", int(thread.rpartition("#")[2])) == ["eyes"]


async def test_other_peoples_reactions_stay(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    comment = server.person("ada").comments(REPO, int(thread.rpartition("#")[2]), "@agent fix")
    server.person("ada").does("POST", f"/repos/{REPO}/issues/comments/{comment}/reactions", content="eyes")
    await here.show(await here.want(mark_wanted(thread, comment, Mark.AT_WORK)))
    await here.show(await here.want(mark_wanted(thread, comment, Mark.NOT_DONE, 9)))
    assert sorted(marks(server, "comment", comment)) == ["-1", "eyes"]


async def test_a_refusal_and_an_answer_are_a_line_each(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    here.stands_at(STORIES["executing"], 3)
    for effect, text in (("refusal/o", "Ask a writer."), ("answer/p", "status"), ("answer/q", "help")):
        want = Want(effect=effect, thread=thread, repo=REPO, target="o", text=text, author="eve", url="u", at=AT)
        await here.show(await here.want(want))
    texts = [each.text for each in server.changes("comment.created")]
    assert "[eve asked](u): Ask a writer." in texts[0]
    assert "**Working on it (round 2).**" in texts[1]
    assert "`@agent plan`" in texts[2]


@pytest.mark.parametrize("story", ["claimed elsewhere", "gone"])
async def test_what_another_gateway_is_at_is_waited_for(here: OnGitHub, server: GitHubServer, story: str) -> None:
    thread = opened(server)
    here.stands_at(STORIES["planning"], 1)
    wanted = await here.want(comment_wanted(thread, 1))
    await here.want(reply.Claim(effect="comment", worker="other"))
    showing = asyncio.create_task(here.show(wanted))
    await asyncio.sleep(0.15)
    assert not showing.done()
    if story == "claimed elsewhere":
        await here.want(reply.Show(effect="comment", attempt=1, revision=1, url="u", external="5"))
        await showing
        assert server.changes("comment.created") == []
    else:
        await here.want(reply.Fail(effect="comment", attempt=1, code="gone", message="Gone."))
        await showing
        assert server.changes("comment.created") == []


@pytest.mark.parametrize(
    ("break_it", "code"),
    [("no issue", "not-there"), ("no permission", "denied"), ("no repository", "repo-unknown")],
)
async def test_what_cannot_be_shown_says_why(here: OnGitHub, server: GitHubServer, break_it: str, code: str) -> None:
    thread = opened(server)
    here.stands_at(STORIES["planning"], 1)
    want = comment_wanted(thread, 1)
    match break_it:
        case "no issue":
            want = replace(want, thread="github:1#999")
        case "no permission":
            next(iter(server.apps.values())).permissions["issues"] = "read"
        case _:
            want = replace(want, repo="unknown")
    await here.show(await here.want(want))
    failed = here.journal.log[-1].data
    assert isinstance(failed, reply.Failed)
    assert failed.code == code and failed.message.endswith(".")


async def test_a_gateway_that_leaves_while_a_sender_is_away_hands_over(here: OnGitHub, server: GitHubServer) -> None:
    thread = opened(server)
    wanted = await here.want(comment_wanted(thread, 1))
    assert wanted is not None
    leaving = asyncio.Event()
    leaving.set()
    with pytest.raises(HandOver):
        await here.displays.show(wanted, ActivityContext(1, leaving))


async def test_what_is_never_answered_comes_again_later() -> None:
    async def away() -> None:
        raise OSError("never")

    with pytest.raises(OSError, match="never"):
        await patiently(away, ActivityContext(1, asyncio.Event()), most_s=0.0)


async def ran(here: OnGitHub, ended: run.Succeeded | run.Failed) -> None:
    metadata = MessageMetadata(id="r", source="test", time=AT, principal="service:executor", causation_id="r")
    await here.journal.append(Actor("run", TASK_ID), ended, expected=Head(), metadata=metadata)


SUCCEEDED = run.Succeeded(
    round=1,
    attempt=3,
    summary="s",
    commit=COMMIT,
    checks=CHECKS,
    evidence=Evidence.NO_NEW_FAILURES,
    files=(run.FileChange(path="test_add.py", added=7, removed=0),),
)
BROKEN = run.Failed(
    round=1,
    attempt=3,
    code="x",
    message="X.",
    checks=RED,
    evidence=Evidence.FAILING,
    result=run.KeptResult(
        commit=COMMIT,
        branch="b",
        bundle=ArtifactRef(name="b", sha256="0" * 64, size=1),
        tree="t",
        checked_commit="c",
        files=(run.FileChange(path="test_add.py", added=7, removed=0),),
    ),
)
CHECK_WANTED = Want(
    effect=f"check/{COMMIT}", thread=f"commit:{COMMIT}", repo=REPO, target=COMMIT, text="branch/3", at=AT
)


async def test_a_published_commit_has_one_check_run_with_annotations(here: OnGitHub, server: GitHubServer) -> None:
    await ran(here, BROKEN)
    await here.show(await here.want(CHECK_WANTED))
    (made,) = server.repos[REPO].check_runs.values()
    assert (made["name"], made["head_sha"], made["conclusion"]) == (NAME, COMMIT, "failure")
    assert made["output"]["annotations_count"] == 1
    assert "| check | `pytest -q` | failed | 1 |" in made["output"]["summary"]
    await here.show(await here.want(replace(CHECK_WANTED, revision=2)))
    assert len(server.changes("check.created")) == 1


async def test_a_commit_that_follows_its_base_has_a_neutral_check_that_names_what_was_checked(
    here: OnGitHub, server: GitHubServer
) -> None:
    await ran(here, BROKEN)
    effect = CHECK_WANTED.text
    for command in (
        reply.Request(effect=effect, repo=REPO, base_commit="b", commit=COMMIT, branch="journeyman/x"),
        reply.Claim(effect=effect, worker="g1"),
        reply.Post(effect=effect, attempt=1, pull_request=12),
    ):
        await here.want(command)
    later = "c0de" * 10
    server.push(REPO, "journeyman/later", later)
    update = reply.update_effect(CatchUp.MERGE, COMMIT, "ba5e" * 10)
    await here.show(await here.want(replace(CHECK_WANTED, effect=f"check/{later}", target=later, text=update)))
    (made,) = server.repos[REPO].check_runs.values()
    assert (made["head_sha"], made["conclusion"], made["output"]["annotations_count"]) == (later, "neutral", 0)
    summary = made["output"]["summary"]
    assert summary.startswith("**This commit was not checked.**") and COMMIT[:12] in summary
    assert "| check | `pytest -q` | failed | 1 |" in summary


async def test_a_token_sets_a_commit_status_instead(server: GitHubServer) -> None:
    here = OnGitHub(server, server.url, by_token=True)
    await ran(here, SUCCEEDED)
    for revision in (1, 2):
        await here.show(await here.want(replace(CHECK_WANTED, revision=revision)))
    (made,) = server.repos[REPO].statuses[COMMIT]
    assert (made["context"], made["state"]) == ("journeyman", "success")
    assert made["description"].startswith("No new failures: 1 check passed")
    await here.github.close()


FAULTS = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED)


async def _one_run(seed: int, server: GitHubServer) -> None:
    """One task with a comment, a mark, a refusal and a check, in a world where everything goes wrong sometimes."""
    dice = Random(seed)
    async with FaultProxy(server.url, random=Random(seed), share=0.25, faults=FAULTS) as proxy:
        here = OnGitHub(server, proxy.url)
        thread = opened(server)
        number = int(thread.rpartition("#")[2])
        comment = server.person("ada").comments(REPO, number, "@agent fix")
        commit = f"{seed:040x}"
        server.push(REPO, f"journeyman/{seed}", commit)
        await ran(here, SUCCEEDED)
        wants = [
            mark_wanted(thread, comment, Mark.AT_WORK),
            comment_wanted(thread, 2),
            Want(effect="refusal/o", thread=thread, repo=REPO, text="No.", author="eve", at=AT),
            comment_wanted(thread, 4),
            replace(CHECK_WANTED, effect=f"check/{commit}", target=commit),
            mark_wanted(thread, comment, Mark.DONE, 6),
            comment_wanted(thread, 7),
        ]
        events = []
        for version, want in enumerate(wants, 1):
            here.stands_at(STORIES[dice.choice(sorted(STORIES))], version)
            event = await here.want(want)
            assert event is not None
            events.append(event)
            if dice.random() < 0.7:
                await here.show_in_the_end(event, dies_at=lambda point: dice.random() < 0.15)
        here.stands_at(STORIES["in review"], 99)
        for event in events:
            await here.show_in_the_end(event, dies_at=lambda point: dice.random() < 0.15)
        state = await here.state()
        assert {each.status for each in state.displays.values()} == {EffectStatus.POSTED}
        await here.github.close()
    login = next(iter(server.apps.values())).login
    ours = [each for each in server.changes("comment.created", by=login) if each.number == number]
    assert len([each for each in ours if ":comment -->" in each.text]) == 1
    assert len([each for each in ours if ":refusal/o -->" in each.text]) == 1
    assert len(ours) == 2
    assert marks(server, "comment", comment) == ["rocket"]
    assert _checks(server, commit) == [NAME]


def _checks(server: GitHubServer, commit: str) -> list[str]:
    return [each["name"] for each in server.repos[REPO].check_runs.values() if each["head_sha"] == commit]


async def test_kills_and_lost_answers_double_nothing(server: GitHubServer) -> None:
    for seed in range(4):
        await _one_run(seed, server)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_a_thousand_runs_with_kills_and_lost_answers_double_nothing(campaign_size: CampaignSize) -> None:
    for first in range(0, campaign_size.pick(small=40, full=1_000), 20):
        seeded = GitHubServer(rate_limit=10**6, changes_a_minute=10**6, changes_an_hour=10**6)
        seeded.repo(REPO, people={"ada": "write"}).branches |= {"main": "b" * 40}
        seeded.app()
        async with seeded:
            for seed in range(first, first + 20):
                print("seed", seed)
                await _one_run(1_000 + seed, seeded)
