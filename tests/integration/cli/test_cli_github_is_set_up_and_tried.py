"""`journeyman github` and the doctor against a GitHub of ours: an App is made by hand, its key is private, and what it
may and must not do is tried."""

from __future__ import annotations

import asyncio
import html
import json
import re
import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from click.testing import CliRunner

from cli.commands.github import check, setup
from cli.doctor.finding import Finding, FindingState
from cli.github.findings import look_at_github, try_merging
from cli.github.manifest import EVENTS, manifest, registration_url
from services.gateway.github.credentials import EFFECTS
from services.gateway.github.site import api_of, noreply_host, site_of
from services.gateway.inbound.github_events import RULES
from shared.ops.config import Config, Policy, Repo
from shared.ops.settings import Settings, load_settings
from testing.command_line import COMMAND, clean_environment
from testing.github_server import App, GitHubServer

REPO = "octo/hello"
CONFIG = Config(repos={REPO: Repo(url="https://github.com/octo/hello.git", base="main")})


@pytest_asyncio.fixture
async def server() -> AsyncIterator[GitHubServer]:
    seeded = GitHubServer()
    repo = seeded.repo(REPO, people={"mona": "write", "ada": "admin"})
    repo.branches["main"] = "b" * 40
    repo.protected.add("main")
    async with seeded:
        yield seeded


@pytest.fixture
def settings(server: GitHubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    app = server.app()
    server.webhook("https://jm.example/webhooks/github", "s3cret", app=app)
    return of_the_app(server, app, tmp_path)


def of_the_app(server: GitHubServer, app: App, folder: Path, **more: Any) -> Settings:
    key = folder / "key.pem"
    key.write_text(app.private_key)
    key.chmod(0o600)
    given = {"github_api_url": server.url, "github_app_id": str(app.id), "github_app_private_key_file": key}
    return load_settings({}, **{**given, "github_webhook_secret": "s3cret", **more})


def the_app(server: GitHubServer) -> App:
    return next(iter(server.apps.values()))


def said(found: list[Finding], what: str) -> Finding:
    [one] = [each for each in found if each.what == what]
    return one


async def test_an_app_is_made_in_the_browser_and_its_key_is_for_us_alone(server: GitHubServer, tmp_path: Path) -> None:
    api = {"JOURNEYMAN_GITHUB_API_URL": server.url, "JOURNEYMAN_DATA_DIR": str(tmp_path / "data")}
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "github", "setup", "--no-browser", "--name", "acme-journeyman", "--url", "https://jm.example"),
        cwd=tmp_path,
        env=clean_environment(**api),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    page = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().removeprefix("Open ").strip()
    async with httpx.AsyncClient(trust_env=False) as browser:
        form = await browser.get(page)
        assert "form-action http://127.0.0.1" in form.headers["content-security-policy"]
        action, told = (html.unescape(each) for each in re.findall(r'(?:action|value)="([^"]*)"', form.text))
        elsewhere = page.replace("127.0.0.1", "localhost")
        assert (await browser.get(elsewhere)).status_code == 404
        assert (await browser.get(page[:-1])).status_code == 404
        back = (await browser.post(action, data={"manifest": told})).headers["location"]
        forged = re.sub(r"state=.*", "state=guessed", back)
        assert (await browser.get(forged)).status_code == 404
        assert (await browser.get(back)).status_code == 200
    out = (await asyncio.wait_for(process.communicate(), 20))[0].decode()
    assert process.returncode == 0
    made = the_app(server)
    assert f"JOURNEYMAN_GITHUB_APP_ID={made.id}" in out and "/apps/acme-journeyman/installations/new" in out
    key, secret = tmp_path / "data" / "github-app.pem", tmp_path / "data" / "github-webhook-secret"
    assert (
        key.read_text() == made.private_key and made.hook is not None and secret.read_text().strip() == made.hook.secret
    )
    assert {stat.S_IMODE(each.stat().st_mode) for each in (key, secret)} == {0o600}
    assert "PRIVATE KEY" not in out and made.hook.secret not in out
    again = CliRunner().invoke(setup, ["--no-browser"], env=api)
    assert again.exit_code == 1 and "--force" in again.output


def test_the_app_asks_for_what_effects_need_and_for_nothing_else() -> None:
    asked = manifest("jm", homepage="https://github.com", public_url="", redirect_url="http://127.0.0.1:1/made")
    assert asked["default_permissions"] == EFFECTS and not asked["public"] and "hook_attributes" not in asked
    assert "workflows" not in EFFECTS and "administration" not in EFFECTS


def test_the_app_sends_every_event_that_we_act_on() -> None:
    acted_on = {
        event for event, rules in RULES.items() if any("Ignored: " not in each.effect for each in rules.values())
    }
    # Its checks tell of a workflow already, with fewer rights.
    assert acted_on - set(EVENTS) == {"workflow_run"}


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.example/api/v3", "https://ghe.example"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_people_are_sent_to_the_site_of_the_api(api: str, site: str) -> None:
    assert site_of(api) == site
    host = site.removeprefix("https://")
    assert (api_of(host), noreply_host(api)) == (api, f"users.noreply.{host}")
    assert registration_url(site, "octo", "s") == f"{site}/organizations/octo/settings/apps/new?state=s"


