from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import pytest
import pytest_asyncio
from msgspec.structs import replace
from pydantic import SecretStr

from services.gateway.inbound.sender import Ignored
from services.gateway.inbound.sentry import read
from services.gateway.outbound.channels.board import Parts
from services.gateway.outbound.channels.registry import boards
from services.gateway.outbound.channels.sentry import note_of
from shared.contracts import reply
from shared.contracts.reply import EffectKind, EffectStatus, Progress, Want
from shared.event_store.in_memory import MemoryJournal
from shared.ops.config import Config, SenderPolicy
from shared.ops.settings import Settings, load_settings
from testing import jira_server, sentry_payloads, sentry_server
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.jira_server import JiraServer
from testing.recorded import TASK_ID
from testing.sentry_server import SentryServer
from testing.shown_on_boards import OnBoard
from testing.task_details import STORIES

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
PULL = "https://github.com/octo/app/pull/12"
CONFIG = Config(
    senders={
        "jira": SenderPolicy(
            transitions={"working": "In Progress", "review": "In Review", "done": "Done"},
            project_transitions={"OPS": {"working": "Doing"}},
            work_log=True,
        ),
        "sentry": SenderPolicy(resolve=True),
    }
)
FAULTS = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED)


def on_jira(server: JiraServer, url: str = "") -> OnBoard:
    settings = Settings.model_construct(
        jira_url=url or server.url,
        jira_email=jira_server.EMAIL if server.cloud else "",
        jira_token=SecretStr(jira_server.TOKEN),
    )
    return OnBoard("jira", settings, CONFIG)


def on_sentry(server: SentryServer, url: str = "") -> OnBoard:
    settings = Settings.model_construct(
        sentry_url=url or server.url,
        sentry_organization=sentry_server.ORGANIZATION,
        sentry_token=SecretStr(sentry_server.TOKEN),
    )
    return OnBoard("sentry", settings, CONFIG)


@pytest_asyncio.fixture(params=["cloud", "data center"])
async def jira(request: pytest.FixtureRequest) -> AsyncIterator[JiraServer]:
    async with JiraServer(cloud=request.param == "cloud") as server:
        yield server


@pytest_asyncio.fixture
async def sentry() -> AsyncIterator[SentryServer]:
    async with SentryServer() as server:
        yield server


def comment_wanted(thread: str, revision: int = 1) -> Want:
    return Want(effect="comment", thread=thread, revision=revision, at=AT)


def state_wanted(thread: str, progress: Progress, revision: int) -> Want:
    return Want(effect="state", thread=thread, text=progress, revision=revision, at=AT)


def worked_wanted(thread: str, seconds: int, attempt: int = 1) -> Want:
    return Want(effect=f"work-log/{attempt}", thread=thread, text=str(seconds), at=AT)


def link_wanted(thread: str) -> Want:
    return Want(effect="link/12", thread=thread, target="12", text=PULL, at=AT)


