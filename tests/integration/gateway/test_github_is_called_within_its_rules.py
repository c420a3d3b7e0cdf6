"""Our client against a GitHub of ours: what calls do, what their errors mean, and which limits they keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.gateway.config_file import ConfigFile
from services.gateway.github.budget import Budget, Importance
from services.gateway.github.client import GitHub, github_of
from services.gateway.github.credentials import FETCH, AppCredentials, AppKey, PersonalToken, credentials_of
from services.gateway.github.errors import (
    AlreadyThere,
    Denied,
    GitHubError,
    NotAccepted,
    NotConfigured,
    NotThere,
    RateLimited,
    Refused,
    Unavailable,
)
from services.gateway.github.forge import GitHubForge
from services.gateway.github.own_account import OwnAccount
from services.gateway.github.permissions import Permissions
from services.gateway.github.repository_numbers import RepositoryNumbers
from services.gateway.github.transport import MAX_KEPT_BYTES, Transport
from shared.ops.config import Config, Repo
from shared.ops.settings import load_settings
from testing.eventually import eventually
from testing.github_server import Answered, App, GitHubServer, app_key

REPO = "octo/hello"
HEAD, BASE = "a" * 40, "b" * 40


@pytest_asyncio.fixture
async def server() -> AsyncIterator[GitHubServer]:
    seeded = GitHubServer()
    repo = seeded.repo(REPO, people={"mona": "write", "rita": "read", "maja": "maintain"})
    repo.branches |= {"main": BASE, "journeyman/1": HEAD}
    seeded.user("stranger")
    seeded.app()
    async with seeded:
        yield seeded


def app_of(server: GitHubServer) -> App:
    return next(iter(server.apps.values()))


@pytest_asyncio.fixture
async def github(server: GitHubServer) -> AsyncIterator[GitHub]:
    client = as_app(server)
    yield client
    await client.close()


def as_app(server: GitHubServer, **fields: Any) -> GitHub:
    transport = Transport(server.url)
    access = AppKey(str(app_of(server).id), app_key())
    return GitHub(transport, credentials_of(access, transport), **fields)


def as_person(server: GitHubServer, login: str) -> GitHub:
    transport = Transport(server.url)
    return GitHub(transport, credentials_of(PersonalToken(server.user(login)), transport))


async def test_a_comment_is_written_edited_and_found_again_as_our_own(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    server.person("mona").comments(REPO, number, "please")
    written = await github.create_comment(REPO, number, "On it.")
    await github.edit_comment(REPO, written.id, "Done.")
    found = await github.comments(REPO, number)
    assert [(each.body, await github.is_own(each.user)) for each in found] == [("please", False), ("Done.", True)]
    assert found[1].performed_via_github_app and found[1].performed_via_github_app.id == app_of(server).id
    assert [each.text for each in server.changes("comment.created", by=app_of(server).login)] == ["On it."]


async def test_a_conversation_is_read_to_its_end(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "long")
    server.changes_a_minute = server.changes_an_hour = 1000
    for each in range(205):
        server.person("rita").comments(REPO, number, str(each))
    assert [each.body for each in await github.comments(REPO, number)] == [str(each) for each in range(205)]
    assert (await github.issue(REPO, number)).comments == 205


async def test_the_same_reaction_again_changes_nothing(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    comment = server.person("mona").comments(REPO, number, "please")
    first = await github.react(REPO, "comment", comment, "eyes")
    assert await github.react(REPO, "comment", comment, "eyes") == first
    await github.react(REPO, "issue", number, "rocket")
    assert len(server.changes("reaction.created")) == 2
    assert [each.id for each in await github.reactions(REPO, "comment", comment, content="eyes")] == [first.id]
    await github.remove_reaction(REPO, "comment", comment, first.id)
    assert await github.reactions(REPO, "comment", comment) == []


async def test_a_branch_has_one_pull_request_and_a_second_one_is_named_as_there(
    server: GitHubServer, github: GitHub
) -> None:
    made = await github.create_pull(REPO, head="journeyman/1", base="main", title="Mend it", body="Fixes #1")
    assert made.draft and made.head.sha == HEAD
    with pytest.raises(AlreadyThere):
        await github.create_pull(REPO, head="journeyman/1", base="main", title="Mend it", body="")
    assert [each.number for each in await github.pulls_of_branch(REPO, "journeyman/1")] == [made.number]
    assert await github.pulls_of_branch(REPO, "journeyman/2") == []
    changed = await github.update_pull(REPO, made.number, title="Mended", body="Fixes #2")
    assert (changed.title, changed.body) == ("Mended", "Fixes #2")
    await github.add_labels(REPO, made.number, ["journeyman"])
    await github.request_reviewers(REPO, made.number, users=["mona"])
    seen = await github.pull(REPO, made.number)
    assert [each.name for each in seen.labels] == ["journeyman"]
    assert [each.login for each in seen.requested_reviewers] == ["mona"]


async def test_reviews_checks_and_statuses_come_and_go_as_they_are(server: GitHubServer, github: GitHub) -> None:
    pull = await github.create_pull(REPO, head="journeyman/1", base="main", title="Mend it", body="")
    said = [{"path": "a.py", "line": 3, "body": "why?"}]
    review = server.person("mona").reviews(REPO, pull.number, "Hm.", event="REQUEST_CHANGES", comments=said)
    ours = await github.create_review(REPO, pull.number, commit=HEAD, body="One thing.", comments=said)
    assert [each.state for each in await github.reviews(REPO, pull.number)] == ["CHANGES_REQUESTED", "COMMENTED"]
    lines = await github.review_comments(REPO, pull.number, review=review)
    assert [(each.path, each.line, each.body) for each in lines] == [("a.py", 3, "why?")]
    await github.reply_to_review_comment(REPO, pull.number, lines[0].id, "Because.")
    assert len(await github.review_comments(REPO, pull.number)) == 3 and ours.commit_id == HEAD

    run = await github.create_check_run(REPO, name="journeyman", commit=HEAD, status="in_progress")
    output = {"title": "All pass", "summary": "2 checks"}
    await github.update_check_run(REPO, run.id, conclusion="success", output=output)
    [seen] = await github.check_runs(REPO, HEAD, name="journeyman")
    assert (seen.status, seen.conclusion) == ("completed", "success")
    await github.create_status(REPO, HEAD, state="success", context="journeyman", description="x" * 500)
    [status] = await github.statuses(REPO, HEAD)
    assert status.description == "x" * 140


@pytest.mark.parametrize(
    ("login", "may"),
    [("mona", True), ("MONA", True), ("maja", True), ("rita", False), ("stranger", False), ("nobody-at-all", False)],
)
async def test_who_may_write_is_what_github_says(server: GitHubServer, github: GitHub, login: str, may: bool) -> None:
    assert await Permissions(github).may_write(REPO, login) is may


async def test_teams_and_files_of_a_repository_are_read(server: GitHubServer, github: GitHub) -> None:
    server.teams["octo", "core"] = {"mona"}
    assert await github.is_member(REPO, "octo/core", "mona") and await github.is_member(REPO, "core", "mona")
    assert not await github.is_member(REPO, "octo/core", "rita")
    assert not await github.is_member(REPO, "octo/nobody", "mona")
    server.repos[REPO].files[".journeyman.yml"] = b"words: {}\n"
    assert await github.file(REPO, ".journeyman.yml") == b"words: {}\n"
    with pytest.raises(NotThere):
        await github.file(REPO, "docs/nothing.md")


async def test_a_permission_is_kept_for_a_minute_and_forgotten_when_told(server: GitHubServer, github: GitHub) -> None:
    now = [0.0]
    permissions = Permissions(github, clock=lambda: now[0])
    assert await permissions.may_write(REPO, "mona")
    server.collaborator(REPO, "mona", "read")
    assert await permissions.may_write(REPO.upper(), "mona")
    permissions.forget(login="Mona")
    assert not await permissions.may_write(REPO, "mona")
    server.collaborator(REPO, "mona", "admin")
    now[0] = 61.0
    assert await permissions.may_write(REPO, "mona")


async def test_a_repository_that_we_do_not_see_is_no_answer_about_a_person(github: GitHub) -> None:
    with pytest.raises(NotThere):
        await Permissions(github).may_write("octo/other", "mona")


async def test_an_apps_token_is_of_one_repository_and_of_what_it_is_for(server: GitHubServer, github: GitHub) -> None:
    server.repo("octo/second")
    server.repo("octo/third")
    app_of(server).repos = {REPO, "octo/second"}
    assert isinstance(github.credentials, AppCredentials)
    granted = await github.credentials.git_token(REPO, FETCH)
    made = server.tokens[granted.token]
    assert made.repos == frozenset({REPO}) and made.permissions == {"contents": "read", "metadata": "read"}
    assert await github.credentials.git_token(REPO, FETCH) == granted
    assert 3000 < granted.expires_at - time.time() <= 3600
    with pytest.raises(NotThere, match="install it there"):
        await github.repository("octo/third")


async def test_what_an_installation_was_not_given_is_not_asked_for(server: GitHubServer, github: GitHub) -> None:
    del app_of(server).permissions["checks"]
    assert (await github.repository(REPO)).full_name == REPO
    with pytest.raises(Denied, match="checks=write"):
        await github.create_check_run(REPO, name="journeyman", commit=HEAD)


async def test_a_token_that_is_not_accepted_any_more_is_replaced_once(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    await github.create_comment(REPO, number, "one")
    server.tokens.clear()
    await github.create_comment(REPO, number, "two")
    app_of(server).private_key = app_key.__wrapped__()
    server.tokens.clear()
    with pytest.raises(NotAccepted):
        await github.create_comment(REPO, number, "three")
    assert [each.text for each in server.changes("comment.created")] == ["one", "two"]


def _knows_the_app(config: ConfigFile) -> bool:
    return config.now.policy.app_id != 0


async def test_our_account_is_asked_for_where_the_configuration_leaves_it_open(
    server: GitHubServer, github: GitHub, tmp_path: Path
) -> None:
    (tmp_path / "open.toml").write_text('[policy]\nmention = "@agent"\n')
    (tmp_path / "named.toml").write_text('[policy]\nlogin = "somebody[bot]"\n')
    left_open, named = ConfigFile(tmp_path / "open.toml"), ConfigFile(tmp_path / "named.toml")
    for config in (left_open, named):
        asking = OwnAccount(github, config.know_own_account)
        running = asyncio.create_task(asking.run())
        await eventually(partial(_knows_the_app, config))
        asking.drain()
        await running
    app = app_of(server)
    assert (left_open.now.policy.login, left_open.now.policy.app_id) == (app.login, app.id)
    assert (named.now.policy.login, named.now.policy.app_id) == ("somebody[bot]", app.id)


async def test_a_person_s_token_works_for_all_but_check_runs(server: GitHubServer) -> None:
    github = as_person(server, "mona")
    assert (await github.identity()).login == "mona"
    number = server.person("rita").opens_issue(REPO, "It is broken")
    assert await github.is_own((await github.create_comment(REPO, number, "hello")).user)
    with pytest.raises(Denied):
        await github.create_check_run(REPO, name="journeyman", commit=HEAD)
    with pytest.raises(NotConfigured):
        await github.app()
    await github.close()


async def test_after_a_limit_nothing_is_sent_before_its_end(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    await github.issue(REPO, number)
    server.changes_a_minute = 0
    with pytest.raises(RateLimited) as limit:
        await github.create_comment(REPO, number, "one")
    assert 55 < limit.value.until - time.time() < 65
    sent = len(server.requests)
    with pytest.raises(RateLimited):
        await github.issue(REPO, number)
    assert len(server.requests) == sent


async def test_the_last_call_that_a_limit_allows_is_the_last_one(server: GitHubServer, github: GitHub) -> None:
    await github.repository(REPO)
    server.rate_limit = 2
    await github.repository(REPO)
    with pytest.raises(RateLimited):
        await github.repository(REPO)
    assert all(status == 200 for _, path, status in server.requests if path == f"/repos/{REPO}")


async def test_a_renamed_repository_is_found_by_its_old_name(server: GitHubServer, github: GitHub) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    await github.issue(REPO, number)
    server.rename(REPO, "octo/renamed")
    assert (await github.issue(REPO, number)).number == number
    await github.create_comment(REPO, number, "still here")
    assert server.changes("comment.created", repo="octo/renamed")


async def test_an_app_gets_tokens_for_a_repository_by_the_name_that_it_had(server: GitHubServer) -> None:
    number = server.person("mona").opens_issue(REPO, "It is broken")
    server.rename(REPO, "octo/renamed")
    github = as_app(server)
    await github.create_comment(REPO, number, "still here")
    assert server.changes("comment.created", repo="octo/renamed")
    held = [
        by.repos
        for token, by in server.tokens.items()
        if token in server.expires and "issues" in (by.permissions or {})
    ]
    assert held == [frozenset({"octo/renamed"})]
    with pytest.raises(GitHubError):
        await github.repository("octo/never")
    await github.close()


async def test_a_repository_is_known_after_its_rename_without_its_number_in_the_file(
    server: GitHubServer, github: GitHub, tmp_path: Path
) -> None:
    (tmp_path / "journeyman.toml").write_text(
        f'[repos."{REPO}"]\nurl = "https://github.test/{REPO}.git"\n'
        '[repos."octo/gone"]\nurl = "https://github.test/octo/gone.git"\n'
    )
    config = ConfigFile(tmp_path / "journeyman.toml")
    id = server.repos[REPO].id
    server.rename(REPO, "octo/renamed")
    assert config.now.known_as("octo/renamed", id) == "octo/renamed"
    await RepositoryNumbers(github, lambda: config.now, config.know_repository).ask()
    assert config.now.known_as("octo/renamed", id) == REPO
    assert config.now.repos["octo/gone"].id == 0
    config.know_repository(REPO, id + 1)  # the name is another repository's by now
    assert config.now.known_as("octo/renamed", id) == "octo/renamed"


async def test_a_server_that_is_not_there_is_told_as_not_reached() -> None:
    transport = Transport("http://127.0.0.1:9")
    github = GitHub(transport, credentials_of(PersonalToken("x"), transport))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await github.create_comment(REPO, 1, "hello")
    await github.close()


@pytest.mark.parametrize("name", ["", "hello", "a/b/c", "../app", "octo/..", "octo/he llo", "octo/a?b"])
async def test_what_is_no_name_of_a_repository_is_never_asked_for(github: GitHub, name: str) -> None:
    with pytest.raises(NotThere, match="no repository of GitHub"):
        await github.issue(name, 1)


async def test_changes_are_budgeted_and_comments_go_before_reactions() -> None:
    now = [1000.0]
    budget = Budget(per_minute=10, per_hour=20, clock=lambda: now[0])
    for _ in range(7):
        async with budget.turn(Importance.REACTION):
            pass
    with pytest.raises(RateLimited) as limit:
        async with budget.turn(Importance.REACTION):
            pass
    assert limit.value.until == 1060.0
    for _ in range(3):
        async with budget.turn(Importance.COMMENT):
            pass
    with pytest.raises(RateLimited):
        async with budget.turn(Importance.COMMENT):
            pass
    now[0] = 1060.5
    async with budget.turn(Importance.REACTION):
        pass


def test_without_credentials_there_is_no_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert github_of(load_settings({})) is None


def test_half_an_app_is_refused_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotConfigured, match="journeyman github setup"):
        github_of(load_settings({}, github_app_id="1"))
    (tmp_path / "key.pem").write_text("nonsense")
    with pytest.raises(NotConfigured, match="no private key in PEM"):
        github_of(load_settings({}, github_app_id="1", github_app_private_key_file="key.pem"))


async def test_webhooks_are_signed_and_can_be_sent_again(server: GitHubServer, github: GitHub) -> None:
    app_of(server).hook = None
    hook = server.webhook("http://127.0.0.1:9/nobody", "s3cret", app=app_of(server))
    server.person("mona").opens_issue(REPO, "It is broken")
    await server.delivered()
    [failed] = await github.hook_deliveries()
    assert not failed.accepted and failed.event == "issues"
    await github.redeliver(failed.id)
    await server.delivered()
    assert [each.guid for each in await github.hook_deliveries()] == [failed.guid, failed.guid]
    assert len(hook.deliveries) == 2


def test_a_person_keeps_to_the_same_rules(server_free: GitHubServer) -> None:
    with pytest.raises(Answered, match="Not Found"):
        server_free.person("mona").comments(REPO, 7, "hello")


@pytest.fixture
def server_free() -> GitHubServer:
    seeded = GitHubServer()
    seeded.repo(REPO, people={"mona": "write"})
    return seeded


# ---- what GitHub keeps elsewhere


async def test_the_log_of_a_job_is_read_where_github_leads_and_without_the_token(
    server: GitHubServer, github: GitHub
) -> None:
    job = server.checked(REPO, "journeyman/1", "tests", "failure", log=b"x" * 3_000_000 + b"\nerror: 3 is not 2\n")
    log = await github.job_log(REPO, job)
    assert log.endswith("error: 3 is not 2\n") and len(log) <= MAX_KEPT_BYTES
    (asked,) = server.storage.asked
    assert "authorization" not in asked and "cookie" not in asked


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1.example.com/log",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/log",
        "http://user:pw@127.0.0.1/log",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_log_that_is_kept_where_github_keeps_none_is_not_fetched(
    server: GitHubServer, github: GitHub, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = server.checked(REPO, "journeyman/1", "tests", "failure", log=b"error")
    monkeypatch.setattr(server.storage, "keep", lambda _log: where)
    with pytest.raises(Refused):
        await github.job_log(REPO, job)
    assert server.storage.asked == []


def test_on_github_itself_logs_are_kept_in_its_storage_alone() -> None:
    def keeps(api: str, where: str) -> bool:
        return Transport(api, http=httpx.AsyncClient())._keeps_texts(httpx.URL(where))

    blob = "https://productionresultssa0.blob.core.windows.net/actions-results/log"
    assert keeps("https://api.github.com", blob)
    assert not keeps("https://api.github.com", blob.replace("https", "http"))
    assert not keeps("https://api.github.com", blob.replace(".net/", ".net:8443/"))
    assert not keeps("https://api.github.com", "https://evil.example/x.blob.core.windows.net")
    assert keeps("https://ghe.acme.test/api/v3", "https://media.ghe.acme.test/log")
    assert not keeps("https://ghe.acme.test/api/v3", "https://acme.test/log")


async def test_what_a_failed_check_says_is_found_and_what_cannot_be_read_is_said(
    server: GitHubServer, github: GitHub
) -> None:
    config = Config(repos={REPO: Repo(url=f"https://github.test/{REPO}.git")})
    forge = GitHubForge(github, Permissions(github), lambda: config)
    note = {"annotation_level": "failure", "message": "3 is not 2", "path": "sum.py", "start_line": 4}
    job = server.checked(REPO, "journeyman/1", "tests", "failure", log=b"AssertionError: 3", annotations=[note])
    said = await forge.failure_of(REPO, job, job, "1 failed")
    assert said == "1 failed\n\nAnnotations:\nsum.py:4: failure: 3 is not 2\n\nFrom its log:\nAssertionError: 3"
    expired = server.checked(REPO, "journeyman/1", "tests", "failure", log=b"")
    assert "log could not be read" in await forge.failure_of(REPO, expired, expired, "")
    assert "410" in await forge.failure_of(REPO, expired, expired, "")
    assert "404" in await forge.failure_of(REPO, 1, 1, "")
    app_of(server).permissions.pop("actions")
    github.credentials.renew(REPO)
    assert "needs actions=read" in await forge.failure_of(REPO, job, job, "")