async def test_an_app_that_has_all_it_needs_is_told_so_and_its_webhook_is_watched(
    server: GitHubServer, settings: Settings
) -> None:
    found = await look_at_github(settings, CONFIG)
    assert {each.state for each in found if each.what != "GitHub webhook"} == {FindingState.GOOD}
    assert said(found, "GitHub webhook").state is FindingState.NOTE  # nothing was sent yet


async def test_an_app_of_before_works_without_logs_and_is_told_what_it_lacks(
    server: GitHubServer, settings: Settings
) -> None:
    the_app(server).permissions.pop("actions")
    found = await look_at_github(settings, CONFIG)
    assert FindingState.BAD not in {each.state for each in found}
    assert "lacks actions: read" in said(found, "GitHub App").detail


async def test_a_program_that_is_known_by_its_login_alone_is_named_with_its_number(
    server: GitHubServer, settings: Settings
) -> None:
    server.user("renovate[bot]", type="Bot")
    number = server.users["renovate[bot]"]["id"]
    for bots, told in (
        (("renovate[bot]",), [f"Write its number {number} under bots in journeyman.toml instead."]),
        (("gone[bot]",), ["Take it out of bots in journeyman.toml."]),
        ((number,), []),
    ):
        config = CONFIG.model_copy(update={"policy": Policy(bots=bots)})
        found = await look_at_github(settings, config)
        assert [each.mend for each in found if each.what == "GitHub bots"] == told


async def test_without_credentials_it_is_told_what_does_not_happen(
    server: GitHubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = await look_at_github(load_settings({}), CONFIG)
    assert found.state is FindingState.NOTE and "journeyman github setup" in found.mend


async def test_each_thing_that_is_wrong_is_named_with_its_mend(
    server: GitHubServer, settings: Settings, tmp_path: Path
) -> None:
    app = the_app(server)
    assert app.hook is not None
    app.permissions["pull_requests"] = "read"
    app.hook.url = "https://elsewhere.example/webhooks/github"
    server.repos[REPO].protected.clear()
    (tmp_path / "key.pem").chmod(0o644)
    public = of_the_app(server, app, tmp_path, public_url="https://jm.example")
    (tmp_path / "key.pem").chmod(0o644)
    found = await look_at_github(public, CONFIG)
    assert "pull_requests: write" in said(found, "GitHub App").detail
    assert "https://jm.example/webhooks/github" in said(found, "GitHub webhook").mend
    assert "may not write pull_requests" in said(found, f"GitHub {REPO}").detail
    assert "chmod 600" in said(found, "GitHub").mend
    app.permissions["pull_requests"] = "write"
    assert "is not protected" in said(await look_at_github(settings, CONFIG), f"GitHub {REPO}").detail
    app.repos = {"octo/other"}
    assert "not installed" in said(await look_at_github(settings, CONFIG), f"GitHub {REPO}").detail
    server.apps.clear()
    assert [each.state for each in await look_at_github(settings, CONFIG)][-1] is FindingState.BAD


async def test_the_bot_cannot_merge_and_it_was_tried(server: GitHubServer, settings: Settings) -> None:
    [found] = await try_merging(settings, CONFIG)
    assert found.state is FindingState.GOOD and "was tried and refused" in found.detail
    assert_cleared_away(server)


async def test_a_bot_that_can_merge_is_found_out(server: GitHubServer, settings: Settings) -> None:
    server.repos[REPO].protected.clear()
    [found] = await try_merging(settings, CONFIG)
    assert found.state is FindingState.BAD and "require an approving review" in found.mend
    assert_cleared_away(server)


def assert_cleared_away(server: GitHubServer) -> None:
    repo = server.repos[REPO]
    assert set(repo.branches) == {"main"}
    assert {each["state"] for each in repo.pulls.values()} == {"closed"}


async def test_the_command_tries_it_and_says_so_in_its_exit_code(
    server: GitHubServer, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "journeyman.toml").write_text(f'[repos."{REPO}"]\nurl = "https://github.com/octo/hello.git"\n')
    environment = {
        "JOURNEYMAN_GITHUB_API_URL": server.url,
        "JOURNEYMAN_GITHUB_APP_ID": str(the_app(server).id),
        "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "key.pem"),
        "JOURNEYMAN_GITHUB_WEBHOOK_SECRET": "s3cret",
        "JOURNEYMAN_CONFIG": str(tmp_path / "journeyman.toml"),
    }
    asked = partial(CliRunner().invoke, check, ["--try-merge", "--json"], env=environment)
    done = await asyncio.to_thread(asked)
    assert done.exit_code == 0, done.output
    assert "was tried and refused" in json.dumps(json.loads(done.output))