async def test_an_issue_of_jira_has_one_comment_that_is_edited_in_place(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens()
    jira.checked = True
    for revision, story in enumerate(("received", "awaiting approval", "in review"), 1):
        here.stands_at(STORIES[story], revision)
        await here.show(await here.want(comment_wanted(jira.thread(issue), revision)))
    (comment,) = issue.comments
    assert jira.changes == {(issue.id, "comment"): 1, (issue.id, "edit"): 2}
    text = json.dumps(comment["body"], ensure_ascii=False)
    assert "Ready for review:" in text and PULL in text and "No new failures" in text
    assert {"key": "sd.public.comment", "value": {"internal": True}} in comment["properties"]
    display = (await here.state()).displays["comment"]
    assert display.url == f"{jira.url}/browse/{issue.key}?focusedCommentId={comment['id']}"
    await here.close()


async def test_another_gateway_finds_the_comment_that_is_there_and_leaves_those_of_others(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens()
    for number in range(120):
        jira.says(issue, {} if jira.cloud else f"No. {number}", [], jira_server.BOT if number < 60 else "ada")
    mark = f"{TASK_ID}:comment"
    jira.says(issue, f"{{anchor:journeyman:{mark}}}\nhaha", [{"key": "journeyman", "value": {"mark": mark}}], "eve")
    here.stands_at(STORIES["planning"], 1)
    wanted = await here.want(comment_wanted(jira.thread(issue), 1))
    assert wanted is not None
    deaths = iter((False, True))
    assert await here.show_in_the_end(wanted, dies_at=lambda point: next(deaths, False)) == 2
    assert jira.changes[issue.id, "comment"] == 1
    await here.close()


async def test_a_comment_that_somebody_deleted_is_written_again(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens()
    for revision, story in enumerate(("planning", "in review"), 1):
        here.stands_at(STORIES[story], revision)
        await here.show(await here.want(comment_wanted(jira.thread(issue), revision)))
        issue.comments.clear()
    assert jira.changes == {(issue.id, "comment"): 2}
    await here.close()


async def test_an_issue_is_moved_by_the_names_of_statuses_and_not_back_from_where_people_put_it(
    jira: JiraServer,
) -> None:
    here, issue = on_jira(jira), jira.opens()
    thread = jira.thread(issue)
    await here.show(await here.want(state_wanted(thread, Progress.WORKING, 2)))
    issue.status = "To Do"
    assert await here.want(state_wanted(thread, Progress.WORKING, 3)) is None
    issue.status = "In Progress"
    for revision, progress in ((4, Progress.REVIEW), (5, Progress.DONE)):
        await here.show(await here.want(state_wanted(thread, progress, revision)))
    assert jira.moves[issue.id] == ["In Progress", "In Review", "Done"]
    await here.close()


async def test_a_status_that_no_transition_leads_to_is_told_and_stops_nothing(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens("OPS-4")
    await here.show(await here.want(state_wanted(jira.thread(issue), Progress.WORKING, 2)))
    failed = here.journal.log[-1].data
    assert isinstance(failed, reply.Failed) and failed.code == "no-transition"
    assert "OPS-4 is 'To Do' and cannot be moved to 'Doing' by our account, only to 'In Progress'" in failed.message
    assert await here.want(state_wanted(jira.thread(issue), Progress.REVIEW, 3)) is not None
    await here.close()


@pytest.mark.parametrize(("account", "cloud_name"), [("ada", "Ada Lovelace"), ("gone", "gone")])
async def test_people_are_called_by_their_names_and_not_by_their_accounts(
    jira: JiraServer, account: str, cloud_name: str
) -> None:
    here, issue = on_jira(jira), jira.opens()
    here.stands_at(replace(STORIES["planning"], requester=f"jira:{account}"), 1)
    await here.show(await here.want(comment_wanted(jira.thread(issue))))
    assert f"asked for by {cloud_name if jira.cloud else account} " in json.dumps(issue.comments[0]["body"])
    await here.close()


async def test_an_issue_of_jira_has_one_link_to_the_pull_request(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens()
    wanted = await here.want(link_wanted(jira.thread(issue)))
    assert wanted is not None
    deaths = iter((False, True))
    assert await here.show_in_the_end(wanted, dies_at=lambda point: next(deaths, False)) == 2
    assert [each["object"] for each in issue.links.values()] == [{"url": PULL, "title": "Pull request 12"}]
    await here.close()


async def test_a_refusal_and_an_answer_are_a_comment_each(jira: JiraServer) -> None:
    here, issue = on_jira(jira), jira.opens()
    here.stands_at(STORIES["executing"], 3)
    for effect, text in (("refusal/o", "Ask a writer."), ("answer/p", "status"), ("answer/q", "help")):
        want = Want(effect=effect, thread=jira.thread(issue), target="o", text=text, author="5b10", at=AT)
        await here.show(await here.want(want))
    texts = [json.dumps(each["body"]) for each in issue.comments]
    assert "Ask a writer." in texts[0] and "5b10" not in texts[0]
    assert "Working on it (round 2)." in texts[1]
    assert "@agent plan" in texts[2] and "listed under people" in texts[2]
    await here.close()


async def test_the_work_log_has_the_time_of_each_attempt_in_minutes_and_only_where_it_is_wanted(
    jira: JiraServer,
) -> None:
    here, issue = on_jira(jira), jira.opens()
    jira.checked = True
    for attempt in range(jira_server.MAX_FOUND + 2):
        want = worked_wanted(jira.thread(issue), 5 if attempt == 0 else 121, attempt)
        await here.show(await here.want(want))
        assert await here.board.log_work(issue.id, f"{TASK_ID}:work-log/{attempt}", 5, AT) == issue.work[-1]["id"]
    assert [(each["timeSpentSeconds"], each["started"]) for each in issue.work] == [
        (60, "2026-11-26T11:59:00.000+0000"),
        *[(180, "2026-11-26T11:57:00.000+0000")] * (jira_server.MAX_FOUND + 1),
    ]
    assert here.board.shows(EffectKind.WORK_LOG, "60")
    here.config = Config()
    assert not here.board.shows(EffectKind.WORK_LOG, "60")
    await here.close()


@pytest.mark.parametrize(
    ("break_it", "code"), [("no issue", "not-there"), ("another site", "other-site"), ("no token", "denied")]
)
async def test_what_cannot_be_shown_says_why_and_no_secret(jira: JiraServer, break_it: str, code: str) -> None:
    here, issue = on_jira(jira), jira.opens()
    thread = {"no issue": f"jira:{jira.site}#9", "another site": "jira:else.example#1"}.get(
        break_it, jira.thread(issue)
    )
    if break_it == "no token":
        here = OnBoard("jira", here.settings.model_copy(update={"jira_token": SecretStr("other-token")}), CONFIG)
    here.stands_at(STORIES["planning"], 1)
    await here.show(await here.want(comment_wanted(thread)))
    failed = here.journal.log[-1].data
    assert isinstance(failed, reply.Failed)
    assert failed.code == code and "token-of" not in failed.message and "other-token" not in failed.message
    await here.close()


async def test_a_limit_of_jiras_is_waited_for(jira: JiraServer) -> None:
    async with FaultProxy(jira.url, retry_after_s=1) as proxy:
        here, issue = on_jira(jira, proxy.url), jira.opens()
        here.stands_at(STORIES["planning"], 1)
        proxy.then(Fault.LIMITED)
        await here.show(await here.want(comment_wanted(f"jira:#{issue.id}")))
        assert jira.changes[issue.id, "comment"] == 1
        await here.close()


async def test_an_issue_of_sentry_has_one_note_a_link_and_is_resolved_by_the_merge(sentry: SentryServer) -> None:
    here, issue = on_sentry(sentry), sentry.opens()
    thread = sentry.thread(issue)
    for revision, story in enumerate(("planning", "in review", "merged"), 1):
        here.stands_at(STORIES[story], revision)
        await here.show(await here.want(comment_wanted(thread, revision)))
    await here.show(await here.want(link_wanted(thread)))
    await here.show(await here.want(state_wanted(thread, Progress.DONE, 9)))
    (note,) = issue.notes
    assert "**Merged**" in note["data"]["text"] and "<" not in note["data"]["text"]
    assert issue.links == {"journeyman-1a2b": PULL}
    assert issue.updates == ["resolvedInNextRelease"]
    await here.close()


async def test_who_has_spoken_at_an_issue_of_sentry_is_called_by_name_there(sentry: SentryServer) -> None:
    here, issue = on_sentry(sentry), sentry.opens()
    sentry.says(issue, "@agent approve v1", {"id": "789877", "name": "Ada Lovelace"})
    here.stands_at(replace(STORIES["planning"], requester="sentry:789877", cancelled_by="sentry:5"), 1)
    await here.show(await here.want(comment_wanted(sentry.thread(issue))))
    told = issue.notes[-1]["data"]["text"]
    assert "asked for by Ada Lovelace " in told
    await here.close()


async def test_what_we_have_done_at_sentry_is_known_for_ours_when_its_webhooks_tell_it(sentry: SentryServer) -> None:
    here = on_sentry(sentry)
    own = await here.board.own_names()
    assert own == (sentry_server.BOT["id"], sentry_server.BOT["name"], sentry_server.APP)
    resolved = sentry_payloads.payload(
        "resolved",
        {"issue": sentry_payloads.issue(status="resolved")},
        {"type": "application", "id": sentry_server.APP, "name": "Journeyman"},
    )
    config = Config(senders={"sentry": SenderPolicy(accounts=own)})
    assert isinstance(read("issue", json.dumps(resolved).encode(), config).meaning, Ignored)
    await here.close()


async def test_what_cannot_be_resolved_in_the_next_release_is_told(sentry: SentryServer) -> None:
    here, issue = on_sentry(sentry), sentry.opens()
    sentry.has_releases = False
    await here.show(await here.want(state_wanted(sentry.thread(issue), Progress.DONE, 9)))
    failed = here.journal.log[-1].data
    assert isinstance(failed, reply.Failed) and "No release data present" in failed.message
    await here.close()


async def test_a_note_that_sentry_calls_posted_already_is_written(sentry: SentryServer) -> None:
    here, issue = on_sentry(sentry), sentry.opens()
    words = f"<!-- journeyman:{TASK_ID}:refusal/o -->\nNo."
    sentry.says(issue, note_of(f"{TASK_ID}:refusal/o", words), sentry_server.BOT)
    note = await here.board.write(issue.id, f"{TASK_ID}:refusal/o", words)
    assert note.id == issue.notes[0]["id"] and len(issue.notes) == 1
    await here.close()


async def _one_run(seed: int, server: JiraServer | SentryServer) -> None:
    """One task in a world where everything goes wrong sometimes."""
    dice = Random(seed)
    issue: jira_server.Issue | sentry_server.Issue = server.opens()
    async with FaultProxy(server.url, random=Random(seed), share=0.2, faults=FAULTS) as proxy:
        here = on_jira(server, proxy.url) if isinstance(server, JiraServer) else on_sentry(server, proxy.url)
        thread = f"jira:#{issue.id}" if isinstance(server, JiraServer) else f"sentry:{issue.id}"
        states = [Progress.WORKING, Progress.REVIEW, Progress.DONE] if here.name == "jira" else [Progress.DONE]
        wants = [
            comment_wanted(thread, 2),
            Want(effect="refusal/o", thread=thread, text="No.", at=AT),
            comment_wanted(thread, 4),
            link_wanted(thread),
            *([worked_wanted(thread, 90, 1), worked_wanted(thread, 90, 2)] if here.name == "jira" else []),
            *(state_wanted(thread, each, 5 + at) for at, each in enumerate(states)),
            comment_wanted(thread, 9),
        ]
        events = []
        for version, want in enumerate(wants, 1):
            here.stands_at(STORIES[dice.choice(sorted(STORIES))], 2 * version)
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
        await here.close()
    if isinstance(issue, jira_server.Issue):
        assert isinstance(server, JiraServer)
        assert server.changes[issue.id, "comment"] == len(issue.comments) == 2
        assert len(issue.links) == 1 and len(issue.work) == 2
        moved = server.moves[issue.id]
        assert moved[-1] == "Done" and len(set(moved)) == len(moved)
    else:
        kinds = sorted(re.findall(r"`journeyman:[^:]+:([a-z]+)", "".join(each["data"]["text"] for each in issue.notes)))
        assert kinds == ["comment", "refusal"]
        assert issue.updates == ["resolvedInNextRelease"] and issue.links == {"journeyman-1a2b": PULL}


async def test_kills_and_lost_answers_double_nothing(jira: JiraServer, sentry: SentryServer) -> None:
    for seed in range(2):
        await _one_run(seed, jira)
        await _one_run(seed, sentry)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("where", ["jira", "jira data center", "sentry"])
async def test_three_hundred_runs_with_kills_and_lost_answers_double_nothing(
    where: str, campaign_size: CampaignSize
) -> None:
    async with SentryServer() if where == "sentry" else JiraServer(cloud=where == "jira") as server:
        for seed in range(campaign_size.pick(small=10, full=300)):
            print("seed", seed)
            await _one_run(1_000 + seed, server)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"jira_token": "t"}, "JOURNEYMAN_JIRA_TOKEN is set without JOURNEYMAN_JIRA_URL"),
        ({"sentry_token": "t"}, "JOURNEYMAN_SENTRY_TOKEN is set without JOURNEYMAN_SENTRY_ORGANIZATION"),
    ],
)
def test_half_of_the_credentials_names_the_other_half(settings: dict[str, str], missing: str) -> None:
    async def nothing(_id: str) -> None:
        return None

    parts = Parts(config=Config, task=nothing, journal=MemoryJournal())
    with pytest.raises(ValueError, match=missing):
        boards(load_settings({}, **settings), parts)
    assert boards(load_settings({}), parts) == {}
